//go:build !purego && (386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nlmsg

import "unsafe"

// The forms of this file read and write with pointers; safe.go has those for
// architectures that want what they load aligned, and for the build tag purego.
// docs/decisions/codec.md has the figures.

// Cursor is the position of a walk over messages: at one of them, at the end, or at bytes
// that are no message. [Walk] makes one. It is two words that
// stay in registers.
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
// Its methods can be called at any time, also where there is no message, and read
// nothing outside of the datagram. What they return aliases it.
//
// None of them calls another: each call that is inlined leaves an instruction that
// does nothing.
type Cursor struct {
	p    unsafe.Pointer
	left int // bytes from p to the end of the datagram
}

// Walk returns a cursor at the first message of b.
func Walk(b []byte) Cursor { return Cursor{unsafe.Pointer(unsafe.SliceData(b)), len(b)} }

// More reports whether a whole message is there (nlmsg_ok). If not, Err reports
// whether that is the end.
func (c Cursor) More() bool {
	// The good case stands inside the ifs, and lengths are unsigned: see Consume.
	if c.left >= HeaderLen {
		n := uint((*header)(c.p).len)
		return n >= HeaderLen && n <= uint(c.left)
	}
	return false
}

// Msg returns the message, nil if there is none.
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
			rest := uint32(n) - uint32(start) // of 32 bits there are no more than MaxLen
			return (*[MaxLen]byte)(unsafe.Add(c.p, start))[:rest:rest]
		}
	}
	return nil
}

// Next returns a cursor at the next message (nlmsg_next), which may lack
// its padding if it is the last. Call it only where More is true: elsewhere it leads
// to some place in the datagram, and Err may afterwards be nil.
func (c Cursor) Next() Cursor {
	if c.left >= HeaderLen {
		if step := (uint((*header)(c.p).len) + 3) &^ 3; step < uint(c.left) {
			return Cursor{unsafe.Add(c.p, step), c.left - int(step)}
		}
	}
	return Cursor{c.p, 0}
}

// Err returns why there is no message: ErrTruncated, ErrLength or ErrOverrun, and nil
// at the end, or at a message. It never allocates.
func (c Cursor) Err() error {
	if c.left == 0 {
		return nil
	}
	_, n := Consume(unsafe.Slice((*byte)(c.p), c.left))
	return ParseError(n)
}

// offset is where the cursor stands in b, which Walk was given.
func (c Cursor) offset(b []byte) int { return len(b) - c.left }

// header is struct nlmsghdr, for Cursor, Begin and End: they have made sure that it
// is there, and what is checked twice is a tenth of encoding a short request.
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
