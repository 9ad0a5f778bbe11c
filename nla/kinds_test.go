package nla

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/internal/test/golden"
)

// kind is one row of the round-trip table: a value and its bytes, checked in both directions. The
// bytes are literals for both byte orders.
type kind struct {
	name        string
	little, big string
	put         func(b []byte) []byte
	get         func(a Attr) (any, error)
	value       any
}

var kinds = []kind{
	{
		"u8", "0500 0100 80 000000", "0005 0001 80 000000",
		func(b []byte) []byte { return AppendUint8(b, 1, 0x80) },
		func(a Attr) (any, error) { return a.Uint8() }, uint8(0x80),
	},
	{
		"u16", "0600 0100 0280 0000", "0006 0001 8002 0000",
		func(b []byte) []byte { return AppendUint16(b, 1, 0x8002) },
		func(a Attr) (any, error) { return a.Uint16() }, uint16(0x8002),
	},
	{
		"u32", "0800 0100 04030280", "0008 0001 80020304",
		func(b []byte) []byte { return AppendUint32(b, 1, 0x80020304) },
		func(a Attr) (any, error) { return a.Uint32() }, uint32(0x80020304),
	},
	{
		"u64", "0c00 0100 0807060504030280", "000c 0001 8002030405060708",
		func(b []byte) []byte { return AppendUint64(b, 1, 0x8002030405060708) },
		func(a Attr) (any, error) { return a.Uint64() }, uint64(0x8002030405060708),
	},
	{
		"s8", "0500 0100 fe 000000", "0005 0001 fe 000000",
		func(b []byte) []byte { return AppendInt8(b, 1, -2) },
		func(a Attr) (any, error) { return a.Int8() }, int8(-2),
	},
	{
		"s16", "0600 0100 feff 0000", "0006 0001 fffe 0000",
		func(b []byte) []byte { return AppendInt16(b, 1, -2) },
		func(a Attr) (any, error) { return a.Int16() }, int16(-2),
	},
	{
		"s32", "0800 0100 feffffff", "0008 0001 fffffffe",
		func(b []byte) []byte { return AppendInt32(b, 1, -2) },
		func(a Attr) (any, error) { return a.Int32() }, int32(-2),
	},
	{
		"s64", "0c00 0100 feffffffffffffff", "000c 0001 fffffffffffffffe",
		func(b []byte) []byte { return AppendInt64(b, 1, -2) },
		func(a Attr) (any, error) { return a.Int64() }, int64(-2),
	},
	{
		"be16", "0600 0140 8002 0000", "0006 4001 8002 0000",
		func(b []byte) []byte { return AppendBE16(b, 1|NetByteOrder, 0x8002) },
		func(a Attr) (any, error) { return a.BE16() }, uint16(0x8002),
	},
	{
		"be32", "0800 0100 80020304", "0008 0001 80020304",
		func(b []byte) []byte { return AppendBE32(b, 1, 0x80020304) },
		func(a Attr) (any, error) { return a.BE32() }, uint32(0x80020304),
	},
	{
		"be64", "0c00 0100 8002030405060708", "000c 0001 8002030405060708",
		func(b []byte) []byte { return AppendBE64(b, 1, 0x8002030405060708) },
		func(a Attr) (any, error) { return a.BE64() }, uint64(0x8002030405060708),
	},
	{
		"uint, 4 bytes", "0800 0100 ffffffff", "0008 0001 ffffffff",
		func(b []byte) []byte { return AppendUint(b, 1, math.MaxUint32) },
		func(a Attr) (any, error) { return a.Uint() }, uint64(math.MaxUint32),
	},
	{
		"uint, 8 bytes", "0c00 0100 0000000001000000", "000c 0001 0000000100000000",
		func(b []byte) []byte { return AppendUint(b, 1, math.MaxUint32+1) },
		func(a Attr) (any, error) { return a.Uint() }, uint64(math.MaxUint32 + 1),
	},
	{
		"sint, 4 bytes", "0800 0100 00000080", "0008 0001 80000000",
		func(b []byte) []byte { return AppendSint(b, 1, math.MinInt32) },
		func(a Attr) (any, error) { return a.Sint() }, int64(math.MinInt32),
	},
	{
		"sint, 8 bytes", "0c00 0100 0000008000000000", "000c 0001 0000000080000000",
		func(b []byte) []byte { return AppendSint(b, 1, math.MaxInt32+1) },
		func(a Attr) (any, error) { return a.Sint() }, int64(math.MaxInt32 + 1),
	},
	{
		"bitfield32", "0c00 0100 01000000 03000000", "000c 0001 00000001 00000003",
		func(b []byte) []byte { return AppendBitfield32(b, 1, Bitfield32{Value: 1, Selector: 3}) },
		func(a Attr) (any, error) { return a.Bitfield32() }, Bitfield32{Value: 1, Selector: 3},
	},
	{
		"msecs", "0c00 0100 dc05000000000000", "000c 0001 00000000000005dc",
		func(b []byte) []byte { return AppendMsecs(b, 1, 1500*time.Millisecond+time.Microsecond) },
		func(a Attr) (any, error) { return a.Msecs() }, 1500 * time.Millisecond,
	},
	{
		"flag", "0400 0100", "0004 0001",
		func(b []byte) []byte { return AppendFlag(b, 1) },
		func(a Attr) (any, error) { return a.Flag() }, true,
	},
	{
		"string with NUL", "0900 0100 6574683000 000000", "0009 0001 6574683000 000000",
		func(b []byte) []byte { return AppendCString(b, 1, "eth0") },
		func(a Attr) (any, error) { v, err := a.CString(); return string(v), err }, "eth0",
	},
	{
		"string with NUL, aligned", "0800 0100 6c6f3000", "0008 0001 6c6f3000",
		func(b []byte) []byte { return AppendCString(b, 1, "lo0") },
		func(a Attr) (any, error) { v, err := a.CString(); return string(v), err }, "lo0",
	},
	{
		"empty string with NUL", "0500 0100 00 000000", "0005 0001 00 000000",
		func(b []byte) []byte { return AppendCString(b, 1, "") },
		func(a Attr) (any, error) { v, err := a.CString(); return string(v), err }, "",
	},
	{
		"string without NUL", "0600 0100 6c6f 0000", "0006 0001 6c6f 0000",
		func(b []byte) []byte { return AppendText(b, 1, "lo") },
		func(a Attr) (any, error) { v, err := a.Text(); return string(v), err }, "lo",
	},
	{
		"binary", "0b00 0100 01020304050607 00", "000b 0001 01020304050607 00",
		func(b []byte) []byte { return AppendBytes(b, 1, []byte{1, 2, 3, 4, 5, 6, 7}) },
		func(a Attr) (any, error) { return a.Payload(), nil }, []byte{1, 2, 3, 4, 5, 6, 7},
	},
	{
		"nest", "0c00 0180 0500 0200 09 000000", "000c 8001 0005 0002 09 000000",
		func(b []byte) []byte { n := len(b); return End(AppendUint8(Begin(b, 1), 2, 9), n) },
		func(a Attr) (any, error) { return Find(a.Payload(), 2).Uint8() }, uint8(9),
	},
	{
		"nest without the bit", "0c00 0100 0500 0200 09 000000", "000c 0001 0005 0002 09 000000",
		func(b []byte) []byte { n := len(b); return End(AppendUint8(BeginNoFlag(b, 1), 2, 9), n) },
		func(a Attr) (any, error) { return a.IsNested(), nil }, false,
	},
	{
		"raw bytes between Begin and End", "0600 0100 0102 0000", "0006 0001 0102 0000",
		func(b []byte) []byte { n := len(b); return End(append(BeginNoFlag(b, 1), 1, 2), n) },
		func(a Attr) (any, error) { return a.Payload(), nil }, []byte{1, 2},
	},
	{
		"empty nest", "0400 0180", "0004 8001",
		func(b []byte) []byte { n := len(b); return End(Begin(b, 1), n) },
		func(a Attr) (any, error) { return a.IsNested(), nil }, true,
	},
}

