//go:build !purego

package nla

import "unsafe"

// A pointer is where a walk stands: at least HeaderLen bytes are there. To move a
// slice costs more, because the compiler sees to it that an empty one does not
// point past its end. With the build tag purego it is a slice. The package's other
// uses of unsafe are in all.go and append_short.go; docs/design.md has what each pays.
type pointer struct{ p unsafe.Pointer }

func start(b []byte) pointer { return pointer{unsafe.Pointer(unsafe.SliceData(b))} }

// add moves on by less than what is left.
func (p pointer) add(n int) pointer { return pointer{unsafe.Add(p.p, n)} }

// length is nla_len, typ is nla_type with its flag bits.
func (p pointer) length() int { return int(ne.Uint16((*[HeaderLen]byte)(p.p)[:])) }
func (p pointer) typ() int    { return int(ne.Uint16((*[HeaderLen]byte)(p.p)[2:])) }

// attr is the attribute, n bytes that are all there.
func (p pointer) attr(n int) Attr { return Attr((*[HeaderLen + MaxPayload + 1]byte)(p.p)[:n:n]) }
