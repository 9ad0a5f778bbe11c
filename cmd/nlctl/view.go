package main

import (
	"strings"
	"time"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"github.com/nlwire/nlwire/ynl"
)

// view is a message that is to be printed, or the malformed or missing rest of a datagram.
type view struct {
	datagram int
	time     time.Time
	protocol socket.Protocol
	nsid     *int32 // of its network namespace, or nil
	foreign  bool   // the datagram has the other byte order
	offset   int    // in the datagram
	length   int

	m        nlmsg.Msg // nil if there is no header
	name     string    // of the type
	flags    []string
	exchange *exchange // the request, or nil

	hasGeneric   bool
	cmd, version uint8

	spec     *ynl.Spec
	op       *ynl.Op
	fields   []ynl.Field // with names
	body     *body       // without names
	answer   *answer
	cn       *connector
	uevent   []string
	payload  []byte // without a decoder
	note     string
	err      string
	isUnread bool   // the whole message is malformed or missing
	rest     []byte // malformed attributes
}

// flagCache caches the names of flags, which few messages have for the first time.
type flagCache map[flagKey][]string

type flagKey struct {
	flags nlmsg.Flags
	kind  nlmsg.Kind
}

// maxFlagNames limits the cache: a file may contain all flags.
const maxFlagNames = 1024

// of returns the names of flags of a kind of message.
func (n flagCache) of(f nlmsg.Flags, kind nlmsg.Kind) []string {
	key := flagKey{f, kind}
	list, ok := n[key]
	if ok {
		return list
	}
	if f != 0 {
		list = strings.Split(namesOfFlags(f, kind), "|")
	}
	if len(n) == maxFlagNames {
		clear(n)
	}
	n[key] = list
	return list
}

// kind returns the kind of the message, which determines the meaning of the upper flags.
func (v *view) kind(f nlmsg.Flags) nlmsg.Kind {
	k := flagsKind(v.protocol, v.m.Type(), f)
	if k != nlmsg.KindUnknown || v.op == nil {
		return k
	}
	switch {
	case v.protocol == socket.Generic:
	case strings.HasPrefix(v.op.Name, "get"):
		return nlmsg.KindGet
	case strings.HasPrefix(v.op.Name, "new"):
		return nlmsg.KindNew
	case strings.HasPrefix(v.op.Name, "del"):
		return nlmsg.KindDelete
	}
	return k
}

// namesOfFlags returns the names of flags: "request|dump". Of a kind that is not known, the
// upper flags have the names of all kinds.
func namesOfFlags(f nlmsg.Flags, kind nlmsg.Kind) string {
	if kind != nlmsg.KindUnknown {
		return f.Names(kind)
	}
	if f&nlmsg.FlagRequest != 0 && f&nlmsg.FlagDump == nlmsg.FlagDump {
		kind = nlmsg.KindGet
		return f.Names(kind)
	}
	var list []string
	if low := f & 0xff; low != 0 {
		list = append(list, low.String())
	}
	for _, u := range upperFlags {
		if f&u.flag != 0 {
			list = append(list, u.name)
			f &^= u.flag
		}
	}
	if f &^= 0xff; f != 0 {
		list = append(list, f.String())
	}
	return strings.Join(list, "|")
}

// upperFlags are the names of the upper flags of requests to get and to create.
var upperFlags = []struct {
	flag nlmsg.Flags
	name string
}{
	{nlmsg.FlagRoot, "root/replace"}, {nlmsg.FlagMatch, "match/excl"}, {nlmsg.FlagAtomic, "atomic/create"}, {nlmsg.FlagAppend, "append"},
}

// writeJSON prints the message as an object in a line of its own.
func (v *view) writeJSON(o *output) {
	o.text("{")
	o.keyInt("datagram", int64(v.datagram))
	if hasTime(v.time) {
		o.keyTime("time", v.time)
	}
	o.keyString("protocol", protocolName(v.protocol))
	if v.nsid != nil {
		o.keyInt("nsid", int64(*v.nsid))
	}
	if v.foreign {
		o.key("other_byte_order")
		o.text("true")
	}
	o.keyInt("offset", int64(v.offset))
	o.keyInt("length", int64(v.length))
	if v.m != nil {
		o.keyInt("type", int64(v.m.Type()))
		o.keyString("name", v.name)
		o.keyStrings("flags", v.flags)
		o.keyInt("seq", int64(v.m.Seq()))
		o.keyInt("port", int64(v.m.PortID()))
	}
	if v.exchange != nil {
		o.keyInt("reply_to", int64(v.exchange.datagram))
	}
	v.contentJSON(o)
	if v.note != "" {
		o.keyString("note", v.note)
	}
	if v.err != "" {
		o.keyString("error", v.err)
	}
	if v.rest != nil {
		o.keyHex("rest", v.rest)
	}
	o.text("}\n")
	_ = o.full() // Flush returns the error at the end
}

