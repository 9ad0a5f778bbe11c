package policy

import "strconv"

// String returns the requirements of the rule: "u32 of 1..10", "nul-string of at most 15 bytes",
// "u8 with bits of 0x5". It allocates.
func (r *Rule) String() string {
	s := r.Kind.String()
	switch {
	case r.Check == CheckMask, r.Kind == KindBitfield32:
		return s + " with bits of 0x" + strconv.FormatUint(uint64(r.Mask), 16)
	case r.Check >= CheckRange && r.Check <= CheckMax && r.Kind == KindBinary:
		return s + " of " + r.rangeText() + " bytes"
	case r.Check >= CheckRange && r.Check <= CheckMax:
		return s + " of " + r.rangeText()
	case r.Check == CheckFunc:
		return s + " that a function checks"
	}
	switch r.Kind {
	case KindString, KindNULString, KindBinary:
		if r.Len != 0 {
			s += " of at most " + strconv.Itoa(int(r.Len)) + " bytes"
		}
	}
	return s
}

// rangeText returns "1..10", "6" for a single value, "1.." or "..10" for one limit.
func (r *Rule) rangeText() string {
	number := func(v int64) string { return strconv.FormatUint(uint64(v), 10) }
	if isSigned(r.Kind) {
		number = func(v int64) string { return strconv.FormatInt(v, 10) }
	}
	lo, hi := "", ""
	if r.Check != CheckMax {
		lo = number(r.Min)
	}
	if r.Check != CheckMin {
		hi = number(r.Max)
	}
	if lo == hi {
		return lo
	}
	return lo + ".." + hi
}
