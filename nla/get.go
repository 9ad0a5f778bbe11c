package nla

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// The getters demand the exact size, as the kernel does in strict mode, and
// return ErrSize for any other. Host byte order, unless the name says BE.

// Uint8 returns the value of a NLA_U8.
func (a Attr) Uint8() (uint8, error) {
	if len(a) != HeaderLen+1 {
		return 0, ErrSize
	}
	return a[HeaderLen], nil
}

// Uint16 returns the value of a NLA_U16.
func (a Attr) Uint16() (uint16, error) {
	if len(a) != HeaderLen+2 {
		return 0, ErrSize
	}
	return ne.Uint16(a[HeaderLen:]), nil
}

// Uint32 returns the value of a NLA_U32.
func (a Attr) Uint32() (uint32, error) {
	if len(a) != HeaderLen+4 {
		return 0, ErrSize
	}
	return ne.Uint32(a[HeaderLen:]), nil
}

// Uint64 returns the value of a NLA_U64.
func (a Attr) Uint64() (uint64, error) {
	if len(a) != HeaderLen+8 {
		return 0, ErrSize
	}
	return ne.Uint64(a[HeaderLen:]), nil
}

// Int8 returns the value of a NLA_S8.
func (a Attr) Int8() (int8, error) {
	v, err := a.Uint8()
	return int8(v), err
}

// Int16 returns the value of a NLA_S16.
func (a Attr) Int16() (int16, error) {
	v, err := a.Uint16()
	return int16(v), err
}

// Int32 returns the value of a NLA_S32.
func (a Attr) Int32() (int32, error) {
	v, err := a.Uint32()
	return int32(v), err
}

// Int64 returns the value of a NLA_S64.
func (a Attr) Int64() (int64, error) {
	v, err := a.Uint64()
	return int64(v), err
}

// BE16 returns the value of a NLA_BE16, whether or not NetByteOrder is set.
func (a Attr) BE16() (uint16, error) {
	if len(a) != HeaderLen+2 {
		return 0, ErrSize
	}
	return binary.BigEndian.Uint16(a[HeaderLen:]), nil
}

// BE32 returns the value of a NLA_BE32, whether or not NetByteOrder is set.
func (a Attr) BE32() (uint32, error) {
	if len(a) != HeaderLen+4 {
		return 0, ErrSize
	}
	return binary.BigEndian.Uint32(a[HeaderLen:]), nil
}

// BE64 returns a 64-bit value in network byte order (nla_get_be64).
func (a Attr) BE64() (uint64, error) {
	if len(a) != HeaderLen+8 {
		return 0, ErrSize
	}
	return binary.BigEndian.Uint64(a[HeaderLen:]), nil
}

// Uint returns the value of a NLA_UINT, which is 4 or 8 bytes long
// (nla_get_uint).
func (a Attr) Uint() (uint64, error) {
	if len(a) == HeaderLen+4 {
		return uint64(ne.Uint32(a[HeaderLen:])), nil
	}
	return a.Uint64()
}

// Sint returns the value of a NLA_SINT, which is 4 or 8 bytes long
// (nla_get_sint).
func (a Attr) Sint() (int64, error) {
	if len(a) == HeaderLen+4 {
		return int64(int32(ne.Uint32(a[HeaderLen:]))), nil
	}
	return a.Int64()
}

// Bitfield32 is struct nla_bitfield32: the bits of Value that Selector picks.
// The kernel refuses bits in Value that Selector lacks.
type Bitfield32 struct {
	Value    uint32
	Selector uint32
}

// Bitfield32 returns the value of a NLA_BITFIELD32 as it stands.
func (a Attr) Bitfield32() (Bitfield32, error) {
	if len(a) != HeaderLen+8 {
		return Bitfield32{}, ErrSize
	}
	return Bitfield32{ne.Uint32(a[HeaderLen:]), ne.Uint32(a[HeaderLen+4:])}, nil
}

// Msecs returns the value of a NLA_MSECS, a u64 of milliseconds. ErrRange if
// it is more than a Duration holds (292 years).
func (a Attr) Msecs() (time.Duration, error) {
	ms, err := a.Uint64()
	if ms > math.MaxInt64/uint64(time.Millisecond) {
		return 0, ErrRange
	}
	return time.Duration(ms) * time.Millisecond, err
}

// Flag returns whether a NLA_FLAG is there (nla_get_flag): false for the nil
// Attr, true for one without payload, ErrSize for one that has some.
func (a Attr) Flag() (bool, error) {
	if len(a) != HeaderLen && len(a) != 0 {
		return false, ErrSize
	}
	return len(a) != 0, nil
}

// CString returns the bytes before the first NUL of a NLA_NUL_STRING, as C
// reads it. ErrUnterminated if there is no NUL. The result aliases a.
func (a Attr) CString() ([]byte, error) {
	p := a.Payload()
	text := beforeNUL(p)
	if len(text) == len(p) {
		return nil, ErrUnterminated
	}
	return text, nil
}

// Text returns the bytes of a NLA_STRING or NLA_NUL_STRING before the first NUL, all of
// them if there is none. ErrSize if the payload is empty, which the kernel refuses in
// a NLA_STRING. The result aliases a.
func (a Attr) Text() ([]byte, error) {
	p := a.Payload()
	if len(p) == 0 {
		return nil, ErrSize
	}
	return beforeNUL(p), nil
}

// beforeNUL returns the bytes before the first NUL, all if there is none.
func beforeNUL(p []byte) []byte {
	if n := bytes.IndexByte(p, 0); n >= 0 {
		return p[:n:n]
	}
	return p
}

// Addr returns an IP address of 4 or 16 bytes (nla_get_in_addr, nla_get_in6_addr), ErrSize
// for any other length.
func (a Attr) Addr() (netip.Addr, error) {
	if addr, ok := netip.AddrFromSlice(a.Payload()); ok {
		return addr, nil
	}
	return netip.Addr{}, ErrSize
}
