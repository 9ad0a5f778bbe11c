package policy

import (
	"sync/atomic"

	"github.com/nlwire/nlwire/nla"
)

// Kind is the kind of value that a policy requires of an attribute: the NLA_* types of
// include/net/netlink.h, with the kernel's numbers.
type Kind uint8

// The kinds. validate.go implements the check of each kind; the kernel's rules are in
// validate_nla of lib/nlattr.c.
const (
	KindUnspec      Kind = 0  // NLA_UNSPEC: at least Len bytes; rejected in strict mode
	KindU8          Kind = 1  // NLA_U8
	KindU16         Kind = 2  // NLA_U16
	KindU32         Kind = 3  // NLA_U32
	KindU64         Kind = 4  // NLA_U64
	KindString      Kind = 5  // NLA_STRING: at most Len bytes, optionally followed by a NUL
	KindFlag        Kind = 6  // NLA_FLAG: no payload
	KindMsecs       Kind = 7  // NLA_MSECS: u64 of milliseconds
	KindNested      Kind = 8  // NLA_NESTED: attributes, validated with the policy Nested
	KindNestedArray Kind = 9  // NLA_NESTED_ARRAY: nests, each validated with the policy Nested
	KindNULString   Kind = 10 // NLA_NUL_STRING: at most Len bytes and a NUL
	KindBinary      Kind = 11 // NLA_BINARY: at most Len bytes
	KindS8          Kind = 12 // NLA_S8
	KindS16         Kind = 13 // NLA_S16
	KindS32         Kind = 14 // NLA_S32
	KindS64         Kind = 15 // NLA_S64
	KindBitfield32  Kind = 16 // NLA_BITFIELD32: the bits of Mask
	KindReject      Kind = 17 // NLA_REJECT: always rejected, with the text Reject
	KindBE16        Kind = 18 // NLA_BE16
	KindBE32        Kind = 19 // NLA_BE32
	KindSint        Kind = 20 // NLA_SINT: 4 or 8 bytes
	KindUint        Kind = 21 // NLA_UINT: 4 or 8 bytes
	maxKind              = KindUint
)

var kindNames = [maxKind + 1]string{
	"unspec", "u8", "u16", "u32", "u64", "string", "flag", "msecs", "nested", "nested-array", "nul-string",
	"binary", "s8", "s16", "s32", "s64", "bitfield32", "reject", "be16", "be32", "sint", "uint",
}

// String returns the kind's name in lower case: "u32", "nul-string".
func (k Kind) String() string {
	if k > maxKind {
		return "kind?"
	}
	return kindNames[k]
}

// Check is the additional check of a rule (validation_type, NLA_VALIDATE_*).
type Check uint8

// The checks. A range limits the value, or for a KindBinary the length.
const (
	CheckNone             Check = iota // NLA_VALIDATE_NONE
	CheckRange                         // Min <= v <= Max (NLA_VALIDATE_RANGE, RANGE_PTR)
	CheckRangeWarnTooLong              // as CheckRange, but liberal modes accept longer payloads
	CheckMin                           // Min <= v
	CheckMax                           // v <= Max
	CheckMask                          // no bit outside Mask
	CheckFunc                          // Func decides (NLA_VALIDATE_FUNCTION)
)

// Rule is struct nla_policy: the requirements on one attribute. The zero Rule is NLA_UNSPEC,
// which strict modes reject.
type Rule struct {
	Kind  Kind
	Check Check
	// Len is the minimum length of an integer or KindUnspec (0: the size of the kind) and the
	// maximum length of a string or KindBinary (0: any), without the NUL.
	Len uint16
	// Mask contains the bits allowed by CheckMask and KindBitfield32.
	Mask uint32
	// Min and Max are the limits of CheckRange, CheckMin and CheckMax. For unsigned kinds they
	// are converted to uint64, so that -1 is 2^64-1; RangeUnsigned does this conversion.
	Min, Max int64
	// Nested is the policy for the contents of a KindNested or KindNestedArray; nil accepts any
	// contents.
	Nested *Policy
	// Reject is the text of a KindReject.
	Reject string
	// Func is the check of CheckFunc. Its error is reported with its text. The errno is that of
	// an *Error (which may be wrapped; its Msg is the text then), otherwise the errno in the
	// error (errno.Of), or EINVAL. Func must not keep the Attr.
	Func func(nla.Attr) error
}

