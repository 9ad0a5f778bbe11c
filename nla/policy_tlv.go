package nla

import (
	"errors"
	"math"
)

// The attributes that describe a rule (NL_POLICY_TYPE_ATTR_*), in the POLICY
// of an extended ACK and in the controller's policy dump.
const (
	PolicyAttrType    = 1 // u32, NL_ATTR_TYPE_*
	PolicyAttrMinS    = 2 // s64
	PolicyAttrMaxS    = 3 // s64
	PolicyAttrMinU    = 4 // u64
	PolicyAttrMaxU    = 5 // u64
	PolicyAttrMinLen  = 6 // u32
	PolicyAttrMaxLen  = 7 // u32
	PolicyAttrIndex   = 8 // u32, index of the nested policy in the dump
	PolicyAttrMaxType = 9 // u32, its highest type
	PolicyAttrBitmask = 10
	PolicyAttrPad     = 11
	PolicyAttrMask    = 12 // u64
)

// typeOf holds the NL_ATTR_TYPE_* of each kind; 0 is none: the kernel does not
// export such a rule. Msecs is exported as what it is not, UINT.
var typeOf = [maxKind + 1]uint32{
	KindFlag: 1, KindU8: 2, KindU16: 3, KindU32: 4, KindU64: 5, KindS8: 6, KindS16: 7, KindS32: 8, KindS64: 9,
	KindBinary: 10, KindString: 11, KindNULString: 12, KindNested: 13, KindNestedArray: 14, KindBitfield32: 15,
	KindSint: 16, KindUint: 17, KindMsecs: 17,
}

// Exported reports whether the kernel describes rules of this kind at all:
// not KindUnspec, KindReject, KindBE16 and KindBE32.
func (k Kind) Exported() bool { return k <= maxKind && typeOf[k] != 0 }

// AppendRule appends the attributes that describe a rule, as the kernel writes
// them into the POLICY of an extended ACK, the type last
// (netlink_policy_dump_write_attr). For a kind that is not Exported it appends
// nothing; the kernel then sends no POLICY.
func AppendRule(b []byte, r *Rule) []byte {
	if !r.Kind.Exported() {
		return b
	}
	return AppendUint32(r.appendDetails(b), PolicyAttrType, typeOf[r.Kind])
}

// AppendNestRule is AppendRule for a nest in the controller's policy dump,
// which gives the index of the nested policy and its highest type.
func AppendNestRule(b []byte, r *Rule, index, maxType uint32) []byte {
	b = AppendUint32(b, PolicyAttrIndex, index)
	b = AppendUint32(b, PolicyAttrMaxType, maxType)
	return AppendRule(b, r)
}

func (r *Rule) appendDetails(b []byte) []byte {
	switch {
	case r.Kind == KindBitfield32:
		return AppendUint32(b, PolicyAttrBitmask, r.Mask)
	case r.Kind == KindBinary, r.Kind == KindString, r.Kind == KindNULString:
		return r.appendLengths(b)
	case r.Check == CheckFunc:
		return b
	case isSigned(r.Kind):
		lo, hi := r.signedRange()
		return AppendInt64(AppendInt64(b, PolicyAttrMinS, lo), PolicyAttrMaxS, hi)
	case r.Check == CheckMask && isMaskable(r.Kind):
		return AppendUint64(b, PolicyAttrMask, uint64(r.Mask))
	case isUnsigned(r.Kind):
		lo, hi := r.unsignedRange()
		return AppendUint64(AppendUint64(b, PolicyAttrMinU, lo), PolicyAttrMaxU, hi)
	}
	return b
}

// appendLengths writes the limits of a length. Those of MinLen and MaxLen are
// not among them: the kernel exports only a whole range.
func (r *Rule) appendLengths(b []byte) []byte {
	if r.Check == CheckRange || r.Check == CheckRangeWarnTooLong {
		if r.Min != 0 {
			b = AppendUint32(b, PolicyAttrMinLen, uint32(r.Min))
		}
		if hi := uint64(r.Max); hi < 1<<16-1 {
			b = AppendUint32(b, PolicyAttrMaxLen, uint32(hi))
		}
	} else if r.Len != 0 {
		b = AppendUint32(b, PolicyAttrMaxLen, uint32(r.Len))
	}
	return b
}

