package nla

// Consume takes one attribute from the front of b and returns it with the
// number of bytes it takes, padding included. The last attribute may lack its
// padding. This is the kernel's nla_ok and nla_next.
//
// This returns a negative length upon an error (see [ParseError]), a nil Attr
// with it, and the same for an empty b. It never allocates and never panics.
//
//	for len(b) > 0 {
//		a, n := nla.Consume(b)
//		if n < 0 {
//			return nla.ParseError(n)
//		}
//		b = b[n:]
//		// use a
//	}
func Consume(b []byte) (a Attr, n int) {
	// Laid out so that most attributes meet two comparisons, of what is left and of
	// their length. It takes all that the compiler inlines (guard_test.go).
	if len(b) >= 8 {
		n = int(ne.Uint16(b))
		// The predicted step. Most attributes take 8 bytes; on a branch the
		// CPU guesses where the next header is instead of waiting for this
		// length. See docs/decisions/codec.md.
		if n > HeaderLen && n <= 8 {
			return Attr(b[:n:n]), 8
		}
	} else if len(b) >= HeaderLen {
		n = int(ne.Uint16(b))
	} else {
		return nil, codeTruncated
	}
	if n >= HeaderLen && n <= len(b) {
		a = Attr(b[:n:n])
		if n = (n + 3) &^ 3; n <= len(b) {
			return a, n
		}
		return a, len(b)
	}
	return nil, n - codeBase
}

// Find returns the first attribute of that type, flag bits apart, or nil
// (nla_find). It stops at the first malformed attribute.
func Find(b []byte, typ uint16) Attr {
	for len(b) > 0 {
		a, n := Consume(b)
		if n < 0 {
			return nil
		}
		if a.Type() == typ {
			return a
		}
		b = b[n:]
	}
	return nil
}
