package nlmsg

import "github.com/nlwire/nlwire/internal/native"

// Begin appends the header of a message (nlmsg_put). Bytes appended before [End] are its payload:
// the family's fixed header, then attributes. The mark of the message is the length of the buffer
// before Begin, 0 for the first message:
//
//	b := nlmsg.Begin(nil, typ, nlmsg.FlagRequest|nlmsg.FlagAck, seq, 0)
//	b = nla.AppendUint32(b, attrIfindex, 7)
//	b = nlmsg.End(b, 0)
//
// b[:mark] cancels the message (nlmsg_cancel).
//
// portID may be 0 in a request: the kernel uses the sender's address instead.
func Begin(b []byte, typ Type, flags Flags, seq, portID uint32) []byte {
	return appendHeader(b, typ, flags, seq, portID)
}

// End completes the message that began when b had mark bytes: it writes the length, and the
// padding if raw bytes were appended (nlmsg_end). The length does not include that padding;
// attributes include theirs, so a message that ends with an attribute has an aligned length. End
// panics if mark is outside b or the message is longer than MaxLen. A mark inside b that is not
// the mark of this message produces a wrong message.
func End(b []byte, mark int) []byte {
	n := len(b) - mark
	if uint(n-HeaderLen) > MaxLen-HeaderLen || mark < 0 {
		panic("nlmsg: End: invalid mark, or message longer than MaxLen")
	}
	putLen(b, mark, n)
	if n%AlignTo == 0 { // always true after attributes; skips the loop of Pad
		return b
	}
	return native.Pad(b, n)
}
