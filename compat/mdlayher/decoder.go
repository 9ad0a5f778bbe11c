package netlink

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/mdlayher/netlink/nlenc"
	"github.com/nlwire/nlwire/nla"
)

// An AttributeDecoder goes through a stream of attributes:
//
//	for ad.Next() {
//		switch ad.Type() {
//		case attrIfindex:
//			index = ad.Uint32()
//		case attrName:
//			name = ad.String()
//		}
//	}
//	return ad.Err()
//
// It keeps the first error: Next returns false after it, and all getters but Bytes return
// zero. It refers to the stream and does not copy it.
type AttributeDecoder struct {
	// ByteOrder is that of the integers; it may be changed at any time. nil is the order of
	// the host.
	ByteOrder binary.ByteOrder

	b          []byte // the stream
	start, end int    // of the current attribute; 4 bytes if its length field is 0
	next       int    // start of the next one
	typ        uint16 // of the current one
	count      int
	err        error
}

// NewAttributeDecoder returns a decoder of the attributes in b. One to three bytes after
// the last attribute are an error here; a length past the end of b is one of Next.
func NewAttributeDecoder(b []byte) (*AttributeDecoder, error) {
	ad := new(AttributeDecoder) // in the caller's frame: this function is inlined
	if err := ad.init(b); err != nil {
		return nil, err
	}
	return ad, nil
}

// init is the part of NewAttributeDecoder that is not inlined.
//
//go:noinline
func (ad *AttributeDecoder) init(b []byte) (err error) {
	ad.ByteOrder, ad.b = ne, b
	ad.count, err = countAttributes(b)
	return err
}

// countAttributes counts the attributes by their headers, without those of length 0. Each
// header must be whole.
func countAttributes(b []byte) (n int, err error) {
	c := nla.Walk(b)
	for ; c.More(); c = c.Next() {
		n++
	}
	if c.Err() == nil {
		return n, nil
	}
	return countOddly(b)
}

// countOddly is countAttributes for streams with lengths that are too small or too large.
func countOddly(b []byte) (n int, err error) {
	for len(b) > 0 {
		if len(b) < nlaHeaderLen {
			return 0, errInvalidAttribute
		}
		length := int(ne.Uint16(b))
		if length != 0 {
			n++
		}
		b = b[min(nla.Align(max(length, nlaHeaderLen)), len(b)):]
	}
	return n, nil
}

// Next moves on to the next attribute, and reports whether there is one.
func (ad *AttributeDecoder) Next() bool {
	if ad.err != nil {
		return false
	}
	a, n := nla.Consume(ad.b[ad.next:])
	if n <= 0 {
		return ad.nextOddly()
	}
	ad.start, ad.end, ad.next, ad.typ = ad.next, ad.next+len(a), ad.next+n, a.RawType()
	return true
}

// nextOddly is Next where there is no whole attribute. A length of 0 stands for a header
// alone, as in the original.
func (ad *AttributeDecoder) nextOddly() bool {
	rest := ad.b[ad.next:]
	switch {
	case len(rest) == 0:
		return false
	case len(rest) < nlaHeaderLen || ne.Uint16(rest) != 0:
		ad.err = errInvalidAttribute
		return false
	}
	ad.start, ad.end, ad.next, ad.typ = ad.next, ad.next+nlaHeaderLen, ad.next+nlaHeaderLen, ne.Uint16(rest[2:])
	return true
}

// attr returns the current attribute.
func (ad *AttributeDecoder) attr() nla.Attr { return ad.b[ad.start:ad.end:ad.end] }

// Len returns how many attributes the stream has.
func (ad *AttributeDecoder) Len() int { return ad.count }

// Err returns the first error.
func (ad *AttributeDecoder) Err() error { return ad.err }

// Type returns the type of the attribute without the flag bits.
func (ad *AttributeDecoder) Type() uint16 { return ad.typ & attrTypeMask }

// TypeFlags returns the flag bits of its type, Nested and NetByteOrder.
func (ad *AttributeDecoder) TypeFlags() uint16 { return ad.typ &^ attrTypeMask }

// data returns the payload of the attribute. It is not nil where there is an attribute.
func (ad *AttributeDecoder) data() []byte {
	if ad.start == ad.end {
		return nil
	}
	return ad.b[ad.start+nlaHeaderLen : ad.end : ad.end]
}

