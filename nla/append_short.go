//go:build !purego && (386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nla

import "unsafe"

func appendString(b []byte, typ uint16, s string, zeros int) []byte {
	return appendPayload(b, typ, unsafe.Pointer(unsafe.StringData(s)), len(s), len(s)+zeros)
}

func appendBytes(b []byte, typ uint16, p []byte) []byte {
	return appendPayload(b, typ, unsafe.Pointer(unsafe.SliceData(p)), len(p), len(p))
}

// appendPayload appends a payload of size bytes: n bytes at p, and zeros. Short ones
// are copied in two moves that may overlap: to copy what the compiler does not know
// the length of is a call, which takes as long as all of this, and the names of
// netlink are short. These architectures move what is not aligned; for others, and
// with the build tag purego, there is append_plain.go.
func appendPayload(b []byte, typ uint16, p unsafe.Pointer, n, size int) []byte {
	// This is Size, without the instructions that mark inlined calls.
	step := (size + HeaderLen + 3) &^ 3
	end := len(b) + step
	if uint(end) > uint(cap(b)) {
		return appendAt(b, typ, p, n, size)
	}
	to := unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b))
	tail := (*uint32)(unsafe.Add(to, step-AlignTo)) // zeros behind the payload
	// p is read before anything is written: it may be there already.
	switch {
	case uint(n-4) <= 4:
		first, last := *(*uint32)(p), *(*uint32)(unsafe.Add(p, n-4))
		*tail = 0
		*(*uint32)(unsafe.Add(to, HeaderLen)), *(*uint32)(unsafe.Add(to, HeaderLen+n-4)) = first, last
	case uint(n-8) <= 8:
		first, last := *(*uint64)(p), *(*uint64)(unsafe.Add(p, n-8))
		*tail = 0
		*(*uint64)(unsafe.Add(to, HeaderLen)), *(*uint64)(unsafe.Add(to, HeaderLen+n-8)) = first, last
	case uint(n-1) <= 2: // of no bytes the pointer to them may be past the end
		first, middle, last := *(*byte)(p), *(*byte)(unsafe.Add(p, n/2)), *(*byte)(unsafe.Add(p, n-1))
		*tail = 0
		*(*byte)(unsafe.Add(to, HeaderLen)), *(*byte)(unsafe.Add(to, HeaderLen+n/2)) = first, middle
		*(*byte)(unsafe.Add(to, HeaderLen+n-1)) = last
	default:
		return appendAt(b, typ, p, n, size)
	}
	*(*uint16)(to), *(*uint16)(unsafe.Add(to, 2)) = uint16(size+HeaderLen), typ
	return b[:end]
}

// putLen writes the length of the attribute that starts at b[i:]. End has made sure
// that it is there.
func putLen(b []byte, i, n int) {
	*(*uint16)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)) = uint16(n)
}

// appendAt is appendLong of n bytes at p.
//
//go:noinline
func appendAt(b []byte, typ uint16, p unsafe.Pointer, n, size int) []byte {
	return appendLong(b, typ, unsafe.Slice((*byte)(p), n), size-n)
}
