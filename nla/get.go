package nla

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"time"
)

// The getters require the exact size, as the kernel does in strict mode, and return ErrSize for
// any other. Values are in host byte order unless the name contains BE.

// Uint8 returns the value of an NLA_U8.
func (a Attr) Uint8() (uint8, error) {
	if len(a) != HeaderLen+1 {
		return 0, ErrSize
	}
	return a[HeaderLen], nil
}

// Uint16 returns the value of an NLA_U16.
func (a Attr) Uint16() (uint16, error) {
	if len(a) != HeaderLen+2 {
		return 0, ErrSize
	}
	return ne.Uint16(a[HeaderLen:]), nil
}

// Uint32 returns the value of an NLA_U32.
func (a Attr) Uint32() (uint32, error) {
	if len(a) != HeaderLen+4 {
		return 0, ErrSize
	}
	return ne.Uint32(a[HeaderLen:]), nil
}

// Uint64 returns the value of an NLA_U64.
func (a Attr) Uint64() (uint64, error) {
	if len(a) != HeaderLen+8 {
		return 0, ErrSize
	}
	return ne.Uint64(a[HeaderLen:]), nil
}

// Int8 returns the value of an NLA_S8.
func (a Attr) Int8() (int8, error) {
	v, err := a.Uint8()
	return int8(v), err
}

// Int16 returns the value of an NLA_S16.
func (a Attr) Int16() (int16, error) {
	v, err := a.Uint16()
	return int16(v), err
}

// Int32 returns the value of an NLA_S32.
func (a Attr) Int32() (int32, error) {
	v, err := a.Uint32()
	return int32(v), err
}

// Int64 returns the value of an NLA_S64.
func (a Attr) Int64() (int64, error) {
	v, err := a.Uint64()
	return int64(v), err
}

// BE16 returns the value of an NLA_BE16, whether or not NetByteOrder is set.
func (a Attr) BE16() (uint16, error) {
	if len(a) != HeaderLen+2 {
		return 0, ErrSize
	}
	return binary.BigEndian.Uint16(a[HeaderLen:]), nil
}

// BE32 returns the value of an NLA_BE32, whether or not NetByteOrder is set.
func (a Attr) BE32() (uint32, error) {
	if len(a) != HeaderLen+4 {
		return 0, ErrSize
	}
	return binary.BigEndian.Uint32(a[HeaderLen:]), nil
}

// BE64 returns the value of a 64-bit integer in network byte order (nla_get_be64).
func (a Attr) BE64() (uint64, error) {
	if len(a) != HeaderLen+8 {
		return 0, ErrSize
	}
	return binary.BigEndian.Uint64(a[HeaderLen:]), nil
}

// Uint returns the value of an NLA_UINT, which is 4 or 8 bytes long
// (nla_get_uint).
func (a Attr) Uint() (uint64, error) {
	if len(a) == HeaderLen+4 {
		return uint64(ne.Uint32(a[HeaderLen:])), nil
	}
	return a.Uint64()
}

// Sint returns the value of an NLA_SINT, which is 4 or 8 bytes long
// (nla_get_sint).
func (a Attr) Sint() (int64, error) {
	if len(a) == HeaderLen+4 {
		return int64(int32(ne.Uint32(a[HeaderLen:]))), nil
	}
	return a.Int64()
}

// Bitfield32 is struct nla_bitfield32: the bits of Value that Selector selects. The kernel
// rejects bits in Value that are not in Selector.
type Bitfield32 struct {
	Value    uint32
	Selector uint32
}

// Bitfield32 returns the value of an NLA_BITFIELD32, unchecked.
func (a Attr) Bitfield32() (Bitfield32, error) {
	if len(a) != HeaderLen+8 {
		return Bitfield32{}, ErrSize
	}
	return Bitfield32{ne.Uint32(a[HeaderLen:]), ne.Uint32(a[HeaderLen+4:])}, nil
}

// Msecs returns the value of an NLA_MSECS, a u64 of milliseconds. It returns ErrRange if the
// value exceeds the range of a Duration (292 years).
func (a Attr) Msecs() (time.Duration, error) {
	ms, err := a.Uint64()
	if ms > math.MaxInt64/uint64(time.Millisecond) {
		return 0, ErrRange
	}
	return time.Duration(ms) * time.Millisecond, err
}

// Flag reports whether an NLA_FLAG is present (nla_get_flag): false for the nil Attr, true for an
// attribute without payload. It returns ErrSize for an attribute with a payload.
func (a Attr) Flag() (bool, error) {
	if len(a) != HeaderLen && len(a) != 0 {
		return false, ErrSize
	}
	return len(a) != 0, nil
}

// CString returns the bytes of an NLA_NUL_STRING before the first NUL, as C reads it. It returns
// ErrUnterminated if there is no NUL. The result aliases a.
func (a Attr) CString() ([]byte, error) {
	if n := a.indexNUL(); n < len(a) {
		return a[HeaderLen:n:n], nil
	}
	return nil, ErrUnterminated
}

// Text returns the bytes of an NLA_STRING or NLA_NUL_STRING before the first NUL, or all of them
// if there is none. It returns ErrSize if the payload is empty, which the kernel rejects in an
// NLA_STRING. The result aliases a.
func (a Attr) Text() ([]byte, error) {
	if n := a.indexNUL(); len(a) > HeaderLen {
		return a[HeaderLen:n:n], nil
	}
	return nil, ErrSize
}

// indexNUL returns the index in a of the first NUL of the payload, or len(a) if there is none.
// Most strings in netlink are names: searching them 8 bytes at a time is faster than a call of
// bytes.IndexByte.
func (a Attr) indexNUL() int {
	i, n := HeaderLen, len(a)
	var last uint64 // the 8 bytes that end at a[n]; the bytes before a[i] are set to ones
	switch {
	case n <= i:
		return n
	case n < 8:
		last = 0xffffffff<<32 | uint64(binary.LittleEndian.Uint32(a[n-4:])) | (1<<(8*(8-n)) - 1)
		i = n - 4
	case n > 64:
		if at := bytes.IndexByte(a[i:], 0); at >= 0 {
			return i + at
		}
		return n
	default:
		for ; i <= n-8; i += 8 {
			if w := zeroBytes(binary.LittleEndian.Uint64(a[i:])); w != 0 {
				return i + bits.TrailingZeros64(w)/8
			}
		}
		last = binary.LittleEndian.Uint64(a[n-8:]) | (1<<(8*(8-(n-i))) - 1)
		i = n - 8
	}
	if w := zeroBytes(last); w != 0 {
		return i + bits.TrailingZeros64(w)/8
	}
	return n
}

// zeroBytes marks zero bytes: the lowest set bit of the result is the top bit of the first zero byte
// of w. The result is 0 if w has no zero byte. Higher set bits have no meaning.
func zeroBytes(w uint64) uint64 {
	const each = 1<<56 | 1<<48 | 1<<40 | 1<<32 | 1<<24 | 1<<16 | 1<<8 | 1
	return (w - each) &^ w & (each << 7)
}

// Addr returns an IP address of 4 or 16 bytes (nla_get_in_addr, nla_get_in6_addr). It returns
// ErrSize for any other length.
func (a Attr) Addr() (netip.Addr, error) {
	if addr, ok := netip.AddrFromSlice(a.Payload()); ok {
		return addr, nil
	}
	return netip.Addr{}, ErrSize
}
