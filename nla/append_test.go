package nla

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nlwire/nlwire/internal/test/golden"
)

// A payload of 70,000 bytes must not wrap to a length of 4,468.
func TestOverlongPayloadsPanic(t *testing.T) {
	const wraps = 70_000
	nest := func(n int) func() {
		return func() {
			b := Begin(nil, 1)
			End(append(b, make([]byte, n)...), 0)
		}
	}
	tests := map[string]struct {
		f      func()
		panics bool
	}{
		"AppendBytes":           {func() { AppendBytes(nil, 1, make([]byte, wraps)) }, true},
		"AppendBytes, one over": {func() { AppendBytes(nil, 1, make([]byte, MaxPayload+1)) }, true},
		"AppendBytes, longest":  {func() { AppendBytes(nil, 1, make([]byte, MaxPayload)) }, false},
		"AppendText, one over":  {func() { AppendText(nil, 1, strings.Repeat("x", MaxPayload+1)) }, true},
		"AppendText, longest":   {func() { AppendText(nil, 1, strings.Repeat("x", MaxPayload)) }, false},
		"AppendCString, NUL over": {
			func() { AppendCString(nil, 1, strings.Repeat("x", MaxPayload)) }, true,
		},
		"AppendBytes, one over, with room": {
			func() { AppendBytes(make([]byte, 0, 1<<17), 1, make([]byte, MaxPayload+1)) }, true,
		},
		"AppendBytes, 65536 over, with room": {
			func() { AppendBytes(make([]byte, 0, 1<<18), 1, make([]byte, 1<<16)) }, true,
		},
		"AppendCString, NUL over, with room": {
			func() { AppendCString(make([]byte, 0, 1<<17), 1, strings.Repeat("x", MaxPayload)) }, true,
		},
		"AppendText, longest, with room": {
			func() { AppendText(make([]byte, 0, 1<<17), 1, strings.Repeat("x", MaxPayload)) }, false,
		},
		"AppendCString, longest": {
			func() { AppendCString(nil, 1, strings.Repeat("x", MaxPayload-1)) }, false,
		},
		"End":                    {nest(wraps), true},
		"End, one over":          {nest(MaxPayload + 1), true},
		"End, longest":           {nest(MaxPayload), false},
		"End, canceled":          {func() { b := Begin(make([]byte, 8, 32), 1); End(b[:8], 8) }, true},
		"End, mark past the end": {func() { End(make([]byte, 8, 32), 17) }, true},
		"End, half a header":     {func() { End(make([]byte, 10, 32), 8) }, true},
		"AppendMsecs, -1 ns":     {func() { AppendMsecs(nil, 1, -1) }, true},
		"AppendMsecs, 999 ns":    {func() { AppendMsecs(nil, 1, 999*time.Nanosecond) }, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); (r != nil) != tt.panics {
					t.Errorf("recovered %v, want a panic: %v", r, tt.panics)
				}
			}()
			tt.f()
		})
	}
}

