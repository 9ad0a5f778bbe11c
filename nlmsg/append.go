package nlmsg

// Begin appends the header of a message and returns the buffer and a mark for
// [End] (nlmsg_put). What is appended until then is the payload: the family's
// fixed header, then attributes. b[:mark] cancels the message (nlmsg_cancel).
//
// portID may be 0 in a request: the kernel goes by the sender's address.
func Begin(b []byte, typ Type, flags Flags, seq, portID uint32) ([]byte, int) {
	return appendHeader(b, typ, flags, seq, portID), len(b)
}

// End writes the length of the message that Begin opened at mark, and the
// padding if raw bytes were appended (nlmsg_end). The length counts no padding
// of its own; attributes are padded, so a message that ends with one has an
// aligned length.
func End(b []byte, mark int) []byte {
	n := len(b) - mark
	if uint(n-HeaderLen) > MaxLen-HeaderLen || mark < 0 {
		panic("nlmsg: the mark is not of this message, or a message over MaxLen does not fit its length field")
	}
	putLen(b, mark, n)
	if n%AlignTo == 0 { // as it is behind attributes; the loop costs even so
		return b
	}
	for ; n%AlignTo != 0; n++ {
		b = append(b, 0)
	}
	return b
}
