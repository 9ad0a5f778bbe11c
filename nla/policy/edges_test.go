package policy

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/edges"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/internal/test/slow"
	"github.com/nlwire/nlwire/nla"
)

// TestEdges calls every exported function with extreme arguments, like the test of the same name
// in package nla. Package fuzz compares the results of rules with an oracle.
func TestEdges(t *testing.T) {
	guard.Edges(t, map[string]func(*testing.T){
		"ParseReport":    edgesOfParse,
		"Policy.Compile": edgesOfRules,
		"Policy.MaxType": func(t *testing.T) {
			for _, size := range []int{0, 1, 2, 1 << 14, 1<<16 - 1, 1 << 16, 1<<16 + 1} {
				if got := (&Policy{Attrs: make([]Rule, size)}).Compile().MaxType(); got != max(size-1, 0) {
					t.Errorf("%d rules: %d", size, got)
				}
			}
		},
		"Kind.String": func(t *testing.T) {
			for k := range 256 {
				if s := Kind(k).String(); s == "" || (s == "kind?") != (k > int(maxKind)) {
					t.Errorf("kind %d: %q", k, s)
				}
			}
		},
		"Mode.String": func(t *testing.T) {
			seen := map[string]int{}
			for m := range 256 {
				s := Mode(m).String()
				if other, ok := seen[s]; ok || s == "" || s[0] == '|' || (m > int(Strict)) != strings.Contains(s, "0x") {
					t.Errorf("mode %d: %q, as mode %d", m, s, other)
				}
				seen[s] = m
			}
		},
		"Error.Error": func(t *testing.T) {
			if (&Error{}).Error() == "" {
				t.Error("no text")
			}
			for _, offset := range edges.Ints() {
				e := &Error{math.MaxUint32, Report{HasAttr: true, Offset: offset, Type: math.MaxUint16, Policy: &Rule{Kind: 255}}}
				if s := e.Error(); !strings.Contains(s, " at offset "+strconv.Itoa(offset)+" ") {
					t.Errorf("offset %d: %q", offset, s)
				}
			}
		},
		"Error.Unwrap": func(t *testing.T) {
			for _, e := range []errno.Errno{0, 22, math.MaxUint32} {
				if !errors.Is(&Error{Errno: e}, e) {
					t.Errorf("errno %d is not in its error", uint32(e))
				}
			}
		},
		"Range": edgesOfRanges,
		"Mask": func(t *testing.T) {
			for k := range 256 {
				for _, mask := range []uint32{0, 1, 1 << 31, math.MaxUint32} {
					want := Rule{Kind: Kind(k), Mask: mask}
					if Kind(k) != KindBitfield32 {
						want.Check = CheckMask
					}
					if got := Mask(Kind(k), mask); !reflect.DeepEqual(got, want) {
						t.Errorf("%+v, want %+v", got, want)
					}
				}
			}
		},
		"ExactLen":     func(t *testing.T) { edgesOfLengths(t, ExactLen, CheckRange, true, true) },
		"ExactLenWarn": func(t *testing.T) { edgesOfLengths(t, ExactLenWarn, CheckRangeWarnTooLong, true, true) },
		"MinLen":       func(t *testing.T) { edgesOfLengths(t, MinLen, CheckMin, true, false) },
		"MaxLen":       func(t *testing.T) { edgesOfLengths(t, MaxLen, CheckMax, false, true) },
		"Nest":         func(t *testing.T) { edgesOfNests(t, Nest, KindNested) },
		"NestArray":    func(t *testing.T) { edgesOfNests(t, NestArray, KindNestedArray) },
	}, map[string]string{
		"Parse": "with ParseReport", "Validate": "with ParseReport",
		"Policy.Check": "with Compile", "Rule.String": "with Compile", "Rule.SignedRange": "with Compile", "Rule.UnsignedRange": "with Compile",
		"RangeUnsigned": "with Range", "Min": "with Range", "Max": "with Range",
	})
}

