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
	never              // the rule has no such lengths; lo is 0, no attribute's length
	endsNUL            // the last byte is NUL
	noNested           // the mode does not ask for the Nested bit
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
// returns the rest. An index with a flag bit is past the end of any policy: an
// attribute with Nested or NetByteOrder is left to the rules.
func quickly(tb []Attr, b []byte, quick []limits, mode Mode) []byte {
	for len(b) >= HeaderLen {
		n, t := int(ne.Uint16(b)), int(ne.Uint16(b[2:]))
		if t >= len(quick) || n > len(b) {
			return b
		}
		q := &quick[t]
		if uint16(n)-q.lo > q.span || q.and != nothing && !q.and.holds(b[:n], mode) {
			return b
		}
		if t < len(tb) {
			tb[t] = Attr(b[:n:n])
		}
		if n == 8 && len(b) > 8 { // the predicted step, see Consume
			b = b[8:]
			continue
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return b
}

func (c condition) holds(a []byte, mode Mode) bool {
	switch c {
	case endsNUL:
		return a[len(a)-1] == 0
	case noNested:
		return mode&NestedFlag == 0
	}
	return false
}
