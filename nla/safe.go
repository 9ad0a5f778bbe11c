//go:build purego || !(386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nla

import "iter"

// The counterparts of unsafe.go without package unsafe.

// Cursor is a position in a stream of attributes: at an attribute, at the end, or at malformed
// bytes. [Walk] returns one.
//
// The methods may be called at any position and never read outside the stream. Results alias the
// stream.
type Cursor struct{ rest []byte }

// Walk returns a cursor at the first attribute of b.
func Walk(b []byte) Cursor { return Cursor{b} }

// More reports whether there is a complete attribute at the cursor (nla_ok). If not, Err
// distinguishes the end from malformed bytes.
func (c Cursor) More() bool {
	if len(c.rest) >= HeaderLen {
		n := int(ne.Uint16(c.rest))
		return n >= HeaderLen && n <= len(c.rest)
	}
	return false
}

// Attr returns the attribute at the cursor, or nil if there is none.
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

// Next returns a cursor at the next attribute (nla_next). The last attribute may lack its
// padding. Call Next only if More returned true: otherwise the new cursor is at an arbitrary
// position in the stream, and its Err may be nil.
func (c Cursor) Next() Cursor {
	if len(c.rest) >= HeaderLen {
		if step := (int(ne.Uint16(c.rest)) + 3) &^ 3; step < len(c.rest) {
			return Cursor{c.rest[step:]}
		}
	}
	return Cursor{}
}

// len returns the number of bytes left.
func (c Cursor) len() int { return len(c.rest) }

// Err returns the reason why there is no attribute: ErrTruncated, ErrLength or ErrOverrun. It
// returns nil at the end and at an attribute. It never allocates.
func (c Cursor) Err() error {
	if len(c.rest) == 0 {
		return nil
	}
	return c.err()
}

// err is Err for a cursor with bytes left.
//
//go:noinline
func (c Cursor) err() error {
	_, n := Consume(c.rest)
	return ParseError(n)
}

// All returns an iterator over the attributes of b, in order. At a malformed attribute it yields
// (nil, *SyntaxError) and stops. That error is the only allocation.
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

// Get returns the attribute of the given type, or nil if it is absent.
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

// appendString is appendLong for strings. Converting the string would copy it, and with a type
// parameter for both types the caller's bytes would escape to the heap.
func appendString(b []byte, typ uint16, s string, zeros int) []byte {
	size := len(s) + zeros
	return wrap(append(room(b, size), s...), typ, zeros, size)
}

func appendBytes(b []byte, typ uint16, p []byte) []byte { return appendLong(b, typ, p, 0) }

// putLen writes the length of the attribute at b[i:]. This slice expression is never empty, so
// the compiler emits no mask for an empty slice.
func putLen(b []byte, i, n int) { ne.PutUint16(b[i:i+2:i+2], uint16(n)) }
