package main

import (
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"github.com/nlwire/nlwire/ynl"
)

// stats counts the attributes of messages, for each protocol.
type stats struct {
	protocols []socket.Protocol // in the order of their first messages
	counts    map[socket.Protocol]*count
}

// count counts the messages of a protocol.
type count struct {
	messages int
	spec     ynl.Stats // of message types with a spec
	wrong    int       // attributes of requests with payloads of the wrong size
	other    int       // attributes of message types without a spec
	rest     int       // malformed bytes
}

// add counts the attributes of a message.
func (s *stats) add(v *view) {
	if s.counts == nil {
		s.counts = map[socket.Protocol]*count{}
	}
	c := s.counts[v.protocol]
	if c == nil {
		c = &count{}
		s.counts[v.protocol] = c
		s.protocols = append(s.protocols, v.protocol)
	}
	if v.m != nil {
		c.messages++
	}
	c.rest += len(v.rest)
	before := c.spec
	c.spec.Add(&ynl.Message{Op: v.op, Fields: v.fields})
	if v.m != nil && v.m.Flags()&nlmsg.FlagRequest != 0 {
		// The sender of a request can be wrong about a type; the kernel cannot.
		wrong := (c.spec.Named - c.spec.Typed - c.spec.Kinds) - (before.Named - before.Typed - before.Kinds)
		c.wrong += wrong
		c.spec.Attributes -= wrong
		c.spec.Named -= wrong
	}
	if v.body != nil {
		c.other += countAttributes(v.body.attrs, 0)
	}
}

// countAttributes counts attributes, and those inside attributes with the Nested flag.
func countAttributes(b []byte, depth int) (n int) {
	for c := nla.Walk(b); c.More(); c = c.Next() {
		a := c.Attr()
		n++
		if p := a.Payload(); a.IsNested() && depth < maxDepth && wellFormed(p) == len(p) {
			n += countAttributes(p, depth+1)
		}
	}
	return n
}

// write prints a line for each protocol.
func (s *stats) write(o *output, isJSON bool) {
	for _, p := range s.protocols {
		c := s.counts[p]
		fields := []struct {
			name string
			n    int
		}{
			// Attributes of kinds without a format have a name, and bytes instead of a type.
			{"attributes", c.spec.Attributes - c.spec.Kinds}, {"named", c.spec.Named - c.spec.Kinds}, {"typed", c.spec.Typed},
			{"without-format", c.spec.Kinds}, {"wrong-size", c.wrong}, {"without-spec", c.other}, {"malformed-bytes", c.spec.Invalid + c.rest}, {"messages", c.messages},
		}
		if isJSON {
			o.text("{")
			o.keyString("protocol", p.String())
			for _, f := range fields {
				o.keyInt(f.name, int64(f.n))
			}
			o.text("}\n")
			continue
		}
		o.text(p.String())
		for _, f := range fields {
			o.text(" ", f.name, "=")
			o.int(int64(f.n))
		}
		o.text("\n")
	}
}
