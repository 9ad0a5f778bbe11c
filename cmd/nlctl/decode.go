package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/nlwire/nlwire/nla/policy"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

const decodeHelp = `FILE, or - for standard input, has one of these formats, which nlctl detects:

   a capture of an nlmon device, by tcpdump or Wireshark (pcap, pcapng)
   datagrams in hex: an empty line ends one, # begins a comment
   the bytes of one datagram

A capture contains the protocol of each datagram; -protocol sets the protocol of the
other formats. Names and header sizes of families are known if the file contains the
controller's descriptions before the families' messages. To capture:

   ip link add nlmon0 type nlmon && ip link set nlmon0 up
   tcpdump -i nlmon0 -w FILE`

func decodeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "protocol", Value: socket.Generic.String(), Usage: "the protocol of a file that is not a capture, by `NAME` or number"},
		&cli.Uint8Flag{Name: "header", HideDefault: true, Usage: "the header size, `N` bytes, of families that the file does not describe"},
	}
}

// decode prints the messages in a file. It uses neither the kernel nor a bus.
func decode(_ context.Context, c *cli.Command) error {
	args, err := arguments(c, 1)
	if err != nil {
		return err
	}
	if c.Root().IsSet("bus") {
		return usageError{errors.New("-bus is not allowed with decode, which only reads a file")}
	}
	protocol, err := parseProtocol(c.String("protocol"))
	if err != nil {
		return usageError{err}
	}
	signal.Reset(os.Interrupt, syscall.SIGTERM) // no cleanup is needed, and a read from a pipe cannot be canceled
	out := newDecoder(c.Root().Writer, c.Bool("json"))
	out.header = int(c.Uint8("header"))
	if args[0] == "-" {
		return out.file(c.Root().Reader, protocol)
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	return out.file(file, protocol)
}

// heardFamily is the description of a family in the file.
type heardFamily struct {
	name   string
	header int
}

// decoder prints datagrams in the order of the file.
type decoder struct {
	w        io.Writer
	isJSON   bool
	families map[nlmsg.Type]heardFamily
	header   int // header size of families without a description
	count    int // datagrams so far
	bad      int // malformed or incomplete datagrams among them
}

func newDecoder(w io.Writer, isJSON bool) *decoder {
	return &decoder{w: w, isJSON: isJSON, families: map[nlmsg.Type]heardFamily{
		genlmsg.IDCtrl:     {name: genlmsg.CtrlName},
		genlmsg.IDVFSQuota: {name: "VFS_DQUOT"},
		genlmsg.IDPMCRAID:  {name: "pmcraid"},
	}}
}

// file prints all datagrams of a file. Of a malformed datagram it prints the well-formed
// part, and returns an error at the end of the file.
func (d *decoder) file(r io.Reader, protocol socket.Protocol) error {
	for g, err := range datagrams(r, protocol) {
		if err == nil {
			err = d.datagram(g)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case d.count == 0:
		return errors.New("the file has no datagram")
	case d.bad > 0:
		return fmt.Errorf("%d of %d datagrams are malformed or incomplete", d.bad, d.count)
	}
	return nil
}

func (d *decoder) datagram(g datagram) error {
	d.count++
	about := message{Datagram: d.count, Time: g.when(), Protocol: g.protocol.String()}
	messages := d.messages(g, about)
	if slices.ContainsFunc(messages, message.isBad) {
		d.bad++
	}
	if d.isJSON {
		return d.encode(messages)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d  %s, %d bytes", about.Datagram, about.Protocol, len(g.b)+g.missing)
	if about.Time != "" {
		text.WriteString("  " + about.Time)
	}
	text.WriteByte('\n')
	for i := range messages {
		messages[i].write(&text)
	}
	_, err := io.WriteString(d.w, text.String())
	return err
}

func (d *decoder) encode(messages []message) error {
	e := newEncoder(d.w)
	for i := range messages {
		if err := e.Encode(&messages[i]); err != nil {
			return err
		}
	}
	return nil
}

// messages reads the messages of a datagram. The malformed or missing rest is the last
// message. about contains the fields that are common to all messages.
func (d *decoder) messages(g datagram, about message) (all []message) {
	b := g.b
	for len(b) > 0 && g.protocol != socket.KObjectUevent {
		m, n := nlmsg.Consume(b)
		if n < 0 {
			about.Error = nlmsg.ParseError(n).Error()
			if len(b) >= nlmsg.HeaderLen {
				about.Envelope = newEnvelope(g.protocol, b) // the header is printed although the length is wrong
			}
			break
		}
		out := about
		out.Offset, out.Length = len(g.b)-len(b), len(m)
		d.read(&out, g.protocol, m)
		all = append(all, out)
		b = b[n:]
	}
	if g.missing > 0 {
		about.Error = fmt.Sprintf("the last %d bytes were not captured", g.missing)
	}
	if len(b) > 0 || g.missing > 0 {
		about.Offset, about.Length, about.Payload = len(g.b)-len(b), len(b), hex.EncodeToString(b)
		if g.protocol == socket.KObjectUevent { // texts, each followed by a NUL
			about.Text = guess(bytes.ReplaceAll(bytes.TrimSuffix(b, []byte{0}), []byte{0}, []byte(" ")))
		}
		all = append(all, about)
	}
	return all
}

// read reads a message into out.
func (d *decoder) read(out *message, protocol socket.Protocol, m nlmsg.Msg) {
	out.Envelope = newEnvelope(protocol, m)
	switch t := m.Type(); {
	case protocol == socket.Connector: // uses type Done for messages with data (cn_netlink_send_mult)
		out.Payload = hex.EncodeToString(m.Payload())
	case t == nlmsg.TypeError || t == nlmsg.TypeDone:
		out.Answer, out.Payload = newAnswer(m)
	case t >= nlmsg.MinType && protocol == socket.Generic:
		d.generic(out, m)
	case t >= nlmsg.MinType && protocol == socket.Route:
		route(out, m)
	case t >= nlmsg.MinType && protocol == socket.Netfilter:
		out.Body = behind(m, netfilterHeader)
	default:
		out.Payload = hex.EncodeToString(m.Payload())
	}
}

// route reads an rtnetlink message.
func route(out *message, m nlmsg.Msg) {
	name, header, ok := routeType(m)
	if !ok {
		out.Payload = hex.EncodeToString(m.Payload())
		return
	}
	out.Name, out.Body = name, behind(m, header)
}

// behind reads the attributes after a header of the given length.
func behind(m nlmsg.Msg, header int) *Body {
	p := m.Payload()
	b := newBody(m, p[:min(header, len(p))], m.Attrs(header), nil)
	return &b
}

// generic reads a message of a Generic Netlink family.
func (d *decoder) generic(out *message, m nlmsg.Msg) {
	var policy *policy.Policy
	if m.Type() == genlmsg.IDCtrl {
		d.hear(m)
		policy = controllerPolicy
	}
	header := d.header
	if family, ok := d.families[m.Type()]; ok {
		out.Name, header = family.name, family.header
	}
	r := newReply(m, header, policy)
	out.Generic = &r
}

// hear stores a family that the controller describes. IDs have 16 bits, which limits the
// number of families, and no kernel has longer names.
func (d *decoder) hear(m nlmsg.Msg) {
	e, err := ctrl.ParseEvent(m)
	if err == nil && e.Cmd == genlmsg.CtrlCmdNewFamily && e.Family.HdrSize <= maxHeader && len(e.Family.Name) < genlmsg.NameSize {
		d.families[nlmsg.Type(e.Family.ID)] = heardFamily{e.Family.Name, int(e.Family.HdrSize)}
	}
}
