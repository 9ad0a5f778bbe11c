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

const decodeHelp = `FILE, or - for standard input, is one of these, which nlctl tells apart:

   a capture of an nlmon device, by tcpdump or Wireshark (pcap, pcapng)
   datagrams in hex: an empty line ends one, # begins a comment
   the bytes of one datagram

A capture tells the protocol of each datagram; -protocol tells that of the others.
Names of families, and whether they have a header of their own, are what the
controller told earlier in the file. To capture:

   ip link add nlmon0 type nlmon && ip link set nlmon0 up
   tcpdump -i nlmon0 -w FILE`

func decodeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "protocol", Value: socket.Generic.String(), Usage: "what a file that is no capture holds, by `NAME` or number"},
		&cli.Uint8Flag{Name: "header", HideDefault: true, Usage: "the length of the header, `N` bytes, that families have which the file does not tell of"},
	}
}

// decode prints the messages in a file. It asks nobody.
func decode(_ context.Context, c *cli.Command) error {
	args, err := arguments(c, 1)
	if err != nil {
		return err
	}
	if c.Root().IsSet("bus") {
		return usageError{errors.New("-bus has no meaning for decode, which asks nobody")}
	}
	protocol, err := parseProtocol(c.String("protocol"))
	if err != nil {
		return usageError{err}
	}
	signal.Reset(os.Interrupt, syscall.SIGTERM) // there is nothing to tidy up, and reading a pipe cannot be cancelled
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

// heardFamily is what a file told of a family.
type heardFamily struct {
	name   string
	header int
}

// A decoder prints datagrams in the order in which they are in a file.
type decoder struct {
	w        io.Writer
	isJSON   bool
	families map[nlmsg.Type]heardFamily
	header   int // of families that are not there
	count    int // datagrams
	bad      int // of them, that do not make sense to their end
}

func newDecoder(w io.Writer, isJSON bool) *decoder {
	return &decoder{w: w, isJSON: isJSON, families: map[nlmsg.Type]heardFamily{
		genlmsg.IDCtrl:     {name: genlmsg.CtrlName},
		genlmsg.IDVFSQuota: {name: "VFS_DQUOT"},
		genlmsg.IDPMCRAID:  {name: "pmcraid"},
	}}
}

// file prints all of a file. Datagrams that make no sense are printed as far as they
// do, and are an error in the end.
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
		return fmt.Errorf("%d of %d datagrams make no sense to their end", d.bad, d.count)
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

// messages reads a datagram. What of it makes no sense comes last. about is what all
// its messages have.
func (d *decoder) messages(g datagram, about message) (all []message) {
	b := g.b
	for len(b) > 0 && g.protocol != socket.KObjectUevent {
		m, n := nlmsg.Consume(b)
		if n < 0 {
			about.Error = nlmsg.ParseError(n).Error()
			if len(b) >= nlmsg.HeaderLen {
				about.Envelope = newEnvelope(g.protocol, b) // what there is of it says a lot
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
		if g.protocol == socket.KObjectUevent { // texts, each with a NUL behind it
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
	case protocol == socket.Connector: // whose messages of data are of type Done (cn_netlink_send_mult)
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

// route reads a message of rtnetlink.
func route(out *message, m nlmsg.Msg) {
	name, header, ok := routeType(m)
	if !ok {
		out.Payload = hex.EncodeToString(m.Payload())
		return
	}
	out.Name, out.Body = name, behind(m, header)
}

// behind reads the attributes behind a header of that length.
func behind(m nlmsg.Msg, header int) *Body {
	p := m.Payload()
	b := newBody(m, p[:min(header, len(p))], m.Attrs(header), nil)
	return &b
}

// generic reads a message of a family.
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

// hear keeps what the controller tells of a family. Ids are of 16 bits, which bounds
// how many there are, and no kernel has a longer name.
func (d *decoder) hear(m nlmsg.Msg) {
	e, err := ctrl.ParseEvent(m)
	if err == nil && e.Cmd == genlmsg.CtrlCmdNewFamily && e.Family.HdrSize <= maxHeader && len(e.Family.Name) < genlmsg.NameSize {
		d.families[nlmsg.Type(e.Family.ID)] = heardFamily{e.Family.Name, int(e.Family.HdrSize)}
	}
}
