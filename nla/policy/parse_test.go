package policy

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"

	"github.com/google/go-cmp/cmp"
)

// The kernel's results in cases where mnl_attr_validate of libmnl or nla_validate of libnl
// differ. The names of the rows describe the difference.
func TestWhereOthersDiverge(t *testing.T) {
	str := &Policy{Attrs: []Rule{1: {Kind: KindNULString, Len: 7}, 2: {Kind: KindString, Len: 4}, 3: {Kind: KindNULString}}}
	num := &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: {Kind: KindU8}, 3: {Kind: KindFlag}, 4: {Kind: KindNested}, 5: {Kind: KindMsecs}}}
	text := func(typ uint16, s string) []byte { return nla.AppendText(nil, typ, s) }
	tests := []struct {
		name          string
		policy        *Policy
		in            []byte
		liberal       errno.Errno
		strict        errno.Errno
		strictMessage string
	}{
		{"an empty NUL string: errno.EINVAL, libmnl has errno.ERANGE", str, text(1, ""), errno.EINVAL, errno.EINVAL, msgGeneric},
		{"a NUL in the middle and none at the end: accepted, libmnl and libnl reject it", str, text(1, "ab\x00cd"), 0, 0, ""},
		{"the NUL after Len+1 bytes: rejected, libmnl and libnl accept it", str, text(1, "abcdefgh\x00"), errno.EINVAL, errno.EINVAL, msgGeneric},
		{"the NUL does not count against Len: libnl counts it", str, text(2, "abcd\x00"), 0, 0, ""},
		{"a NUL string without Len, NUL first: accepted", str, text(3, "\x00junk"), 0, 0, ""},
		{"a u32 of 8 bytes: liberal accepts it, libmnl has errno.ERANGE", num, nla.AppendUint64(nil, 1, 1), 0, errno.EINVAL, msgLength},
		{"a u32 of 2 bytes: errno.ERANGE or errno.EINVAL, depending on the mode", num, nla.AppendUint16(nil, 1, 1), errno.ERANGE, errno.EINVAL, msgLength},
		{"a msecs of 9 bytes: accepted in every mode", num, nla.AppendBytes(nil, 5, make([]byte, 9)), 0, 0, ""},
		{"an unknown type: skipped or rejected, libnl and libmnl skip it", num, nla.AppendUint8(nil, 9, 1), 0, errno.EINVAL, msgUnknown},
		{"type 0: skipped or rejected", num, nla.AppendUint8(nil, 0, 1), 0, errno.EINVAL, msgUnknown},
		{"a nest without the Nested bit: libnl and libmnl do not check it", num, nla.AppendBytes(nil, 4, nla.AppendFlag(nil, 1)), 0, errno.EINVAL, msgNoNest},
		{"an integer with the Nested bit: libnl and libmnl do not check it", num, nla.AppendUint32(nil, 1|nla.Nested, 1), 0, errno.EINVAL, msgNest},
		{"an empty nest", num, nla.AppendFlag(nil, 4|nla.Nested), 0, 0, ""},
		{"a nest of 3 bytes", num, nla.AppendBytes(nil, 4|nla.Nested, []byte{1, 2, 3}), errno.ERANGE, errno.ERANGE, msgGeneric},
		{"leftover bytes: a warning, or rejected", num, append(nla.AppendUint8(nil, 2, 1), 0), 0, errno.EINVAL, msgLeftover},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := judge(tt.in, tt.policy, Liberal); got.Errno != tt.liberal {
				t.Errorf("liberal: %+v, want errno %d", got, tt.liberal)
			}
			if got := judge(tt.in, tt.policy, Strict); got.Errno != tt.strict || got.Msg != tt.strictMessage {
				t.Errorf("strict: %+v, want errno %d, %q", got, tt.strict, tt.strictMessage)
			}
		})
	}
}

