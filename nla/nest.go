package nla

import "github.com/nlwire/nlwire/internal/native"

// Begin opens a nest: it appends a header with the Nested bit (nla_nest_start). What is
// appended until [End] is inside the nest. The mark of the nest is the length of the
// buffer before:
//
//	nest := len(b)
//	b = nla.Begin(b, attrLinkinfo)
//	b = nla.AppendCString(b, attrKind, "veth")
//	b = nla.End(b, nest)
//
// b[:nest] cancels it (nla_nest_cancel).
func Begin(b []byte, typ uint16) []byte { return BeginNoFlag(b, typ|Nested) }

// BeginNoFlag is Begin without the Nested bit (nla_nest_start_noflag), for the
// families that came before it. typ is written as it stands. It also serves
// for a payload of raw bytes whose length is not known beforehand.
func BeginNoFlag(b []byte, typ uint16) []byte {
	return ne.AppendUint32(b, header(HeaderLen, typ))
}

// End closes the nest that was begun when b had mark bytes: it writes the length, and the
// padding if raw bytes were appended (nla_nest_end). More than MaxPayload bytes
// in the nest panic, where the kernel's nla_nest_end truncates; [TryEnd] returns an error.
// A mark outside of b panics too; another one that is not of this nest makes a wrong message.
func End(b []byte, mark int) []byte {
	n := len(b) - mark
	if uint(n-HeaderLen) > MaxPayload || mark < 0 {
		panic("nla: the mark is not of this nest, or it has over MaxPayload bytes, which do not fit into an attribute")
	}
	putLen(b, mark, n)
	if n%AlignTo == 0 { // as it is after attributes; the loop in Pad costs even so
		return b
	}
	return native.Pad(b, n)
}

// TryEnd is End for a nest whose size the caller cannot know: one over MaxPayload, or a mark
// outside of b, is [ErrTooLong], and b is returned as it was before Begin, b[:mark],
// or unchanged if mark is outside of b.
func TryEnd(b []byte, mark int) ([]byte, error) {
	if n := len(b) - mark; uint(n-HeaderLen) > MaxPayload || mark < 0 {
		if uint(mark) <= uint(len(b)) {
			b = b[:mark]
		}
		return b, ErrTooLong
	}
	return End(b, mark), nil
}

// AppendPad64 appends an empty attribute of type typ where the payload of the
// next attribute would not start at a multiple of 8 bytes from the start of b
// (nla_align_64bit). The kernel does so before 64-bit values, on machines
// without efficient unaligned access; a reader skips it. b must start where
// the datagram starts.
func AppendPad64(b []byte, typ uint16) []byte {
	if len(b)%8 == 0 {
		b = AppendFlag(b, typ)
	}
	return b
}
