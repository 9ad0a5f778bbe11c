package main

import (
	"fmt"
	"io"
	"time"

	"github.com/nlwire/nlwire/cmd/nlctl/internal/input"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"github.com/nlwire/nlwire/ynl"
)

// decoder prints datagrams in the order of a file or of their arrival.
type decoder struct {
	out    *output
	stderr io.Writer
	isJSON bool
	specs  *names
	// isMulticast is set if all messages come from multicast groups.
	isMulticast bool
	stats       *stats // counts attributes instead of printing, if not nil

	families  map[nlmsg.Type]*describedFamily
	header    int // header size of families without a description
	exchanges exchanges
	fields    ynl.Decoder
	flags     flagCache
	names     routeNames
	view      view
	ack       answer // of the view
	nsid      *int32 // of the network namespace of received datagrams, or nil
	count     int    // datagrams so far
	bad       int    // malformed or incomplete datagrams among them
}

func newDecoder(out *output, specs *names, isJSON bool) *decoder {
	d := &decoder{out: out, isJSON: isJSON, specs: specs, families: map[nlmsg.Type]*describedFamily{}, flags: flagCache{}, names: routeNames{}}
	d.describe(ctrl.Family{ID: genlmsg.IDCtrl, Name: genlmsg.CtrlName})
	d.describe(ctrl.Family{ID: genlmsg.IDVFSQuota, Name: "VFS_DQUOT"})
	d.describe(ctrl.Family{ID: genlmsg.IDPMCRAID, Name: "pmcraid"})
	return d
}

// datagram prints the messages of a datagram.
func (d *decoder) datagram(g *input.Datagram) error {
	d.count++
	d.view = view{datagram: d.count, time: g.Time, protocol: g.Protocol, nsid: d.nsid}
	d.view.foreign = input.IsForeign(g.Data) && g.Protocol != socket.KObjectUevent
	if !d.isJSON && d.stats == nil {
		d.heading(g)
	}
	if d.messages(g) {
		d.bad++
	}
	return d.out.full()
}

// heading prints the line before the messages of a datagram.
func (d *decoder) heading(g *input.Datagram) {
	o := d.out
	o.int(int64(d.count))
	o.text("  ", protocolName(g.Protocol), ", ")
	o.int(int64(len(g.Data) + g.Missing))
	o.text(" bytes")
	if hasTime(g.Time) {
		o.text("  ")
		o.time(g.Time)
	}
	if d.nsid != nil {
		o.text("  nsid ")
		o.int(int64(*d.nsid))
	}
	if d.view.foreign {
		o.text("  other byte order")
	}
	o.text("\n")
}

// protocolName returns the name of a protocol, also of one that the file does not contain.
func protocolName(p socket.Protocol) string {
	if p < 0 {
		return "unknown protocol"
	}
	return p.String()
}

// hasTime reports whether a time is known and in the range of RFC 3339.
func hasTime(t time.Time) bool {
	year := t.UTC().Year()
	return !t.IsZero() && year >= 0 && year <= 9999
}

// messages prints the messages of a datagram. It reports whether one is malformed or
// incomplete.
func (d *decoder) messages(g *input.Datagram) (isBad bool) {
	b := g.Data
	if g.Protocol == socket.KObjectUevent {
		return d.uevent(g)
	}
	if d.view.foreign {
		b = d.toNative(g)
	}
	whole := b
	for len(b) > 0 {
		m, n := nlmsg.Consume(b)
		offset := len(whole) - len(b)
		switch {
		case n >= 0:
			isBad = d.message(offset, m) || isBad
			b = b[n:]
			continue
		case g.Missing > 0:
		case offset > 0 && input.IsZero(b):
			d.zeros(offset, b)
			return isBad
		default:
			d.unreadable(offset, b, nlmsg.ParseError(n).Error())
			return true
		}
		break
	}
	if g.Missing > 0 || g.Problem != "" {
		d.incomplete(g, len(whole)-len(b), b)
		return true
	}
	return isBad
}

