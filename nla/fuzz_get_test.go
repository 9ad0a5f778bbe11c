package nla

import (
	"bytes"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/nlwire/nlwire/internal/test/slow"
)

// integer is any result type of the integer getters.
type integer interface {
	uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64
}

// get, in and put convert the getters of Attr, those of Table and the Append functions to uint64,
// sign-extended.
func get[T integer](f func(Attr) (T, error)) func(Attr) (uint64, error) {
	return func(a Attr) (uint64, error) { v, err := f(a); return uint64(v), err }
}

func in[T integer](f func(*Table, uint16) T) func(*Table, uint16) uint64 {
	return func(tb *Table, typ uint16) uint64 { return uint64(f(tb, typ)) }
}

func put[T integer](f func([]byte, uint16, T) []byte) func([]byte, uint16, uint64) []byte {
	return func(b []byte, typ uint16, v uint64) []byte { return f(b, typ, T(v)) }
}

// numbers lists the functions that read and write integers, with the accepted sizes.
var numbers = map[string]struct {
	sizes     []int
	bigEndian bool
	signed    bool
	get       func(Attr) (uint64, error)
	table     func(*Table, uint16) uint64
	put       func([]byte, uint16, uint64) []byte
}{
	"Uint8":  {[]int{1}, false, false, get(Attr.Uint8), in((*Table).Uint8), put(AppendUint8)},
	"Uint16": {[]int{2}, false, false, get(Attr.Uint16), in((*Table).Uint16), put(AppendUint16)},
	"Uint32": {[]int{4}, false, false, get(Attr.Uint32), in((*Table).Uint32), put(AppendUint32)},
	"Uint64": {[]int{8}, false, false, get(Attr.Uint64), in((*Table).Uint64), put(AppendUint64)},
	"Int8":   {[]int{1}, false, true, get(Attr.Int8), in((*Table).Int8), put(AppendInt8)},
	"Int16":  {[]int{2}, false, true, get(Attr.Int16), in((*Table).Int16), put(AppendInt16)},
	"Int32":  {[]int{4}, false, true, get(Attr.Int32), in((*Table).Int32), put(AppendInt32)},
	"Int64":  {[]int{8}, false, true, get(Attr.Int64), in((*Table).Int64), put(AppendInt64)},
	"BE16":   {[]int{2}, true, false, get(Attr.BE16), in((*Table).BE16), put(AppendBE16)},
	"BE32":   {[]int{4}, true, false, get(Attr.BE32), in((*Table).BE32), put(AppendBE32)},
	"BE64":   {[]int{8}, true, false, get(Attr.BE64), in((*Table).BE64), put(AppendBE64)},
	"Uint":   {[]int{4, 8}, false, false, get(Attr.Uint), in((*Table).Uint), put(AppendUint)},
	"Sint":   {[]int{4, 8}, false, true, get(Attr.Sint), in((*Table).Sint), put(AppendSint)},
}

// FuzzGetters reads one payload as every kind. The getters of Attr accept only the exact size,
// those of Table read the first bytes, and the value matches a computation digit by digit.
// Appending the value reproduces the bytes.
func FuzzGetters(f *testing.F) {
	for size := range 13 {
		f.Add(uint16(1), make([]byte, size))
	}
	f.Add(uint16(0xffff), []byte("eth0\x00"))
	f.Fuzz(func(t *testing.T, typ uint16, payload []byte) {
		if len(payload) > MaxPayload {
			t.Skip("longer than the payload of any attribute")
		}
		in := AppendBytes(nil, typ, payload)
		a, n := Consume(in)
		if n != len(in) || !bytes.Equal(a.Payload(), payload) || a.Type() != typ&TypeMask {
			t.Fatalf("Consume = %d of %d bytes, type %d", n, len(in), a.Type())
		}
		tb := &Table{Stream: in, Slots: make([]uint32, int(a.Type())+1)}
		tb.Slots[a.Type()] = uint32(len(in))
		for name := range numbers {
			checkNumber(t, name, typ, payload, a, tb)
		}
		checkFixed(t, typ, payload, a, tb)
		checkText(t, payload, a, tb)
	})
}

