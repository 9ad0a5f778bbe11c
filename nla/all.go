package nla

import "iter"

// All ranges over the attributes of b in their order. On an error it yields
// (nil, *SyntaxError) once and ends: that value is the only allocation.
func All(b []byte) iter.Seq2[Attr, error] {
	return func(yield func(Attr, error) bool) {
		if len(b) == 0 {
			return
		}
		p, left, code := start(b), len(b), codeTruncated
		for left >= HeaderLen {
			n := p.length()
			if n < HeaderLen || n > left {
				code = n - codeBase
				break
			}
			if !yield(p.attr(n), nil) {
				return
			}
			if n == 8 { // the predicted step
				if left == 8 {
					return
				}
				p, left = p.add(8), left-8
				continue
			}
			step := Align(n)
			if step >= left {
				return
			}
			p, left = p.add(step), left-step
		}
		yield(nil, syntaxError(len(b)-left, code))
	}
}