// Policy is a table of rules, one per attribute type: an array of struct nla_policy with its
// maxtype. Attrs[0] is unused, because the kernel accepts no attribute of type 0. The highest
// type is len(Attrs)-1.
//
//	var device = &policy.Policy{Attrs: []policy.Rule{
//		attrIfindex: policy.Min(policy.KindU32, 1),
//		attrName:    {Kind: policy.KindNULString, Len: 15},
//		attrFlags:   policy.Mask(policy.KindU32, 0x7),
//		attrStats:   {Kind: policy.KindNested, Nested: stats},
//	}}
//
// A Policy is prepared at its first use, or by Compile; it must not be changed or copied
// afterwards. It may be used by several goroutines at the same time. Policies may nest
// themselves: validation stops at the kernel's limit of ten levels.
type Policy struct {
	Attrs []Rule
	// StrictStart is the first type that is validated strictly in every mode, including its
	// nested attributes; 0 means none (strict_start_type).
	StrictStart uint16

	compiled atomic.Pointer[compiled]
}

// MaxType returns the highest attribute type of the policy.
func (p *Policy) MaxType() int { return max(len(p.Attrs)-1, 0) }

// Range allows values from lo to hi (NLA_POLICY_RANGE, NLA_POLICY_FULL_RANGE_SIGNED); for
// KindBinary it limits the length.
func Range(k Kind, lo, hi int64) Rule { return Rule{Kind: k, Check: CheckRange, Min: lo, Max: hi} }

// RangeUnsigned is Range for unsigned kinds up to 2^64-1
// (NLA_POLICY_FULL_RANGE).
func RangeUnsigned(k Kind, lo, hi uint64) Rule { return Range(k, int64(lo), int64(hi)) }

// Min allows values of at least lo (NLA_POLICY_MIN).
func Min(k Kind, lo int64) Rule { return Rule{Kind: k, Check: CheckMin, Min: lo} }

// Max allows values of at most hi (NLA_POLICY_MAX).
func Max(k Kind, hi int64) Rule { return Rule{Kind: k, Check: CheckMax, Max: hi} }

// Mask allows the bits of mask (NLA_POLICY_MASK, for KindBitfield32 NLA_POLICY_BITFIELD32). A
// mask has 32 bits; higher bits of a value always fail.
func Mask(k Kind, mask uint32) Rule {
	if k == KindBitfield32 {
		return Rule{Kind: k, Mask: mask}
	}
	return Rule{Kind: k, Check: CheckMask, Mask: mask}
}

// ExactLen allows exactly n bytes (NLA_POLICY_EXACT_LEN).
func ExactLen(n uint16) Rule { return Range(KindBinary, int64(n), int64(n)) }

// ExactLenWarn allows exactly n bytes, and more in liberal modes (NLA_POLICY_EXACT_LEN_WARN).
func ExactLenWarn(n uint16) Rule {
	return Rule{Kind: KindBinary, Check: CheckRangeWarnTooLong, Min: int64(n), Max: int64(n)}
}

// MinLen allows n or more bytes (NLA_POLICY_MIN_LEN).
func MinLen(n uint16) Rule { return Min(KindBinary, int64(n)) }

// MaxLen allows at most n bytes (NLA_POLICY_MAX_LEN).
func MaxLen(n uint16) Rule { return Max(KindBinary, int64(n)) }

// Nest requires attributes that satisfy the policy p (NLA_POLICY_NESTED).
func Nest(p *Policy) Rule { return Rule{Kind: KindNested, Nested: p} }

// NestArray requires nests with attributes that satisfy the policy p (NLA_POLICY_NESTED_ARRAY).
func NestArray(p *Policy) Rule { return Rule{Kind: KindNestedArray, Nested: p} }
