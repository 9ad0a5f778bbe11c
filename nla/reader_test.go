package nla

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// everyKind returns an attribute of each kind, with types from 1.
func everyKind() []byte {
	b := AppendUint8(nil, 1, 1)
	b = AppendUint16(b, 2, 2)
	b = AppendUint32(b, 3, 3)
	b = AppendUint64(b, 4, 4)
	b = AppendInt8(b, 5, -5)
	b = AppendInt16(b, 6, -6)
	b = AppendInt32(b, 7, -7)
	b = AppendInt64(b, 8, -8)
	b = AppendBE16(b, 9, 9)
	b = AppendBE32(b, 10, 10)
	b = AppendBE64(b, 11, 11)
	b = AppendUint(b, 12, 1<<40)
	b = AppendSint(b, 13, -13)
	b = AppendBitfield32(b, 14, Bitfield32{1, 3})
	b = AppendMsecs(b, 15, time.Second)
	b = AppendFlag(b, 16)
	b = AppendCString(b, 17, "eth0")
	b = AppendText(b, 18, "lo")
	return AppendAddr(AppendAddr(b, 19, addr4), 20, addr6)
}

// getters maps the types of everyKind to methods of Reader.
var getters = map[uint16]func(*Reader) any{
	1: func(r *Reader) any { return r.Uint8() }, 2: func(r *Reader) any { return r.Uint16() },
	3: func(r *Reader) any { return r.Uint32() }, 4: func(r *Reader) any { return r.Uint64() },
	5: func(r *Reader) any { return r.Int8() }, 6: func(r *Reader) any { return r.Int16() },
	7: func(r *Reader) any { return r.Int32() }, 8: func(r *Reader) any { return r.Int64() },
	9: func(r *Reader) any { return r.BE16() }, 10: func(r *Reader) any { return r.BE32() },
	11: func(r *Reader) any { return r.BE64() }, 12: func(r *Reader) any { return r.Uint() },
	13: func(r *Reader) any { return r.Sint() }, 14: func(r *Reader) any { return r.Bitfield32() },
	15: func(r *Reader) any { return r.Msecs() }, 16: func(r *Reader) any { return r.Flag() },
	17: func(r *Reader) any { return string(r.CString()) }, 18: func(r *Reader) any { return string(r.Text()) },
	19: func(r *Reader) any { return r.Addr().String() }, 20: func(r *Reader) any { return r.Addr().String() },
}

func TestReader(t *testing.T) {
	got := map[uint16]any{}
	r := NewReader(everyKind())
	for r.Next() {
		got[r.Type()] = getters[r.Type()](&r)
	}
	want := map[uint16]any{
		1: uint8(1), 2: uint16(2), 3: uint32(3), 4: uint64(4), 5: int8(-5), 6: int16(-6), 7: int32(-7), 8: int64(-8),
		9: uint16(9), 10: uint32(10), 11: uint64(11), 12: uint64(1 << 40), 13: int64(-13), 14: Bitfield32{1, 3},
		15: time.Second, 16: true, 17: "eth0", 18: "lo", 19: addr4.String(), 20: addr6.String(),
	}
	if diff := cmp.Diff(want, got); diff != "" || r.Err() != nil || r.Attr() != nil {
		t.Errorf("%v, -want +got:\n%s", r.Err(), diff)
	}
}

// The first error is kept, with the type of its attribute. Later reads return zero, and the walk
// ends.
func TestReaderKeepsTheFirstError(t *testing.T) {
	for typ, get := range getters {
		b := AppendUint8(AppendBytes(AppendUint8(nil, 99, 1), typ, make([]byte, 3)), 98, 1)
		if typ == 17 {
			b = AppendUint8(AppendBytes(AppendUint8(nil, 99, 1), typ, []byte("abc")), 98, 1)
		}
		if typ == 18 { // only an empty payload is invalid as text
			b = AppendUint8(AppendFlag(AppendUint8(nil, 99, 1), typ), 98, 1)
		}
		r := NewReader(b)
		r.Next()
		r.Next()
		get(&r)
		var field *FieldError
		if err := r.Err(); !errors.As(err, &field) || field.Type != typ || !errors.Is(err, ErrSize) && !errors.Is(err, ErrUnterminated) {
			t.Errorf("type %d: %v", typ, err)
		}
		first := r.Err()
		if r.Fail(ErrRange); r.Err() != first || r.Next() || r.Type() != 0 || r.Attr() != nil {
			t.Errorf("type %d: after the error %v, type %d", typ, r.Err(), r.Type())
		}
	}
}

// An error in a nest ends its Reader and those around it, at any depth.
func TestReaderOfNests(t *testing.T) {
	inner := AppendUint32(AppendUint32(nil, 1, 7), 1, 8)
	b := AppendUint8(AppendBytes(AppendBytes(nil, 5, AppendBytes(nil, 6, inner)), 5, AppendBytes(nil, 6, inner)), 9, 1)
	sum := func(b []byte) (sum uint32, last uint8, err error) {
		r := NewReader(b)
		for r.Next() {
			if r.Type() == 9 {
				last = r.Uint8()
				continue
			}
			outer := r.Nest()
			for outer.Next() {
				in := outer.Nest()
				for in.Next() {
					sum += in.Uint32()
				}
				outer.Fail(in.Err())
			}
			r.Fail(outer.Err())
		}
		return sum, last, r.Err()
	}
	if n, last, err := sum(b); n != 30 || last != 1 || err != nil {
		t.Error(n, last, err)
	}
	ne.PutUint16(b[8:], 5) // the length of the first inner attribute
	if n, last, err := sum(b); n != 0 || last != 0 || !errors.Is(err, ErrSize) || err.Error() != "attribute 5: attribute 6: attribute 1: "+ErrSize.Error() {
		t.Error(n, last, err)
	}
	ne.PutUint16(b[4:], 1) // the length of the nest
	var syntax *SyntaxError
	if n, last, err := sum(b); n != 0 || last != 0 || !errors.As(err, &syntax) {
		t.Error(n, last, err)
	}
}

