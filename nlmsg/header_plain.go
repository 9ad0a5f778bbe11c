//go:build purego || !(386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nlmsg

import "github.com/nlwire/nlwire/internal/native"

func appendHeader(b []byte, typ Type, flags Flags, seq, portID uint32) []byte {
	start := len(b)
	b = append(b, make([]byte, HeaderLen)...) // one check for room
	h := b[start : start+HeaderLen : start+HeaderLen]
	ne.PutUint32(h[4:], native.Half(uint16(typ), uint16(flags)))
	ne.PutUint32(h[8:], seq)
	ne.PutUint32(h[12:], portID)
	return b
}

// putLen writes the length. So cut the slice cannot be empty, which would cost a mask.
func putLen(b []byte, start, n int) { ne.PutUint32(b[start:start+4:start+4], uint32(n)) }
