//go:build purego || !(386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nla

// appendString is appendLong of a string: to convert it would copy it, and a type
// parameter for both has the bytes of a caller escape.
func appendString(b []byte, typ uint16, s string, zeros int) []byte {
	size := len(s) + zeros
	return wrap(append(room(b, size), s...), typ, zeros, size)
}

func appendBytes(b []byte, typ uint16, p []byte) []byte { return appendLong(b, typ, p, 0) }

// putLen writes the length of the attribute that starts at b[i:]. So cut the slice
// cannot be empty, which would cost a mask.
func putLen(b []byte, i, n int) { ne.PutUint16(b[i:i+2:i+2], uint16(n)) }
