package policy

import (
	"errors"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/nla"
)

// The compiler cannot drop calls with results stored here.
var (
	sinkErr    error
	sinkInt    int
	sinkU64    uint64
	sinkErrno  errno.Errno
	sinkRule   Rule
	sinkString string
)

// Validation allocates nothing on valid input, and only the error on invalid input.
func TestNoAllocs(t *testing.T) {
	p := (&Policy{Attrs: []Rule{
		1: {Kind: KindU32}, 2: {Kind: KindNULString, Len: 15}, 3: Range(KindS16, -5, 5), 4: Mask(KindU32, 3),
		5: Mask(KindBitfield32, 3), 6: Nest(&Policy{Attrs: []Rule{1: {Kind: KindU8}}}), 7: NestArray(devGet),
		8: {Kind: KindU8, Check: CheckFunc, Func: func(a nla.Attr) error { return nil }},
		9: {Kind: KindU8, Check: CheckFunc, Func: func(a nla.Attr) error { return errRefused }},
	}}).Compile()
	good := nla.AppendCString(nla.AppendUint32(nil, 1, 7), 2, "eth0")
	good = nla.AppendUint32(nla.AppendInt16(good, 3, -5), 4, 1)
	good = nla.AppendBitfield32(good, 5, nla.Bitfield32{Value: 1, Selector: 1})
	good = nla.AppendBytes(good, 6|nla.Nested, nla.AppendUint8(nil, 1, 1))
	good = nla.AppendBytes(good, 7|nla.Nested, nla.AppendBytes(nil, 1, nla.AppendUint32(nil, 1, 9)))
	good = nla.AppendUint8(good, 8, 0)
	var bad [][]byte
	for typ := range uint16(11) {
		bad = append(bad, nla.AppendBytes(nil, typ, []byte{1, 2, 3}))
	}
	tb := &nla.Table{Slots: make([]uint32, p.MaxType()+1)}
	rule := func(f func() Rule) func() { return func() { sinkRule = f() } }
	guard.Allocs(t, map[string]func(){
		"Parse": func() { sinkErr = Parse(tb, good, p, Strict); sinkErr = Parse(tb, good, nil, Strict) },
		"Validate": func() {
			if sinkErr = Validate(good, p, Strict); sinkErr != nil {
				panic(sinkErr)
			}
		},
		"ParseReport": func() {
			var r Report
			sinkErrno = ParseReport(tb, good, p, Strict, &r)
			for _, b := range bad {
				sinkErrno = ParseReport(tb, b, p, Strict, &r)
				sinkErrno = ParseReport(tb, b, p, Liberal, &r)
			}
		},
		"Kind.String":    func() { sinkString = KindU8.String(); sinkString = Kind(99).String() },
		"Policy.MaxType": func() { sinkInt = p.MaxType() + (&Policy{}).MaxType() },
		"Range":          rule(func() Rule { return Range(KindU8, 1, 2) }),
		"RangeUnsigned":  rule(func() Rule { return RangeUnsigned(KindU64, 1, 1<<63) }),
		"Min":            rule(func() Rule { return Min(KindU8, 1) }),
		"Max":            rule(func() Rule { return Max(KindU8, 1) }),
		"Mask":           rule(func() Rule { return Mask(KindU8, 1) }),
		"ExactLen":       rule(func() Rule { return ExactLen(6) }),
		"ExactLenWarn":   rule(func() Rule { return ExactLenWarn(6) }),
		"MinLen":         rule(func() Rule { return MinLen(6) }),
		"MaxLen":         rule(func() Rule { return MaxLen(6) }),
		"Nest":           rule(func() Rule { return Nest(p) }),
		"NestArray":      rule(func() Rule { return NestArray(p) }),
		"Error.Unwrap": func() {
			sinkErr = (&Error{Errno: errno.EINVAL}).Unwrap()
		},
		"Rule.SignedRange":   func() { sinkRule.Min, _, _ = (&Rule{Kind: KindS16}).SignedRange() },
		"Rule.UnsignedRange": func() { _, sinkU64, _ = (&Rule{Kind: KindU16}).UnsignedRange() },
	}, map[string]string{
		"Error.Error":    "returns text",
		"Mode.String":    "returns text",
		"Rule.String":    "returns text",
		"Policy.Compile": "allocates what later calls use",
		"Policy.Check":   "for tests, once per policy",
	})
}

func TestImports(t *testing.T) {
	guard.Imports(t, "fmt", "reflect")
	guard.OnlyIn(t, "unsafe", "unsafe.go")
}

var errRefused = errors.New("refused")

// A failure allocates exactly one error value.
func TestFailingParseAllocatesOneError(t *testing.T) {
	in := nla.AppendUint8(nil, 1, 1)
	if n := testing.AllocsPerRun(100, func() { sinkErr = Validate(in, devGet, Strict) }); n != 1 || sinkErr == nil {
		t.Errorf("%v allocations, error %v; want one of each", n, sinkErr)
	}
}
