package nla

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/internal/test/golden"
)

func TestConsume(t *testing.T) {
	tests := []struct {
		name        string
		little, big string
		payload     string // in hex
		n           int
		err         error
	}{
		{name: "nothing", n: -1, err: ErrTruncated},
		{name: "1 byte", little: "08", big: "00", n: -1, err: ErrTruncated},
		{name: "2 bytes", little: "0800", big: "0008", n: -1, err: ErrTruncated},
		{name: "3 bytes", little: "080001", big: "000800", n: -1, err: ErrTruncated},
		{name: "length 0", little: "00000100 00000000", big: "00000001 00000000", n: -1, err: ErrLength},
		{name: "length 1", little: "01000100 00000000", big: "00010001 00000000", n: -1, err: ErrLength},
		{name: "length 3", little: "03000100 00000000", big: "00030001 00000000", n: -1, err: ErrLength},
		{name: "length 4", little: "04000100", big: "00040001", n: 4},
		{name: "length 5 without padding", little: "05000100 aa", big: "00050001 aa", payload: "aa", n: 5},
		{name: "length 5, 1 of 3 bytes of padding", little: "05000100 aa00", big: "00050001 aa00", payload: "aa", n: 6},
		{name: "length 5 with padding", little: "05000100 aa000000", big: "00050001 aa000000", payload: "aa", n: 8},
		{name: "length 8", little: "08000100 aabbccdd", big: "00080001 aabbccdd", payload: "aabbccdd", n: 8},
		{name: "length 8, cut", little: "08000100 aabbcc", big: "00080001 aabbcc", n: -1, err: ErrOverrun},
		{name: "length 8 and more", little: "08000100 aabbccdd ee", big: "00080001 aabbccdd ee", payload: "aabbccdd", n: 8},
		{name: "length 9 without padding", little: "09000100 aabbccddee", big: "00090001 aabbccddee", payload: "aabbccddee", n: 9},
		{name: "length one past the end", little: "05000100", big: "00050001", n: -1, err: ErrOverrun},
		{name: "the longest length", little: "ffff0100 aabbccdd", big: "ffff0001 aabbccdd", n: -1, err: ErrOverrun},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := golden.Native(t, tt.little, tt.big)
			a, n := Consume(b)
			if max(n, -1) != tt.n || !errors.Is(ParseError(n), tt.err) {
				t.Fatalf("Consume = %d, %v; want %d, %v", n, ParseError(n), tt.n, tt.err)
			}
			if n < 0 {
				if a != nil {
					t.Errorf("an Attr with an error: % x", []byte(a))
				}
				return
			}
			if want := golden.Hex(t, tt.payload); !bytes.Equal(a.Payload(), want) {
				t.Errorf("payload % x, want % x", a.Payload(), want)
			}
			if cap(a) != len(a) {
				t.Errorf("capacity %d, length %d: append would overwrite the next attribute", cap(a), len(a))
			}
		})
	}
}

// A payload of 65531 bytes is the longest; the padding may make it 65536.
func TestConsumeTheLongestAttribute(t *testing.T) {
	b := AppendBytes(nil, 1, make([]byte, MaxPayload))
	if a, n := Consume(b); n != 65536 || len(a.Payload()) != MaxPayload {
		t.Errorf("Consume = %d bytes of payload, %d in all", len(a.Payload()), n)
	}
	if a, n := Consume(b[:65535]); n != 65535 || len(a.Payload()) != MaxPayload {
		t.Errorf("without padding: %d bytes of payload, %d in all", len(a.Payload()), n)
	}
}

func TestTypeAndItsFlagBits(t *testing.T) {
	for _, tt := range []struct {
		raw     uint16
		typ     uint16
		nested  bool
		network bool
	}{
		{1, 1, false, false},
		{0x8001, 1, true, false},
		{0x4001, 1, false, true},
		{0xc001, 1, true, true},
		{0x3fff, 0x3fff, false, false},
		{0xffff, 0x3fff, true, true},
	} {
		a := mustConsume(t, AppendFlag(nil, tt.raw))
		if a.Type() != tt.typ || a.IsNested() != tt.nested || a.IsNetByteOrder() != tt.network {
			t.Errorf("%#x: type %d, nested %v, network order %v", tt.raw, a.Type(), a.IsNested(), a.IsNetByteOrder())
		}
	}
}

func TestTheNilAttrIsSafe(t *testing.T) {
	for _, a := range []Attr{nil, {}, {4}, {4, 0, 1}} {
		if a.Type() != 0 || a.IsNested() || a.IsNetByteOrder() || a.Payload() != nil || !bytes.Equal(a.Clone(), a) {
			t.Errorf("% x is not empty", []byte(a))
		}
	}
	if got := AppendAttr([]byte{1, 2, 3, 4}, nil); len(got) != 4 {
		t.Errorf("the nil Attr appended % x", got[4:])
	}
}

func TestCloneOutlivesTheBuffer(t *testing.T) {
	b := AppendUint32(nil, 1, 7)
	a := mustConsume(t, b)
	kept := a.Clone()
	clear(b)
	if v, err := kept.Uint32(); v != 7 || err != nil {
		t.Errorf("clone = %d, %v", v, err)
	}
	if &kept[0] == &a[0] {
		t.Error("the clone aliases the buffer")
	}
}

