// Package slow contains the oracles shared by tests of several packages. They are written from
// the kernel's source for clarity and share no code with the packages under test.
package slow

import (
	"math/big"
	"slices"

	"github.com/nlwire/nlwire/internal/native"
)

// Attr is one attribute found by Walk.
type Attr struct {
	At      int // offset of its header
	Type    uint16
	Payload []byte
}

// Walk is the kernel's loop of include/net/netlink.h, with its signed remainder. It shares no
// code with Consume. It also returns the number of leftover bytes.
func Walk(b []byte) (attrs []Attr, rem int) {
	var pos int
	rem = len(b)
	u16 := func(at int) int {
		if native.BigEndian {
			return int(b[at])<<8 | int(b[at+1])
		}
		return int(b[at+1])<<8 | int(b[at])
	}
	for rem >= 4 && u16(pos) >= 4 && u16(pos) <= rem { // nla_ok
		n := u16(pos)
		attrs = append(attrs, Attr{pos, uint16(u16(pos+2) & 0x3fff), b[pos+4 : pos+n]})
		pos += (n + 3) / 4 * 4 // nla_next
		rem -= (n + 3) / 4 * 4
	}
	return attrs, rem
}

// Number returns the bytes as one number.
func Number(b []byte, bigEndian, signed bool) *big.Int {
	digits := slices.Clone(b)
	if !bigEndian && !native.BigEndian {
		slices.Reverse(digits)
	}
	v := new(big.Int).SetBytes(digits)
	if signed && v.Bit(8*len(b)-1) == 1 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return v
}
