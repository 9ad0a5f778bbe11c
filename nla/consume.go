package nla

// Consume takes one attribute from the front of b. It returns the attribute and the number of
// bytes it takes, including the padding. The last attribute may lack its padding. Consume
// implements the kernel's nla_ok and nla_next.
//
// If b is empty or malformed, the Attr is nil and n is negative: [ParseError] converts n to an
// error. Consume never allocates and never panics.
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
	// Most attributes need only two comparisons: of the remaining bytes and of the length. The
	// function uses the compiler's whole inlining budget (guard_test.go).
	if len(b) >= 8 {
		n = int(ne.Uint16(b))
		// The predicted step: most attributes take 8 bytes. With a branch the CPU predicts the
		// position of the next header instead of waiting for this length.
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

// Find returns the first attribute of the given type, ignoring flag bits, or nil (nla_find). It
// stops at the first malformed attribute.
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
