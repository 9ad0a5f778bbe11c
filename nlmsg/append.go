package nlmsg

import "github.com/nlwire/nlwire/internal/native"

// Begin appends the header of a message and returns the buffer and a mark for
// [End] (nlmsg_put). What is appended until then is the payload: the family's
// fixed header, then attributes. b[:mark] cancels the message (nlmsg_cancel).
//
// portID may be 0 in a request: the kernel goes by the sender's address.
func Begin(b []byte, typ Type, flags Flags, seq, portID uint32) ([]byte, int) {
	mark := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // one check for room
	h := b[mark : mark+HeaderLen : mark+HeaderLen]
	ne.PutUint32(h[4:], native.Half(uint16(typ), uint16(flags)))
	ne.PutUint32(h[8:], seq)
	ne.PutUint32(h[12:], portID)
	return b, mark
}

// End writes the length of the message that Begin opened at mark, and the
// padding if raw bytes were appended (nlmsg_end). The length counts no padding
// of its own; attributes are padded, so a message that ends with one has an
// aligned length.
func End(b []byte, mark int) []byte {
	n := len(b) - mark
	if uint(n-HeaderLen) > MaxLen-HeaderLen {
		panic("nlmsg: the mark is not of this message, or a message over MaxLen does not fit its length field")
	}
	ne.PutUint32(b[mark:mark+4:mark+4], uint32(n)) // so cut it cannot be empty, which would cost a mask
	for ; n%AlignTo != 0; n++ {
		b = append(b, 0)
	}
	return b
}
