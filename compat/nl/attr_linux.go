package nl

import (
	"encoding/binary"
	"math"

	"github.com/nlwire/nlwire/nla"
	"golang.org/x/sys/unix"
)

// NetlinkRequestData is a part of a request: the fixed header of a family, or an attribute.
type NetlinkRequestData interface {
	// Len returns the number of bytes that this part adds to the length field of an
	// attribute that contains it.
	Len() int
	// Serialize returns the bytes of this part.
	Serialize() []byte
}

// An RtAttr is an attribute to send: Data, followed by its children.
type RtAttr struct {
	unix.RtAttr
	Data     []byte
	children []NetlinkRequestData
}

// NewRtAttr makes an attribute. attrType may contain flag bits; data is not copied.
func NewRtAttr(attrType int, data []byte) *RtAttr {
	return &RtAttr{RtAttr: unix.RtAttr{Type: uint16(attrType)}, Data: data}
}

// NewRtAttrChild makes an attribute and adds it to parent.
//
// Deprecated: use [RtAttr.AddRtAttr].
func NewRtAttrChild(parent *RtAttr, attrType int, data []byte) *RtAttr {
	return parent.AddRtAttr(attrType, data)
}

// AddRtAttr makes an attribute and adds it to a.
func (a *RtAttr) AddRtAttr(attrType int, data []byte) *RtAttr {
	child := NewRtAttr(attrType, data)
	a.AddChild(child)
	return child
}

// AddChild adds a part to a.
func (a *RtAttr) AddChild(attr NetlinkRequestData) { a.children = append(a.children, attr) }

// Len returns the value of the length field. It includes padding only if a has children: a
// nest ends with the padding of its last attribute.
func (a *RtAttr) Len() int {
	n := nla.HeaderLen + len(a.Data)
	if len(a.children) > 0 {
		n = nla.Align(n)
	}
	for _, child := range a.children {
		n += nla.Align(child.Len())
	}
	return n
}

// Serialize returns the attribute with its padding. If the attribute is longer than 65535
// bytes, the length field contains the low 16 bits; [NetlinkRequest.Execute] does not send
// such an attribute.
func (a *RtAttr) Serialize() []byte {
	return a.appendTo(make([]byte, 0, nla.Align(a.Len())))
}

// appendTo appends the attribute. Nested attributes are appended to the same slice, so that
// nothing is copied once per level.
func (a *RtAttr) appendTo(b []byte) []byte {
	mark := len(b)
	b = append(nla.BeginNoFlag(b, a.Type), a.Data...)
	if len(a.children) > 0 {
		b = pad(b, nla.Align(len(b)-mark)-(len(b)-mark))
	}
	claimed := 0 // zeros at the end, for parts shorter than their Len
	for _, child := range a.children {
		var short int
		b, short = appendPart(b, child)
		claimed += short
	}
	b = pad(b, claimed)
	if n := len(b) - mark; n > math.MaxUint16 {
		binary.NativeEndian.PutUint16(b[mark:], uint16(n))
		return pad(b, nla.Align(n)-n)
	}
	return nla.End(b, mark)
}

// appendPart appends a part of an attribute and its padding. short is the number of bytes
// by which Len exceeds the bytes of Serialize.
func appendPart(b []byte, d NetlinkRequestData) (_ []byte, short int) {
	switch d := d.(type) {
	case *RtAttr:
		return d.appendTo(b), 0
	case *Uint32Attribute:
		return d.appendTo(b), 0
	}
	p := d.Serialize()
	size := nla.Align(len(p))
	return pad(append(b, p...), size-len(p)), max(nla.Align(d.Len())-size, 0)
}

// pad appends n zeros.
func pad(b []byte, n int) []byte {
	for range n {
		b = append(b, 0)
	}
	return b
}

// A Uint32Attribute is an attribute of 32 bits, in network byte order if Type contains
// [nla.NetByteOrder].
type Uint32Attribute struct {
	Type  uint16
	Value uint32
}

// Len returns the value of the length field.
func (a *Uint32Attribute) Len() int { return nla.Size(4) }

// Serialize returns the attribute.
func (a *Uint32Attribute) Serialize() []byte { return a.appendTo(make([]byte, 0, a.Len())) }

func (a *Uint32Attribute) appendTo(b []byte) []byte {
	if a.Type&nla.NetByteOrder != 0 {
		return nla.AppendBE32(b, a.Type, a.Value)
	}
	return nla.AppendUint32(b, a.Type, a.Value)
}
