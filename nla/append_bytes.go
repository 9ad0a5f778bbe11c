package nla

import (
	"slices"

	"github.com/nlwire/nlwire/internal/native"
)

// payloadTooLong is what an Append function panics with: a length is
// never truncated.
const payloadTooLong = "nla: payload over MaxPayload does not fit into an attribute"

// AppendCString appends s and a NUL (nla_put_string). A NUL inside s ends the
// string for the kernel.
func AppendCString(b []byte, typ uint16, s string) []byte { return appendString(b, typ, s, 1) }

// AppendText appends s without a NUL, for a NLA_STRING.
func AppendText(b []byte, typ uint16, s string) []byte { return appendString(b, typ, s, 0) }

// AppendBytes appends p as the payload, a NLA_BINARY or a whole nest (nla_put). p may
// lie in the room behind b.
func AppendBytes(b []byte, typ uint16, p []byte) []byte { return appendBytes(b, typ, p) }

// appendLong appends what is not short, or has no room: p and zeros behind it.
func appendLong(b []byte, typ uint16, p []byte, zeros int) []byte {
	size := len(p) + zeros
	return wrap(append(room(b, size), p...), typ, zeros, size)
}

// room leaves out a header, and makes room for it, a payload of size bytes, and the
// padding.
func room(b []byte, size int) []byte {
	if uint(size) > MaxPayload { // the NUL may have made it negative
		panic(payloadTooLong)
	}
	return slices.Grow(b, Size(size))[:len(b)+HeaderLen]
}

// wrap writes the zeros that end a payload of size bytes, the padding, and at last
// the header: the payload may have been where that is.
func wrap(b []byte, typ uint16, zeros, size int) []byte {
	start := len(b) + zeros - size - HeaderLen
	for range zeros {
		b = append(b, 0)
	}
	b = native.Pad(b, HeaderLen+size)
	ne.PutUint32(b[start:], header(HeaderLen+size, typ))
	return b
}