// edgesOfParse validates streams without a policy, with an empty one, and with one that accepts
// all lengths, into tables of extreme lengths.
func edgesOfParse(t *testing.T) {
	binary := &Policy{Attrs: make([]Rule, 1<<14)}
	for typ := range binary.Attrs {
		binary.Attrs[typ].Kind = KindBinary
	}
	slowly := withoutLimits(&Policy{Attrs: binary.Attrs})
	try := func(b []byte) {
		all, rem := slow.Walk(b)
		rem = max(rem, 0) // negative if the padding is missing
		for _, size := range []int{0, 1, 2, 7, 8, 29, 400} {
			if size > 29 && len(b) > 24 {
				continue
			}
			for _, p := range []*Policy{nil, {}, binary, slowly} {
				tb := &nla.Table{Slots: make([]uint32, size)}
				for i := range tb.Slots {
					tb.Slots[i] = 1 << i // a slot from an earlier message
				}
				var r Report
				code := ParseReport(tb, b, p, Liberal, &r)
				err := Parse(tb, b, p, Liberal)
				if code != 0 || err != nil || Validate(b, p, Liberal) != nil || (r.Msg == msgLeftover) != (rem > 0) || r.HasAttr {
					t.Errorf("%d bytes, table of %d: errno %d, %v, %+v; %d leftover bytes", len(b), size, code, err, r, rem)
				}
				last := map[int]slow.Attr{}
				for _, a := range all {
					if a.Type > 0 && (p == nil || len(p.Attrs) > 0) {
						last[int(a.Type)] = a
					}
				}
				for typ := range tb.Slots {
					a := tb.Get(uint16(typ))
					if want, ok := last[typ]; ok {
						edges.View(t, a, b, want.At, 4+len(want.Payload), "type %d in %d bytes", typ, len(b))
					} else if a != nil {
						t.Errorf("%d bytes, table of %d: type %d is % x", len(b), size, typ, []byte(a[:min(len(a), 24)]))
					}
				}
				if code := ParseReport(nil, b, p, ValidateTrailing, new(Report)); (code == 0) != (rem == 0) {
					t.Errorf("%d bytes, %d leftover: errno %d", len(b), rem, code)
				}
			}
		}
	}
	for _, b := range edges.Streams(2) {
		edges.Fence(b, try)
	}
	for _, s := range seeds.Attributes() {
		edges.Fence(s.B, try)
	}
}

// edgesOfRules validates payloads of all lengths with rules of all kinds and checks, including
// undefined ones, and with extreme limits. The result is the same on the slow path, and with and
// without a table.
func edgesOfRules(t *testing.T) {
	var streams [][]byte
	for _, size := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 1<<15 - 1, nla.MaxPayload - 1, nla.MaxPayload} {
		for _, flags := range []uint16{0, nla.Nested} {
			streams = append(streams, nla.AppendBytes(nil, 1|flags, make([]byte, size)))
		}
	}
	for kind := range 25 {
		if kind == 24 {
			kind = 255
		}
		for check := range 9 {
			for i, limit := range []int64{0, 1, 8, math.MaxUint16, math.MaxInt64, math.MinInt64} {
				r := Rule{Kind: Kind(kind), Check: Check(check), Len: uint16(limit), Mask: uint32(limit), Min: limit, Max: -limit - 1}
				if r.Check == 8 {
					r.Check = 255
				}
				if i%2 == 1 {
					r.Nested = &Policy{}
				}
				if lo, hi, ok := r.SignedRange(); ok != isSigned(r.Kind) || !ok && (lo != 0 || hi != 0) {
					t.Errorf("%+v: %d to %d, %v", r, lo, hi, ok)
				}
				if lo, hi, ok := r.UnsignedRange(); ok != (isUnsigned(r.Kind) && r.Kind != KindBinary) || !ok && (lo != 0 || hi != 0) {
					t.Errorf("%+v: %d to %d, %v", r, lo, hi, ok)
				}
				if r.String() == "" {
					t.Errorf("%+v: no text", r)
				}
				for _, start := range []uint16{0, 1, 2, math.MaxUint16} {
					quick := &Policy{Attrs: []Rule{1: r}, StrictStart: start}
					slowly := &Policy{Attrs: quick.Attrs, StrictStart: start}
					slowly.compiled.Store(noLimits)
					if quick.Check() == nil && (start > 1 || kind > int(maxKind)) {
						t.Errorf("%+v from %d: no contradiction", r, start)
					}
					for _, b := range streams {
						for _, mode := range []Mode{Liberal, DeprecatedStrict, Strict, 255} {
							sameEdges(t, b, slowly, quick, mode)
						}
					}
				}
			}
		}
	}
}

