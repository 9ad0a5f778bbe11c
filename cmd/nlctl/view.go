package main

import (
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

	spec      *ynl.Spec
	op        *ynl.Op
	fields    []ynl.Field // with names
	body      *body       // without names
	answer    *answer
	connector *connector
	uevent    []string
	payload   []byte // without a decoder
	note      string
	err       string
	isUnread  bool   // the whole message is malformed or missing
	rest      []byte // malformed attributes
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
	if c := v.connector; c != nil {
		o.key("connector")
		c.writeJSON(o)
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
	if name := v.name; v.hasGeneric || v.op == nil || !v.op.Async {
		o.paint(colorHead, printable(name))
	} else {
		o.paint(colorHead, v.op.Name) // of a notification; the type has the number of a request
	}
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
	case v.connector != nil:
		v.connector.writeText(o, indent)
	default:
		writeFields(o, indent, v.fields)
	}
	for _, text := range v.uevent {
		o.indent(indent)
		o.text(text, "\n")
	}
}
