package nla

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/nlwire/nlwire/internal/native"
)

// header is struct nlattr as the one integer that append writes best.
func header(n int, typ uint16) uint32 { return native.Half(uint16(n), typ) }

// word is a header and a value of one or two bytes. The halves are made the wrong way
// round and turned: a compiler that sees zeros at the end splits the store into
// four, which take 1.6 times as long.
func word(h uint32, v uint16) uint64 {
	return bits.RotateLeft64(native.Pair(native.Half(v, 0), h), 32)
}

// AppendUint8 appends a NLA_U8 (nla_put_u8).
func AppendUint8(b []byte, typ uint16, v uint8) []byte {
	return ne.AppendUint64(b, word(header(HeaderLen+1, typ), native.Bytes(v, 0)))
}

// AppendUint16 appends a NLA_U16 (nla_put_u16).
func AppendUint16(b []byte, typ uint16, v uint16) []byte {
	return ne.AppendUint64(b, word(header(HeaderLen+2, typ), v))
}

// AppendUint32 appends a NLA_U32 (nla_put_u32).
func AppendUint32(b []byte, typ uint16, v uint32) []byte {
	return ne.AppendUint64(b, native.Pair(header(HeaderLen+4, typ), v))
}

// AppendUint64 appends a NLA_U64 (nla_put_u64_64bit without its padding
// attribute, see AppendPad64).
func AppendUint64(b []byte, typ uint16, v uint64) []byte {
	return ne.AppendUint64(ne.AppendUint32(b, header(HeaderLen+8, typ)), v)
}

// AppendInt8 appends a NLA_S8 (nla_put_s8).
func AppendInt8(b []byte, typ uint16, v int8) []byte { return AppendUint8(b, typ, uint8(v)) }

// AppendInt16 appends a NLA_S16 (nla_put_s16).
func AppendInt16(b []byte, typ uint16, v int16) []byte { return AppendUint16(b, typ, uint16(v)) }

// AppendInt32 appends a NLA_S32 (nla_put_s32).
func AppendInt32(b []byte, typ uint16, v int32) []byte { return AppendUint32(b, typ, uint32(v)) }

// AppendInt64 appends a NLA_S64 (nla_put_s64 without its padding attribute,
// see AppendPad64).
func AppendInt64(b []byte, typ uint16, v int64) []byte { return AppendUint64(b, typ, uint64(v)) }

// AppendBE16 appends v in network byte order (nla_put_be16). It does not set
// NetByteOrder (nla_put_net16 does): give it in typ where a family wants it.
func AppendBE16(b []byte, typ uint16, v uint16) []byte {
	if !native.BigEndian {
		v = bits.ReverseBytes16(v)
	}
	return AppendUint16(b, typ, v)
}

// AppendBE32 appends v in network byte order (nla_put_be32), and like
// AppendBE16 does not set NetByteOrder.
func AppendBE32(b []byte, typ uint16, v uint32) []byte {
	if !native.BigEndian {
		v = bits.ReverseBytes32(v)
	}
	return AppendUint32(b, typ, v)
}

// AppendBE64 appends v in network byte order (nla_put_be64 without its padding
// attribute), and like AppendBE16 does not set NetByteOrder.
func AppendBE64(b []byte, typ uint16, v uint64) []byte {
	return binary.BigEndian.AppendUint64(ne.AppendUint32(b, header(HeaderLen+8, typ)), v)
}

// AppendUint appends a NLA_UINT: 4 bytes if v fits, else 8 (nla_put_uint).
func AppendUint(b []byte, typ uint16, v uint64) []byte {
	if uint64(uint32(v)) == v {
		return AppendUint32(b, typ, uint32(v))
	}
	return AppendUint64(b, typ, v)
}

// AppendSint appends a NLA_SINT: 4 bytes if v fits, else 8 (nla_put_sint).
func AppendSint(b []byte, typ uint16, v int64) []byte {
	if int64(int32(v)) == v {
		return AppendInt32(b, typ, int32(v))
	}
	return AppendInt64(b, typ, v)
}

// AppendBitfield32 appends a NLA_BITFIELD32 as it stands (nla_put_bitfield32).
func AppendBitfield32(b []byte, typ uint16, v Bitfield32) []byte {
	return AppendUint64(b, typ, native.Pair(v.Value, v.Selector))
}

// AppendMsecs appends a NLA_MSECS, a u64 of milliseconds; what is below a
// millisecond is cut. A negative duration has no encoding and panics.
func AppendMsecs(b []byte, typ uint16, d time.Duration) []byte {
	if d < 0 {
		panic("nla: negative duration in a NLA_MSECS")
	}
	return AppendUint64(b, typ, uint64(d/time.Millisecond))
}

// AppendFlag appends a NLA_FLAG, a header without payload (nla_put_flag). Not
// to append one is how a flag is false.
func AppendFlag(b []byte, typ uint16) []byte { return ne.AppendUint32(b, header(HeaderLen, typ)) }

// AppendAttr appends a copy of an attribute that was read, header and flags as
// they are, and its padding. The nil Attr appends nothing.
func AppendAttr(b []byte, a Attr) []byte { return native.Pad(append(b, a...), len(a)) }
