//go:build !purego

package policy

import (
	"unsafe"

	"github.com/nlwire/nlwire/nla"
)

// A pointer is the position of a walk, where at least nla.HeaderLen bytes follow. Moving
// a slice costs more: the compiler masks the pointer so that an empty slice stays inside
// its array. With the build tag purego it is a slice (safe.go).
type pointer struct{ p unsafe.Pointer }

func first(b []byte) pointer { return pointer{unsafe.Pointer(unsafe.SliceData(b))} }

// add moves on by less than what is left.
func (p pointer) add(n int) pointer { return pointer{unsafe.Add(p.p, n)} }

// length is nla_len, typ is nla_type with its flag bits.
func (p pointer) length() int { return int(ne.Uint16((*[nla.HeaderLen]byte)(p.p)[:])) }
func (p pointer) typ() int    { return int(ne.Uint16((*[nla.HeaderLen]byte)(p.p)[2:])) }

// attr is the attribute, n bytes that are all there.
func (p pointer) attr(n int) nla.Attr {
	return nla.Attr((*[nla.HeaderLen + nla.MaxPayload + 1]byte)(p.p)[:n:n])
}
