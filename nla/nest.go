package nla

import "github.com/nlwire/nlwire/internal/native"

// Begin opens a nest: it appends a header with the Nested bit (nla_nest_start). Attributes
// appended before [End] are inside the nest. The mark of the nest is the length of the buffer
// before Begin:
//
//	nest := len(b)
//	b = nla.Begin(b, attrLinkinfo)
//	b = nla.AppendCString(b, attrKind, "veth")
//	b = nla.End(b, nest)
//
// b[:nest] cancels the nest (nla_nest_cancel).
func Begin(b []byte, typ uint16) []byte { return BeginNoFlag(b, typ|Nested) }

// BeginNoFlag is Begin without the Nested bit (nla_nest_start_noflag), for families older than
// that bit. typ is written unchanged. BeginNoFlag also serves for a payload of raw bytes with a
// length that is not known in advance.
func BeginNoFlag(b []byte, typ uint16) []byte {
	return ne.AppendUint32(b, header(HeaderLen, typ))
}

// End closes the nest that began when b had mark bytes: it writes the length, and the padding if
// raw bytes were appended (nla_nest_end). It panics if the nest is longer than MaxPayload, where
// the kernel's nla_nest_end truncates, and if mark is outside b; [TryEnd] returns an error
// instead. A mark inside b that is not the mark of this nest produces a wrong message.
func End(b []byte, mark int) []byte {
	n := len(b) - mark
	if uint(n-HeaderLen) > MaxPayload || mark < 0 {
		panic("nla: End: nest longer than MaxPayload (65531 bytes), or invalid mark; TryEnd returns an error instead")
	}
	putLen(b, mark, n)
	if n%AlignTo == 0 { // always true after attributes; skips the loop of Pad
		return b
	}
	return native.Pad(b, n)
}

// TryEnd is End for a nest of unknown size. It returns [ErrTooLong] if the nest is longer than
// MaxPayload or mark is outside b. The returned buffer is then b[:mark], as before Begin, or b
// unchanged if mark is outside b.
func TryEnd(b []byte, mark int) ([]byte, error) {
	if n := len(b) - mark; uint(n-HeaderLen) > MaxPayload || mark < 0 {
		if uint(mark) <= uint(len(b)) {
			b = b[:mark]
		}
		return b, ErrTooLong
	}
	return End(b, mark), nil
}

// AppendPad64 appends an empty attribute of type typ if the payload of the next attribute would
// not start at a multiple of 8 bytes from the start of b (nla_align_64bit). The kernel does this
// before 64-bit values on machines without efficient unaligned access; readers skip the
// attribute. b must start at the start of the datagram.
func AppendPad64(b []byte, typ uint16) []byte {
	if len(b)%8 == 0 {
		b = AppendFlag(b, typ)
	}
	return b
}
