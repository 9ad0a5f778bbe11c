package netlink

import (
	"errors"
	"slices"

	"github.com/nlwire/nlwire/nla"
)

// errAttributesTooLarge is the error of [MarshalAttributes] for a payload whose length
// does not fit into 16 bits.
var errAttributesTooLarge = errors.New("attribute is too large to fit in a netlink message")

// An Attribute is one decoded attribute, for [UnmarshalAttributes] and [MarshalAttributes].
// [AttributeDecoder] and [AttributeEncoder] are faster, because they need no Attribute.
type Attribute struct {
	Length uint16 // in bytes, header included; MarshalAttributes computes it if it is 0
	Type   uint16 // including the flag bits Nested and NetByteOrder
	Data   []byte // payload
}

// MarshalAttributes encodes attrs. A Length other than 0 is written unchanged.
func MarshalAttributes(attrs []Attribute) ([]byte, error) {
	size := 0
	for i := range attrs {
		if len(attrs[i].Data) > nla.MaxPayload {
			return nil, errAttributesTooLarge
		}
		size += nla.Size(len(attrs[i].Data))
	}
	b := make([]byte, 0, size)
	for i := range attrs {
		a := &attrs[i]
		start := len(b)
		b = nla.AppendBytes(b, a.Type, a.Data)
		switch {
		case a.Length == 0:
		case a.Length < nlaHeaderLen:
			return nil, errInvalidAttribute
		default:
			ne.PutUint16(b[start:], a.Length)
		}
	}
	return b, nil
}

// UnmarshalAttributes decodes the attributes in b. The result does not refer to b. Attributes with a
// length field of 0, which some senders insert, are left out.
func UnmarshalAttributes(b []byte) ([]Attribute, error) {
	ad, err := NewAttributeDecoder(slices.Clone(b))
	if err != nil || ad.Len() == 0 {
		return nil, err
	}
	attrs := make([]Attribute, 0, ad.Len())
	for ad.Next() {
		a := ad.attr()
		if length := ne.Uint16(a); length != 0 {
			attrs = append(attrs, Attribute{length, a.RawType(), ad.data()})
		}
	}
	if ad.err != nil {
		return nil, ad.err
	}
	return attrs, nil
}
