//go:build !purego

package policy

import (
	"unsafe"

	"github.com/nlwire/nlwire/nla"
)

// pointer is a position in a stream with at least nla.HeaderLen bytes left. Re-slicing costs
// more: the compiler masks the pointer so that an empty slice stays inside its array. With the
// build tag purego, pointer is a slice (safe.go).
type pointer struct{ p unsafe.Pointer }

func first(b []byte) pointer { return pointer{unsafe.Pointer(unsafe.SliceData(b))} }

// add advances by n bytes; n must be less than the number of bytes left.
func (p pointer) add(n int) pointer { return pointer{unsafe.Add(p.p, n)} }

// length returns nla_len, typ returns nla_type with its flag bits.
func (p pointer) length() int { return int(ne.Uint16((*[nla.HeaderLen]byte)(p.p)[:])) }
func (p pointer) typ() int    { return int(ne.Uint16((*[nla.HeaderLen]byte)(p.p)[2:])) }

// attr returns the attribute of n bytes; all of them must be in the stream.
func (p pointer) attr(n int) nla.Attr {
	return nla.Attr((*[nla.HeaderLen + nla.MaxPayload + 1]byte)(p.p)[:n:n])
}