// NestRef is where a nest's policy stands in the controller's policy dump.
type NestRef struct {
	Index   uint32
	MaxType uint32
	Known   bool // the description has an index
}

// ErrRule: the description of a rule has no type, or one that is not known.
var ErrRule = errors.New("nla: description of a policy without a known type")

// ParseRule reads the description of a rule, the inverse of AppendRule and
// AppendNestRule. Written again it is the same bytes; but the kernel does not
// tell all of a rule: MinLen and MaxLen lose their length, Msecs looks like
// UINT, a function is only there by the range that is missing, and which modes
// apply is not told at all.
func ParseRule(b []byte) (Rule, NestRef, error) {
	var d [PolicyAttrMask + 1]Attr
	if err := Parse(d[:], b, nil, Trailing); err != nil {
		return Rule{}, NestRef{}, err
	}
	tb := Table(d[:])
	r := Rule{Kind: kindOf(tb.Uint32(PolicyAttrType))}
	if !r.Kind.Exported() {
		return Rule{}, NestRef{}, ErrRule
	}
	r.describe(tb)
	ref := NestRef{tb.Uint32(PolicyAttrIndex), tb.Uint32(PolicyAttrMaxType), tb.Has(PolicyAttrIndex)}
	return r, ref, nil
}

func kindOf(typ uint32) Kind {
	for k, t := range typeOf {
		if t == typ && t != 0 && Kind(k) != KindMsecs {
			return Kind(k)
		}
	}
	return KindUnspec
}

// describe fills in the details of a rule whose Kind is known.
func (r *Rule) describe(tb Table) {
	switch {
	case r.Kind == KindBitfield32:
		r.Mask = tb.Uint32(PolicyAttrBitmask)
	case r.Kind == KindBinary, r.Kind == KindString, r.Kind == KindNULString:
		r.describeLength(tb)
	case isSigned(r.Kind):
		r.describeRange(tb, PolicyAttrMinS, PolicyAttrMaxS)
		lo, hi := r.signedRange()
		if full := (Rule{Kind: r.Kind}); r.Check == CheckRange {
			if flo, fhi := full.signedRange(); lo == flo && hi == fhi {
				*r = full
			}
		}
	case tb.Has(PolicyAttrMask) && isMaskable(r.Kind):
		r.describeMask(tb.Uint64(PolicyAttrMask))
	case isUnsigned(r.Kind):
		r.describeRange(tb, PolicyAttrMinU, PolicyAttrMaxU)
		lo, hi := r.unsignedRange()
		if full := (Rule{Kind: r.Kind}); r.Check == CheckRange {
			if flo, fhi := full.unsignedRange(); lo == flo && hi == fhi {
				*r = full
			}
		}
	}
}

// describeMask takes a mask that is wider than any kernel's for a check that
// is not told: cut to 32 bits it would refuse what the kernel accepts.
func (r *Rule) describeMask(mask uint64) {
	if mask > math.MaxUint32 {
		r.Check = CheckFunc
		return
	}
	r.Check, r.Mask = CheckMask, uint32(mask)
}

func (r *Rule) describeRange(tb Table, lo, hi uint16) {
	if !tb.Has(lo) || !tb.Has(hi) {
		r.Check = CheckFunc
		return
	}
	r.Check, r.Min, r.Max = CheckRange, tb.Int64(lo), tb.Int64(hi)
}

// describeLength takes a limit that no attribute can exceed for none, as the
// kernel does not tell those.
func (r *Rule) describeLength(tb Table) {
	most := int64(math.MaxUint16)
	if tb.Has(PolicyAttrMaxLen) {
		most = min(most, int64(tb.Uint32(PolicyAttrMaxLen)))
	}
	if least := tb.Uint32(PolicyAttrMinLen); least != 0 {
		r.Check, r.Min, r.Max = CheckRange, int64(least), most
	} else if most < math.MaxUint16 {
		r.Len = uint16(most)
	}
}