// Bytes returns a copy of the payload.
func (ad *AttributeDecoder) Bytes() []byte { return append([]byte{}, ad.data()...) }

// String returns the payload as text, without the NULs at its end.
func (ad *AttributeDecoder) String() string {
	if ad.err != nil {
		return ""
	}
	return nlenc.String(ad.data())
}

// Flag returns true; an attribute with a payload is an error.
func (ad *AttributeDecoder) Flag() bool {
	ad.payload(0, "flag")
	return ad.err == nil
}

// payload returns the payload if it has the size of a kind, and otherwise nil.
func (ad *AttributeDecoder) payload(size int, kind string) []byte {
	if ad.err != nil {
		return nil
	}
	b := ad.data()
	if len(b) != size {
		ad.err = fmt.Errorf("netlink: attribute %d is not a %s; length: %d", ad.Type(), kind, len(b))
		return nil
	}
	return b
}

// Uint8 returns the payload as a uint8.
func (ad *AttributeDecoder) Uint8() uint8 { return ad.int8("uint8") }

// Int8 returns the payload as an int8.
func (ad *AttributeDecoder) Int8() int8 { return int8(ad.int8("int8")) }

// Uint16 returns the payload as a uint16.
func (ad *AttributeDecoder) Uint16() uint16 { return ad.int16("uint16") }

// Int16 returns the payload as an int16.
func (ad *AttributeDecoder) Int16() int16 { return int16(ad.int16("int16")) }

// Uint32 returns the payload as a uint32.
func (ad *AttributeDecoder) Uint32() uint32 {
	// Most attributes are these, so that the test is here.
	if ad.end-ad.start != nlaHeaderLen+4 || !isOf(ad.ByteOrder, ne) || ad.err != nil {
		return ad.int32("uint32")
	}
	return ne.Uint32(ad.b[ad.start+nlaHeaderLen:])
}

// Int32 returns the payload as an int32.
func (ad *AttributeDecoder) Int32() int32 { return int32(ad.int32("int32")) }

// Uint64 returns the payload as a uint64.
func (ad *AttributeDecoder) Uint64() uint64 { return ad.int64("uint64") }

// Int64 returns the payload as an int64.
func (ad *AttributeDecoder) Int64() int64 { return int64(ad.int64("int64")) }

func (ad *AttributeDecoder) int8(kind string) uint8 {
	b := ad.payload(1, kind)
	if b == nil {
		return 0
	}
	return b[0]
}

func (ad *AttributeDecoder) int16(kind string) uint16 {
	b := ad.payload(2, kind)
	if b == nil {
		return 0
	}
	switch orderOf(ad.ByteOrder) {
	case asHost:
		return ne.Uint16(b)
	case swapped:
		return bits.ReverseBytes16(ne.Uint16(b))
	}
	return ad.ByteOrder.Uint16(b)
}

func (ad *AttributeDecoder) int32(kind string) uint32 {
	b := ad.payload(4, kind)
	if b == nil {
		return 0
	}
	switch orderOf(ad.ByteOrder) {
	case asHost:
		return ne.Uint32(b)
	case swapped:
		return bits.ReverseBytes32(ne.Uint32(b))
	}
	return ad.ByteOrder.Uint32(b)
}

func (ad *AttributeDecoder) int64(kind string) uint64 {
	b := ad.payload(8, kind)
	if b == nil {
		return 0
	}
	switch orderOf(ad.ByteOrder) {
	case asHost:
		return ne.Uint64(b)
	case swapped:
		return bits.ReverseBytes64(ne.Uint64(b))
	}
	return ad.ByteOrder.Uint64(b)
}

// Do calls fn with the payload, for what has no getter; an error of fn is the decoder's.
// fn must not change b, nor keep it.
func (ad *AttributeDecoder) Do(fn func(b []byte) error) {
	if ad.err == nil {
		ad.err = fn(ad.data())
	}
}

// Nested calls fn with a decoder of the attributes in the payload, which starts with the
// byte order of ad. An error of fn or of that decoder is ad's.
func (ad *AttributeDecoder) Nested(fn func(nad *AttributeDecoder) error) {
	if ad.err != nil {
		return
	}
	nad, err := NewAttributeDecoder(ad.data())
	if err != nil {
		ad.err = err
		return
	}
	nad.ByteOrder = ad.ByteOrder
	if ad.err = fn(nad); ad.err == nil {
		ad.err = nad.err
	}
}
