package nla

// limits are the lengths, header in, with which an attribute passes its rule:
// lo to lo+span, which is below endsNUL. lo is HeaderLen or more, so what is
// malformed is outside of all limits.
type limits struct{ lo, span uint32 }

const (
	endsNUL = 1 << 16 // added to lo: and the last byte must be NUL
	never   = 1 << 17 // as lo: no length is enough
)

// payloads are the limits of a payload of least to most bytes.
func payloads(least, most uint16) limits {
	return limits{HeaderLen + uint32(least), uint32(most - least)}
}

// quick is what Compile makes of a policy for modes of a kind: the limits by
// type, and which bits tell the type. Where the Nested bit is one of them, an
// attribute that has it is past the end of the limits and left to the rules.
type quick struct {
	limits []limits
	bits   int
}

// Compile prepares the policy and those nested in it, so that the attributes
// which only have to have the right length, nearly all in practice, are
// checked in one comparison; it returns p. Without it validation gives the
// same results more slowly. Call it once, before the policy is in use.
//
//	var device = (&nla.Policy{Attrs: []nla.Rule{...}}).Compile()
func (p *Policy) Compile() *Policy {
	p.loose, p.strict = p.quick(Liberal), p.quick(Strict) // also what ends the recursion
	for t := range p.Attrs {
		if n := p.Attrs[t].Nested; n != nil && len(n.loose.limits) != len(n.Attrs) {
			n.Compile()
		}
	}
	return p
}

func (p *Policy) quick(mode Mode) quick {
	q := quick{make([]limits, len(p.Attrs)), TypeMask}
	if mode == Strict || p.StrictStart != 0 {
		q.bits |= Nested
	}
	for t := range p.Attrs {
		if p.StrictStart != 0 && t == int(p.StrictStart) {
			mode = Strict
		}
		q.limits[t] = p.Attrs[t].limits(mode)
		if t == 0 || t > TypeMask {
			q.limits[t] = limits{lo: never}
		}
	}
	return q
}

// limits are those of an attribute which may have the Nested bit if the mode is
// Liberal, and has not if it is Strict.
func (r *Rule) limits(mode Mode) limits {
	most := uint16(MaxPayload)
	if r.Len != 0 {
		most = min(r.Len, MaxPayload)
	}
	size := uint16(sizes[min(r.Kind, maxKind)])
	switch {
	case r.Check != CheckNone:
	case size != 0 && r.Len <= size:
		return payloads(size, size)
	case r.Kind == KindMsecs && r.Len <= 8:
		return payloads(8, 8)
	case r.Kind == KindFlag:
		return payloads(0, 0)
	case r.Kind == KindBinary:
		return payloads(0, most)
	case r.Kind == KindString:
		return payloads(1, most)
	case r.Kind == KindNULString:
		l := payloads(1, min(most, MaxPayload-1)+1)
		l.lo += endsNUL
		return l
	case mode == Strict:
	case r.Kind == KindUnspec && r.Len <= MaxPayload:
		return payloads(r.Len, MaxPayload)
	case (r.Kind == KindNested || r.Kind == KindNestedArray) && r.Nested == nil:
		return payloads(HeaderLen, MaxPayload)
	}
	return limits{lo: never}
}

// quickly stores attributes in tb as long as they are within their limits, and
// returns how many bytes are left behind them, 0 or less if none. Most of the
// time of Parse is spent here: docs/design.md has what was measured.
func quickly(tb []Attr, b []byte, p *Policy, mode Mode) (left int) {
	q := &p.loose
	if mode&(UnspecStrict|NestedFlag) != 0 {
		q = &p.strict
	}
	limits, bits := q.limits, q.bits
	at, left := start(b), len(b)
	if left < HeaderLen {
		return left
	}
	for {
		n, t := at.length(), at.typ()&bits
		if n > left || t >= len(limits) {
			return left
		}
		lo, span := limits[t].lo, limits[t].span
		if uint32(n)-lo > span && (endsNUL+uint32(n)-lo > span || at.attr(n)[n-1] != 0) {
			return left
		}
		if t < len(tb) {
			tb[t] = at.attr(n)
		}
		step := (n + 3) &^ 3 // Align, without the instruction that marks an inlined call
		if left -= step; left < HeaderLen {
			return left
		}
		at = at.add(step)
	}
}
