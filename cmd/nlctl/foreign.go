package main

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/nlwire/nlwire/cmd/nlctl/internal/input"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"github.com/nlwire/nlwire/ynl"
)

// toNative returns a copy of a datagram of the other byte order in the order of this
// system: the headers, and all numbers whose position the specs describe. Payloads of
// other attributes keep their bytes.
func (d *decoder) toNative(g *input.Datagram) []byte {
	b := slices.Clone(g.Data)
	for rest := b; len(rest) >= nlmsg.HeaderLen; {
		swapHeader(rest)
		n := int(binary.NativeEndian.Uint32(rest))
		if n < nlmsg.HeaderLen {
			break
		}
		m := nlmsg.Msg(rest[:min(n, len(rest))])
		d.swapBody(g.Protocol, m)
		rest = rest[min(nlmsg.Align(n), len(rest)):]
	}
	return b
}

// swapHeader swaps the fields of struct nlmsghdr.
func swapHeader(b []byte) {
	swap(b[0:4])
	swap(b[4:6])
	swap(b[6:8])
	swap(b[8:12])
	swap(b[12:16])
}

// swap reverses the bytes of a number.
func swap(b []byte) { slices.Reverse(b) }

// swapBody swaps the payload of a message whose header is native.
func (d *decoder) swapBody(protocol socket.Protocol, m nlmsg.Msg) {
	if t := m.Type(); t == nlmsg.TypeError || t == nlmsg.TypeDone {
		d.swapAnswer(protocol, m)
		return
	}
	spec := d.specOf(protocol, m)
	if spec == nil {
		header := netfilterHeader
		switch protocol {
		case socket.Generic:
			header = nla.Align(genlmsg.HeaderLen + d.header)
		case socket.Route:
			var ok bool
			if header, ok = routeHeader(m); !ok {
				return
			}
		}
		swapAttributes(m.Attrs(header), 0)
		return
	}
	op := operation(spec, m, d.direction(m), nil)
	if op == nil {
		return
	}
	body := m.Payload()
	if protocol == socket.Generic {
		body = body[min(genlmsg.HeaderLen, len(body)):]
	}
	if op.FixedHeader != nil {
		swapStruct(op.FixedHeader, body)
		body = body[min(op.HeaderLen(), len(body)):]
	}
	swapHeads(body)
	d.swapFields(spec, m, op)
}

// swapAnswer swaps the errno, the header of the request and the extended ACK.
func (d *decoder) swapAnswer(protocol socket.Protocol, m nlmsg.Msg) {
	p := m.Payload()
	if len(p) < errnoLen {
		return
	}
	swap(p[:errnoLen])
	p = p[errnoLen:]
	if m.Type() == nlmsg.TypeError && len(p) >= nlmsg.HeaderLen {
		swapHeader(p)
		size := nlmsg.HeaderLen
		if m.Flags()&nlmsg.FlagCapped == 0 {
			size = int(binary.NativeEndian.Uint32(p))
		}
		if size < nlmsg.HeaderLen || size > len(p) {
			return
		}
		if m.Flags()&nlmsg.FlagCapped == 0 {
			d.swapBody(protocol, nlmsg.Msg(p[:size]))
		}
		p = p[min(nlmsg.Align(size), len(p)):]
	}
	if m.Flags()&nlmsg.FlagAckTLVs == 0 {
		return
	}
	swapHeads(p)
	for c := nla.Walk(p); c.More(); c = c.Next() {
		a := c.Attr()
		switch a.Type() {
		case nlmsg.AttrOffs, nlmsg.AttrMissType, nlmsg.AttrMissNest:
			swap(a.Payload())
		case nlmsg.AttrPolicy:
			swapAttributes(a.Payload(), 0)
		}
	}
}

// swapHeads swaps the headers of attributes.
func swapHeads(b []byte) {
	for len(b) >= nla.HeaderLen {
		swap(b[0:2])
		swap(b[2:4])
		n := int(binary.NativeEndian.Uint16(b))
		if n < nla.HeaderLen {
			return
		}
		b = b[min(nla.Align(n), len(b)):]
	}
}