func checkNumber(t *testing.T, name string, typ uint16, payload []byte, a Attr, tb *Table) {
	t.Helper()
	k := numbers[name]
	got, err := k.get(a)
	fits := slices.Contains(k.sizes, len(payload))
	if (err == nil) != fits || !fits && (err != ErrSize || got != 0) {
		t.Fatalf("%s of %d bytes: %d, %v", name, len(payload), got, err)
	}
	size := k.sizes[0]
	if len(payload) > 4 && len(k.sizes) > 1 || len(payload) == 0 {
		size = k.sizes[len(k.sizes)-1]
	}
	want := new(big.Int)
	if len(payload) >= size {
		want = slow.Number(payload[:size], k.bigEndian, k.signed)
	}
	same := func(v uint64) bool { return want.Cmp(number(v, k.signed)) == 0 }
	if !same(k.table(tb, a.Type())) || fits && !same(got) {
		t.Fatalf("%s of % x: %d, in a table %d, want %v", name, payload, got, k.table(tb, a.Type()), want)
	}
	if !fits {
		return
	}
	again, _ := Consume(k.put(nil, typ, got))
	if v, err := k.get(again); v != got || err != nil || len(k.sizes) == 1 && !bytes.Equal(again, a) || len(again) > len(a) {
		t.Fatalf("%s: read % x, wrote % x", name, []byte(a), []byte(again))
	}
}

func number(v uint64, signed bool) *big.Int {
	if signed {
		return big.NewInt(int64(v))
	}
	return new(big.Int).SetUint64(v)
}

// checkFixed checks the kinds of a fixed size that are not plain numbers.
func checkFixed(t *testing.T, typ uint16, payload []byte, a Attr, tb *Table) {
	t.Helper()
	bits, err := a.Bitfield32()
	if fits := len(payload) == 8; (err == nil) != fits || fits && !bytes.Equal(AppendBitfield32(nil, typ, bits), a) || fits && tb.Bitfield32(a.Type()) != bits {
		t.Fatalf("Bitfield32 of % x: %+v, %v", payload, bits, err)
	}
	flag, err := a.Flag()
	if isFlag := len(payload) == 0; flag != isFlag || (err == nil) != isFlag || !tb.Flag(a.Type()) || isFlag && !bytes.Equal(AppendFlag(nil, typ), a) {
		t.Fatalf("Flag of % x: %v, %v", payload, flag, err)
	}
	ms := new(big.Int)
	if len(payload) >= 8 {
		ms = slow.Number(payload[:8], false, false)
	}
	longest := big.NewInt(int64((1<<63 - 1) / time.Millisecond))
	d, err := a.Msecs()
	switch {
	case len(payload) != 8:
		if err != ErrSize || d != 0 {
			t.Fatalf("Msecs of % x: %v, %v", payload, d, err)
		}
	case ms.Cmp(longest) > 0:
		if err != ErrRange || tb.Msecs(a.Type()) != 1<<63-1 {
			t.Fatalf("Msecs of % x: %v, %v, in a table %v", payload, d, err, tb.Msecs(a.Type()))
		}
	case err != nil || d != tb.Msecs(a.Type()) || !bytes.Equal(AppendMsecs(nil, typ, d), a):
		t.Fatalf("Msecs of % x: %v, %v", payload, d, err)
	}
}

// checkText checks the kinds that end, or may end, with a NUL.
func checkText(t *testing.T, payload []byte, a Attr, tb *Table) {
	t.Helper()
	end, nul := len(payload), false
	for i := len(payload) - 1; i >= 0; i-- {
		if payload[i] == 0 {
			end, nul = i, true
		}
	}
	s, err := a.CString()
	if (err == nil) != nul || nul && !bytes.Equal(s, payload[:end]) || !nul && (err != ErrUnterminated || s != nil) {
		t.Fatalf("CString of % x: %q, %v", payload, s, err)
	}
	if !bytes.Equal(tb.Text(a.Type()), payload[:end]) || !bytes.Equal(tb.Bytes(a.Type()), payload) {
		t.Fatalf("in a table % x is %q", payload, tb.Text(a.Type()))
	}
	s, err = a.Text()
	switch want := len(payload); {
	case want == 0:
		if err != ErrSize {
			t.Fatalf("Text of nothing: %v", err)
		}
	default:
		if err != nil || !bytes.Equal(s, payload[:end]) || cap(s) > len(payload) {
			t.Fatalf("Text of % x: %q, %v", payload, s, err)
		}
	}
}
