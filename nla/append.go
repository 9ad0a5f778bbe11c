package nla

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"
	"time"

	"github.com/nlwire/nlwire/internal/native"
)

// header returns struct nlattr as one integer, which is the fastest form to append.
func header(n int, typ uint16) uint32 { return native.Half(uint16(n), typ) }

// word returns a header and a value of one or two bytes. It builds the halves in the wrong order
// and rotates them: if the compiler sees the zeros at the end, it splits the store into four,
// which is slower.
func word(h uint32, v uint16) uint64 {
	return bits.RotateLeft64(native.Pair(native.Half(v, 0), h), 32)
}

// AppendUint8 appends an NLA_U8 (nla_put_u8).
func AppendUint8(b []byte, typ uint16, v uint8) []byte {
	return ne.AppendUint64(b, word(header(HeaderLen+1, typ), native.Bytes(v, 0)))
}

// AppendUint16 appends an NLA_U16 (nla_put_u16).
func AppendUint16(b []byte, typ uint16, v uint16) []byte {
	return ne.AppendUint64(b, word(header(HeaderLen+2, typ), v))
}

// AppendUint32 appends an NLA_U32 (nla_put_u32).
func AppendUint32(b []byte, typ uint16, v uint32) []byte {
	return ne.AppendUint64(b, native.Pair(header(HeaderLen+4, typ), v))
}

// AppendUint64 appends an NLA_U64 (nla_put_u64_64bit without its padding
// attribute, see AppendPad64).
func AppendUint64(b []byte, typ uint16, v uint64) []byte {
	return ne.AppendUint64(ne.AppendUint32(b, header(HeaderLen+8, typ)), v)
}

// AppendInt8 appends an NLA_S8 (nla_put_s8).
func AppendInt8(b []byte, typ uint16, v int8) []byte { return AppendUint8(b, typ, uint8(v)) }

// AppendInt16 appends an NLA_S16 (nla_put_s16).
func AppendInt16(b []byte, typ uint16, v int16) []byte { return AppendUint16(b, typ, uint16(v)) }

// AppendInt32 appends an NLA_S32 (nla_put_s32).
func AppendInt32(b []byte, typ uint16, v int32) []byte { return AppendUint32(b, typ, uint32(v)) }

// AppendInt64 appends an NLA_S64 (nla_put_s64 without its padding attribute,
// see AppendPad64).
func AppendInt64(b []byte, typ uint16, v int64) []byte { return AppendUint64(b, typ, uint64(v)) }

// AppendBE16 appends v in network byte order (nla_put_be16). It does not set NetByteOrder, which
// nla_put_net16 does; pass the flag in typ if the family requires it.
func AppendBE16(b []byte, typ uint16, v uint16) []byte {
	if !native.BigEndian {
		v = bits.ReverseBytes16(v)
	}
	return AppendUint16(b, typ, v)
}

// AppendBE32 appends v in network byte order (nla_put_be32). Like AppendBE16 it does not set
// NetByteOrder.
func AppendBE32(b []byte, typ uint16, v uint32) []byte {
	if !native.BigEndian {
		v = bits.ReverseBytes32(v)
	}
	return AppendUint32(b, typ, v)
}

// AppendBE64 appends v in network byte order (nla_put_be64 without its padding attribute). Like
// AppendBE16 it does not set NetByteOrder.
func AppendBE64(b []byte, typ uint16, v uint64) []byte {
	return binary.BigEndian.AppendUint64(ne.AppendUint32(b, header(HeaderLen+8, typ)), v)
}

// AppendUint appends an NLA_UINT: 4 bytes if v fits, else 8 (nla_put_uint).
func AppendUint(b []byte, typ uint16, v uint64) []byte {
	if uint64(uint32(v)) == v {
		return AppendUint32(b, typ, uint32(v))
	}
	return AppendUint64(b, typ, v)
}

// AppendSint appends an NLA_SINT: 4 bytes if v fits, else 8 (nla_put_sint).
func AppendSint(b []byte, typ uint16, v int64) []byte {
	if int64(int32(v)) == v {
		return AppendInt32(b, typ, int32(v))
	}
	return AppendInt64(b, typ, v)
}

// AppendBitfield32 appends an NLA_BITFIELD32, unchecked (nla_put_bitfield32).
func AppendBitfield32(b []byte, typ uint16, v Bitfield32) []byte {
	return AppendUint64(b, typ, native.Pair(v.Value, v.Selector))
}

// AppendMsecs appends an NLA_MSECS, a u64 of milliseconds. Fractions of a millisecond are
// dropped. A negative duration has no encoding and panics.
func AppendMsecs(b []byte, typ uint16, d time.Duration) []byte {
	if d < 0 {
		panic("nla: AppendMsecs: negative duration")
	}
	return AppendUint64(b, typ, uint64(d/time.Millisecond))
}

// AppendAddr appends an IP address of 4 or 16 bytes (nla_put_in_addr, nla_put_in6_addr). The zone
// of an IPv6 address is not written. An invalid Addr has no encoding and panics.
func AppendAddr(b []byte, typ uint16, a netip.Addr) []byte {
	switch {
	case a.Is4():
		p := a.As4()
		return AppendBytes(b, typ, p[:])
	case a.Is6():
		p := a.As16()
		return AppendBytes(b, typ, p[:])
	}
	panic("nla: AppendAddr: invalid address")
}

// AppendFlag appends an NLA_FLAG, a header without payload (nla_put_flag). A false flag is an
// absent attribute.
func AppendFlag(b []byte, typ uint16) []byte { return ne.AppendUint32(b, header(HeaderLen, typ)) }

// AppendAttr appends a copy of an attribute that was read, with its header and flags unchanged,
// and its padding. The nil Attr appends nothing.
func AppendAttr(b []byte, a Attr) []byte { return native.Pad(append(b, a...), len(a)) }

// payloadTooLong is the panic of the Append functions; they never truncate a length.
const payloadTooLong = "nla: payload longer than MaxPayload (65531 bytes)"

// AppendCString appends s and a NUL (nla_put_string). For the kernel a NUL inside s ends the
// string.
func AppendCString(b []byte, typ uint16, s string) []byte { return appendString(b, typ, s, 1) }

// AppendText appends s without a NUL, as an NLA_STRING.
func AppendText(b []byte, typ uint16, s string) []byte { return appendString(b, typ, s, 0) }

// AppendBytes appends p as the payload of an NLA_BINARY or of a whole nest (nla_put). p may lie
// in the spare capacity of b.
func AppendBytes(b []byte, typ uint16, p []byte) []byte { return appendBytes(b, typ, p) }

// appendLong appends p followed by zeros, and grows b if necessary.
func appendLong(b []byte, typ uint16, p []byte, zeros int) []byte {
	size := len(p) + zeros
	return wrap(append(room(b, size), p...), typ, zeros, size)
}

// room grows b for a header, a payload of size bytes and the padding, and returns b extended by
// the header, which wrap writes.
func room(b []byte, size int) []byte {
	if uint(size) > MaxPayload { // the NUL may overflow it to a negative number
		panic(payloadTooLong)
	}
	return slices.Grow(b, Size(size))[:len(b)+HeaderLen]
}

// wrap writes the zeros that end a payload of size bytes, the padding, and the header last,
// because the payload may have been in the header's place.
func wrap(b []byte, typ uint16, zeros, size int) []byte {
	start := len(b) + zeros - size - HeaderLen
	for range zeros {
		b = append(b, 0)
	}
	b = native.Pad(b, HeaderLen+size)
	ne.PutUint32(b[start:], header(HeaderLen+size, typ))
	return b
}