// walked is the result of a walk: the types, and the error with its offset.
type walked struct {
	Types  []uint16
	Err    error
	Offset int
}

func walkAll(b []byte) (w walked) {
	for a, err := range All(b) {
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || a != nil {
				panic("All yielded neither an attribute nor a SyntaxError")
			}
			w.Err, w.Offset = syntax.Err, syntax.Offset
			continue
		}
		w.Types = append(w.Types, a.Type())
	}
	return w
}

func walkConsume(b []byte) (w walked) {
	rest := b
	for len(rest) > 0 {
		a, n := Consume(rest)
		if n < 0 {
			w.Err, w.Offset = ParseError(n), len(b)-len(rest)
			return w
		}
		w.Types = append(w.Types, a.Type())
		rest = rest[n:]
	}
	return w
}

func walkCursor(b []byte) (w walked) {
	c := Walk(b)
	for ; c.More(); c = c.Next() {
		if a := c.Attr(); a.Type() != c.Type() {
			panic("the cursor and its attribute have different types")
		}
		w.Types = append(w.Types, c.Type())
	}
	if w.Err = c.Err(); w.Err != nil {
		w.Offset = len(b) - c.len()
	}
	return w
}

func walkReader(b []byte) (w walked) {
	r := NewReader(b)
	for r.Next() {
		w.Types = append(w.Types, r.Type())
	}
	if err := r.Err(); err != nil {
		syntax := err.(*SyntaxError)
		w.Err, w.Offset = syntax.Err, syntax.Offset
	}
	return w
}

func TestAll(t *testing.T) {
	two := AppendUint8(AppendUint32(nil, 1, 7), 2, 9) // 8 + 8 bytes
	tests := []struct {
		name string
		in   []byte
		want walked
	}{
		{"nothing", nil, walked{}},
		{"two", two, walked{Types: []uint16{1, 2}}},
		{"the last one without padding", two[:13], walked{Types: []uint16{1, 2}}},
		{"the last one cut", two[:12], walked{[]uint16{1}, ErrOverrun, 8}},
		{"1 byte after the last", append(bytes.Clone(two), 0), walked{[]uint16{1, 2}, ErrTruncated, 16}},
		{"3 bytes after the last", append(bytes.Clone(two), 0, 0, 0), walked{[]uint16{1, 2}, ErrTruncated, 16}},
		{"a zero header after the last", append(bytes.Clone(two), 0, 0, 0, 0), walked{[]uint16{1, 2}, ErrLength, 16}},
		{"a header of length 3 first", append(AppendFlag(nil, 1)[:0:0], golden.Native(t, "03000100", "00030001")...), walked{nil, ErrLength, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, walkAll(tt.in), cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestAllStopsWhenTheLoopDoes(t *testing.T) {
	b := AppendFlag(AppendFlag(nil, 1), 2)
	for a := range All(b) {
		if a.Type() == 2 {
			t.Fatal("the iterator continued after the break")
		}
		break
	}
}

// A loop body that stores the iterator takes the path that is not inlined.
func TestAllAsAValue(t *testing.T) {
	seq := All(AppendFlag(AppendFlag(nil, 1), 2))
	for range 2 { // an iterator can be ranged over again
		var n int
		for range seq {
			n++
		}
		if n != 2 {
			t.Errorf("%d attributes, want 2", n)
		}
	}
}

func TestFind(t *testing.T) {
	b := AppendUint8(nil, 1, 10)
	b = AppendUint8(b, 2|Nested, 20)
	b = AppendUint8(b, 2, 30)
	if v, _ := Find(b, 2).Uint8(); v != 20 {
		t.Errorf("Find = %d, want the first of two, 20", v)
	}
	if a := Find(b, 3); a != nil {
		t.Errorf("Find of an absent type = % x", []byte(a))
	}
	broken := append(AppendUint8(nil, 1, 10), 0, 0, 0, 0)
	broken = AppendUint8(broken, 5, 1)
	if a := Find(broken, 5); a != nil {
		t.Error("Find continued after a malformed attribute")
	}
}

func TestSyntaxErrorText(t *testing.T) {
	for _, err := range All([]byte{1, 2}) {
		if got, want := err.Error(), "nla: attribute header cut short at offset 0"; got != want {
			t.Errorf("text %q, want %q", got, want)
		}
		if !errors.Is(err, ErrTruncated) {
			t.Error("errors.Is does not find ErrTruncated")
		}
	}
}

// Recorded dumps are well-formed, All and Consume return the same attributes, and copying
// attribute by attribute reproduces the bytes.
func TestRecordedStreams(t *testing.T) {
	for name, streams := range recordedStreams(t) {
		var attrs int
		for _, b := range streams {
			byAll, byConsume := walkAll(b), walkConsume(b)
			if diff := cmp.Diff(byConsume, byAll); diff != "" || byAll.Err != nil {
				t.Fatalf("%s: error %v, -Consume +All:\n%s", name, byAll.Err, diff)
			}
			attrs += len(byAll.Types)
			var again []byte
			for a := range All(b) {
				again = AppendAttr(again, a)
			}
			if !bytes.Equal(again, b) {
				t.Fatalf("%s: copied attribute by attribute:\n% x\nwant\n% x", name, again, b)
			}
		}
		if attrs < 100 {
			t.Errorf("%s: only %d attributes", name, attrs)
		}
	}
}
