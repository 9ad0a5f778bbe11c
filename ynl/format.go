package ynl

import (
	"net/netip"
	"sort"
	"strconv"
)

func appendUint(dst []byte, v uint64) []byte { return strconv.AppendUint(dst, v, 10) }
func appendInt(dst []byte, v int64) []byte   { return strconv.AppendInt(dst, v, 10) }
func utoa(v uint64) string                   { return strconv.FormatUint(v, 10) }

const hexDigits = "0123456789abcdef"

func appendHex(dst, p []byte) []byte {
	for _, c := range p {
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

// appendHexBy appends bytes in hex with a separator between them.
func appendHexBy(dst, p []byte, by byte) []byte {
	for i, c := range p {
		if i > 0 {
			dst = append(dst, by)
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

// appendUnknown appends a number without a name.
func appendUnknown(dst []byte, v int64) []byte {
	dst = append(dst, "Unknown("...)
	dst = appendInt(dst, v)
	return append(dst, ')')
}

// appendEnum appends the name of the value.
func (f *Field) appendEnum(dst []byte) []byte {
	if name, ok := f.EnumName(); ok {
		return append(dst, name...)
	}
	if f.number > 1<<63-1 && !f.layout.Type.IsSigned() {
		dst = append(dst, "Unknown("...)
		dst = appendUint(dst, f.number)
		return append(dst, ')')
	}
	return appendUnknown(dst, int64(f.number))
}

// appendBits appends the names of the bits as a list in the order of the names.
func (f *Field) appendBits(dst []byte) []byte {
	var room [16]string
	list := room[:0]
	f.Bits(func(name string, bit int) bool {
		if name == "" {
			name = string(appendUnknown(nil, int64(bit)))
		}
		list = append(list, name)
		return true
	})
	if len(list) > 1 {
		sort.Strings(list)
	}
	dst = append(dst, '[')
	for i, name := range list {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, '"')
		dst = append(dst, name...)
		dst = append(dst, '"')
	}
	return append(dst, ']')
}

// appendHint appends the value in the form of its hint.
func (f *Field) appendHint(dst []byte) []byte {
	switch f.layout.Hint {
	case HintMAC:
		return appendHexBy(dst, f.Raw, ':')
	case HintIPv4, HintIPv6, HintIP:
		return f.addr().AppendTo(dst)
	case HintUUID:
		return appendUUID(dst, f.Raw)
	case HintHex:
		if !f.integer {
			return appendHexBy(dst, f.Raw, ' ')
		}
		v := f.number
		if f.layout.Type.IsSigned() && int64(v) < 0 {
			dst = append(dst, '-')
			v = -v
		}
		dst = append(dst, "0x"...)
		return strconv.AppendUint(dst, v, 16)
	}
	return appendHex(dst, f.Raw)
}

// addr returns an address, which is bytes or a number in host order.
func (f *Field) addr() netip.Addr {
	if !f.integer {
		a, _ := netip.AddrFromSlice(f.Raw)
		return a
	}
	var b [16]byte
	for i := range 8 {
		b[15-i] = byte(f.number >> (8 * i))
	}
	if f.number>>32 == 0 {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return netip.AddrFrom16(b)
}

func appendUUID(dst, p []byte) []byte {
	for i, n := range []int{4, 2, 2, 2, 6} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = appendHex(dst, p[:n])
		p = p[n:]
	}
	return dst
}
