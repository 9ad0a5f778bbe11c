package main

import (
	"encoding/binary"

	"github.com/nlwire/nlwire/nlmsg"
)

// connectorLen is the size of struct cn_msg.
const connectorLen = 20

// readConnector reads a message of the connector: struct cn_msg and its data.
func (v *view) readConnector(m nlmsg.Msg) {
	p := m.Payload()
	if len(p) < connectorLen {
		v.err, v.payload = "message is shorter than struct cn_msg", p
		return
	}
	v.connector = &connector{
		idx: binary.NativeEndian.Uint32(p), val: binary.NativeEndian.Uint32(p[4:]),
		seq: binary.NativeEndian.Uint32(p[8:]), ack: binary.NativeEndian.Uint32(p[12:]),
		flags: binary.NativeEndian.Uint16(p[18:]), data: p[connectorLen:],
	}
}

// connector is struct cn_msg.
type connector struct {
	idx, val, seq, ack uint32
	flags              uint16
	data               []byte
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

func (c *connector) writeJSON(o *output) {
	o.text("{")
	o.keyInt("idx", int64(c.idx))
	o.keyInt("val", int64(c.val))
	o.keyInt("seq", int64(c.seq))
	o.keyInt("ack", int64(c.ack))
	o.keyInt("flags", int64(c.flags))
	o.keyHex("data", c.data)
	o.text("}")
}