// The padding is zeros, whatever the buffer contained before.
func TestPaddingIsZero(t *testing.T) {
	for n := range 9 {
		dirty := bytes.Repeat([]byte{0xff}, 64)
		payload := bytes.Repeat([]byte{0xaa}, n)
		m := 0
		for name, b := range map[string][]byte{
			"AppendBytes":   AppendBytes(dirty[:0], 1, payload),
			"AppendText":    AppendText(bytes.Clone(dirty)[:0], 1, string(payload)),
			"AppendCString": AppendCString(bytes.Clone(dirty)[:0], 1, string(payload)),
			"End": func() []byte {
				b := BeginNoFlag(bytes.Clone(dirty)[:0], 1)
				return End(append(b, payload...), 0)
			}(),
		} {
			m++
			if len(b)%AlignTo != 0 {
				t.Errorf("%s of %d bytes is not aligned: % x", name, n, b)
			}
			for _, c := range b[HeaderLen+n:] {
				if c != 0 {
					t.Errorf("%s of %d bytes: padding not zero: % x", name, n, b)
				}
			}
		}
		if m != 4 {
			t.Fatal("a case is missing")
		}
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	b := AppendUint32(nil, 1, 7)
	before := bytes.Clone(b)
	mark := len(b)
	b = Begin(b, 2)
	b = AppendUint64(b, 3, 9)
	if b = b[:mark]; !bytes.Equal(b, before) {
		t.Errorf("after the cancel % x, want % x", b, before)
	}
}

// The two forms of nested arrays, as sent by the controller and by ethtool.
func TestNestedArrays(t *testing.T) {
	const ops, id, flow = 6, 1, 3
	b := BeginNoFlag(nil, ops)
	for i := range uint16(3) {
		entry := len(b)
		b = BeginNoFlag(b, i+1)
		b = AppendUint32(b, id, uint32(i)*10)
		b = End(b, entry)
	}
	b = End(b, 0)
	for i := range uint8(2) {
		entry := len(b)
		b = Begin(b, flow)
		b = AppendUint8(b, id, i)
		b = End(b, entry)
	}

	var indexed []uint32
	for entry, err := range All(Find(b, ops).Payload()) {
		v, verr := Find(entry.Payload(), id).Uint32()
		if err != nil || verr != nil || int(entry.Type()) != len(indexed)+1 {
			t.Fatalf("entry %d: %v, %v", entry.Type(), err, verr)
		}
		indexed = append(indexed, v)
	}
	var multi []uint8
	for a := range All(b) {
		if a.Type() == flow && a.IsNested() {
			v, err := Find(a.Payload(), id).Uint8()
			if err != nil {
				t.Fatal(err)
			}
			multi = append(multi, v)
		}
	}
	if len(indexed) != 3 || indexed[2] != 20 || len(multi) != 2 || multi[1] != 1 {
		t.Errorf("indexed %d, multi-attr %d", indexed, multi)
	}
}

// After AppendPad64 every 64-bit payload starts at a multiple of 8.
func TestAppendPad64AlignsThePayload(t *testing.T) {
	const padding = 9
	for words := range 5 {
		b := make([]byte, 4*words)
		b = AppendPad64(b, padding)
		start := len(b)
		b = AppendUint64(b, 1, 7)
		if (start+HeaderLen)%8 != 0 {
			t.Errorf("after %d bytes the payload starts at %d", 4*words, start+HeaderLen)
		}
		want := words%2 == 0 // the buffer ends at a multiple of 8, so the payload would start 4 bytes past one
		if got := Find(b[4*words:], padding) != nil; got != want {
			t.Errorf("after %d bytes: padding attribute %v, want %v", 4*words, got, want)
		}
	}
	want := golden.Native(t, "0400 0900  0c00 0100 0700000000000000", "0004 0009  000c 0001 0000000000000007")
	if got := AppendUint64(AppendPad64(nil, padding), 1, 7); !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
}

func TestSizes(t *testing.T) {
	for payload, want := range map[int]int{0: 4, 1: 8, 4: 8, 5: 12, 8: 12, MaxPayload: 65536} {
		if got := Size(payload); got != want {
			t.Errorf("Size(%d) = %d, want %d", payload, got, want)
		}
	}
	for n, want := range map[int]int{0: 0, 1: 4, 3: 4, 4: 4, 5: 8, 65535: 65536} {
		if got := Align(n); got != want {
			t.Errorf("Align(%d) = %d, want %d", n, got, want)
		}
	}
}

// Payloads are copied in several ways, which depend on their length and on the capacity. All must
// give the result of the slow path.
func TestPayloadsOfAllLengths(t *testing.T) {
	payload := bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz"), 9)
	for n := range payload {
		p := payload[:n]
		for name, c := range map[string]struct {
			zeros int
			add   func(b []byte) []byte
		}{
			"AppendBytes":   {0, func(b []byte) []byte { return AppendBytes(b, 7, p) }},
			"AppendText":    {0, func(b []byte) []byte { return AppendText(b, 7, string(p)) }},
			"AppendCString": {1, func(b []byte) []byte { return AppendCString(b, 7, string(p)) }},
		} {
			want := appendLong([]byte("ab"), 7, p, c.zeros)
			for _, room := range []int{0, 2, n, n + 5, n + 8, 500} {
				b := append(make([]byte, 0, 2+room), "ab"...)
				for i := range room {
					b[:cap(b)][2+i] = 0xee
				}
				if got := c.add(b); !bytes.Equal(got, want) {
					t.Errorf("%s of %d bytes, with room for %d: % x, want % x", name, n, room, got, want)
				}
			}
		}
	}
}

// The payload may lie in the spare capacity of the buffer, or begin in the buffer. It is read
// before it is overwritten, at every distance, and the bytes after the attribute do not change.
func TestAppendBytesInPlace(t *testing.T) {
	const start = 300 // bytes in the buffer
	whole := make([]byte, 1024)
	for i := range whole {
		whole[i] = byte(i*167 + 1)
	}
	b, want := make([]byte, len(whole)), make([]byte, len(whole))
	for n := range 280 {
		for at := start - n - 1; at < start+n+2*HeaderLen+1; at++ {
			copy(b, whole)
			copy(want, whole)
			end := start + copy(want[start:], slowAttr(7, whole[at:at+n], true))
			got := AppendBytes(b[:start:end], 7, b[at:at+n])
			if len(got) != end || &got[0] != &b[0] || !bytes.Equal(b, want) {
				t.Fatalf("%d bytes at offset %d: % x, want % x", n, at-start, got, want[:end])
			}
		}
	}
}

func TestTryEnd(t *testing.T) {
	prefix := AppendUint8(nil, 9, 1)
	for _, c := range []struct {
		payload int
		err     error
	}{{0, nil}, {3, nil}, {MaxPayload, nil}, {MaxPayload + 1, ErrTooLong}, {1 << 17, ErrTooLong}} {
		b := append(Begin(bytes.Clone(prefix), 1), make([]byte, c.payload)...)
		got, err := TryEnd(b, len(prefix))
		want := prefix
		if c.err == nil {
			want = End(b, len(prefix))
		}
		if err != c.err || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %v, %d bytes, want %d", c.payload, err, len(got), len(want))
		}
	}
	for _, mark := range []int{-1, len(prefix) - 3, len(prefix), len(prefix) + 1, math.MaxInt, math.MinInt} {
		if b, err := TryEnd(prefix, mark); err != ErrTooLong || len(b) > len(prefix) {
			t.Errorf("mark %d: %v, %d bytes", mark, err, len(b))
		}
	}
}
