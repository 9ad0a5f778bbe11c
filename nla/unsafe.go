//go:build !purego && (386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nla

import (
	"iter"
	"unsafe"
)

// This file reads and writes through pointers. safe.go has the counterparts for architectures
// without efficient unaligned access and for the build tag purego. A pointer stays inside the
// bytes that are left. Re-slicing costs more: the compiler masks the pointer so that an empty
// slice stays inside its array.

// attrHeader is struct nlattr.
type attrHeader struct{ len, typ uint16 }

// Cursor is a position in a stream of attributes: at an attribute, at the end, or at malformed
// bytes. [Walk] returns one. It consists of two words that stay in registers.
//
// The methods may be called at any position and never read outside the stream. Results alias the
// stream.
//
// The methods do not call each other: each inlined call leaves a no-op instruction.
type Cursor struct {
	p    unsafe.Pointer
	left int // bytes from p to the end of the stream
}

// Walk returns a cursor at the first attribute of b.
func Walk(b []byte) Cursor { return Cursor{unsafe.Pointer(unsafe.SliceData(b)), len(b)} }

// More reports whether there is a complete attribute at the cursor (nla_ok). If not, Err
// distinguishes the end from malformed bytes.
func (c Cursor) More() bool {
	if c.left >= HeaderLen {
		n := int((*attrHeader)(c.p).len)
		return n >= HeaderLen && n <= c.left
	}
	return false
}

// Attr returns the attribute at the cursor, or nil if there is none.
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

// Next returns a cursor at the next attribute (nla_next). The last attribute may lack its
// padding. Call Next only if More returned true: otherwise the new cursor is at an arbitrary
// position in the stream, and its Err may be nil.
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

// len returns the number of bytes left.
func (c Cursor) len() int { return c.left }

// Err returns the reason why there is no attribute: ErrTruncated, ErrLength or ErrOverrun. It
// returns nil at the end and at an attribute. It never allocates.
func (c Cursor) Err() error {
	if c.left == 0 {
		return nil
	}
	return c.err()
}

// err is Err for a cursor with bytes left. It is separate so that the end of a nest costs no
// call.
//
//go:noinline
func (c Cursor) err() error {
	_, n := Consume(unsafe.Slice((*byte)(c.p), c.left))
	return ParseError(n)
}

// All returns an iterator over the attributes of b, in order. At a malformed attribute it yields
// (nil, *SyntaxError) and stops. That error is the only allocation.
//
// All uses no helper functions: each inlined call leaves a no-op instruction.
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
		// Only one path leads to this call. If several paths joined here, the compiler would keep
		// the loop's variables in memory instead of registers, because a call does not preserve
		// registers.
		if left > 0 {
			yield(nil, syntaxError(b, left))
		}
	}
}

// Get returns the attribute of the given type, or nil if it is absent.
func (tb *Table) Get(typ uint16) Attr {
	if int(typ) < len(tb.Slots) {
		if left := int(tb.Slots[typ]); left >= HeaderLen && left <= len(tb.Stream) {
			p := unsafe.Add(unsafe.Pointer(unsafe.SliceData(tb.Stream)), len(tb.Stream)-left)
			if n := int((*attrHeader)(p).len); n >= HeaderLen && n <= left {
				return (*[1 << 16]byte)(p)[:n:n]
			}
		}
	}
	return nil
}

func appendString(b []byte, typ uint16, s string, zeros int) []byte {
	return appendPayload(b, typ, unsafe.Pointer(unsafe.StringData(s)), len(s), len(s)+zeros)
}

func appendBytes(b []byte, typ uint16, p []byte) []byte {
	return appendPayload(b, typ, unsafe.Pointer(unsafe.SliceData(p)), len(p), len(p))
}

// appendPayload appends a payload of size bytes: n bytes at p, followed by zeros. It copies up to
// 256 bytes with two or more moves that may overlap. A copy with a length unknown to the compiler
// is a function call, which takes as long as the rest of this function; most strings in netlink
// are short.
func appendPayload(b []byte, typ uint16, p unsafe.Pointer, n, size int) []byte {
	// The result of Size, without the no-op instruction of an inlined call.
	step := (size + HeaderLen + 3) &^ 3
	end := len(b) + step
	if uint(end) > uint(cap(b)) {
		return appendAt(b, typ, p, n, size)
	}
	to := unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b))
	tail := (*uint32)(unsafe.Add(to, step-AlignTo)) // zeros after the payload
	// Up to 32 bytes are read before the first write, because they may overlap the destination.
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
		*tail = 0 // the header, which is written below, or the NUL
	default: // 1 to 3 bytes; if there were none, p could point past its array
		first, middle, last := *(*byte)(p), *(*byte)(unsafe.Add(p, n/2)), *(*byte)(unsafe.Add(p, n-1))
		*tail = 0
		*(*byte)(unsafe.Add(to, HeaderLen)), *(*byte)(unsafe.Add(to, HeaderLen+n/2)) = first, middle
		*(*byte)(unsafe.Add(to, HeaderLen+n-1)) = last
	}
	*(*uint16)(to), *(*uint16)(unsafe.Add(to, 2)) = uint16(size+HeaderLen), typ
	return b[:end]
}

// words holds 16 bytes in registers; an array would stay in memory.
type words struct{ a, b uint64 }

// block32 and block64 are copied by moves of 16 bytes. For a plain array, which may overlap, the
// compiler calls memmove.
type block32 struct{ _ [32]byte }
type block64 struct{ _ [64]byte }

// putLen writes the length of the attribute at b[i:]. End has checked that i is inside b.
func putLen(b []byte, i, n int) {
	*(*uint16)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)) = uint16(n)
}

// appendAt is the slow path of appendPayload: more than 256 bytes, too little capacity, or a
// source that overlaps the destination.
//
//go:noinline
func appendAt(b []byte, typ uint16, p unsafe.Pointer, n, size int) []byte {
	return appendLong(b, typ, unsafe.Slice((*byte)(p), n), size-n)
}
