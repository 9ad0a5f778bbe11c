//go:build purego || !(386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nlmsg

import "github.com/nlwire/nlwire/internal/native"

// The counterparts of unsafe.go without package unsafe.

// Cursor is a position in a datagram: at a message, at the end, or at malformed bytes. [Walk]
// returns one.
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
type Cursor struct{ rest []byte }

// Walk returns a cursor at the first message of b.
func Walk(b []byte) Cursor { return Cursor{b} }

// More reports whether there is a complete message at the cursor (nlmsg_ok). If not, Err
// distinguishes the end from malformed bytes.
func (c Cursor) More() bool {
	_, n := Consume(c.rest)
	return n >= 0
}

// Msg returns the message at the cursor, or nil if there is none.
func (c Cursor) Msg() Msg {
	m, _ := Consume(c.rest)
	return m
}

// Type is c.Msg().Type().
func (c Cursor) Type() Type { return c.Msg().Type() }

// Attrs is c.Msg().Attrs(hdrlen).
func (c Cursor) Attrs(hdrlen int) []byte { return c.Msg().Attrs(hdrlen) }

// Next returns a cursor at the next message (nlmsg_next). The last message may lack its padding.
// Call Next only if More returned true: otherwise the new cursor is at an arbitrary position in
// the datagram, and its Err may be nil.
func (c Cursor) Next() Cursor {
	_, n := Consume(c.rest)
	return Cursor{c.rest[max(n, 0):]}
}

// Err returns the reason why there is no message: ErrTruncated, ErrLength or ErrOverrun. It
// returns nil at the end and at a message. It never allocates.
func (c Cursor) Err() error {
	if len(c.rest) == 0 {
		return nil
	}
	_, n := Consume(c.rest)
	return ParseError(n)
}

// offset returns the offset of the cursor in b, the argument of Walk.
func (c Cursor) offset(b []byte) int { return len(b) - len(c.rest) }

func appendHeader(b []byte, typ Type, flags Flags, seq, portID uint32) []byte {
	start := len(b)
	b = append(b, make([]byte, HeaderLen)...) // one check of the capacity
	h := b[start : start+HeaderLen : start+HeaderLen]
	ne.PutUint32(h[4:], native.Half(uint16(typ), uint16(flags)))
	ne.PutUint32(h[8:], seq)
	ne.PutUint32(h[12:], portID)
	return b
}

// putLen writes the length. This slice expression is never empty, so the compiler emits no mask
// for an empty slice.
func putLen(b []byte, start, n int) { ne.PutUint32(b[start:start+4:start+4], uint32(n)) }
