package nla

import "slices"

// payloadTooLong is what an Append function panics with: a length is
// never truncated.
const payloadTooLong = "nla: payload over MaxPayload does not fit into an attribute"

// AppendCString appends s and a NUL (nla_put_string). A NUL inside s ends the
// string for the kernel.
func AppendCString(b []byte, typ uint16, s string) []byte { return appendString(b, typ, s, 1) }

// AppendText appends s without a NUL, for a NLA_STRING.
func AppendText(b []byte, typ uint16, s string) []byte { return appendString(b, typ, s, 0) }

// AppendBytes appends p as the payload, a NLA_BINARY or a whole nest (nla_put).
func AppendBytes(b []byte, typ uint16, p []byte) []byte { return appendBytes(b, typ, p) }

// appendLong appends what is not short, or has no room: p and zeros behind it.
func appendLong(b []byte, typ uint16, p []byte, zeros int) []byte {
	size := len(p) + zeros
	return fill(append(open(b, typ, size), p...), zeros, size)
}

// open appends the header of a payload of size bytes, and makes room for all.
func open(b []byte, typ uint16, size int) []byte {
	if size > MaxPayload {
		panic(payloadTooLong)
	}
	return ne.AppendUint32(slices.Grow(b, Size(size)), header(HeaderLen+size, typ))
}

// fill appends the zeros that end a payload of size bytes, and the padding.
func fill(b []byte, zeros, size int) []byte {
	for range zeros {
		b = append(b, 0)
	}
	return pad(b, HeaderLen+size)
}
