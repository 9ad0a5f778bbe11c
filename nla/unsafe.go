//go:build !purego && (386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nla

import (
	"iter"
	"unsafe"
)

// The forms of this file read and write with pointers; safe.go has those for
// architectures that want what they load aligned, and for the build tag purego. A
// pointer stays inside the bytes that are left. Re-slicing costs more: the compiler masks
// the pointer so that an empty slice stays inside its array. docs/decisions/codec.md
// has the figures.

// attrHeader is struct nlattr.
type attrHeader struct{ len, typ uint16 }

// Cursor is the position of a walk over attributes: at one of them, at the end, or at bytes
// that are no attribute. [Walk] makes one. It is two words that stay in registers.
//
// Its methods can be called at any time, also where there is no attribute, and read
// nothing outside of the stream. What they return aliases it.
//
// None of them calls another: each call that is inlined leaves an instruction that
// does nothing.
type Cursor struct {
	p    unsafe.Pointer
	left int // bytes from p to the end of the stream
}

// Walk returns a cursor at the first attribute of b.
func Walk(b []byte) Cursor { return Cursor{unsafe.Pointer(unsafe.SliceData(b)), len(b)} }

// More reports whether a whole attribute is there (nla_ok). If not, Err reports
// whether that is the end.
func (c Cursor) More() bool {
	if c.left >= HeaderLen {
		n := int((*attrHeader)(c.p).len)
		return n >= HeaderLen && n <= c.left
	}
	return false
}

// Attr returns the attribute, nil if there is none.
func (c Cursor) Attr() Attr {
	if c.left >= HeaderLen {
		n := int((*attrHeader)(c.p).len)
		if n >= HeaderLen && n <= c.left {
			return (*[1 << 16]byte)(c.p)[:n:n]
		}
	}
	return nil
}

// Type is c.Attr().Type().
func (c Cursor) Type() uint16 {
	if c.left >= HeaderLen {
		h := (*attrHeader)(c.p)
		if n := int(h.len); n >= HeaderLen && n <= c.left {
			return h.typ & TypeMask
		}
	}
	return 0
}

// Next returns a cursor at the next attribute (nla_next); the last one may lack
// its padding. Call it only where More is true: elsewhere it leads
// to some place in the stream, and Err may afterwards be nil.
func (c Cursor) Next() Cursor {
	if c.left >= HeaderLen {
		step := (int((*attrHeader)(c.p).len) + 3) &^ 3
		if step < c.left {
			if step == 8 { // the predicted step: see Consume
				return Cursor{unsafe.Add(c.p, 8), c.left - 8}
			}
			return Cursor{unsafe.Add(c.p, step), c.left - step}
		}
	}
	return Cursor{c.p, 0}
}

// len is how many bytes are left.
func (c Cursor) len() int { return c.left }

// Err returns why there is no attribute: ErrTruncated, ErrLength or ErrOverrun, and nil
// at the end, or at an attribute. It never allocates.
func (c Cursor) Err() error {
	if c.left == 0 {
		return nil
	}
	return c.err()
}

// err is Err where bytes are left, apart from it so that the end of a nest costs no call.
//
//go:noinline
func (c Cursor) err() error {
	_, n := Consume(unsafe.Slice((*byte)(c.p), c.left))
	return ParseError(n)
}

// All ranges over the attributes of b in their order. On an error it yields
// (nil, *SyntaxError) once and ends: that value is the only allocation.
//
// It is written without helpers: each of them that is inlined leaves an instruction that
// does nothing.
func All(b []byte) iter.Seq2[Attr, error] {
	return func(yield func(Attr, error) bool) {
		p, left := unsafe.Pointer(unsafe.SliceData(b)), len(b)
		for left >= HeaderLen {
			n := int(*(*uint16)(p))
			if n < HeaderLen || n > left {
				break
			}
			if !yield((*[1 << 16]byte)(p)[:n:n], nil) {
				return
			}
			step := (n + 3) &^ 3
			if step >= left {
				return
			}
			if step == 8 { // the predicted step: see Consume
				p, left = unsafe.Add(p, 8), left-8
				continue
			}
			p, left = unsafe.Add(p, step), left-step
		}
		// A single path leads to the call: after a place where paths meet, the loop
		// would keep in memory what a call must not lose.
		if left > 0 {
			yield(nil, syntaxError(b, left))
		}
	}
}

