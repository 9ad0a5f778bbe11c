package nlmsg

import "iter"

// Consume takes one message from the front of b. It returns the message and the number of bytes
// it takes, including the padding. The last message may lack its padding. Consume implements the
// kernel's nlmsg_ok and nlmsg_next.
//
// If b is empty or malformed, the Msg is nil and n is negative: [ParseError] converts n to an
// error. Consume never allocates and never panics.
func Consume(b []byte) (m Msg, n int) {
	// The valid case is inside the ifs, because this layout makes the code of an inlined walk
	// short, with few jumps. The length is unsigned, so that on 32-bit machines 2^31 and more is
	// too long and not negative (the bug of RUSTSEC-2025-0142); the same holds for 2^31-3, which
	// is rounded up.
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

// All returns an iterator over the messages of a datagram, in order. At a malformed message it
// yields (nil, *SyntaxError) and stops. That error is the only allocation.
func All(b []byte) iter.Seq2[Msg, error] {
	return func(yield func(Msg, error) bool) {
		c := Walk(b)
		for c.More() {
			m := c.Msg()
			c = c.Next() // before the yield, because the loop body may overwrite m
			if !yield(m, nil) {
				return
			}
		}
		if err := c.Err(); err != nil {
			yield(nil, syntaxError(c.offset(b), err))
		}
	}
}
