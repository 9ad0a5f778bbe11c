package policy

import (
	"errors"
	"strconv"
)

// ErrContradictory is wrapped by every error of Policy.Check.
var ErrContradictory = errors.New("policy: contradictory policy")

// contradiction is one finding of Policy.Check.
type contradiction struct{ path, text string }

// Error returns the path of the attribute and the contradiction.
func (e contradiction) Error() string {
	return ErrContradictory.Error() + ": attribute " + e.path + ": " + e.text
}

// Unwrap returns ErrContradictory.
func (e contradiction) Unwrap() error { return ErrContradictory }

// Check reports contradictions in the policy: combinations of kind and check that the kernel does
// not support, and limits that no value satisfies. It is meant for tests. Validation does not
// need it and treats such a rule as the kernel does.
func (p *Policy) Check() error { return errors.Join(p.check("", map[*Policy]bool{})...) }

func (p *Policy) check(path string, seen map[*Policy]bool) (errs []error) {
	if seen[p] {
		return nil
	}
	seen[p] = true
	if int(p.StrictStart) > p.MaxType() {
		errs = append(errs, contradiction{path + strconv.Itoa(int(p.StrictStart)), "StrictStart is past the last type"})
	}
	for t := range p.Attrs {
		r, at := &p.Attrs[t], path+strconv.Itoa(t)
		if text := r.contradiction(); text != "" {
			errs = append(errs, contradiction{at, r.Kind.String() + ": " + text})
		}
		if r.Nested != nil {
			errs = append(errs, r.Nested.check(at+"/", seen)...)
		}
	}
	return errs
}

// contradiction returns the problem with the rule, or "" if there is none.
func (r *Rule) contradiction() string {
	switch {
	case r.Kind > maxKind:
		return "no such kind"
	case r.Check > CheckFunc:
		return "no such check"
	case r.Nested != nil && !isNest(r.Kind):
		return "Nested is for KindNested and KindNestedArray"
	case isNest(r.Kind) && r.Len != 0:
		return "Len is unused: the nested policy defines its own maximum"
	case r.Reject != "" && r.Kind != KindReject:
		return "Reject is for KindReject"
	case r.Kind == KindBitfield32 && r.Mask == 0:
		return "no value passes without a Mask"
	case r.Check == CheckMask && !isMaskable(r.Kind):
		return "CheckMask is for unsigned integers"
	case r.Check == CheckFunc && r.Func == nil:
		return "CheckFunc without Func"
	case r.Check != CheckFunc && r.Func != nil:
		return "Func without CheckFunc"
	case r.Check != CheckMask && r.Kind != KindBitfield32 && r.Mask != 0:
		return "Mask without CheckMask"
	case (r.Check < CheckRange || r.Check > CheckMax) && (r.Min != 0 || r.Max != 0):
		return "Min or Max without a range"
	case r.Check == CheckRangeWarnTooLong && r.Kind != KindBinary:
		return "CheckRangeWarnTooLong is for KindBinary"
	}
	if r.Check >= CheckRange && r.Check <= CheckMax {
		return r.emptyRange()
	}
	return ""
}

func (r *Rule) emptyRange() string {
	switch {
	case isUnsigned(r.Kind):
		if lo, hi := r.unsignedRange(); lo > hi {
			return "no value is in the range"
		}
	case isSigned(r.Kind):
		if lo, hi := r.signedRange(); lo > hi {
			return "no value is in the range"
		}
	default:
		return "a range is for integers and KindBinary"
	}
	return ""
}