func TestKinds(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			want := golden.Native(t, k.little, k.big)
			// A prefix: an encoder must not count from the start of b.
			got := k.put([]byte{0xee, 0xee, 0xee, 0xee})[4:]
			if !bytes.Equal(got, want) {
				t.Fatalf("appended % x, want % x", got, want)
			}
			a, n := Consume(got)
			if n != len(want) || a.Type() != 1 {
				t.Fatalf("Consume = type %d, %d bytes; want type 1, %d bytes", a.Type(), n, len(want))
			}
			value, err := k.get(a)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(k.value, value); diff != "" {
				t.Errorf("value: -want +got:\n%s", diff)
			}
			if again := AppendAttr(nil, a); !bytes.Equal(again, want) {
				t.Errorf("AppendAttr = % x, want % x", again, want)
			}
		})
	}
}

// Capacity for exactly one attribute is enough: a caller who reserves Size bytes must not cause
// an allocation.
func TestAppendNeedsNoMoreThanItsBytes(t *testing.T) {
	for _, k := range kinds {
		want := golden.Native(t, k.little, k.big)
		exact := make([]byte, 0, len(want))
		if got := k.put(exact); &got[0] != &exact[:1][0] {
			t.Errorf("%s: reallocated although %d bytes suffice", k.name, len(want))
		}
		if len(want) != Size(len(mustConsume(t, want).Payload())) {
			t.Errorf("%s: Size disagrees with %d bytes", k.name, len(want))
		}
	}
}

