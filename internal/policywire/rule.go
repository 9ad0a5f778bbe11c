// Package policywire reads and writes the kernel's description of a policy rule: in the POLICY
// attribute of an extended ACK and in the controller's policy dump.
package policywire

import (
	"errors"
	"math"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// The attributes of a description (NL_POLICY_TYPE_ATTR_*).
const (
	AttrType    = 1 // u32, NL_ATTR_TYPE_*
	AttrMinS    = 2 // s64
	AttrMaxS    = 3 // s64
	AttrMinU    = 4 // u64
	AttrMaxU    = 5 // u64
	AttrMinLen  = 6 // u32
	AttrMaxLen  = 7 // u32
	AttrIndex   = 8 // u32, index of the nested policy in the dump
	AttrMaxType = 9 // u32, the highest type of that policy
	AttrBitmask = 10
	AttrPad     = 11
	AttrMask    = 12 // u64
)

// typeOf maps each kind to its NL_ATTR_TYPE_*, or to 0 if the kernel does not export such rules.
// It exports msecs as UINT.
var typeOf = [...]uint32{
	policy.KindFlag: 1, policy.KindU8: 2, policy.KindU16: 3, policy.KindU32: 4, policy.KindU64: 5,
	policy.KindS8: 6, policy.KindS16: 7, policy.KindS32: 8, policy.KindS64: 9,
	policy.KindBinary: 10, policy.KindString: 11, policy.KindNULString: 12,
	policy.KindNested: 13, policy.KindNestedArray: 14, policy.KindBitfield32: 15,
	policy.KindSint: 16, policy.KindUint: 17, policy.KindMsecs: 17,
}

// Exported reports whether the kernel exports rules of a kind: all kinds except KindUnspec,
// KindReject, KindBE16 and KindBE32.
func Exported(k policy.Kind) bool { return int(k) < len(typeOf) && typeOf[k] != 0 }

// AppendRule appends the attributes that describe a rule, as the kernel writes them into the
// POLICY attribute of an extended ACK, with the type last (netlink_policy_dump_write_attr). It
// appends nothing for a kind that is not Exported; the kernel sends no POLICY then.
func AppendRule(b []byte, r *policy.Rule) []byte {
	if !Exported(r.Kind) {
		return b
	}
	return nla.AppendUint32(appendDetails(b, r), AttrType, typeOf[r.Kind])
}

// AppendNestRule is AppendRule for a nest in the controller's policy dump. It also appends the
// index of the nested policy and its highest type.
func AppendNestRule(b []byte, r *policy.Rule, index, maxType uint32) []byte {
	b = nla.AppendUint32(b, AttrIndex, index)
	b = nla.AppendUint32(b, AttrMaxType, maxType)
	return AppendRule(b, r)
}

func appendDetails(b []byte, r *policy.Rule) []byte {
	switch r.Kind {
	case policy.KindBitfield32:
		return nla.AppendUint32(b, AttrBitmask, r.Mask)
	case policy.KindBinary, policy.KindString, policy.KindNULString:
		return appendLengths(b, r)
	}
	if r.Check == policy.CheckFunc {
		return b
	}
	if lo, hi, ok := r.SignedRange(); ok {
		return nla.AppendInt64(nla.AppendInt64(b, AttrMinS, lo), AttrMaxS, hi)
	}
	lo, hi, ok := r.UnsignedRange()
	switch {
	case !ok:
		return b
	case r.Check == policy.CheckMask:
		return nla.AppendUint64(b, AttrMask, uint64(r.Mask))
	}
	return nla.AppendUint64(nla.AppendUint64(b, AttrMinU, lo), AttrMaxU, hi)
}

// appendLengths appends the limits of a length. The kernel exports only complete ranges, so the
// limits of MinLen and MaxLen are omitted.
func appendLengths(b []byte, r *policy.Rule) []byte {
	if r.Check == policy.CheckRange || r.Check == policy.CheckRangeWarnTooLong {
		if r.Min != 0 {
			b = nla.AppendUint32(b, AttrMinLen, uint32(r.Min))
		}
		if hi := uint64(r.Max); hi < 1<<16-1 {
			b = nla.AppendUint32(b, AttrMaxLen, uint32(hi))
		}
	} else if r.Len != 0 {
		b = nla.AppendUint32(b, AttrMaxLen, uint32(r.Len))
	}
	return b
}

// NestRef refers to a nested policy in the controller's policy dump.
type NestRef struct {
	Index   uint32
	MaxType uint32
	Known   bool // the description contains an index
}

// ErrRule: the description of a rule has no type, or an unknown one.
var ErrRule = errors.New("policy rule with a missing or unknown type")

// ParseRule reads the description of a rule, the inverse of AppendRule and AppendNestRule.
// AppendRule of the result produces the same bytes. The kernel does not export every property of
// a rule: MinLen and MaxLen lose their length, Msecs appears as UINT, a function is visible only
// as a missing range, and modes are not exported.
func ParseRule(b []byte) (policy.Rule, NestRef, error) {
	var slots [AttrMask + 1]uint32
	tb := &nla.Table{Slots: slots[:]}
	if err := policy.Parse(tb, b, nil, policy.ValidateTrailing); err != nil {
		return policy.Rule{}, NestRef{}, err
	}
	r := policy.Rule{Kind: kindOf(tb.Uint32(AttrType))}
	if !Exported(r.Kind) {
		return policy.Rule{}, NestRef{}, ErrRule
	}
	describe(&r, tb)
	ref := NestRef{tb.Uint32(AttrIndex), tb.Uint32(AttrMaxType), tb.Has(AttrIndex)}
	return r, ref, nil
}

func kindOf(typ uint32) policy.Kind {
	for k, t := range typeOf {
		if t == typ && t != 0 && policy.Kind(k) != policy.KindMsecs {
			return policy.Kind(k)
		}
	}
	return policy.KindUnspec
}

// describe fills in the details of a rule with a known Kind. A range equal to the full range
// of the kind is no check.
func describe(r *policy.Rule, tb *nla.Table) {
	full := *r
	_, _, isSigned := r.SignedRange()
	_, _, isUnsigned := r.UnsignedRange()
	switch {
	case r.Kind == policy.KindBitfield32:
		r.Mask = tb.Uint32(AttrBitmask)
	case r.Kind == policy.KindBinary, r.Kind == policy.KindString, r.Kind == policy.KindNULString:
		describeLength(r, tb)
	case isSigned:
		describeRange(r, tb, AttrMinS, AttrMaxS)
		lo, hi, _ := r.SignedRange()
		if flo, fhi, _ := full.SignedRange(); r.Check == policy.CheckRange && lo == flo && hi == fhi {
			*r = full
		}
	case isUnsigned && tb.Has(AttrMask):
		describeMask(r, tb.Uint64(AttrMask))
	case isUnsigned:
		describeRange(r, tb, AttrMinU, AttrMaxU)
		lo, hi, _ := r.UnsignedRange()
		if flo, fhi, _ := full.UnsignedRange(); r.Check == policy.CheckRange && lo == flo && hi == fhi {
			*r = full
		}
	}
}

// describeMask treats a mask wider than 32 bits, which no kernel has, as a check that is not
// exported: a truncated mask would reject values that the kernel accepts.
func describeMask(r *policy.Rule, mask uint64) {
	if mask > math.MaxUint32 {
		r.Check = policy.CheckFunc
		return
	}
	r.Check, r.Mask = policy.CheckMask, uint32(mask)
}

func describeRange(r *policy.Rule, tb *nla.Table, lo, hi uint16) {
	if !tb.Has(lo) || !tb.Has(hi) {
		r.Check = policy.CheckFunc
		return
	}
	r.Check, r.Min, r.Max = policy.CheckRange, tb.Int64(lo), tb.Int64(hi)
}

// describeLength ignores a maximum that no attribute can exceed, because the kernel does not
// export such limits.
func describeLength(r *policy.Rule, tb *nla.Table) {
	most := int64(math.MaxUint16)
	if tb.Has(AttrMaxLen) {
		most = min(most, int64(tb.Uint32(AttrMaxLen)))
	}
	if least := tb.Uint32(AttrMinLen); least != 0 {
		r.Check, r.Min, r.Max = policy.CheckRange, int64(least), most
	} else if most < math.MaxUint16 {
		r.Len = uint16(most)
	}
}
