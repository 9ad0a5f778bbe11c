package netlink

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/nlwire/nlwire/nla"
)

// Errors for payloads that are too long for the 16-bit length field.
var (
	errStringTooLarge = errors.New("string is too large to fit in a netlink attribute")
	errBytesTooLarge  = errors.New("byte slice is too large to fit in a netlink attribute")
	errDoTooLarge     = errors.New("byte slice produced by Do is too large to fit in a netlink attribute")
)

// An AttributeEncoder encodes a stream of attributes. It keeps the first error for Encode.
type AttributeEncoder struct {
	// ByteOrder is the byte order of the integers. nil means host byte order. It may be changed
	// at any time.
	ByteOrder binary.ByteOrder

	b     []byte
	base  int // offset in b of this encoder's stream
	given int // length of b when Encode returned it
	err   error
}

// firstSize is the capacity of a new encoder in bytes.
const firstSize = 256

// NewAttributeEncoder returns an encoder without attributes.
func NewAttributeEncoder() *AttributeEncoder {
	return &AttributeEncoder{ByteOrder: ne, b: make([]byte, 0, firstSize)}
}

// Encode returns the stream, or the first error. The caller owns the result: later writes go to a new
// buffer.
func (ae *AttributeEncoder) Encode() ([]byte, error) {
	n := len(ae.b)
	switch {
	case ae.err != nil:
		return nil, ae.err
	case n == ae.base:
		return []byte{}, nil
	case n == ae.given || ae.base > 0:
		return slices.Clone(ae.b[ae.base:]), nil
	}
	ae.b, ae.given = slices.Clip(ae.b), n
	return ae.b, nil
}

// Uint8 appends an attribute with a uint8.
func (ae *AttributeEncoder) Uint8(typ uint16, v uint8) {
	if ae.err == nil {
		ae.b = nla.AppendUint8(ae.b, typ, v)
	}
}

// Uint16 appends an attribute with a uint16.
func (ae *AttributeEncoder) Uint16(typ uint16, v uint16) {
	if ae.err == nil {
		ae.b = nla.AppendUint16(ae.b, typ, inOrder16(ae.ByteOrder, v))
	}
}

// Uint32 appends an attribute with a uint32.
func (ae *AttributeEncoder) Uint32(typ uint16, v uint32) {
	if ae.err != nil {
		return
	}
	if !isOf(ae.ByteOrder, ne) {
		v = inOrder32(ae.ByteOrder, v)
	}
	ae.b = nla.AppendUint32(ae.b, typ, v)
}

// Uint64 appends an attribute with a uint64.
func (ae *AttributeEncoder) Uint64(typ uint16, v uint64) {
	if ae.err == nil {
		ae.b = nla.AppendUint64(ae.b, typ, inOrder64(ae.ByteOrder, v))
	}
}

// Int8 appends an attribute with an int8.
func (ae *AttributeEncoder) Int8(typ uint16, v int8) { ae.Uint8(typ, uint8(v)) }

// Int16 appends an attribute with an int16.
func (ae *AttributeEncoder) Int16(typ uint16, v int16) { ae.Uint16(typ, uint16(v)) }

// Int32 appends an attribute with an int32.
func (ae *AttributeEncoder) Int32(typ uint16, v int32) { ae.Uint32(typ, uint32(v)) }

// Int64 appends an attribute with an int64.
func (ae *AttributeEncoder) Int64(typ uint16, v int64) { ae.Uint64(typ, uint64(v)) }

// Flag appends an attribute without payload if v is true. Otherwise it does nothing.
func (ae *AttributeEncoder) Flag(typ uint16, v bool) {
	if ae.err == nil && v {
		ae.b = nla.AppendFlag(ae.b, typ)
	}
}

// String appends an attribute with s and a NUL.
func (ae *AttributeEncoder) String(typ uint16, s string) {
	switch {
	case ae.err != nil:
	case len(s)+1 > nla.MaxPayload:
		ae.err = errStringTooLarge
	default:
		ae.b = nla.AppendCString(ae.b, typ, s)
	}
}

// Bytes appends an attribute with a copy of b.
func (ae *AttributeEncoder) Bytes(typ uint16, b []byte) { ae.bytes(typ, b, errBytesTooLarge) }

func (ae *AttributeEncoder) bytes(typ uint16, b []byte, tooLarge error) {
	switch {
	case ae.err != nil:
	case len(b) > nla.MaxPayload:
		ae.err = tooLarge
	default:
		ae.b = nla.AppendBytes(ae.b, typ, b)
	}
}

// Do appends an attribute with the bytes that fn returns. The encoder keeps an error of fn.
func (ae *AttributeEncoder) Do(typ uint16, fn func() ([]byte, error)) {
	if ae.err != nil {
		return
	}
	b, err := fn()
	if err != nil {
		ae.err = err
		return
	}
	ae.bytes(typ, b, errDoTooLarge)
}

// Nested appends an attribute with the flag Nested. fn encodes the attributes of its payload with nae.
// nae starts with the byte order of ae and is valid until fn returns. ae keeps an error of fn or nae.
//
// nae uses the buffer of ae, so nested attributes are not copied.
func (ae *AttributeEncoder) Nested(typ uint16, fn func(nae *AttributeEncoder) error) {
	if ae.err != nil {
		return
	}
	b, start := ae.b, len(ae.b)
	// Clip makes writes of fn to ae reallocate. They end up before the nest.
	ae.b = slices.Clip(b)
	nae := &AttributeEncoder{ByteOrder: ae.ByteOrder, b: nla.BeginNoFlag(b, typ|Nested)}
	nae.base = len(nae.b)
	err := fn(nae)
	if err == nil {
		err = nae.err
	}
	if err == nil && ae.err == nil {
		err = ae.endNest(nae.b, start)
	}
	if ae.err == nil {
		ae.err = err
	}
	nae.b, nae.err = nil, errNestEnded
}

// errNestEnded is the error of an encoder after the end of its nest.
var errNestEnded = errors.New("nested encoder used after its function returned")

// endNest completes the nest at b[start:] and adds it to ae.
func (ae *AttributeEncoder) endNest(b []byte, start int) error {
	b, err := nla.TryEnd(b, start)
	switch {
	case err != nil:
		return errDoTooLarge
	case len(ae.b) == start:
		ae.b = b
	default:
		ae.b = append(ae.b, b[start:]...)
	}
	return nil
}