func TestParseFillsTheTable(t *testing.T) {
	p := &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: {Kind: KindString}, 3: {Kind: KindU8}, 4: {Kind: KindUnspec}}}
	in := nla.AppendUint32(nil, 1, 10)
	in = nla.AppendUint8(in, 9, 1) // unknown
	in = nla.AppendText(in, 2, "lo")
	in = nla.AppendUint32(in, 1|nla.NetByteOrder, 20) // the second of its type
	for _, slow := range []bool{false, true} {
		if slow {
			withoutLimits(p)
		}
		for size := range 40 {
			tb := &nla.Table{Stream: []byte{4, 0, 1, 0}, Slots: make([]uint32, size)}
			for i := range tb.Slots {
				tb.Slots[i] = nla.HeaderLen // from an earlier message
			}
			if err := Parse(tb, in, p, Liberal); err != nil {
				t.Fatal(err)
			}
			for typ := range tb.Slots {
				a := tb.Get(uint16(typ))
				want := map[int]string{1: "\x14\x00\x00\x00", 2: "lo"}[typ]
				if typ == 1 && !bytes.Equal(a, nla.AppendUint32(nil, 1|nla.NetByteOrder, 20)) {
					t.Errorf("table of %d: attribute 1 is % x, the last one wins", size, []byte(a))
				}
				if (a != nil) != (want != "") || typ == 2 && string(a.Payload()) != want || cap(a) != len(a) {
					t.Errorf("table of %d: attribute %d is % x", size, typ, []byte(a))
				}
			}
		}
	}
}

func TestParseWithoutAPolicy(t *testing.T) {
	in := nla.AppendUint8(nla.AppendUint8(nla.AppendUint8(nil, 1, 1), 5, 5), 0, 0)
	tb := &nla.Table{Slots: make([]uint32, 3)}
	if err := Parse(tb, in, nil, Liberal); err != nil || tb.Has(0) || !tb.Has(1) || tb.Has(2) {
		t.Errorf("liberal: %v, %v", tb, err)
	}
	for name, tt := range map[string]struct {
		in  []byte
		msg string
	}{
		"a type past the table": {nla.AppendUint8(nil, 3, 1), msgUnknown},
		"type 0":                {nla.AppendUint8(nil, 0, 1), msgUnknown},
		"leftover":              {append(nla.AppendUint8(nil, 1, 1), 1), msgLeftover},
	} {
		var policy *Error
		if err := Parse(tb, tt.in, nil, Strict); !errors.As(err, &policy) || policy.Errno != errno.EINVAL || policy.Msg != tt.msg {
			t.Errorf("%s: %v, want %q", name, err, tt.msg)
		}
	}
	if err := Validate(nla.AppendUint8(nil, 999, 1), nil, Strict); err != nil {
		t.Errorf("no table and no policy: %v", err)
	}
}

// StrictStart makes every mode strict for the attributes from that type on and for their
// contents, but not for unknown types and leftover bytes next to them.
func TestStrictStart(t *testing.T) {
	inner := &Policy{Attrs: []Rule{1: {Kind: KindU8}}}
	p := &Policy{StrictStart: 2, Attrs: []Rule{1: Nest(inner), 2: Nest(inner), 3: {Kind: KindUnspec}, 4: {Kind: KindU8}, 5: {Kind: KindNested}}}
	long := nla.AppendUint16(nil, 1, 1)
	for _, slow := range []bool{false, true} {
		if slow {
			withoutLimits(p)
		}
		for name, tt := range map[string]struct {
			in   []byte
			want string
		}{
			"before":                {nla.AppendBytes(nil, 1, long), ""},
			"flag missing":          {nla.AppendBytes(nil, 2, long), msgNoNest},
			"a bare nest":           {nla.AppendBytes(nil, 5, long), msgNoNest},
			"inside":                {nla.AppendBytes(nil, 2|nla.Nested, long), msgLength},
			"unknown inside":        {nla.AppendBytes(nil, 2|nla.Nested, nla.AppendUint8(nil, 7, 1)), msgUnknown},
			"leftover inside":       {nla.AppendBytes(nil, 2|nla.Nested, append(nla.AppendUint8(nil, 1, 1), 0)), msgLeftover},
			"unspec":                {nla.AppendUint8(nil, 3, 1), msgUnsupported},
			"integer too long":      {nla.AppendUint32(nil, 4, 1), msgLength},
			"unknown beside":        {nla.AppendUint8(nil, 9, 1), ""},
			"leftover is a warning": {append(nla.AppendUint8(nil, 4, 1), 0), msgLeftover},
		} {
			got := judge(tt.in, p, Liberal)
			refused := tt.want != "" && name != "leftover is a warning"
			if got.Msg != tt.want || (got.Errno != 0) != refused {
				t.Errorf("%s, slow %v: %+v, want %q", name, slow, got, tt.want)
			}
		}
	}
}