func appendString(b []byte, typ uint16, s string, zeros int) []byte {
	return appendPayload(b, typ, unsafe.Pointer(unsafe.StringData(s)), len(s), len(s)+zeros)
}

func appendBytes(b []byte, typ uint16, p []byte) []byte {
	return appendPayload(b, typ, unsafe.Pointer(unsafe.SliceData(p)), len(p), len(p))
}

// appendPayload appends a payload of size bytes: n bytes at p, and zeros. Up to 256 bytes
// are copied here, in two moves that may overlap, or more: copying a length that the compiler
// does not know is a call, which takes as long as all of this, and the names of
// netlink are short.
func appendPayload(b []byte, typ uint16, p unsafe.Pointer, n, size int) []byte {
	// This is Size, without the instructions that mark inlined calls.
	step := (size + HeaderLen + 3) &^ 3
	end := len(b) + step
	if uint(end) > uint(cap(b)) {
		return appendAt(b, typ, p, n, size)
	}
	to := unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b))
	tail := (*uint32)(unsafe.Add(to, step-AlignTo)) // zeros after the payload
	// Up to 32 bytes are read before anything is written: they may be there already.
	switch {
	case uint(n-4) <= 4:
		first, last := *(*uint32)(p), *(*uint32)(unsafe.Add(p, n-4))
		*tail = 0
		*(*uint32)(unsafe.Add(to, HeaderLen)), *(*uint32)(unsafe.Add(to, HeaderLen+n-4)) = first, last
	case uint(n-8) <= 8:
		first, last := *(*uint64)(p), *(*uint64)(unsafe.Add(p, n-8))
		*tail = 0
		*(*uint64)(unsafe.Add(to, HeaderLen)), *(*uint64)(unsafe.Add(to, HeaderLen+n-8)) = first, last
	case uint(n-17) <= 15:
		first, last := *(*words)(p), *(*words)(unsafe.Add(p, n-16))
		*tail = 0
		*(*words)(unsafe.Add(to, HeaderLen)), *(*words)(unsafe.Add(to, HeaderLen+n-16)) = first, last
	case n > 32:
		overlaps := uintptr(p)-uintptr(to) < uintptr(step) || uintptr(to)-uintptr(p) < uintptr(n)
		if overlaps || n > 256 {
			return appendAt(b, typ, p, n, size)
		}
		*tail = 0
		payload := unsafe.Add(to, HeaderLen)
		if n <= 64 {
			*(*block32)(payload) = *(*block32)(p)
			*(*block32)(unsafe.Add(payload, n-32)) = *(*block32)(unsafe.Add(p, n-32))
			break
		}
		for i := 0; i < n-64; i += 64 {
			*(*block64)(unsafe.Add(payload, i)) = *(*block64)(unsafe.Add(p, i))
		}
		*(*block64)(unsafe.Add(payload, n-64)) = *(*block64)(unsafe.Add(p, n-64))
	case n == 0:
		*tail = 0 // the header itself, or a NUL
	default: // of no bytes the pointer to them may be past the end
		first, middle, last := *(*byte)(p), *(*byte)(unsafe.Add(p, n/2)), *(*byte)(unsafe.Add(p, n-1))
		*tail = 0
		*(*byte)(unsafe.Add(to, HeaderLen)), *(*byte)(unsafe.Add(to, HeaderLen+n/2)) = first, middle
		*(*byte)(unsafe.Add(to, HeaderLen+n-1)) = last
	}
	*(*uint16)(to), *(*uint16)(unsafe.Add(to, 2)) = uint16(size+HeaderLen), typ
	return b[:end]
}

// words are 16 bytes that stay in registers, as an array does not.
type words struct{ a, b uint64 }

// block32 and block64 are copied by moves of 16 bytes; for an array, which may overlap, the compiler
// would call memmove.
type block32 struct{ _ [32]byte }
type block64 struct{ _ [64]byte }

// putLen writes the length of the attribute that starts at b[i:]. End has made sure
// that it is there.
func putLen(b []byte, i, n int) {
	*(*uint16)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)) = uint16(n)
}

// appendAt is appendLong of n bytes at p: too many, or with too little room, or where they
// overlap with what they become.
//
//go:noinline
func appendAt(b []byte, typ uint16, p unsafe.Pointer, n, size int) []byte {
	return appendLong(b, typ, unsafe.Slice((*byte)(p), n), size-n)
}
