package netlink

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/mdlayher/netlink/nlenc"
	"github.com/nlwire/nlwire/nla"
)

// An AttributeDecoder iterates over a stream of attributes:
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
// It keeps the first error. After an error, Next returns false and all getters except Bytes return
// zero. The decoder refers to the stream and does not copy it.
type AttributeDecoder struct {
	// ByteOrder is the byte order of the integers. nil means host byte order. It may be changed
	// at any time.
	ByteOrder binary.ByteOrder

	b          []byte // the stream
	start, end int    // offsets of the current attribute
	next       int    // offset of the next attribute
	typ        uint16 // of the current attribute
	count      int
	err        error
}

// NewAttributeDecoder returns a decoder for the attributes in b. It returns an error if one to three
// bytes follow the last attribute. An attribute that is longer than b is an error of Next.
func NewAttributeDecoder(b []byte) (*AttributeDecoder, error) {
	ad := new(AttributeDecoder) // on the caller's stack, because this function is inlined
	if err := ad.init(b); err != nil {
		return nil, err
	}
	return ad, nil
}

// init initializes ad. It is not inlined, so that NewAttributeDecoder is.
//
//go:noinline
func (ad *AttributeDecoder) init(b []byte) (err error) {
	ad.ByteOrder, ad.b = ne, b
	ad.count, err = countAttributes(b)
	return err
}

// countAttributes counts the attributes by their headers, except those of length 0. It returns an
// error for an incomplete header.
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

// countOddly implements countAttributes for streams with malformed lengths.
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

// Next advances to the next attribute. It returns false at the end and after an error.
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

// nextOddly implements Next at the end and for malformed attributes. As in the original, a length of 0
// means an attribute without payload.
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

// Len returns the number of attributes in the stream.
func (ad *AttributeDecoder) Len() int { return ad.count }

// Err returns the first error.
func (ad *AttributeDecoder) Err() error { return ad.err }

// Type returns the type of the attribute without the flag bits.
func (ad *AttributeDecoder) Type() uint16 { return ad.typ & attrTypeMask }

// TypeFlags returns the flag bits of the type: Nested and NetByteOrder.
func (ad *AttributeDecoder) TypeFlags() uint16 { return ad.typ &^ attrTypeMask }

// data returns the payload of the current attribute. It is nil only without a current attribute.
func (ad *AttributeDecoder) data() []byte {
	if ad.start == ad.end {
		return nil
	}
	return ad.b[ad.start+nlaHeaderLen : ad.end : ad.end]
}

// Bytes returns a copy of the payload.
func (ad *AttributeDecoder) Bytes() []byte { return append([]byte{}, ad.data()...) }

// String returns the payload as text without trailing NULs.
func (ad *AttributeDecoder) String() string {
	if ad.err != nil {
		return ""
	}
	return nlenc.String(ad.data())
}

// Flag returns true. A payload is an error.
func (ad *AttributeDecoder) Flag() bool {
	ad.payload(0, "flag")
	return ad.err == nil
}

// payload returns the payload. If its length is not size, payload sets the error and returns nil.
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
	// The fast path for the most frequent kind of attribute.
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

// Do calls fn with the payload, for kinds without a getter. The decoder keeps an error of fn. fn must
// not modify or retain b.
func (ad *AttributeDecoder) Do(fn func(b []byte) error) {
	if ad.err == nil {
		ad.err = fn(ad.data())
	}
}

// Nested calls fn with a decoder for the attributes in the payload. That decoder starts with the byte
// order of ad. ad keeps an error of fn or of that decoder.
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
