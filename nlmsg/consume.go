package nlmsg

import "iter"

// Consume takes one message from the front of b and returns it with the number
// of bytes it takes, padding included. The last message may lack its padding.
// This is the kernel's nlmsg_ok and nlmsg_next.
//
// This returns a negative length upon an error (see [ParseError]), a nil Msg
// with it, and the same for an empty b. It never allocates and never panics.
func Consume(b []byte) (m Msg, n int) {
	// The good case stands inside the ifs: so laid out, the code of an inlined walk is
	// short and jumps little. The length is unsigned: one of 2^31 and more is too long
	// on 32-bit machines, not negative (RUSTSEC-2025-0142 is that mistake), and so is
	// one of 2^31-3 that is rounded up.
	if len(b) >= HeaderLen {
		size := uint(ne.Uint32(b))
		if size >= HeaderLen && size <= uint(len(b)) {
			return Msg(b[:size:size]), int(min((size+AlignTo-1)&^(AlignTo-1), uint(len(b))))
		}
		if size < HeaderLen {
			return nil, codeLength
		}
		return nil, codeOverrun
	}
	return nil, codeTruncated
}

// All ranges over the messages of a datagram in their order. On an error it
// yields (nil, *SyntaxError) once and ends: that value is the only allocation.
func All(b []byte) iter.Seq2[Msg, error] {
	return func(yield func(Msg, error) bool) {
		c := Walk(b)
		for c.More() {
			m := c.Msg()
			c = c.Next() // now: who gets m may write into it
			if !yield(m, nil) {
				return
			}
		}
		if err := c.Err(); err != nil {
			yield(nil, syntaxError(c.offset(b), err))
		}
	}
}