func sameEdges(t *testing.T, b []byte, slowly, quick *Policy, mode Mode) {
	t.Helper()
	var want, got Report
	tb, tb2 := &nla.Table{Slots: make([]uint32, 2)}, &nla.Table{Slots: make([]uint32, 2)}
	code := ParseReport(tb, b, slowly, mode, &want)
	if c := ParseReport(tb2, b, quick, mode, &got); c != code || got != want || c == 0 && (string(tb.Get(1)) != string(b[:len(tb.Get(1))]) || len(tb.Get(1)) != len(tb2.Get(1)) || tb.Get(1) == nil) {
		t.Errorf("%+v, mode %v, % x: errno %d, %+v, with limits errno %d, %+v", quick.Attrs[1], mode, b[:min(len(b), 24)], code, want, c, got)
	}
	for _, p := range []*Policy{slowly, quick} {
		if err := Validate(b, p, mode); (err == nil) != (code == 0) || err != nil && !errors.Is(err, code) {
			t.Errorf("%+v, mode %v, % x: %v, want errno %d", quick.Attrs[1], mode, b[:min(len(b), 24)], err, code)
		}
	}
}

func edgesOfRanges(t *testing.T) {
	limits := []int64{0, 1, -1, math.MinInt64, math.MaxInt64, math.MaxInt32, math.MaxInt32 - 2, 1<<16 - 1, 1 << 16}
	for k := range 256 {
		for _, lo := range limits {
			for _, hi := range limits {
				k := Kind(k)
				for _, tt := range []struct{ got, want Rule }{
					{Range(k, lo, hi), Rule{Kind: k, Check: CheckRange, Min: lo, Max: hi}},
					{RangeUnsigned(k, uint64(lo), uint64(hi)), Rule{Kind: k, Check: CheckRange, Min: lo, Max: hi}},
					{Min(k, lo), Rule{Kind: k, Check: CheckMin, Min: lo}},
					{Max(k, hi), Rule{Kind: k, Check: CheckMax, Max: hi}},
				} {
					if !reflect.DeepEqual(tt.got, tt.want) {
						t.Errorf("%+v, want %+v", tt.got, tt.want)
					}
				}
			}
		}
	}
}

func edgesOfLengths(t *testing.T, f func(uint16) Rule, check Check, hasMin, hasMax bool) {
	for _, n := range edges.Uint16s() {
		want := Rule{Kind: KindBinary, Check: check}
		if hasMin {
			want.Min = int64(n)
		}
		if hasMax {
			want.Max = int64(n)
		}
		if got := f(n); !reflect.DeepEqual(got, want) {
			t.Errorf("%d: %+v, want %+v", n, got, want)
		}
	}
}

// A nest without a policy may be empty or contain at least the bytes of one header, with any
// contents.
func edgesOfNests(t *testing.T, f func(*Policy) Rule, kind Kind) {
	if r := f(nil); r.Kind != kind || r.Nested != nil {
		t.Errorf("%+v", r)
	}
	for _, p := range []*Policy{{Attrs: []Rule{1: f(nil)}}, withoutLimits(&Policy{Attrs: []Rule{1: f(nil)}})} {
		for size := range 9 {
			if err := Validate(nla.AppendBytes(nil, 1|nla.Nested, make([]byte, size)), p, Strict); (err == nil) != (size == 0 || size >= 4) {
				t.Errorf("a nest of %d bytes: %v", size, err)
			}
		}
	}
	itself := &Policy{Attrs: make([]Rule, 2)}
	itself.Attrs[1] = f(itself)
	if itself.Compile() != itself || itself.Check() != nil {
		t.Error("Check of a policy that nests itself failed")
	}
}

// A stream may be as long as a slice can be.
func TestEdgesOfHugeStreams(t *testing.T) {
	huge := edges.Reserve(t, math.MaxInt32)
	p := &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: {Kind: KindBinary}}}
	copy(huge, nla.AppendUint32(nla.AppendBytes(nil, 2, make([]byte, nla.MaxPayload)), 1, 7))
	for _, p := range []*Policy{nil, p, withoutLimits(&Policy{Attrs: p.Attrs})} {
		var r Report
		tb := &nla.Table{Slots: make([]uint32, 3)}
		if code := ParseReport(tb, huge, p, Liberal, &r); code != 0 || r.Msg != msgLeftover || len(tb.Get(1)) != 8 || len(tb.Get(2)) != nla.MaxPayload+4 {
			t.Errorf("errno %d, %+v, attributes of %d and %d bytes", code, r, len(tb.Get(1)), len(tb.Get(2)))
		}
		if err := Parse(tb, huge, p, Strict); !errors.Is(err, errno.EINVAL) {
			t.Error(err)
		}
	}
}
