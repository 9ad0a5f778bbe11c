//go:build purego || !(386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nla

import "iter"

// The forms of unsafe.go without pointers.

// Cursor is the position of a walk over attributes: at one of them, at the end, or at bytes
// that are no attribute. [Walk] makes one.
//
// Its methods can be called at any time, also where there is no attribute, and read
// nothing outside of the stream. What they return aliases it.
type Cursor struct{ rest []byte }

// Walk returns a cursor at the first attribute of b.
func Walk(b []byte) Cursor { return Cursor{b} }

// More reports whether a whole attribute is there (nla_ok). If not, Err reports
// whether that is the end.
func (c Cursor) More() bool {
	if len(c.rest) >= HeaderLen {
		n := int(ne.Uint16(c.rest))
		return n >= HeaderLen && n <= len(c.rest)
	}
	return false
}

// Attr returns the attribute, nil if there is none.
func (c Cursor) Attr() Attr {
	if len(c.rest) >= HeaderLen {
		n := int(ne.Uint16(c.rest))
		if n >= HeaderLen && n <= len(c.rest) {
			return Attr(c.rest[:n:n])
		}
	}
	return nil
}

// Type is c.Attr().Type().
func (c Cursor) Type() uint16 {
	if len(c.rest) >= HeaderLen {
		if n := int(ne.Uint16(c.rest)); n >= HeaderLen && n <= len(c.rest) {
			return ne.Uint16(c.rest[2:]) & TypeMask
		}
	}
	return 0
}

// Next returns a cursor at the next attribute (nla_next); the last one may lack
// its padding. Call it only where More is true: elsewhere it leads
// to some place in the stream, and Err may afterwards be nil.
func (c Cursor) Next() Cursor {
	if len(c.rest) >= HeaderLen {
		if step := (int(ne.Uint16(c.rest)) + 3) &^ 3; step < len(c.rest) {
			return Cursor{c.rest[step:]}
		}
	}
	return Cursor{}
}

// len is how many bytes are left.
func (c Cursor) len() int { return len(c.rest) }

// Err returns why there is no attribute: ErrTruncated, ErrLength or ErrOverrun, and nil
// at the end, or at an attribute. It never allocates.
func (c Cursor) Err() error {
	if len(c.rest) == 0 {
		return nil
	}
	return c.err()
}

// err is Err where bytes are left.
//
//go:noinline
func (c Cursor) err() error {
	_, n := Consume(c.rest)
	return ParseError(n)
}

// All ranges over the attributes of b in their order. On an error it yields
// (nil, *SyntaxError) once and ends: that value is the only allocation.
func All(b []byte) iter.Seq2[Attr, error] {
	return func(yield func(Attr, error) bool) {
		for rest := b; len(rest) > 0; {
			a, n := Consume(rest)
			if n < 0 {
				yield(nil, syntaxError(b, len(rest)))
				return
			}
			rest = rest[n:]
			if !yield(a, nil) {
				return
			}
		}
	}
}

// Get returns the attribute of that type, nil if it is not there.
func (tb *Table) Get(typ uint16) Attr {
	if int(typ) < len(tb.Slots) {
		if left := int(tb.Slots[typ]); left >= HeaderLen && left <= len(tb.Stream) {
			b := tb.Stream[len(tb.Stream)-left:]
			if n := int(ne.Uint16(b)); n >= HeaderLen && n <= len(b) {
				return Attr(b[:n:n])
			}
		}
	}
	return nil
}

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
