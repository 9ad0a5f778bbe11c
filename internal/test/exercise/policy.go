package exercise

import (
	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// The attributes (enum EX_A_* of the module).
const (
	attrU8 = 1 + iota
	attrU16
	attrU32
	attrU64
	attrS8
	attrS16
	attrS32
	attrS64
	attrBE16
	attrBE32
	attrMsecs
	attrFlag
	attrString
	attrNULString
	attrBinary
	attrExact
	attrExactWarn
	attrMinLen
	attrRangeLen
	attrBitfield
	attrReject
	attrShort
	attrNest
	attrArray
	attrStrictU32 // this and later types have strict validation, also in old operations
	attrU8Mask
	attrU32Mask
	attrU64Mask
	attrU64Range
	attrS64Range
	attrBE16Range
	attrBE32Mask
	attrMsecsMax
	attrEven
	attrUpper
	attrSint
	attrUint
	attrUintRange
)

// Policy makes the policy of all operations for a kernel with the given features (ex_policy
// of the module).
func Policy(f bus.Features) *policy.Policy {
	inner := &policy.Policy{Attrs: []policy.Rule{
		1: policy.Max(policy.KindU32, 1000),
		2: {Kind: policy.KindNULString, Len: 8},
	}}
	p := &policy.Policy{StrictStart: attrStrictU32, Attrs: []policy.Rule{
		attrU8:        policy.Range(policy.KindU8, 1, 200),
		attrU16:       policy.Mask(policy.KindU16, 0x0fff),
		attrU32:       {Kind: policy.KindU32},
		attrU64:       policy.Min(policy.KindU64, 5),
		attrS8:        policy.Range(policy.KindS8, -5, 5),
		attrS16:       policy.Min(policy.KindS16, -100),
		attrS32:       policy.Max(policy.KindS32, 100),
		attrS64:       {Kind: policy.KindS64},
		attrBE16:      {Kind: policy.KindBE16},
		attrBE32:      {Kind: policy.KindBE32},
		attrMsecs:     {Kind: policy.KindMsecs},
		attrFlag:      {Kind: policy.KindFlag},
		attrString:    {Kind: policy.KindString, Len: 16},
		attrNULString: {Kind: policy.KindNULString, Len: 16},
		attrBinary:    {Kind: policy.KindBinary, Len: 20},
		attrExact:     policy.ExactLen(6),
		attrExactWarn: policy.ExactLenWarn(8),
		attrMinLen:    policy.MinLen(4),
		attrRangeLen:  policy.Range(policy.KindBinary, 2, 12),
		attrBitfield:  policy.Mask(policy.KindBitfield32, 0xff),
		attrReject:    {Kind: policy.KindReject, Reject: "this attribute is not for requests"},
		attrShort:     {Kind: policy.KindUnspec, Len: 3},
		attrArray:     policy.NestArray(inner),
		attrStrictU32: {Kind: policy.KindU32},
		attrU8Mask:    policy.Mask(policy.KindU8, 0x0f),
		attrU32Mask:   policy.Mask(policy.KindU32, 0xff00ff),
		attrU64Mask:   policy.Mask(policy.KindU64, 0xffffffff),
		attrU64Range:  policy.Range(policy.KindU64, 10, 1<<40),
		attrS64Range:  policy.Range(policy.KindS64, -1<<40, 1<<40),
		attrBE16Range: policy.Range(policy.KindBE16, 256, 1024),
		attrBE32Mask:  policy.Mask(policy.KindBE32, 0xff),
		attrMsecsMax:  policy.Max(policy.KindMsecs, 10000),
		attrEven:      {Kind: policy.KindU32, Check: policy.CheckFunc, Func: even},
		attrUpper:     {Kind: policy.KindBinary, Check: policy.CheckFunc, Func: upper},
		attrUintRange: {},
	}}
	p.Attrs[attrNest] = policy.Nest(p)
	if f.Has(bus.FeatureUintPolicy) { // older kernels have no such kinds
		p.Attrs[attrSint] = policy.Min(policy.KindSint, -1000)
		p.Attrs[attrUint] = policy.Rule{Kind: policy.KindUint}
		p.Attrs[attrUintRange] = policy.Range(policy.KindUint, 1, 500)
	}
	return p
}

func even(a nla.Attr) error {
	if v, _ := a.Uint32(); v&1 != 0 {
		return &policy.Error{Errno: 33, Report: policy.Report{Msg: "not an even number"}} // EDOM
	}
	return nil
}

func upper(a nla.Attr) error {
	for _, c := range a.Payload() {
		if c < 'A' || c > 'Z' {
			return &policy.Error{Errno: errno.EINVAL, Report: policy.Report{Msg: "not upper case"}}
		}
	}
	return nil
}
