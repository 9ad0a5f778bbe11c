//go:build !purego && (386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nla

import (
	"iter"
	"unsafe"
)

// All ranges over the attributes of b in their order. On an error it yields
// (nil, *SyntaxError) once and ends: that value is the only allocation.
//
// It walks with a pointer, inside of the left bytes. To move a slice costs more,
// because the compiler sees to it that an empty one does not point past its end.
// Without helpers, because each of them that is inlined leaves an instruction that
// does nothing. all_plain.go is for processors that want what they load aligned,
// and for the build tag purego; docs/design.md has what this pays.
func All(b []byte) iter.Seq2[Attr, error] {
	return func(yield func(Attr, error) bool) {
		p, left := unsafe.Pointer(unsafe.SliceData(b)), len(b)
		for left >= HeaderLen {
			n := int(*(*uint16)(p))
			if n < HeaderLen || n > left {
				break
			}
			if !yield((*[1 << 16]byte)(p)[:n:n], nil) {
				return
			}
			step := (n + 3) &^ 3
			if step >= left {
				return
			}
			if step == 8 { // the predicted step: see Consume
				p, left = unsafe.Add(p, 8), left-8
				continue
			}
			p, left = unsafe.Add(p, step), left-step
		}
		// A single way leads to the call: behind a place where ways meet, the loop
		// would keep in memory what a call must not lose.
		if left > 0 {
			yield(nil, syntaxError(b, left))
		}
	}
}
