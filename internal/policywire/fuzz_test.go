package policywire

import (
	"bytes"
	"errors"
	"math/big"
	"reflect"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/slow"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// slowDescription returns the payload of the last attribute of each type, and reports whether the
// stream ends correctly.
func slowDescription(b []byte) (map[uint16][]byte, bool) {
	attrs, rem := slow.Walk(b)
	last := map[uint16][]byte{}
	for _, a := range attrs {
		if a.Type > 0 && a.Type <= AttrMask {
			last[a.Type] = a.Payload
		}
	}
	return last, rem <= 0
}

// described reads the first bytes of an attribute as a number, as the kernel's getters do. It
// returns 0 if the attribute is absent or too short.
func described(last map[uint16][]byte, typ uint16, size int, signed bool) *big.Int {
	if p := last[typ]; len(p) >= size {
		return slow.Number(p[:size], false, signed)
	}
	return new(big.Int)
}

// kernelTypes lists the kinds in the order of enum netlink_attribute_type, from 1.
var kernelTypes = []policy.Kind{
	policy.KindFlag, policy.KindU8, policy.KindU16, policy.KindU32, policy.KindU64, policy.KindS8, policy.KindS16, policy.KindS32, policy.KindS64,
	policy.KindBinary, policy.KindString, policy.KindNULString, policy.KindNested, policy.KindNestedArray, policy.KindBitfield32, policy.KindSint, policy.KindUint,
}

// FuzzRule parses any bytes as the description of a rule. The kind must be correct, and a rule
// that is written again must read as the same rule.
func FuzzRule(f *testing.F) {
	inner := &policy.Policy{Attrs: make([]policy.Rule, 3)}
	for k := range policy.KindUint + 1 {
		for _, r := range []policy.Rule{{Kind: k}, policy.Range(k, 1, 7), policy.Range(k, -5, 5), policy.Range(k, 0, 1<<16), policy.Mask(k, 5), {Kind: k, Check: policy.CheckFunc}, {Kind: k, Len: 15}} {
			f.Add(AppendRule(nil, &r))
		}
	}
	f.Add(AppendNestRule(nil, &policy.Rule{Kind: policy.KindNested, Nested: inner}, 7, 2))
	f.Add(nla.AppendUint32(nla.AppendUint64(nil, AttrMask, 1<<40), AttrType, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ref, err := ParseRule(b)
		guard.Memory(t, b, 256, func() { _, _, _ = ParseRule(b) })
		last, ok := slowDescription(b)
		typ := described(last, AttrType, 4, false).Uint64()
		known := typ > 0 && typ <= uint64(len(kernelTypes))
		var refused *policy.Error
		switch {
		case !ok:
			if !errors.As(err, &refused) || refused.Errno != errno.EINVAL {
				t.Fatalf("leftover bytes: %v", err)
			}
			return
		case !known:
			if !errors.Is(err, ErrRule) {
				t.Fatalf("unknown type %d: %v", typ, err)
			}
			return
		case err != nil:
			t.Fatal(err)
		}
		if r.Kind != kernelTypes[typ-1] || r.String() == "" {
			t.Fatalf("type %d is %s", typ, r.String())
		}
		if _, told := last[AttrIndex]; ref.Known != told || described(last, AttrIndex, 4, false).Uint64() != uint64(ref.Index) {
			t.Fatalf("%+v", ref)
		}
		checkDescription(t, &r, last)
		checkAgain(t, r, ref)
	})
}

// checkDescription compares the limits of a rule with those of its description.
func checkDescription(t *testing.T, r *policy.Rule, last map[uint16][]byte) {
	t.Helper()
	has := func(types ...uint16) bool {
		for _, typ := range types {
			if _, ok := last[typ]; !ok {
				return false
			}
		}
		return true
	}
	bound := func(typ uint16, value int64, size int, signed bool) {
		want := described(last, typ, size, signed)
		if got := number(value, signed); got.Cmp(want) != 0 {
			t.Fatalf("attribute %d is %v, the rule %s has %v", typ, want, r.String(), got)
		}
	}
	switch r.Check {
	case policy.CheckMask:
		bound(AttrMask, int64(r.Mask), 8, false)
	case policy.CheckRange:
		switch {
		case isSigned(r.Kind):
			bound(AttrMinS, r.Min, 8, true)
			bound(AttrMaxS, r.Max, 8, true)
		case r.Kind == policy.KindBinary || r.Kind == policy.KindString || r.Kind == policy.KindNULString:
			bound(AttrMinLen, r.Min, 4, false)
		default:
			bound(AttrMinU, r.Min, 8, false)
			bound(AttrMaxU, r.Max, 8, false)
		}
	case policy.CheckFunc: // a check is not exported
		masked := isUnsigned(r.Kind) && has(AttrMask)
		if isSigned(r.Kind) && has(AttrMinS, AttrMaxS) || isUnsigned(r.Kind) && has(AttrMinU, AttrMaxU) && !masked {
			t.Fatalf("%s, but there is a range", r.String())
		}
	case policy.CheckNone:
		if isUnsigned(r.Kind) && has(AttrMask) {
			t.Fatalf("%s, but there is a mask", r.String())
		}
	}
	if most := described(last, AttrMaxLen, 4, false); r.Len > 0 && most.Cmp(big.NewInt(int64(r.Len))) != 0 {
		t.Fatalf("at most %v, the rule is %s", most, r.String())
	}
	if r.Kind == policy.KindBitfield32 {
		bound(AttrBitmask, int64(r.Mask), 4, false)
	}
}

// checkAgain writes the rule and reads it again.
func checkAgain(t *testing.T, r policy.Rule, ref NestRef) {
	t.Helper()
	write := func(r *policy.Rule, ref NestRef) []byte {
		if ref.Known {
			return AppendNestRule(nil, r, ref.Index, ref.MaxType)
		}
		return AppendRule(nil, r)
	}
	b := write(&r, ref)
	again, refAgain, err := ParseRule(b)
	if err != nil || !bytes.Equal(write(&again, refAgain), b) {
		t.Fatalf("written % x, and again % x, %v", b, write(&again, refAgain), err)
	}
	if ref.Known && refAgain != ref || !reflect.DeepEqual(again, r) {
		t.Fatalf("read %+v, %+v, again %+v, %+v", r, ref, again, refAgain)
	}
}

func number(v int64, signed bool) *big.Int {
	if signed {
		return big.NewInt(v)
	}
	return new(big.Int).SetUint64(uint64(v))
}

func isSigned(k policy.Kind) bool {
	switch k {
	case policy.KindS8, policy.KindS16, policy.KindS32, policy.KindS64, policy.KindSint:
		return true
	}
	return false
}

func isUnsigned(k policy.Kind) bool {
	switch k {
	case policy.KindU8, policy.KindU16, policy.KindU32, policy.KindU64, policy.KindUint:
		return true
	}
	return false
}
