// Package policywire reads and writes the kernel's description of a rule of a policy: in
// the POLICY of an extended ACK and in the controller's policy dump.
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
	AttrMaxType = 9 // u32, its highest type
	AttrBitmask = 10
	AttrPad     = 11
	AttrMask    = 12 // u64
)

// typeOf holds the NL_ATTR_TYPE_* of each kind; 0 is none: the kernel does not
// export such a rule. It exports msecs as UINT.
var typeOf = [...]uint32{
	policy.KindFlag: 1, policy.KindU8: 2, policy.KindU16: 3, policy.KindU32: 4, policy.KindU64: 5,
	policy.KindS8: 6, policy.KindS16: 7, policy.KindS32: 8, policy.KindS64: 9,
	policy.KindBinary: 10, policy.KindString: 11, policy.KindNULString: 12,
	policy.KindNested: 13, policy.KindNestedArray: 14, policy.KindBitfield32: 15,
	policy.KindSint: 16, policy.KindUint: 17, policy.KindMsecs: 17,
}

// Exported reports whether the kernel describes rules of a kind: all but KindUnspec,
// KindReject, KindBE16 and KindBE32.
func Exported(k policy.Kind) bool { return int(k) < len(typeOf) && typeOf[k] != 0 }

// AppendRule appends the attributes that describe a rule, as the kernel writes
// them into the POLICY of an extended ACK, the type last
// (netlink_policy_dump_write_attr). For a kind that is not Exported it appends
// nothing; the kernel then sends no POLICY.
func AppendRule(b []byte, r *policy.Rule) []byte {
	if !Exported(r.Kind) {
		return b
	}
	return nla.AppendUint32(appendDetails(b, r), AttrType, typeOf[r.Kind])
}

// AppendNestRule is AppendRule for a nest in the controller's policy dump,
// which gives the index of the nested policy and its highest type.
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

// appendLengths writes the limits of a length. Those of MinLen and MaxLen are
// not among them: the kernel exports only a whole range.
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

// NestRef is the place of a nest's policy in the controller's policy dump.
type NestRef struct {
	Index   uint32
	MaxType uint32
	Known   bool // the description has an index
}

// ErrRule: the description of a rule has no type, or an unknown one.
var ErrRule = errors.New("description of a policy without a known type")

// ParseRule reads the description of a rule, the inverse of AppendRule and
// AppendNestRule. Written again it is the same bytes; but the kernel does not
// export all of a rule: MinLen and MaxLen lose their length, Msecs looks like
// UINT, a function shows only by the range that is missing, and the modes
// that apply are not exported.
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

// describe fills in the details of a rule whose Kind is known. A range that is the kind's
// own is none.
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

// describeMask takes a mask that is wider than any kernel's for a check that
// is not exported: cut to 32 bits it would refuse what the kernel accepts.
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

// describeLength takes a limit that no attribute can exceed for none, as the
// kernel does not export those.
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