// Offsets count from the start of the outermost stream at any depth.
func TestOffsetsOfNestedAttributes(t *testing.T) {
	leaf := &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: {Kind: KindFlag}}}
	p := &Policy{Attrs: []Rule{1: {Kind: KindU8}, 2: Nest(&Policy{Attrs: []Rule{1: {Kind: KindU8}, 3: NestArray(leaf)}})}}
	b := nla.AppendUint8(nil, 1, 1) // 0..8
	outer := len(b)
	b = nla.Begin(b, 2)          // 8
	b = nla.AppendUint8(b, 1, 1) // 12..20
	array := len(b)
	b = nla.Begin(b, 3)                               // 20
	b = nla.AppendBytes(b, 1, nla.AppendFlag(nil, 2)) // entry 24..32
	b = nla.AppendFlag(b, 2)                          // an empty entry 32..36
	entry := len(b)
	b = nla.Begin(b, 3)           // 36
	b = nla.AppendUint32(b, 1, 1) // 40..48
	b = nla.AppendUint16(b, 1, 1) // 48: wrong
	b = nla.End(nla.End(nla.End(b, entry), array), outer)
	b = nla.AppendUint8(b, 1, 1)
	want := verdict{errno.EINVAL, msgLength, 48, "u32"}
	if diff := cmp.Diff(want, judge(b, p, Strict)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	short := nla.AppendBytes(nil, 2|nla.Nested, nla.AppendBytes(nil, 3|nla.Nested, nla.AppendBytes(nla.AppendFlag(nil, 1), 9, []byte{1, 2, 3})))
	if got := judge(short, p, Strict); got.Errno != errno.ERANGE || got.Msg != msgElement || got.Offset != 12 {
		t.Errorf("a short element: %+v", got)
	}
}

func TestRecursionEndsAtTenLevels(t *testing.T) {
	self := &Policy{Attrs: []Rule{0: {}, 1: {Kind: KindNested}, 2: {Kind: KindU8}}}
	self.Attrs[1].Nested = self
	array := &Policy{Attrs: []Rule{0: {}, 1: {Kind: KindNestedArray}}}
	array.Attrs[1].Nested = array
	for _, slow := range []bool{false, true} {
		for levels := range 13 {
			b := nla.AppendUint8(nil, 2, 1)
			for range levels {
				b = nla.AppendBytes(nil, 1|nla.Nested, b)
			}
			got := judge(b, self, Strict)
			if tooDeep := levels >= 10; (got.Errno == errno.EINVAL) != tooDeep || tooDeep && (got.Msg != msgDepth || got.Offset != -1) {
				t.Errorf("%d levels, slow %v: %+v", levels, slow, got)
			}
			deep := nla.AppendFlag(nil, 1|nla.Nested)
			for range levels {
				deep = nla.AppendBytes(nil, 1|nla.Nested, nla.AppendBytes(nil, 7, deep))
			}
			if got := judge(deep, array, Strict); (got.Errno == errno.EINVAL) != (levels >= 10) {
				t.Errorf("%d levels of arrays: %+v", levels, got)
			}
		}
		withoutLimits(self)
		withoutLimits(array)
	}
}

// Every attribute of 64 KB is checked once at any depth: the work is proportional to the bytes,
// not to bytes times levels.
func TestHostileInputTakesLinearWork(t *testing.T) {
	calls := 0
	count := func(nla.Attr) error { calls++; return nil }
	self := &Policy{Attrs: []Rule{1: {Kind: KindNested}, 2: {Check: CheckFunc, Func: count, Kind: KindFlag}}}
	self.Attrs[1].Nested = self
	const levels = maxDepth - 1
	var b []byte
	flags := 0
	for ; len(b) < nla.MaxPayload-(levels+1)*nla.HeaderLen; flags++ {
		b = nla.AppendFlag(b, 2)
	}
	for range levels {
		b = nla.AppendBytes(nil, 1|nla.Nested, b)
	}
	if got := judge(b, self, Strict); got.Errno != 0 || calls != flags {
		t.Errorf("%d calls for %d attributes in %d levels: %+v", calls, flags, levels, got)
	}
	calls = 0
	b = nla.AppendBytes(nil, 1|nla.Nested, b[:len(b)&^3])
	if got := judge(b, self, Strict); got.Msg != msgDepth || calls != 0 {
		t.Errorf("one level more: %d calls, %+v", calls, got)
	}
}