func TestFieldNumbers(t *testing.T) {
	p := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9}
	for _, width := range []int{-1, 0, 1, 2, 3, 4, 5, 8, 9, math.MaxInt, math.MinInt} {
		for _, offset := range []int{-1, 0, 1, 5, 8, 9, 10, math.MaxInt, math.MinInt} {
			isInside := offset >= 0 && offset <= 9 && width > 0 && width <= 9-offset
			isWidth := width == 1 || width == 2 || width == 4 || width == 8
			v, err := FieldUint(p, offset, width, binary.BigEndian)
			if isInside && isWidth {
				var want uint64
				for _, c := range p[offset : offset+width] {
					want = want<<8 | uint64(c)
				}
				if v != want || err != nil {
					t.Errorf("%d bytes at %d: %#x, %v", width, offset, v, err)
				}
			} else if v != 0 || err != ErrSize {
				t.Errorf("%d bytes at %d: %#x, %v", width, offset, v, err)
			}
		}
	}
	for _, width := range []int{1, 2, 4, 8} {
		v := uint64(1)<<(8*width-1) | 5
		for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
			b, err := AppendField([]byte("ab"), v, width, order)
			if back, err2 := FieldUint(b, 2, width, order); back != v || err != nil || err2 != nil || len(b) != 2+width {
				t.Errorf("%d bytes: %#x is %#x, %v, %v", width, v, back, err, err2)
			}
			attr, err := AppendNumber([]byte("abcd"), 7, v, width, order)
			a, _ := Consume(attr[4:])
			if back, err2 := FieldUint(a.Payload(), 0, width, order); back != v || err != nil || err2 != nil || len(a) != HeaderLen+width || len(attr)%AlignTo != 0 {
				t.Errorf("attribute of %d bytes: % x, %v, %v", width, attr, err, err2)
			}
		}
		least := int64(-1) << (8*width - 1)
		for _, n := range []int64{-1, -5, least} {
			if b, err := AppendField([]byte("ab"), uint64(n), width, ne); err != nil || len(b) != 2+width {
				t.Errorf("%d in %d bytes: %v, % x", n, width, err, b)
			}
		}
		if width == 8 {
			continue
		}
		for _, n := range []uint64{1 << (8 * width), uint64(least - 1), 1 << 63} {
			if b, err := AppendField([]byte("ab"), n, width, ne); err != ErrRange || len(b) != 2 {
				t.Errorf("%#x in %d bytes: %v, % x", n, width, err, b)
			}
		}
	}
	for _, width := range []int{-8, 0, 3, 16} {
		if b, err := AppendNumber([]byte("ab"), 7, 1, width, ne); err != ErrSize || string(b) != "ab" {
			t.Errorf("%d bytes: %v, % x", width, err, b)
		}
	}
}

func TestAddr(t *testing.T) {
	for _, s := range []string{"0.0.0.0", "192.0.2.1", "::", "2001:db8::1", "::ffff:192.0.2.1"} {
		want := netip.MustParseAddr(s)
		a, _ := Consume(AppendAddr(nil, 1, want))
		if got, err := a.Addr(); got != want || err != nil {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	zoned, _ := Consume(AppendAddr(nil, 1, netip.MustParseAddr("fe80::1%eth0")))
	if got, err := zoned.Addr(); got.String() != "fe80::1" || err != nil {
		t.Error(got, err)
	}
	for n := range 20 {
		a, _ := Consume(AppendBytes(nil, 1, make([]byte, n)))
		if _, err := a.Addr(); (err == nil) != (n == 4 || n == 16) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestFormat(t *testing.T) {
	b := AppendCString(nil, 3, "eth0")
	nest := len(b)
	b = Begin(b, 18)
	b = AppendBE16(b, 1|NetByteOrder, 80)
	b = End(b, nest)
	b = append(AppendFlag(AppendBytes(b, 5, make([]byte, 40)), 9), 1, 2)
	const want = `3: 5 bytes: 6574683000
18: 8 bytes
  1 (network byte order): 2 bytes: 0050
5: 40 bytes: 0000000000000000000000000000000000000000000000000000000000000000...
9: 0 bytes
nla: attribute header cut short
`
	if got := Format(b); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// Deeply nested input takes linear time and bounded depth.
func TestFormatOfHostileInput(t *testing.T) {
	b := []byte(strings.Repeat("\x04\x00\x01\x80", 1000))
	for range 1000 {
		b = AppendBytes(nil, 1|Nested, b)
	}
	if n := len(Format(b)); n > 20*len(b) {
		t.Errorf("%d bytes of text for %d", n, len(b))
	}
}
