package policywire

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// Descriptions that current kernels do not send. A property that does not fit a Rule must not
// make the rule stricter than its description.
func TestRuleDescriptionsBeyondTheKernels(t *testing.T) {
	typ := func(b []byte, k policy.Kind) []byte { return nla.AppendUint32(b, AttrType, typeOf[k]) }
	length := func(least, most uint32) []byte {
		return nla.AppendUint32(nla.AppendUint32(nil, AttrMinLen, least), AttrMaxLen, most)
	}
	for name, tt := range map[string]struct {
		b    []byte
		want policy.Rule
	}{
		"mask of 33 bits":       {typ(nla.AppendUint64(nil, AttrMask, 1<<32|1), policy.KindU64), policy.Rule{Kind: policy.KindU64, Check: policy.CheckFunc}},
		"mask of 32 bits":       {typ(nla.AppendUint64(nil, AttrMask, 1<<32-1), policy.KindU64), policy.Mask(policy.KindU64, 1<<32-1)},
		"mask of a flag":        {typ(nla.AppendUint64(nil, AttrMask, 1), policy.KindFlag), policy.Rule{Kind: policy.KindFlag}},
		"most of 2^16 + 1":      {typ(nla.AppendUint32(nil, AttrMaxLen, 1<<16+1), policy.KindBinary), policy.Rule{Kind: policy.KindBinary}},
		"most of 2^16 - 2":      {typ(nla.AppendUint32(nil, AttrMaxLen, 1<<16-2), policy.KindBinary), policy.Rule{Kind: policy.KindBinary, Len: 1<<16 - 2}},
		"least of 0":            {typ(length(0, 15), policy.KindNULString), policy.Rule{Kind: policy.KindNULString, Len: 15}},
		"least, most of 2^32-1": {typ(length(2, 1<<32-1), policy.KindBinary), policy.Range(policy.KindBinary, 2, 1<<16-1)},
	} {
		if got, _, err := ParseRule(tt.b); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, tt.want)
		}
	}
}

// Rules as TLVs and back: the exported parts must have the same bytes again.
func TestRuleDescriptions(t *testing.T) {
	rules := []struct {
		rule policy.Rule
		want string
	}{
		{policy.Rule{Kind: policy.KindFlag}, "TYPE 1"},
		{policy.Rule{Kind: policy.KindU8}, "MIN_U 0, MAX_U 255, TYPE 2"},
		{policy.Range(policy.KindU16, 1, 9), "MIN_U 1, MAX_U 9, TYPE 3"},
		{policy.Min(policy.KindU32, 1), "MIN_U 1, MAX_U 4294967295, TYPE 4"},
		{policy.RangeUnsigned(policy.KindU64, 1, 1<<63), "MIN_U 1, MAX_U 9223372036854775808, TYPE 5"},
		{policy.Mask(policy.KindU32, 0xf), "MASK 15, TYPE 4"},
		{policy.Rule{Kind: policy.KindU32, Check: policy.CheckFunc}, "TYPE 4"},
		{policy.Rule{Kind: policy.KindUint}, "MIN_U 0, MAX_U 18446744073709551615, TYPE 17"},
		{policy.Rule{Kind: policy.KindMsecs}, "MIN_U 0, MAX_U 18446744073709551615, TYPE 17"},
		{policy.Max(policy.KindS8, 5), "MIN_S 18446744073709551488, MAX_S 5, TYPE 6"},
		{policy.Rule{Kind: policy.KindSint, Check: policy.CheckFunc}, "TYPE 16"},
		{policy.Rule{Kind: policy.KindBinary}, "TYPE 10"},
		{policy.Rule{Kind: policy.KindBinary, Len: 32}, "MAX_LEN 32, TYPE 10"},
		{policy.ExactLen(16), "MIN_LEN 16, MAX_LEN 16, TYPE 10"},
		{policy.ExactLenWarn(6), "MIN_LEN 6, MAX_LEN 6, TYPE 10"},
		{policy.Range(policy.KindBinary, 0, 1<<16-1), "TYPE 10"},
		{policy.MinLen(8), "TYPE 10"}, // the kernel exports no length here
		{policy.MaxLen(8), "TYPE 10"},
		{policy.Rule{Kind: policy.KindString, Len: 15}, "MAX_LEN 15, TYPE 11"},
		{policy.Rule{Kind: policy.KindNULString}, "TYPE 12"},
		{policy.Nest(getFamily), "TYPE 13"},
		{policy.NestArray(getFamily), "TYPE 14"},
		{policy.Mask(policy.KindBitfield32, 7), "BF32_MASK 7, TYPE 15"},
		{policy.Rule{Kind: policy.KindUnspec}, ""},
		{policy.Rule{Kind: policy.KindReject, Reject: "no"}, ""},
		{policy.Rule{Kind: policy.KindBE16}, ""},
		{policy.Min(policy.KindBE32, 1), ""},
		{policy.Rule{Kind: 99}, ""},
	}
	for _, tt := range rules {
		if got := descriptionOf(&tt.rule); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.rule.Kind, got, tt.want)
		}
		b := AppendRule(nil, &tt.rule)
		if len(b) == 0 {
			continue
		}
		r, ref, err := ParseRule(b)
		if err != nil || ref.Known {
			t.Fatalf("%v: %v", tt.rule.Kind, err)
		}
		if again := AppendRule(nil, &r); !bytes.Equal(again, b) {
			t.Errorf("%v: % x, again % x", tt.rule.Kind, b, again)
		}
	}
	nest := policy.Nest(getFamily)
	b := AppendNestRule(nil, &nest, 3, 2)
	r, ref, err := ParseRule(b)
	if err != nil || r.Kind != policy.KindNested || ref != (NestRef{3, 2, true}) {
		t.Errorf("a nest in a dump: %+v, %+v, %v", r, ref, err)
	}
	for _, b := range [][]byte{nil, {1}, nla.AppendUint32(nil, AttrType, 0), nla.AppendUint32(nil, AttrType, 99), nla.AppendUint32(nil, AttrMask, 1)} {
		if _, _, err := ParseRule(b); err == nil {
			t.Errorf("% x: no error, but it is not a rule", b)
		}
	}
}