func mustConsume(t *testing.T, b []byte) Attr {
	t.Helper()
	a, n := Consume(b)
	if n < 0 {
		t.Fatalf("Consume(% x): %v", b, ParseError(n))
	}
	return a
}

// Every getter is called on every size from 0 to 20 bytes.
func TestGettersRefuseTheWrongSize(t *testing.T) {
	getters := map[string]struct {
		get   func(Attr) (any, error)
		sizes []int
	}{
		"Uint8":      {func(a Attr) (any, error) { return a.Uint8() }, []int{1}},
		"Uint16":     {func(a Attr) (any, error) { return a.Uint16() }, []int{2}},
		"Uint32":     {func(a Attr) (any, error) { return a.Uint32() }, []int{4}},
		"Uint64":     {func(a Attr) (any, error) { return a.Uint64() }, []int{8}},
		"Int8":       {func(a Attr) (any, error) { return a.Int8() }, []int{1}},
		"Int16":      {func(a Attr) (any, error) { return a.Int16() }, []int{2}},
		"Int32":      {func(a Attr) (any, error) { return a.Int32() }, []int{4}},
		"Int64":      {func(a Attr) (any, error) { return a.Int64() }, []int{8}},
		"BE16":       {func(a Attr) (any, error) { return a.BE16() }, []int{2}},
		"BE32":       {func(a Attr) (any, error) { return a.BE32() }, []int{4}},
		"BE64":       {func(a Attr) (any, error) { return a.BE64() }, []int{8}},
		"Uint":       {func(a Attr) (any, error) { return a.Uint() }, []int{4, 8}},
		"Sint":       {func(a Attr) (any, error) { return a.Sint() }, []int{4, 8}},
		"Bitfield32": {func(a Attr) (any, error) { return a.Bitfield32() }, []int{8}},
		"Msecs":      {func(a Attr) (any, error) { return a.Msecs() }, []int{8}},
		"Flag":       {func(a Attr) (any, error) { return a.Flag() }, []int{0}},
	}
	for name, g := range getters {
		good := map[int]bool{}
		for _, n := range g.sizes {
			good[n] = true
		}
		for size := range 21 {
			v, err := g.get(mustConsume(t, AppendBytes(nil, 1, make([]byte, size))))
			if good[size] != (err == nil) || err != nil && !errors.Is(err, ErrSize) {
				t.Errorf("%s of %d bytes = %v, %v; valid sizes are %v", name, size, v, err, g.sizes)
			}
		}
		for _, a := range []Attr{nil, {}, {1}, {8, 0}, {8, 0, 1}} {
			v, err := g.get(a)
			if absent := len(a) == 0 && name == "Flag"; absent != (err == nil) {
				t.Errorf("%s of % x = %v, %v", name, []byte(a), v, err)
			}
		}
	}
}