// swapAttributes swaps the headers of attributes and of those inside attributes with the
// Nested flag.
func swapAttributes(b []byte, depth int) {
	swapHeads(b)
	for c := nla.Walk(b); c.More(); c = c.Next() {
		if a := c.Attr(); a.IsNested() && depth < maxDepth {
			swapAttributes(a.Payload(), depth+1)
		}
	}
}

// swapFields swaps the values of attributes. The headers in a nest must be native before its
// attributes can be decoded, and a selector before its sub-message, so each pass swaps one
// more level.
func (d *decoder) swapFields(spec *ynl.Spec, m nlmsg.Msg, op *ynl.Op) {
	for level := range maxDepth {
		fields := d.fields.DecodeOp(spec, m, op).Fields
		more := swapLevel(fields, level)
		d.fields.Reset()
		if !more {
			return
		}
	}
}

// swapLevel swaps the attributes of a level; level 0 is that of the fields. It reports whether
// there are attributes below that level.
func swapLevel(fields []ynl.Field, level int) (more bool) {
	for i := range fields {
		f := &fields[i]
		if f.Member || f.Form == ynl.FormInvalid {
			continue
		}
		if level > 0 {
			more = swapLevel(f.Fields, level-1) || more
			continue
		}
		more = swapAttribute(f) || more
	}
	return more
}

// swapAttribute swaps the value of an attribute, or the headers of the attributes in it. It
// reports whether there are any.
func swapAttribute(f *ynl.Field) (isNest bool) {
	if f.Attr == nil {
		if f.Form == ynl.FormObject {
			swapHeads(f.Raw)
		}
		return f.Form == ynl.FormObject
	}
	switch a := f.Attr; a.Type {
	case ynl.TypeNest, ynl.TypeIndexedArray, ynl.TypeNestTypeValue:
		swapHeads(f.Raw)
		return true
	case ynl.TypeSubMessage:
		// The decoder chose the format by a selector of an outer level or of this one.
		return swapSubMessage(f)
	case ynl.TypeBinary:
		switch {
		case a.Struct != nil:
			swapStruct(a.Struct, f.Raw)
		case a.SubType.IsInteger() && a.Order == ynl.Native:
			for p := f.Raw; a.SubType.Width() > 0 && len(p) >= a.SubType.Width(); p = p[a.SubType.Width():] {
				swap(p[:a.SubType.Width()])
			}
		}
	case ynl.TypeBitfield32:
		if len(f.Raw) == 8 {
			swap(f.Raw[:4])
			swap(f.Raw[4:])
		}
	default:
		if a.Type.IsInteger() && a.Order == ynl.Native && bits.OnesCount(uint(len(f.Raw))) == 1 && len(f.Raw) <= 8 {
			swap(f.Raw)
		}
	}
	return false
}

// swapSubMessage swaps the header of a sub-message, and the headers of its attributes.
func swapSubMessage(f *ynl.Field) (isNest bool) {
	size := 0
	for i := range f.Fields {
		if m := &f.Fields[i]; m.Member {
			if m.IsInteger() {
				swap(m.Raw)
			}
			size = max(size, m.Offset+m.Len-f.Offset-nla.HeaderLen)
		}
	}
	if size > len(f.Raw) || f.Untyped {
		return false
	}
	swapHeads(f.Raw[size:])
	return len(f.Raw) > size
}

// swapStruct swaps the members of a struct.
func swapStruct(s *ynl.Struct, b []byte) {
	for i := range s.Members {
		m := &s.Members[i]
		end := m.Offset + m.Len
		switch {
		case end > len(b):
			return
		case m.Struct != nil:
			swapStruct(m.Struct, b[m.Offset:end])
		case m.Type.IsInteger() && m.Order == ynl.Native:
			swap(b[m.Offset:end])
		}
	}
}
