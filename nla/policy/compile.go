package policy

import "github.com/nlwire/nlwire/nla"

// limits are the lengths, including the header, with which an attribute satisfies its rule: lo to
// lo+span, which is at most 0xffff. A mark in the upper half of lo moves the limits out of reach
// of any length. Most attributes therefore need one comparison; attributes with a marked rule
// fail it and take the slower path.
type limits struct{ lo, span uint32 }

// The marks are requirements besides the length.
const (
	endsNUL = 1 << 16 // the last byte is NUL
	nested  = 1 << 17 // the Nested bit is set
	bare    = 1 << 18 // the Nested bit is not set
	never   = nested | bare
)

// payloads returns the limits for a payload of least to most bytes.
func payloads(least, most uint16, marks uint32) limits {
	return limits{nla.HeaderLen + uint32(least) | marks, uint32(most - least)}
}

// compiled is a policy prepared for validation: the limits of each type, for modes without and
// with ValidateUnspec or ValidateNested. Attributes that only need the right length, nearly all
// in practice, are then checked with one comparison.
type compiled struct{ loose, strict []limits }

// Compile prepares p and the policies nested in it immediately instead of at their first use, so
// that the first message takes no longer than others. It returns p.
//
//	var device = (&policy.Policy{Attrs: []policy.Rule{...}}).Compile()
func (p *Policy) Compile() *Policy {
	p.compileAll(map[*Policy]bool{})
	return p
}

func (p *Policy) compileAll(seen map[*Policy]bool) {
	if p == nil || seen[p] {
		return
	}
	seen[p] = true
	if p.compiled.Load() == nil {
		p.compile()
	}
	for t := range p.Attrs {
		p.Attrs[t].Nested.compileAll(seen)
	}
}

// compile may run in several goroutines at the same time; all produce the same result.
//
//go:noinline
func (p *Policy) compile() *compiled {
	c := &compiled{p.limits(Liberal), p.limits(Strict)}
	p.compiled.CompareAndSwap(nil, c)
	return c
}

func (p *Policy) limits(mode Mode) []limits {
	all := make([]limits, len(p.Attrs))
	flag := uint32(0) // in strict modes quickly checks the bit itself
	for t := range p.Attrs {
		if mode != Strict && p.StrictStart != 0 && t >= int(p.StrictStart) {
			mode, flag = Strict, bare
		}
		all[t] = p.Attrs[t].limits(mode, flag)
		if t == 0 || t > nla.TypeMask {
			all[t] = limits{lo: never}
		}
	}
	return all
}

// limits returns the limits of r in the given mode, Liberal or Strict; flag is the mark for kinds
// other than nests. The other bits of a mode do not change which attributes pass.
func (r *Rule) limits(mode Mode, flag uint32) limits {
	most := uint16(nla.MaxPayload)
	if r.Len != 0 {
		most = min(r.Len, nla.MaxPayload)
	}
	nest := uint32(0)
	if mode == Strict {
		nest = nested
	}
	size := uint16(sizes[min(r.Kind, maxKind)])
	switch {
	case r.Check != CheckNone:
	case size != 0 && r.Len <= size:
		return payloads(size, size, flag)
	case r.Kind == KindMsecs && r.Len <= 8:
		return payloads(8, 8, flag)
	case r.Kind == KindFlag:
		return payloads(0, 0, flag)
	case r.Kind == KindBinary:
		return payloads(0, most, flag)
	case r.Kind == KindString:
		return payloads(1, most, flag)
	case r.Kind == KindNULString:
		return payloads(1, min(most, nla.MaxPayload-1)+1, flag|endsNUL)
	case r.Kind == KindUnspec && r.Len <= nla.MaxPayload && mode != Strict:
		return payloads(r.Len, nla.MaxPayload, 0)
	case isNest(r.Kind) && r.Nested == nil:
		return payloads(nla.HeaderLen, nla.MaxPayload, nest)
	case isNest(r.Kind):
		return payloads(0, 0, nest) // empty nests only
	}
	return limits{lo: never}
}

// quickly stores the positions of attributes in slots while they are within their limits. It
// returns the number of bytes left, 0 or less at the end. Parse spends most of its time here: the
// tests are in the order with the fewest instructions, and the only call is off the common path.
func quickly(slots []uint32, b []byte, p *Policy, mode Mode) (left int) {
	left = len(b)
	if left < nla.HeaderLen {
		return left
	}
	c := p.compiled.Load()
	if c == nil {
		c = p.compile()
	}
	limits, bits := c.loose, nla.TypeMask
	if mode&(ValidateUnspec|ValidateNested) != 0 {
		limits, bits = c.strict, nla.TypeMask|nla.Nested // a type with the Nested bit is above any limit
	}
	at := first(b)
	for {
		n, t := at.length(), at.typ()&bits
		if n > left || t >= len(limits) {
			return left
		}
		l := limits[t]
		above := uint32(n) - l.lo
		if above > l.span && (above+endsNUL > l.span || at.attr(n)[n-1] != 0) && !p.hold(l, t, at.attr(n)) {
			return left
		}
		if t < len(slots) {
			slots[t] = uint32(left)
		}
		step := (n + 3) &^ 3 // Align without the no-op instruction of an inlined call
		if left -= step; left < nla.HeaderLen {
			return left
		}
		at = at.add(step)
	}
}

// hold decides the cases that the comparisons in quickly cannot: limits with marks for the Nested
// bit, and empty nests, which are shorter than their limits.
//
//go:noinline
func (p *Policy) hold(l limits, t int, a nla.Attr) bool {
	missed := uint32(nested)
	if a.IsNested() {
		missed = bare
	}
	n := uint32(len(a))
	switch {
	case l.lo&missed != 0:
		return false
	case n == nla.HeaderLen && isNest(p.Attrs[t].Kind):
		return true
	}
	return n-l.lo&0xffff <= l.span && (l.lo&endsNUL == 0 || a[n-1] == 0)
}
