package nla

import (
	"reflect"
	"testing"
)

// Descriptions that no kernel sends yet. What does not fit a Rule must not make
// it stricter than what was described.
func TestRuleDescriptionsBeyondTheKernels(t *testing.T) {
	typ := func(b []byte, k Kind) []byte { return AppendUint32(b, PolicyAttrType, typeOf[k]) }
	length := func(least, most uint32) []byte {
		return AppendUint32(AppendUint32(nil, PolicyAttrMinLen, least), PolicyAttrMaxLen, most)
	}
	for name, tt := range map[string]struct {
		b    []byte
		want Rule
	}{
		"mask of 33 bits":       {typ(AppendUint64(nil, PolicyAttrMask, 1<<32|1), KindU64), Rule{Kind: KindU64, Check: CheckFunc}},
		"mask of 32 bits":       {typ(AppendUint64(nil, PolicyAttrMask, 1<<32-1), KindU64), Mask(KindU64, 1<<32-1)},
		"mask of a flag":        {typ(AppendUint64(nil, PolicyAttrMask, 1), KindFlag), Rule{Kind: KindFlag}},
		"most of 2^16 + 1":      {typ(AppendUint32(nil, PolicyAttrMaxLen, 1<<16+1), KindBinary), Rule{Kind: KindBinary}},
		"most of 2^16 - 2":      {typ(AppendUint32(nil, PolicyAttrMaxLen, 1<<16-2), KindBinary), Rule{Kind: KindBinary, Len: 1<<16 - 2}},
		"least of 0":            {typ(length(0, 15), KindNULString), Rule{Kind: KindNULString, Len: 15}},
		"least, most of 2^32-1": {typ(length(2, 1<<32-1), KindBinary), Range(KindBinary, 2, 1<<16-1)},
	} {
		if got, _, err := ParseRule(tt.b); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, tt.want)
		}
	}
}
