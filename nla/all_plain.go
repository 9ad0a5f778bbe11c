//go:build purego || !(386 || amd64 || arm64 || ppc64 || ppc64le || s390x)

package nla

import "iter"

// All ranges over the attributes of b in their order. On an error it yields
// (nil, *SyntaxError) once and ends: that value is the only allocation.
func All(b []byte) iter.Seq2[Attr, error] {
	return func(yield func(Attr, error) bool) {
		for rest := b; len(rest) > 0; {
			a, n := Consume(rest)
			if n < 0 {
				yield(nil, syntaxError(b, len(rest)))
				return
			}
			rest = rest[n:]
			if !yield(a, nil) {
				return
			}
		}
	}
}
