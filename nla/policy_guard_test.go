package nla

import (
	"errors"
	"testing"
)

var (
	sinkErrno  Errno
	sinkRule   Rule
	sinkString string
)

// policyRows are the rows of TestNoAllocs for policies: on input that passes,
// and without a *PolicyError on input that fails.
func policyRows(buf []byte) map[string]func() {
	p := (&Policy{Attrs: []Rule{
		1: {Kind: KindU32}, 2: {Kind: KindNULString, Len: 15}, 3: Range(KindS16, -5, 5), 4: Mask(KindU32, 3),
		5: Mask(KindBitfield32, 3), 6: Nest(&Policy{Attrs: []Rule{1: {Kind: KindU8}}}), 7: NestArray(devGet),
		8: {Kind: KindU8, Check: CheckFunc, Func: func(a Attr) error { return nil }},
		9: {Kind: KindU8, Check: CheckFunc, Func: func(a Attr) error { return errRefused }},
	}}).Compile()
	good := AppendCString(AppendUint32(nil, 1, 7), 2, "eth0")
	good = AppendUint32(AppendInt16(good, 3, -5), 4, 1)
	good = AppendBitfield32(good, 5, Bitfield32{1, 1})
	good = AppendBytes(good, 6|Nested, AppendUint8(nil, 1, 1))
	good = AppendBytes(good, 7|Nested, AppendBytes(nil, 1, AppendUint32(nil, 1, 9)))
	good = AppendUint8(good, 8, 0)
	var bad [][]byte
	for typ := range uint16(11) {
		bad = append(bad, AppendBytes(nil, typ, []byte{1, 2, 3}))
	}
	tb := make([]Attr, p.MaxType()+1)
	rules := []Rule{{Kind: KindUint}, Range(KindS64, -9, 9), Mask(KindU8, 7), Mask(KindBitfield32, 7), ExactLen(9), {Kind: KindReject}}
	described := AppendRule(nil, &rules[1])
	rule := func(f func() Rule) func() { return func() { sinkRule = f() } }
	return map[string]func(){
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
		"AppendRule": func() {
			for i := range rules {
				sinkBytes = AppendRule(buf[:0], &rules[i])
			}
		},
		"AppendNestRule": func() { sinkBytes = AppendNestRule(buf[:0], &p.Attrs[6], 1, 2) },
		"ParseRule":      func() { sinkRule, _, sinkErr = ParseRule(described) },
		"Kind.Exported":  func() { sinkBool = KindBE16.Exported() || Kind(99).Exported() },
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
		"PolicyError.Unwrap": func() {
			sinkErr = (&PolicyError{Errno: EINVAL}).Unwrap()
		},
	}
}

var errRefused = errors.New("refused")

// tableRows are the rows for a table with everything and one with nothing.
func tableRows() map[string]func() {
	full, empty := make(Table, 20), Table(nil)
	for i := range full {
		full[i], _ = Consume(AppendBytes(nil, uint16(i), make([]byte, i)))
	}
	get := func(f func(Table, uint16)) func() {
		return func() {
			for typ := range uint16(len(full)) {
				f(full, typ)
				f(empty, typ)
			}
		}
	}
	return map[string]func(){
		"Table.Get":        get(func(tb Table, typ uint16) { sinkAttr = tb.Get(typ) }),
		"Table.Has":        get(func(tb Table, typ uint16) { sinkBool = tb.Has(typ) }),
		"Table.Flag":       get(func(tb Table, typ uint16) { sinkBool = tb.Flag(typ) }),
		"Table.Uint8":      get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.Uint8(typ)) }),
		"Table.Uint16":     get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.Uint16(typ)) }),
		"Table.Uint32":     get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.Uint32(typ)) }),
		"Table.Uint64":     get(func(tb Table, typ uint16) { sinkU64 = tb.Uint64(typ) }),
		"Table.Int8":       get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.Int8(typ)) }),
		"Table.Int16":      get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.Int16(typ)) }),
		"Table.Int32":      get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.Int32(typ)) }),
		"Table.Int64":      get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.Int64(typ)) }),
		"Table.BE16":       get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.BE16(typ)) }),
		"Table.BE32":       get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.BE32(typ)) }),
		"Table.Uint":       get(func(tb Table, typ uint16) { sinkU64 = tb.Uint(typ) }),
		"Table.Sint":       get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.Sint(typ)) }),
		"Table.Bitfield32": get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.Bitfield32(typ).Value) }),
		"Table.Msecs":      get(func(tb Table, typ uint16) { sinkU64 = uint64(tb.Msecs(typ)) }),
		"Table.Text":       get(func(tb Table, typ uint16) { sinkBytes = tb.Text(typ) }),
		"Table.Bytes":      get(func(tb Table, typ uint16) { sinkBytes = tb.Bytes(typ) }),
	}
}

// A failure allocates one error value and no more.
func TestFailingParseAllocatesOneError(t *testing.T) {
	in := AppendUint8(nil, 1, 1)
	if n := testing.AllocsPerRun(100, func() { sinkErr = Validate(in, devGet, Strict) }); n != 1 || sinkErr == nil {
		t.Errorf("%v allocations, error %v; want one of each", n, sinkErr)
	}
}
