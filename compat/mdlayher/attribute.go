package netlink

import (
	"errors"
	"slices"

	"github.com/nlwire/nlwire/nla"
)

// errAttributesTooLarge is the error of [MarshalAttributes] for a payload whose length
// does not fit into 16 bits.
var errAttributesTooLarge = errors.New("attribute is too large to fit in a netlink message")

// An Attribute is one attribute in a form of its own: [UnmarshalAttributes] makes it, and
// [MarshalAttributes] takes it. [AttributeDecoder] and [AttributeEncoder] do without, and
// are faster.
type Attribute struct {
	Length uint16 // in bytes with the header; 0 is computed by MarshalAttributes
	Type   uint16 // with the flag bits Nested and NetByteOrder, if they are set
	Data   []byte // payload
}

// MarshalAttributes returns the bytes of attrs. A Length that is not 0 is written as it is.
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

// UnmarshalAttributes returns the attributes of b in memory of their own. It leaves out
// those whose length field is 0, which some senders put between others.
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