// zeros prints the zeros after the last message of a datagram. The kernel ignores them
// (netlink_rcv_skb), and some programs send them.
func (d *decoder) zeros(offset int, b []byte) {
	v := d.newView(offset, nil, len(b))
	v.note = fmt.Sprintf("%d zeros after the last message", len(b))
	d.print(v)
}

// unreadable prints bytes that are not a message.
func (d *decoder) unreadable(offset int, b []byte, problem string) {
	v := d.newView(offset, nil, len(b))
	v.err, v.isUnread, v.payload = problem, true, b
	if len(b) >= nlmsg.HeaderLen {
		v.m, v.name = nlmsg.Msg(b), d.typeName(nlmsg.Msg(b)) // the header is printed although the length is wrong
	}
	d.print(v)
}

// incomplete prints a message whose end is missing.
func (d *decoder) incomplete(g *input.Datagram, offset int, b []byte) {
	problem := g.Problem
	if problem == "" {
		problem = fmt.Sprintf("the last %d bytes were not captured", g.Missing)
	}
	if len(b) < nlmsg.HeaderLen {
		d.unreadable(offset, b, problem)
		return
	}
	v := d.newView(offset, nlmsg.Msg(b), len(b))
	d.read(v)
	v.err = problem
	d.print(v)
}

// newView returns the view for the next message. It is valid until the next call.
func (d *decoder) newView(offset int, m nlmsg.Msg, length int) *view {
	v := &d.view
	*v = view{datagram: v.datagram, time: v.time, protocol: v.protocol, foreign: v.foreign, nsid: v.nsid, offset: offset, length: length, m: m}
	return v
}

// message prints a message. It reports whether the message is malformed.
func (d *decoder) message(offset int, m nlmsg.Msg) (isBad bool) {
	v := d.newView(offset, m, len(m))
	d.read(v)
	d.print(v)
	return v.err != ""
}

func (d *decoder) print(v *view) {
	if v.m != nil && d.stats == nil {
		f := v.m.Flags()
		v.flags = d.flags.of(f, v.kind(f))
	}
	switch {
	case d.stats != nil:
		d.stats.add(v)
	case d.isJSON:
		v.writeJSON(d.out)
	default:
		v.writeText(d.out)
	}
	d.fields.Reset()
}

// maxNamed is the length of a message up to which its attributes are decoded by a spec,
// which needs memory for each. Longer messages are printed by numbers.
const maxNamed = 256 << 10

// read reads a message into v.
func (d *decoder) read(v *view) {
	m := v.m
	t := m.Type()
	v.name = d.typeName(m)
	if v.protocol == socket.Connector { // type Done for messages with data (cn_netlink_send_mult)
		v.readConnector(m)
		return
	}
	v.exchange = d.exchanges.find(v.protocol, m)
	switch {
	case t == nlmsg.TypeError || t == nlmsg.TypeDone:
		d.answer(v)
		return
	case t < nlmsg.MinType:
		v.payload = m.Payload()
		return
	case v.protocol == socket.Generic:
		d.generic(v)
	default:
		if v.spec = d.specs.message(v.protocol, t); v.spec != nil {
			v.op = operation(v.spec, m, d.direction(m), v.exchange)
		}
		d.other(v)
	}
	if v.spec != nil && v.op != nil && v.op.Set != nil && v.body == nil && len(m) <= maxNamed {
		d.named(v)
	} else if v.body != nil {
		v.body.check(v)
	}
	if m.Flags()&nlmsg.FlagRequest != 0 {
		d.exchanges.add(v.protocol, v.datagram, m, v.spec, v.op)
	}
}

// direction returns the direction of a message. A notification has sequence number 0 and port
// ID 0, except one that a request caused: it can have the numbers of the request.
func (d *decoder) direction(m nlmsg.Msg) ynl.Direction {
	switch {
	case m.Flags()&nlmsg.FlagRequest != 0:
		return ynl.Request
	case d.isMulticast || m.Seq() == 0 && m.PortID() == 0:
		return ynl.Notification
	}
	return ynl.Reply
}