func TestStrings(t *testing.T) {
	tests := []struct {
		payload string
		cstring string
		cerr    error
		text    string
		terr    error
	}{
		{"", "", ErrUnterminated, "", ErrSize},
		{"\x00", "", nil, "", nil},
		{"a", "", ErrUnterminated, "a", nil},
		{"ab\x00", "ab", nil, "ab", nil},
		{"ab\x00\x00", "ab", nil, "ab", nil},
		{"a\x00b", "a", nil, "a", nil},
		{"a\x00b\x00", "a", nil, "a", nil},
	}
	for _, tt := range tests {
		a := mustConsume(t, AppendText(nil, 1, tt.payload))
		if got, err := a.CString(); string(got) != tt.cstring || err != tt.cerr {
			t.Errorf("CString of %q = %q, %v; want %q, %v", tt.payload, got, err, tt.cstring, tt.cerr)
		}
		if got, err := a.Text(); string(got) != tt.text || err != tt.terr {
			t.Errorf("Text of %q = %q, %v; want %q, %v", tt.payload, got, err, tt.text, tt.terr)
		}
	}
	for _, a := range []Attr{nil, {9}, {9, 0, 1}} {
		if _, err := a.CString(); err != ErrUnterminated {
			t.Errorf("CString of % x: %v", []byte(a), err)
		}
		if _, err := a.Text(); err != ErrSize {
			t.Errorf("Text of % x: %v", []byte(a), err)
		}
	}
}

func TestMsecsBeyondADurationIsAnError(t *testing.T) {
	const most = uint64(math.MaxInt64 / int64(time.Millisecond))
	if d, err := mustConsume(t, AppendUint64(nil, 1, most)).Msecs(); err != nil || d.Milliseconds() != int64(most) {
		t.Errorf("the longest Duration: %v, %v", d, err)
	}
	for _, ms := range []uint64{most + 1, math.MaxInt64, math.MaxUint64} {
		if d, err := mustConsume(t, AppendUint64(nil, 1, ms)).Msecs(); err != ErrRange {
			t.Errorf("%d ms = %v, %v; want ErrRange", ms, d, err)
		}
	}
}

// A string ends at its first NUL, regardless of position and following bytes.
func TestFirstNUL(t *testing.T) {
	for n := range 100 {
		for at := range n + 1 {
			payload := bytes.Repeat([]byte{0x80}, n) // 0x80 has the bit that zeroBytes uses as its mark
			want := payload[:at]
			if at < n {
				copy(payload[at:], make([]byte, 1+n%3))
			}
			if at > 0 {
				payload[at-1] = 1 // subtracting 1 borrows from the next byte
			}
			a := Attr(AppendBytes(nil, 1, payload)[:HeaderLen+n])
			text, err := a.Text()
			if n == 0 && err != ErrSize || n > 0 && (err != nil || !bytes.Equal(text, want)) {
				t.Errorf("Text of % x: % x, %v", payload, text, err)
			}
			text, err = a.CString()
			if at == n && err != ErrUnterminated || at < n && (err != nil || !bytes.Equal(text, want)) {
				t.Errorf("CString of % x: % x, %v", payload, text, err)
			}
		}
	}
}