// contentJSON prints the members after the message header.
func (v *view) contentJSON(o *output) {
	if v.hasGeneric {
		o.key("generic")
		o.text("{")
		o.keyInt("cmd", int64(v.cmd))
		o.keyInt("version", int64(v.version))
		o.text("}")
	}
	if v.op != nil && v.body == nil && v.op.Set != nil {
		o.keyString("family", v.spec.Name)
		o.keyString("op", v.op.Name)
		o.key("values")
		mark := len(o.b)
		m := ynl.Message{Op: v.op, Fields: v.fields}
		o.b = m.AppendJSON(o.b)
		o.escape(mark)
	}
	if v.body != nil {
		if len(v.body.header) > 0 {
			o.keyHex("header", v.body.header)
		}
		o.key("attrs")
		attributesJSON(o, v.body.attrs, v.body.rules, 0)
	}
	if v.answer != nil {
		o.key("answer")
		v.answer.writeJSON(o)
	}
	if c := v.cn; c != nil {
		o.key("connector")
		o.text("{")
		o.keyInt("idx", int64(c.idx))
		o.keyInt("val", int64(c.val))
		o.keyInt("seq", int64(c.seq))
		o.keyInt("ack", int64(c.ack))
		o.keyInt("flags", int64(c.flags))
		o.keyHex("data", c.data)
		o.text("}")
	}
	if v.uevent != nil {
		o.keyStrings("uevent", v.uevent)
	}
	if len(v.payload) > 0 {
		o.keyHex("payload", v.payload)
		if text := guess(v.payload); text != nil {
			o.keyString("text", string(text))
		}
	}
}

// writeText prints the message in lines.
func (v *view) writeText(o *output) {
	const indent = 2
	if v.m != nil {
		v.writeHead(o, indent)
	}
	v.writeContent(o, 2*indent)
	if v.note != "" {
		o.indent(2 * indent)
		o.paint(colorFaint, v.note)
		o.text("\n")
	}
	switch {
	case v.err == "":
	case v.isUnread:
		o.indent(indent)
		o.text("at offset ")
		o.int(int64(v.offset))
		o.text(" of the datagram: ")
		o.paint(colorError, v.err)
		o.text("\n")
	default:
		o.indent(2 * indent)
		o.paint(colorError, v.err)
		o.text("\n")
	}
	for _, p := range [][]byte{v.rest, v.payload} {
		if len(p) > 0 {
			o.indent(2 * indent)
			o.hex(p)
			if text := guess(p); text != nil {
				o.text("  ")
				o.quote(text)
			}
			o.text("\n")
		}
	}
	_ = o.full() // Flush returns the error at the end
}

// writeHead prints the line of the message header.
func (v *view) writeHead(o *output, indent int) {
	o.indent(indent)
	o.paint(colorHead, printable(v.name))
	if v.hasGeneric && v.op != nil {
		o.text(" ")
		o.paint(colorHead, v.op.Name)
	}
	o.text("  ")
	for i, f := range v.flags {
		o.text("|"[:min(i, 1)], f)
	}
	if v.flags == nil {
		o.text("0")
	}
	o.text("  seq ")
	o.uint(uint64(v.m.Seq()))
	o.text("  port ")
	o.uint(uint64(v.m.PortID()))
	o.text("  ")
	o.int(int64(v.length))
	o.text(" bytes")
	if v.exchange != nil {
		o.text("  reply to ")
		o.int(int64(v.exchange.datagram))
	}
	o.text("\n")
}

// writeContent prints the lines after the message header.
func (v *view) writeContent(o *output, indent int) {
	if v.hasGeneric {
		o.indent(indent)
		o.text("command ")
		o.int(int64(v.cmd))
		o.text(", version ")
		o.int(int64(v.version))
		o.text("\n")
		indent += 2
	}
	switch {
	case v.body != nil:
		if len(v.body.header) > 0 {
			o.indent(indent)
			o.text("header ")
			o.hex(v.body.header)
			o.text("\n")
		}
		writeAttributes(o, indent, v.body.attrs, v.body.rules, 0)
	case v.answer != nil:
		v.answer.writeText(o, indent)
	case v.cn != nil:
		v.cn.writeText(o, indent)
	default:
		writeFields(o, indent, v.fields)
	}
	for _, text := range v.uevent {
		o.indent(indent)
		o.text(text, "\n")
	}
}

func (c *connector) writeText(o *output, indent int) {
	o.indent(indent)
	for _, f := range []struct {
		name string
		v    uint32
	}{{"idx ", c.idx}, {"  val ", c.val}, {"  seq ", c.seq}, {"  ack ", c.ack}, {"  flags ", uint32(c.flags)}} {
		o.text(f.name)
		o.uint(uint64(f.v))
	}
	o.text("\n")
	if len(c.data) > 0 {
		o.indent(indent)
		o.hex(c.data)
		o.text("\n")
	}
}
