package nla

import (
	"bytes"
	"errors"
	"math/big"
	"reflect"
	"testing"

	"github.com/nlwire/nlwire/internal/test/guard"
)

// slowDescription has the payload of the last attribute of each type, if the
// stream ends where it should.
func slowDescription(b []byte) (map[uint16][]byte, bool) {
	attrs, rem := slowWalk(b)
	last := map[uint16][]byte{}
	for _, a := range attrs {
		if a.typ > 0 && a.typ <= PolicyAttrMask {
			last[a.typ] = a.payload
		}
	}
	return last, rem <= 0
}

// described reads the first bytes of an attribute of a description as a number,
// 0 if they are not there, as the kernel's getters would.
func described(last map[uint16][]byte, typ uint16, size int, signed bool) *big.Int {
	if p := last[typ]; len(p) >= size {
		return slowNumber(p[:size], false, signed)
	}
	return new(big.Int)
}

// kernelTypes has the kinds by the numbers of enum netlink_attribute_type, from 1.
var kernelTypes = []Kind{
	KindFlag, KindU8, KindU16, KindU32, KindU64, KindS8, KindS16, KindS32, KindS64,
	KindBinary, KindString, KindNULString, KindNested, KindNestedArray, KindBitfield32, KindSint, KindUint,
}

// FuzzRule reads any bytes as the description of a rule: what is known of the
// kind is right, and written again it is read as the same rule.
func FuzzRule(f *testing.F) {
	inner := &Policy{Attrs: make([]Rule, 3)}
	for k := range maxKind + 1 {
		for _, r := range []Rule{{Kind: k}, Range(k, 1, 7), Range(k, -5, 5), Range(k, 0, 1<<16), Mask(k, 5), {Kind: k, Check: CheckFunc}, {Kind: k, Len: 15}} {
			f.Add(AppendRule(nil, &r))
		}
	}
	f.Add(AppendNestRule(nil, &Rule{Kind: KindNested, Nested: inner}, 7, 2))
	f.Add(AppendUint32(AppendUint64(nil, PolicyAttrMask, 1<<40), PolicyAttrType, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ref, err := ParseRule(b)
		guard.Memory(t, b, 256, func() { _, _, _ = ParseRule(b) })
		last, ok := slowDescription(b)
		typ := described(last, PolicyAttrType, 4, false).Uint64()
		known := typ > 0 && typ <= uint64(len(kernelTypes))
		var refused *PolicyError
		switch {
		case !ok:
			if !errors.As(err, &refused) || refused.Errno != EINVAL {
				t.Fatalf("something is left over: %v", err)
			}
			return
		case !known:
			if !errors.Is(err, ErrRule) {
				t.Fatalf("no kind %d: %v", typ, err)
			}
			return
		case err != nil:
			t.Fatal(err)
		}
		if r.Kind != kernelTypes[typ-1] || r.String() == "" {
			t.Fatalf("type %d is %s", typ, r.String())
		}
		if _, told := last[PolicyAttrIndex]; ref.Known != told || described(last, PolicyAttrIndex, 4, false).Uint64() != uint64(ref.Index) {
			t.Fatalf("%+v", ref)
		}
		checkDescription(t, &r, last)
		checkAgain(t, r, ref)
	})
}

// checkDescription compares the limits with those of the description.
func checkDescription(t *testing.T, r *Rule, last map[uint16][]byte) {
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
		if got := number(uint64(value), signed); got.Cmp(want) != 0 {
			t.Fatalf("attribute %d is %v, the rule %s has %v", typ, want, r.String(), got)
		}
	}
	switch r.Check {
	case CheckMask:
		bound(PolicyAttrMask, int64(r.Mask), 8, false)
	case CheckRange:
		switch {
		case isSigned(r.Kind):
			bound(PolicyAttrMinS, r.Min, 8, true)
			bound(PolicyAttrMaxS, r.Max, 8, true)
		case r.Kind == KindBinary || r.Kind == KindString || r.Kind == KindNULString:
			bound(PolicyAttrMinLen, r.Min, 4, false)
		default:
			bound(PolicyAttrMinU, r.Min, 8, false)
			bound(PolicyAttrMaxU, r.Max, 8, false)
		}
	case CheckFunc: // something is not told
		masked := isMaskable(r.Kind) && has(PolicyAttrMask)
		if isSigned(r.Kind) && has(PolicyAttrMinS, PolicyAttrMaxS) || isUnsigned(r.Kind) && has(PolicyAttrMinU, PolicyAttrMaxU) && !masked {
			t.Fatalf("%s, but there is a range", r.String())
		}
	case CheckNone:
		if isMaskable(r.Kind) && has(PolicyAttrMask) {
			t.Fatalf("%s, but there is a mask", r.String())
		}
	}
	if most := described(last, PolicyAttrMaxLen, 4, false); r.Len > 0 && most.Cmp(big.NewInt(int64(r.Len))) != 0 {
		t.Fatalf("at most %v, the rule is %s", most, r.String())
	}
	if r.Kind == KindBitfield32 {
		bound(PolicyAttrBitmask, int64(r.Mask), 4, false)
	}
}

// checkAgain writes the rule and reads it.
func checkAgain(t *testing.T, r Rule, ref NestRef) {
	t.Helper()
	write := func(r *Rule, ref NestRef) []byte {
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
