//go:build !purego && (386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nlmsg

import "unsafe"

// This file reads and writes through pointers. safe.go has the counterparts for architectures
// without efficient unaligned access and for the build tag purego.

// Cursor is a position in a datagram: at a message, at the end, or at malformed bytes. [Walk]
// returns one. It consists of two words that stay in registers.
//
//	c := nlmsg.Walk(datagram)
//	for ; c.More(); c = c.Next() {
//		if c.Type() < nlmsg.MinType {
//			continue
//		}
//		for a, err := range nla.All(c.Attrs(hdrlen)) {
//			// use a
//		}
//	}
//	if err := c.Err(); err != nil {
//		return err
//	}
//
// The methods may be called at any position and never read outside the datagram. Results alias
// the datagram.
//
// The methods do not call each other: each inlined call leaves a no-op instruction.
type Cursor struct {
	p    unsafe.Pointer
	left int // bytes from p to the end of the datagram
}

// Walk returns a cursor at the first message of b.
func Walk(b []byte) Cursor { return Cursor{unsafe.Pointer(unsafe.SliceData(b)), len(b)} }

// More reports whether there is a complete message at the cursor (nlmsg_ok). If not, Err
// distinguishes the end from malformed bytes.
func (c Cursor) More() bool {
	// The valid case is inside the ifs, and lengths are unsigned: see Consume.
	if c.left >= HeaderLen {
		n := uint((*header)(c.p).len)
		return n >= HeaderLen && n <= uint(c.left)
	}
	return false
}

// Msg returns the message at the cursor, or nil if there is none.
func (c Cursor) Msg() Msg {
	if c.left >= HeaderLen {
		n := uint((*header)(c.p).len)
		if n >= HeaderLen && n <= uint(c.left) {
			return (*[MaxLen]byte)(c.p)[:n:n]
		}
	}
	return nil
}

// Type is c.Msg().Type().
func (c Cursor) Type() Type {
	if c.left >= HeaderLen {
		n := uint((*header)(c.p).len)
		if n >= HeaderLen && n <= uint(c.left) {
			return (*header)(c.p).typ
		}
	}
	return 0
}

// Attrs is c.Msg().Attrs(hdrlen).
func (c Cursor) Attrs(hdrlen int) []byte {
	if c.left >= HeaderLen {
		n, start := uint((*header)(c.p).len), uint((HeaderLen+hdrlen+3)&^3)
		if start < n && n <= uint(c.left) && hdrlen >= 0 {
			rest := uint32(n) - uint32(start) // 32 bits prove that rest is at most MaxLen
			return (*[MaxLen]byte)(unsafe.Add(c.p, start))[:rest:rest]
		}
	}
	return nil
}

// Next returns a cursor at the next message (nlmsg_next). The last message may lack its padding.
// Call Next only if More returned true: otherwise the new cursor is at an arbitrary position in
// the datagram, and its Err may be nil.
func (c Cursor) Next() Cursor {
	if c.left >= HeaderLen {
		if step := (uint((*header)(c.p).len) + 3) &^ 3; step < uint(c.left) {
			return Cursor{unsafe.Add(c.p, step), c.left - int(step)}
		}
	}
	return Cursor{c.p, 0}
}

// Err returns the reason why there is no message: ErrTruncated, ErrLength or ErrOverrun. It
// returns nil at the end and at a message. It never allocates.
func (c Cursor) Err() error {
	if c.left == 0 {
		return nil
	}
	_, n := Consume(unsafe.Slice((*byte)(c.p), c.left))
	return ParseError(n)
}

// offset returns the offset of the cursor in b, the argument of Walk.
func (c Cursor) offset(b []byte) int { return len(b) - c.left }

// header is struct nlmsghdr, for Cursor, Begin and End. They have checked the bounds; a second
// check by the compiler would slow down the encoding of short requests.
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
