//go:build purego || !(386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nlmsg

import "github.com/nlwire/nlwire/internal/native"

// The forms of unsafe.go without pointers.

// Cursor is the position of a walk over messages: at one of them, at the end, or at bytes
// that are no message. [Walk] makes one.
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
type Cursor struct{ rest []byte }

// Walk returns a cursor at the first message of b.
func Walk(b []byte) Cursor { return Cursor{b} }

// More reports whether a whole message is there (nlmsg_ok). If not, Err reports
// whether that is the end.
func (c Cursor) More() bool {
	_, n := Consume(c.rest)
	return n >= 0
}

// Msg returns the message, nil if there is none.
func (c Cursor) Msg() Msg {
	m, _ := Consume(c.rest)
	return m
}

// Type is c.Msg().Type().
func (c Cursor) Type() Type { return c.Msg().Type() }

// Attrs is c.Msg().Attrs(hdrlen).
func (c Cursor) Attrs(hdrlen int) []byte { return c.Msg().Attrs(hdrlen) }

// Next returns a cursor at the next message (nlmsg_next), which may lack
// its padding if it is the last. Call it only where More is true: elsewhere it leads
// to some place in the datagram, and Err may afterwards be nil.
func (c Cursor) Next() Cursor {
	_, n := Consume(c.rest)
	return Cursor{c.rest[max(n, 0):]}
}

// Err returns why there is no message: ErrTruncated, ErrLength or ErrOverrun, and nil
// at the end, or at a message. It never allocates.
func (c Cursor) Err() error {
	if len(c.rest) == 0 {
		return nil
	}
	_, n := Consume(c.rest)
	return ParseError(n)
}

// offset is where the cursor stands in b, which Walk was given.
func (c Cursor) offset(b []byte) int { return len(b) - len(c.rest) }

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
