package nlmsg

import "github.com/nlwire/nlwire/internal/native"

// Begin appends the header of a message (nlmsg_put). What is appended until [End] is the
// payload: the family's fixed header, then attributes. The mark of the message is the length
// of the buffer before, 0 for the first:
//
//	b := nlmsg.Begin(nil, typ, nlmsg.FlagRequest|nlmsg.FlagAck, seq, 0)
//	b = nla.AppendUint32(b, attrIfindex, 7)
//	b = nlmsg.End(b, 0)
//
// b[:mark] cancels the message (nlmsg_cancel).
//
// portID may be 0 in a request: the kernel goes by the sender's address.
func Begin(b []byte, typ Type, flags Flags, seq, portID uint32) []byte {
	return appendHeader(b, typ, flags, seq, portID)
}

// End writes the length of the message that was begun when b had mark bytes, and the
// padding if raw bytes were appended (nlmsg_end). The length counts no padding
// of its own; attributes are padded, so a message that ends with one has an
// aligned length. A mark outside of b panics, and so does a message over MaxLen; another mark
// that is not of this message makes a wrong one.
func End(b []byte, mark int) []byte {
	n := len(b) - mark
	if uint(n-HeaderLen) > MaxLen-HeaderLen || mark < 0 {
		panic("nlmsg: the mark is not of this message, or a message over MaxLen does not fit its length field")
	}
	putLen(b, mark, n)
	if n%AlignTo == 0 { // as it is after attributes; the loop in Pad costs even so
		return b
	}
	return native.Pad(b, n)
}
