//go:build !purego && (386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nlmsg

import "unsafe"

// header is struct nlmsghdr, for Cursor, Begin and End: they have made sure that it
// is there, and what is checked twice is a tenth of encoding a short request. These
// architectures read and write what is not aligned; for others, and with the build
// tag purego, there is header_plain.go.
type header struct {
	len         uint32
	typ         Type
	flags       Flags
	seq, portID uint32
}

func headerAt(b []byte, start int) *header {
	return (*header)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), start))
}

func appendHeader(b []byte, typ Type, flags Flags, seq, portID uint32) []byte {
	start := len(b)
	if end := start + HeaderLen; uint(end) <= uint(cap(b)) {
		b = b[:end]
	} else {
		b = append(b, make([]byte, HeaderLen)...)
	}
	h := headerAt(b, start)
	h.len, h.typ, h.flags, h.seq, h.portID = 0, typ, flags, seq, portID
	return b
}

func putLen(b []byte, start, n int) { headerAt(b, start).len = uint32(n) }
