package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"github.com/nlwire/nlwire/ynl"
)

// answer is the content of an Error or Done message.
type answer struct {
	ack     nlmsg.ExtAck
	problem string // why the answer is malformed
	policy  string // the policy that the attribute violates
	path    string // of the rejected attribute
	missing string // path of the missing attribute
	nest    string // path of the nest that lacks it
	name    string // of the request's type
	op      string // of the request, "" if the name describes it
}

// answer reads an answer. The rest of its payload becomes v.payload. A Done with a positive
// number contains data of the protocol instead of an errno, and is not an answer.
func (d *decoder) answer(v *view) {
	m := v.m
	parse := nlmsg.ParseAck
	if p := m.Payload(); m.Type() == nlmsg.TypeDone {
		parse = nlmsg.ParseDone
		if len(p) >= errnoLen && int32(binary.NativeEndian.Uint32(p)) > 0 {
			v.payload = p
			return
		}
	}
	ack, err := parse(m)
	a := &d.ack
	*a = answer{ack: ack}
	v.answer = a
	if err != nil {
		a.problem = err.Error()
		v.err = a.problem
	}
	if ack.Policy != nil {
		a.policy = policyText(ack.Policy)
	}
	v.payload = unread(m, &ack, err)
	request := ack.Request
	if m.Flags()&nlmsg.FlagCapped != 0 || request == nil {
		if whole := v.exchange.answers(request); whole != nil {
			request = whole
		} else if request == nil && v.exchange != nil {
			request = v.exchange.request
		}
	}
	if len(request) >= nlmsg.HeaderLen {
		d.explain(a, v.protocol, request)
	}
}

// explain finds the names of the attributes to which an answer refers, in the request.
func (d *decoder) explain(a *answer, protocol socket.Protocol, request nlmsg.Msg) {
	a.name = d.nameOfType(protocol, request)
	var x ynl.Explanation
	if spec := d.specOf(protocol, request); spec != nil {
		x = spec.Explain(request, &a.ack)
	}
	if x.Op == nil || x.Op.Set == nil {
		a.number(protocol, request)
		return
	}
	if protocol == socket.Generic {
		a.op = x.Op.Name
	}
	a.path, a.nest, a.missing = x.Invalid, x.Nest, x.Missing
}

// number finds the attributes in a request that no spec describes.
func (a *answer) number(protocol socket.Protocol, request nlmsg.Msg) {
	header := 0
	switch protocol {
	case socket.Generic:
		header = genlmsg.HeaderLen
	case socket.Netfilter:
		header = netfilterHeader
	case socket.Route:
		header, _ = routeHeader(request)
	default:
		return
	}
	attrs := request.Attrs(header)
	base := len(request) - len(attrs)
	if a.ack.Offset != 0 {
		a.path = numberPath(attrs, base, int(a.ack.Offset), 0)
	}
	if a.ack.MissNest != 0 {
		a.nest = numberPath(attrs, base, int(a.ack.MissNest), 0)
	}
}

// specOf returns the spec of a message, or nil.
func (d *decoder) specOf(protocol socket.Protocol, m nlmsg.Msg) *ynl.Spec {
	if protocol != socket.Generic {
		return d.specs.message(protocol, m.Type())
	}
	if f := d.families[m.Type()]; f != nil {
		return f.spec
	}
	return nil
}

func policyText(p []byte) string {
	rule, _, err := policywire.ParseRule(p)
	if err != nil {
		return "malformed: " + hex.EncodeToString(p)
	}
	return rule.String()
}

// errnoLen is the length of the errno in an answer.
const errnoLen = 4

// unread returns the payload of an answer after the errno, the request and the extended
// ACK. Usually it is empty. If the answer is malformed, unread returns everything after the
// errno.
func unread(m nlmsg.Msg, a *nlmsg.ExtAck, err error) []byte {
	p := m.Payload()
	switch {
	case len(p) < errnoLen:
		return p
	case err != nil:
		return p[errnoLen:]
	case m.Flags()&nlmsg.FlagAckTLVs != 0:
		return nil
	}
	return p[min(len(p), errnoLen+nlmsg.Align(len(a.Request))):]
}

// errnoText returns the text of an errno that has a name, otherwise "".
func errnoText(e errno.Errno) string {
	if e.Name() == "" {
		return ""
	}
	return e.Error()
}

func (a *answer) writeJSON(o *output) {
	e := &a.ack
	o.text("{")
	o.keyInt("errno", int64(e.Errno))
	for _, f := range []struct{ name, text string }{
		{"text", errnoText(e.Errno)}, {"message", string(e.Msg)}, {"request_name", a.name}, {"request_op", a.op},
		{"attribute", a.path}, {"policy", a.policy}, {"missing_attribute", a.missing},
	} {
		if f.text != "" {
			o.keyString(f.name, f.text)
		}
	}
	for _, f := range []struct {
		name string
		v    uint32
	}{{"offset", e.Offset}, {"missing", e.MissType}, {"nest", e.MissNest}} {
		if f.v != 0 {
			o.keyInt(f.name, int64(f.v))
		}
	}
	if len(e.Cookie) > 0 {
		o.keyHex("cookie", e.Cookie)
	}
	if len(e.Request) > 0 {
		o.keyHex("request", e.Request)
	}
	o.text("}")
}

func (a *answer) writeText(o *output, indent int) {
	line := func(format string, args ...any) {
		o.indent(indent)
		o.b = fmt.Appendf(o.b, format+"\n", args...)
	}
	e := &a.ack
	switch text := errnoText(e.Errno); {
	case text != "":
		line("errno %d: %s", e.Errno, text)
	case e.Errno != 0:
		line("errno %d", e.Errno)
	case a.problem == "":
		line("success")
	}
	if len(e.Msg) > 0 {
		line("%s", strconv.Quote(string(e.Msg)))
	}
	if a.name != "" {
		line("of %s%s", printable(a.name), prefix(a.op))
	}
	if e.Offset != 0 {
		line("invalid attribute%s at offset %d of the request", prefix(a.path), e.Offset)
	}
	if a.policy != "" {
		line("policy: %s", a.policy)
	}
	if e.MissType != 0 {
		line("attribute %d%s is missing", e.MissType, prefix(a.missing))
	}
	if e.MissNest != 0 {
		line("in the nest%s at offset %d of the request", prefix(a.nest), e.MissNest)
	}
	if len(e.Cookie) > 0 {
		line("cookie %x", e.Cookie)
	}
	if len(e.Request) > 0 {
		line("request: %x", []byte(e.Request))
	}
}

// prefix returns a name after a space.
func prefix(name string) string {
	if name == "" {
		return ""
	}
	return " " + name
}