func TestFunctions(t *testing.T) {
	even := func(a nla.Attr) error {
		switch v, _ := a.Uint8(); {
		case v == 0:
			return &Error{Errno: errno.ERANGE, Report: Report{Msg: "zero"}}
		case v%2 == 1:
			return errors.New("odd")
		case v == 4:
			return errno.EBUSY
		case v == 6:
			return fmt.Errorf("in use: %w", errno.EBUSY)
		case v == 8:
			return fmt.Errorf("wrapped: %w", &Error{Errno: errno.ENODEV, Report: Report{Msg: "gone"}})
		}
		return nil
	}
	p := &Policy{Attrs: []Rule{1: {Kind: KindU8, Check: CheckFunc, Func: even}, 2: {Kind: KindU8, Check: CheckFunc}}}
	for v, want := range map[uint8]verdict{0: {errno.ERANGE, "zero", 0, ""}, 1: {errno.EINVAL, "odd", 0, ""}, 2: {0, "", -1, ""},
		4: {errno.EBUSY, "device or resource busy", 0, ""}, 6: {errno.EBUSY, "in use: device or resource busy", 0, ""}, 8: {errno.ENODEV, "gone", 0, ""},
	} {
		if diff := cmp.Diff(want, judge(nla.AppendUint8(nil, 1, v), p, Strict)); diff != "" {
			t.Errorf("%d: -want +got:\n%s", v, diff)
		}
	}
	if got := judge(nla.AppendUint8(nil, 2, 1), p, Strict); got.Errno != 0 {
		t.Errorf("no function: %+v", got)
	}
}

// A failure after a leftover overwrites its text, as in the kernel. If the failure has no text,
// the text of the leftover stays.
func TestReportsAccumulate(t *testing.T) {
	p := &Policy{Attrs: []Rule{1: Nest(&Policy{Attrs: []Rule{1: {Kind: KindU8}}}), 2: {Kind: KindU8}, 3: {Kind: KindString, Check: CheckRange}}}
	leftover := nla.AppendBytes(nil, 1, []byte{5, 0, 1, 0, 9, 0, 0, 0, 1})
	if got := judge(nla.AppendBytes(bytes.Clone(leftover), 2, nil), p, Liberal); got.Msg != msgGeneric || got.Offset != 16 {
		t.Errorf("%+v", got)
	}
	if got := judge(nla.AppendText(bytes.Clone(leftover), 3, "x"), p, Liberal); got.Errno != errno.EINVAL || got.Msg != msgLeftover || got.Offset != -1 {
		t.Errorf("range check on a string: %+v", got)
	}
}

