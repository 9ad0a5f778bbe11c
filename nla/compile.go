package nla

// limits are the lengths, header in, with which an attribute without flag bits
// passes its rule in any mode: lo to lo+span.
type limits struct {
	lo, span uint16
	and      condition
}

// condition is what must hold besides the length. 32 bits make limits a size
// by which an index scales in one instruction.
type condition uint32

const (
	nothing  condition = iota
	never              // the rule has no such lengths; lo is 0, no attribute's length, and span too
	endsNUL            // the last byte is NUL
	noNested           // the Nested bit is there, or the mode does not ask for it
)

// Compile prepares the policy and those nested in it, so that the attributes
// which only have to have the right length, nearly all in practice, are
// checked in one comparison; it returns p. Without it validation gives the
// same results more slowly. Call it once, before the policy is in use.
//
//	var device = (&nla.Policy{Attrs: []nla.Rule{...}}).Compile()
func (p *Policy) Compile() *Policy {
	p.quick = make([]limits, len(p.Attrs)) // also what ends the recursion
	for t := range p.Attrs {
		r := &p.Attrs[t]
		p.quick[t] = r.limits()
		strict := p.StrictStart != 0 && t >= int(p.StrictStart)
		if t == 0 || strict && p.quick[t].and == noNested {
			p.quick[t] = limits{and: never}
		}
		if r.Nested != nil && len(r.Nested.quick) != len(r.Nested.Attrs) {
			r.Nested.Compile()
		}
	}
	return p
}

func (r *Rule) limits() limits {
	if r.Check != CheckNone || r.Kind > maxKind {
		return limits{and: never}
	}
	if size := uint16(sizes[r.Kind]); size != 0 && r.Len <= size {
		return limits{lo: HeaderLen + size}
	}
	longest := uint16(MaxPayload)
	if r.Len != 0 {
		longest = min(r.Len, MaxPayload)
	}
	switch r.Kind {
	case KindFlag:
		return limits{lo: HeaderLen}
	case KindMsecs:
		if r.Len <= 8 {
			return limits{lo: HeaderLen + 8}
		}
	case KindBinary:
		return limits{lo: HeaderLen, span: longest}
	case KindString:
		return limits{lo: HeaderLen + 1, span: longest - 1}
	case KindNULString:
		return limits{lo: HeaderLen + 1, span: min(longest, MaxPayload-1), and: endsNUL}
	case KindNested, KindNestedArray:
		if r.Nested == nil {
			return limits{lo: 2 * HeaderLen, span: MaxPayload - HeaderLen, and: noNested}
		}
	}
	return limits{and: never}
}

// quickly stores attributes in tb as long as they are within their limits, and
// returns how many bytes are left behind them.
//
// A type with a flag bit is past the end of any policy. A nest may have its own;
// the others are left to the rules.
func quickly(tb []Attr, b []byte, quick []limits, mode Mode) (left int) {
	p, left := start(b), len(b)
	for left >= HeaderLen {
		n, t := p.length(), p.typ()
		if n < HeaderLen || n > left {
			return left
		}
		if t >= len(quick) {
			if t ^= Nested; t >= len(quick) || quick[t].and != noNested {
				return left
			}
		}
		q := &quick[t]
		if uint16(n)-q.lo > q.span || q.and != nothing && !q.and.holds(p.attr(n), mode) {
			return left
		}
		step := Align(n)
		if t < len(tb) {
			tb[t] = p.attr(n)
		}
		if step >= left {
			return 0
		}
		p, left = p.add(step), left-step
	}
	return left
}

func (c condition) holds(a Attr, mode Mode) bool {
	switch c {
	case endsNUL:
		return a[len(a)-1] == 0
	case noNested:
		return mode&NestedFlag == 0 || a.IsNested()
	}
	return false
}
