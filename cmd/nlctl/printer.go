package main

import (
	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// printer prints the replies of call.
type printer struct {
	out     *output
	isJSON  bool
	header  int            // size of the family's header
	policy  *policy.Policy // of the requests
	spec    *ynl.Spec
	op      *ynl.Op
	decoder ynl.Decoder
	count   int
	empty   string // the line if there is no reply
}

func newPrinter(c *cli.Command, t *target) *printer {
	p := &printer{out: standardOutput(c), isJSON: c.Bool("json"), header: int(t.family.HdrSize), policy: t.policy, spec: t.spec, op: t.op}
	p.empty = "success, without a reply\n"
	if c.Bool("dump") {
		p.empty = "success, the list is empty\n"
	}
	return p
}

// print prints a reply. With a spec its JSON is an object of names and values, as the
// kernel's tool ynl prints it.
func (p *printer) print(m nlmsg.Msg) error {
	p.count++
	if op := p.operation(m); op != nil {
		p.named(m, op)
	} else {
		p.numbered(m)
	}
	return p.out.full()
}

// operation returns the operation that describes a reply, nil if there is none.
func (p *printer) operation(m nlmsg.Msg) *ynl.Op {
	if p.op == nil || len(m) > maxNamed {
		return nil
	}
	if hasReply(p.op, p.spec.Number(m)) {
		return p.op
	}
	if op := p.spec.OpOf(m, ynl.Reply); op != nil && op.Set != nil {
		return op
	}
	return nil
}

func (p *printer) named(m nlmsg.Msg, op *ynl.Op) {
	o := p.out
	p.decoder.Reset()
	decoded := p.decoder.DecodeOp(p.spec, m, op)
	if p.isJSON {
		mark := len(o.b)
		o.b = decoded.AppendJSON(o.b)
		o.escape(mark)
		o.text("\n")
		return
	}
	o.paint(colorHead, op.Name)
	o.text("\n")
	writeFields(o, 2, decoded.Fields)
}

func (p *printer) numbered(m nlmsg.Msg) {
	v := view{m: m}
	h, n := genlmsg.Consume(m.Payload())
	if n < 0 {
		v.err = "message has no Generic Netlink header"
	} else {
		v.hasGeneric, v.cmd, v.version = true, h.Cmd(), h.Version()
		v.body = &body{header: genlmsg.UserHeader(m, p.header), attrs: genlmsg.Attrs(m, p.header), rules: replyRules(p.policy)}
		v.body.check(&v)
	}
	if p.isJSON {
		v.replyJSON(p.out)
	} else {
		v.replyText(p.out)
	}
}

// end prints a line if there was no reply.
func (p *printer) end() error {
	if p.count == 0 && !p.isJSON {
		p.out.text(p.empty)
	}
	return p.out.Flush()
}

// replyJSON prints a reply without names.
func (v *view) replyJSON(o *output) {
	o.text("{")
	o.keyInt("cmd", int64(v.cmd))
	o.keyInt("version", int64(v.version))
	if v.body != nil && len(v.body.header) > 0 {
		o.keyHex("header", v.body.header)
	}
	o.key("attrs")
	if v.body != nil {
		attributesJSON(o, v.body.attrs, v.body.rules, 0)
	} else {
		o.text("[]")
	}
	if v.err != "" {
		o.keyString("error", v.err)
	}
	if v.rest != nil {
		o.keyHex("rest", v.rest)
	}
	o.text("}\n")
}

// replyText prints a reply without names.
func (v *view) replyText(o *output) {
	v.writeContent(o, 0)
	for _, text := range []string{v.note, v.err} {
		if text != "" {
			o.text("  ", text, "\n")
		}
	}
	if v.rest != nil {
		o.text("  ")
		o.hex(v.rest)
		o.text("\n")
	}
}