func TestPolicyCheck(t *testing.T) {
	self := &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: {Kind: KindNested}}}
	self.Attrs[2].Nested = self
	for _, p := range []*Policy{getFamily, getPolicy, devGet, stringSet, tcpMetric, self, {}} {
		if err := p.Check(); err != nil {
			t.Errorf("a valid policy: %v", err)
		}
	}
	bad := map[string]Rule{
		"a range is for":         {Kind: KindString, Check: CheckRange, Max: 1},
		"no value":               Range(KindU8, 5, 4),
		"no value is":            Range(KindS8, 5, 4),
		"CheckMask is":           {Kind: KindS8, Check: CheckMask},
		"without a Mask":         {Kind: KindBitfield32},
		"Nested is for":          {Kind: KindU8, Nested: getFamily},
		"Func without":           {Kind: KindU8, Func: func(nla.Attr) error { return nil }},
		"Mask without":           {Kind: KindU32, Mask: 1},
		"without a range":        {Kind: KindU32, Min: 1},
		"Len is unused":          {Kind: KindNested, Len: 3},
		"Reject is for":          {Kind: KindU8, Reject: "no"},
		"without Func":           {Kind: KindU8, Check: CheckFunc},
		"CheckRangeWarnTooLong":  {Kind: KindU8, Check: CheckRangeWarnTooLong},
		"no such kind":           {Kind: 99},
		"no such check":          {Check: 99},
		"reject: a range is for": {Kind: KindReject, Check: CheckMin},
	}
	for want, r := range bad {
		p := &Policy{Attrs: []Rule{1: Nest(&Policy{Attrs: []Rule{7: r}})}}
		if err := p.Check(); !errors.Is(err, ErrContradictory) || !strings.Contains(err.Error(), "attribute 1/7: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	late := &Policy{StrictStart: 9, Attrs: []Rule{1: {Kind: KindU8}}}
	if err := late.Check(); !errors.Is(err, ErrContradictory) {
		t.Errorf("StrictStart past the end: %v", err)
	}
}

func TestModeAndKindNames(t *testing.T) {
	for m, want := range map[Mode]string{
		Liberal: "liberal", DeprecatedStrict: "deprecated-strict", Strict: "strict",
		ValidateTrailing: "trailing", ValidateMaxType | ValidateNested: "maxtype|nested", 0x40 | ValidateUnspec | ValidateStrictAttrs: "unspec|strict-attrs|0x40",
	} {
		if got := m.String(); got != want {
			t.Errorf("Mode %d = %q, want %q", m, got, want)
		}
	}
	for k := range maxKind + 1 {
		if k.String() == "" || k.String() == "kind?" {
			t.Errorf("kind %d has no name", k)
		}
	}
	if got := Kind(99).String(); got != "kind?" {
		t.Errorf("kind 99 is %q", got)
	}
}

func TestTableReadsLikeTheKernel(t *testing.T) {
	b := nla.AppendUint64(nil, 1, 0x8000000000000005)
	b = nla.AppendInt8(b, 2, -1)
	b = nla.AppendBE32(nla.AppendBE16(b, 3, 80), 4, 0x7f000001)
	b = nla.AppendSint(nla.AppendSint(b, 5, -2), 6, -1<<40)
	b = nla.AppendUint(nla.AppendUint(b, 7, 9), 8, 1<<40)
	b = nla.AppendBitfield32(b, 9, nla.Bitfield32{Value: 1, Selector: 3})
	b = nla.AppendMsecs(b, 10, time.Minute)
	b = nla.AppendFlag(b, 11)
	b = nla.AppendCString(b, 12, "eth0")
	b = nla.AppendText(b, 13, "lo")
	b = nla.AppendUint64(b, 14, 1<<63)
	b = nla.AppendInt64(nla.AppendInt32(nla.AppendInt16(b, 15, -3), 16, -4), 17, -5)
	tb := &nla.Table{Slots: make([]uint32, 20)}
	if err := Parse(tb, b, nil, Strict); err != nil {
		t.Fatal(err)
	}
	got := []any{
		tb.Uint64(1), tb.Int8(2), tb.BE16(3), tb.BE32(4), tb.Sint(5), tb.Sint(6), tb.Uint(7), tb.Uint(8), tb.Bitfield32(9),
		tb.Msecs(10), tb.Flag(11), string(tb.Text(12)), string(tb.Text(13)), string(tb.Bytes(12)), tb.Msecs(14),
		tb.Int16(15), tb.Int32(16), tb.Int64(17), tb.Has(18), tb.Has(999), tb.Get(999) == nil, tb.Text(18) == nil, tb.Bytes(18) == nil,
	}
	want := []any{
		uint64(0x8000000000000005), int8(-1), uint16(80), uint32(0x7f000001), int64(-2), int64(-1 << 40), uint64(9), uint64(1 << 40),
		nla.Bitfield32{Value: 1, Selector: 3}, time.Minute, true, "eth0", "lo", "eth0\x00", time.Duration(1<<63 - 1),
		int16(-3), int32(-4), int64(-5), false, false, true, true, true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// Attributes that are too long, which liberal modes accept, read as their first bytes;
	// attributes that are too short read as zero.
	long := &nla.Table{Slots: make([]uint32, 3)}
	if err := Parse(long, nla.AppendUint8(nla.AppendBytes(nil, 1, []byte{1, 1, 1, 1, 1, 1, 1, 1, 9}), 2, 7), nil, Liberal); err != nil {
		t.Fatal(err)
	}
	if long.Uint8(1) != 1 || long.Uint16(1) != 0x101 || long.Uint32(1) != 0x1010101 || long.Uint64(1) != 0x101010101010101 {
		t.Errorf("too long: %#x %#x %#x %#x", long.Uint8(1), long.Uint16(1), long.Uint32(1), long.Uint64(1))
	}
	if long.Uint16(2) != 0 || long.Uint32(2) != 0 || long.Uint64(2) != 0 || long.BE16(2) != 0 || long.BE32(2) != 0 || long.Uint(2) != 0 || long.Bitfield32(2) != (nla.Bitfield32{}) {
		t.Error("too short does not read as zero")
	}
}

func TestRuleTexts(t *testing.T) {
	tests := []struct {
		rule Rule
		want string
	}{
		{Rule{Kind: KindU32}, "u32"},
		{Range(KindU32, 1, 10), "u32 of 1..10"},
		{RangeUnsigned(KindU64, 1, 1<<64-1), "u64 of 1..18446744073709551615"},
		{Min(KindS8, -3), "s8 of -3.."},
		{Max(KindU8, 3), "u8 of ..3"},
		{Mask(KindU8, 5), "u8 with bits of 0x5"},
		{Mask(KindBitfield32, 5), "bitfield32 with bits of 0x5"},
		{Rule{Kind: KindNULString, Len: 15}, "nul-string of at most 15 bytes"},
		{ExactLen(6), "binary of 6 bytes"},
		{Rule{Kind: KindU16, Check: CheckFunc}, "u16 that a function checks"},
		{Rule{Kind: KindNested}, "nested"},
	}
	for _, tt := range tests {
		if got := tt.rule.String(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