// operation returns the operation of a message, nil if the spec has none. Operations can
// share the number of their replies, which the request distinguishes.
func operation(s *ynl.Spec, m nlmsg.Msg, dir ynl.Direction, x *exchange) *ynl.Op {
	if dir != ynl.Reply {
		return s.OpOf(m, dir)
	}
	if x != nil && x.spec == s && x.op != nil && hasReply(x.op, s.Number(m)) {
		return x.op
	}
	return s.OpOf(m, ynl.Reply)
}

// hasReply reports whether replies of an operation have the number.
func hasReply(op *ynl.Op, n int) bool {
	return op.Reply == n || op.Dump != nil && op.Dump.ReplyNumber == n
}

// named decodes the message with its spec.
func (d *decoder) named(v *view) {
	v.fields = d.fields.DecodeOp(v.spec, v.m, v.op).Fields
	for i := range v.fields {
		f := &v.fields[i]
		if f.Form != ynl.FormInvalid {
			continue
		}
		if input.IsZero(f.Raw) {
			v.note = fmt.Sprintf("%d zeros after the attributes", len(f.Raw))
		} else {
			v.err = fmt.Sprintf("at offset %d of the message: %v", f.Offset, attributeError(f.Raw))
			v.rest = f.Raw
		}
		v.fields = v.fields[:i]
		break
	}
	if f := malformed(v.fields); f != nil && v.err == "" {
		v.err = fmt.Sprintf("at offset %d of the message: %v", f.Offset, attributeError(f.Raw))
	}
	if !d.isJSON || v.note != "" {
		return
	}
	if name := repeated(v.fields); name != "" {
		v.note = name + " repeats; the values have only the last one"
	}
}

// repeated returns the name of an attribute that repeats although the spec has it as one
// that does not, "" if there is none. The format of the JSON has one value for it.
func repeated(fields []ynl.Field) string {
	var types [8]uint64 // more than any spec has
	for i := range fields {
		f := &fields[i]
		if f.Attr != nil && !f.Attr.Multi && f.Form != ynl.FormPad {
			word, bit := &types[f.Type>>6&7], uint64(1)<<(f.Type&63)
			if *word&bit != 0 {
				return f.Name
			}
			*word |= bit
		}
		if len(f.Fields) > 0 {
			if name := repeated(f.Fields); name != "" {
				return name
			}
		}
	}
	return ""
}

// malformed returns the first bytes in a nest that are neither an attribute nor zeros, or
// nil.
func malformed(fields []ynl.Field) *ynl.Field {
	for i := range fields {
		f := &fields[i]
		if f.Form == ynl.FormInvalid && !input.IsZero(f.Raw) {
			return f
		}
		if f = malformed(f.Fields); f != nil {
			return f
		}
	}
	return nil
}

// attributeError returns the reason why b does not begin with an attribute.
func attributeError(b []byte) error {
	for _, err := range nla.All(b) {
		if err != nil {
			if s, ok := err.(*nla.SyntaxError); ok {
				return s.Err
			}
			return err
		}
	}
	return nil
}

// typeName returns the name of the type: of the family, or of the rtnetlink type.
func (d *decoder) typeName(m nlmsg.Msg) string { return d.nameOfType(d.view.protocol, m) }

func (d *decoder) nameOfType(protocol socket.Protocol, m nlmsg.Msg) string {
	t := m.Type()
	switch {
	case protocol == socket.Connector:
		return "connector"
	case t < nlmsg.MinType:
	case protocol == socket.Generic:
		if f := d.families[t]; f != nil {
			return f.Name
		}
	case protocol == socket.Route:
		if name := d.names.of(t); name != "" {
			return name
		}
	default:
		if s := d.specs.message(protocol, t); s != nil {
			if op := operation(s, m, d.direction(m), nil); op != nil {
				return op.Name
			}
		}
	}
	return t.String()
}
