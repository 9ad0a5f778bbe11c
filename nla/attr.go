package nla

import (
	"encoding/binary"
	"math"
)

// Sizes in bytes, and the bits of the type field (linux/netlink.h).
const (
	// HeaderLen is the size of struct nlattr (NLA_HDRLEN).
	HeaderLen = 4
	// MaxPayload is the longest payload that the 16-bit length can express.
	MaxPayload = 1<<16 - 1 - HeaderLen
	// AlignTo is the alignment of attributes (NLA_ALIGNTO).
	AlignTo = 4

	// Nested marks an attribute whose payload is attributes (NLA_F_NESTED).
	Nested = 1 << 15
	// NetByteOrder marks a payload in network byte order (NLA_F_NET_BYTEORDER).
	// The kernel never checks it.
	NetByteOrder = 1 << 14
	// TypeMask selects the type without its flag bits (NLA_TYPE_MASK).
	TypeMask = 1<<14 - 1
)

// ne is the byte order of headers and host-order payloads.
var ne = binary.NativeEndian

// Align returns n rounded up to a multiple of AlignTo (NLA_ALIGN). It returns math.MaxInt if the
// result would overflow.
func Align(n int) int {
	if n > math.MaxInt-(AlignTo-1) {
		return math.MaxInt
	}
	return (n + AlignTo - 1) &^ (AlignTo - 1)
}

// Size returns the number of bytes that an attribute with a payload of the given length takes in
// a message: header, payload and padding (nla_total_size). It returns math.MaxInt if the result
// would overflow.
func Size(payload int) int {
	if payload > math.MaxInt-HeaderLen {
		return math.MaxInt
	}
	return Align(HeaderLen + payload)
}

// Attr is a view of one attribute: its header and payload, without the padding. It aliases the
// bytes it was read from, its capacity ends with the attribute, and it is valid until that buffer
// is reused.
//
// The nil Attr represents an absent attribute: Type returns 0, Payload returns nil, Flag returns
// false, CString returns ErrUnterminated, and the other getters return ErrSize.
type Attr []byte

// Type returns the attribute's type with the flag bits masked off (nla_type).
func (a Attr) Type() uint16 {
	if len(a) >= HeaderLen {
		return ne.Uint16(a[2:]) & TypeMask
	}
	return 0
}

// RawType returns the type field unchanged, with the flag bits Nested and NetByteOrder.
func (a Attr) RawType() uint16 {
	if len(a) >= HeaderLen {
		return ne.Uint16(a[2:])
	}
	return 0
}

// IsNested reports whether the Nested bit is set (nla_is_nested). Many families nest without
// setting it; the family's specification defines which attributes are nests.
func (a Attr) IsNested() bool { return len(a) >= HeaderLen && ne.Uint16(a[2:])&Nested != 0 }

// IsNetByteOrder reports whether the NetByteOrder bit is set. Few families
// set it on their big-endian attributes.
func (a Attr) IsNetByteOrder() bool {
	return len(a) >= HeaderLen && ne.Uint16(a[2:])&NetByteOrder != 0
}

// Payload returns the bytes after the header (nla_data, nla_len), or nil if there are none. It
// aliases the attribute. The payload of a nest is input for Walk, All, Consume and Find.
func (a Attr) Payload() []byte {
	if len(a) > HeaderLen {
		return a[HeaderLen:]
	}
	return nil
}

// Clone returns a copy that outlives the buffer (nla_memdup). It allocates.
func (a Attr) Clone() Attr { return append(Attr(nil), a...) }
