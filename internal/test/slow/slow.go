// Package slow has the oracles that tests of several packages share: written from the
// kernel's source for clarity, and to share nothing with what they check.
package slow

import (
	"math/big"
	"slices"

	"github.com/nlwire/nlwire/internal/native"
)

// Attr is one attribute as Walk finds it.
type Attr struct {
	At      int // of its header
	Type    uint16
	Payload []byte
}

// Walk is the kernel's loop of include/net/netlink.h, with
// its signed remainder: it shares nothing with Consume. It also returns what is
// left over.
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

// Number reads bytes as one number, digit by digit.
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
