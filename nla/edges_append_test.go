package nla

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/internal/test/edges"
)

// eachRoom calls f with buffers of different capacity: more than size bytes, size bytes, fewer,
// and none. Capacity beyond size bytes must stay unchanged.
func eachRoom(t *testing.T, size int, f func(b []byte)) {
	for _, prefix := range []int{0, 1, 4, 7, 8} {
		for _, spare := range []int{0, size - 1, size, size + 9} {
			whole := make([]byte, prefix+max(0, spare))
			for i := range whole {
				whole[i] = 0xa5
			}
			edges.Fence(whole, func(b []byte) {
				f(b[:prefix])
				for i, c := range b {
					if c != 0xa5 && (i < prefix || i >= prefix+size) {
						t.Errorf("%d bytes appended to %d with room of %d: byte %d was written", size, prefix, spare, i)
					}
				}
			})
		}
	}
	f(nil)
}

// edgesOfAppend tests a function that appends an attribute with the given payload.
func edgesOfAppend(t *testing.T, f func(b []byte, typ uint16) []byte, flags uint16, payload []byte) {
	t.Helper()
	for _, typ := range edges.Uint16s() {
		want := slowAttr(typ|flags, payload, true)
		eachRoom(t, len(want), func(b []byte) {
			got := f(b, typ)
			if string(got[:len(b)]) != string(b) || string(got[len(b):]) != string(want) {
				t.Errorf("type %#x, payload % x: % x, want % x", typ, head(payload), head(got[len(b):]), head(want))
			}
		})
	}
}

func numberWriters() map[string]func(*testing.T) {
	rows := map[string]func(*testing.T){}
	for name, w := range map[string]struct {
		put       func(b []byte, typ uint16, v uint64) []byte
		size      int // 0 for the shortest unsigned form, -1 for the shortest signed form
		bigEndian bool
	}{
		"AppendUint8":  {func(b []byte, typ uint16, v uint64) []byte { return AppendUint8(b, typ, uint8(v)) }, 1, false},
		"AppendUint16": {func(b []byte, typ uint16, v uint64) []byte { return AppendUint16(b, typ, uint16(v)) }, 2, false},
		"AppendUint32": {func(b []byte, typ uint16, v uint64) []byte { return AppendUint32(b, typ, uint32(v)) }, 4, false},
		"AppendUint64": {AppendUint64, 8, false},
		"AppendInt8":   {func(b []byte, typ uint16, v uint64) []byte { return AppendInt8(b, typ, int8(v)) }, 1, false},
		"AppendInt16":  {func(b []byte, typ uint16, v uint64) []byte { return AppendInt16(b, typ, int16(v)) }, 2, false},
		"AppendInt32":  {func(b []byte, typ uint16, v uint64) []byte { return AppendInt32(b, typ, int32(v)) }, 4, false},
		"AppendInt64":  {func(b []byte, typ uint16, v uint64) []byte { return AppendInt64(b, typ, int64(v)) }, 8, false},
		"AppendBE16":   {func(b []byte, typ uint16, v uint64) []byte { return AppendBE16(b, typ, uint16(v)) }, 2, true},
		"AppendBE32":   {func(b []byte, typ uint16, v uint64) []byte { return AppendBE32(b, typ, uint32(v)) }, 4, true},
		"AppendBE64":   {AppendBE64, 8, true},
		"AppendUint":   {AppendUint, 0, false},
		"AppendSint":   {func(b []byte, typ uint16, v uint64) []byte { return AppendSint(b, typ, int64(v)) }, -1, false},
	} {
		rows[name] = func(t *testing.T) {
			for _, v := range edges.Uint64s() {
				size := w.size
				switch {
				case size == 0 && v < 1<<32, size < 0 && int64(v) >= -1<<31 && int64(v) < 1<<31:
					size = 4
				case size <= 0:
					size = 8
				}
				payload := edges.Bytes(v, size)
				if w.bigEndian && !native.BigEndian {
					slices.Reverse(payload)
				}
				edgesOfAppend(t, func(b []byte, typ uint16) []byte { return w.put(b, typ, v) }, 0, payload)
			}
		}
	}
	rows["AppendFlag"] = func(t *testing.T) { edgesOfAppend(t, AppendFlag, 0, nil) }
	rows["AppendBitfield32"] = func(t *testing.T) {
		for _, v := range edges.Uint64s() {
			f := Bitfield32{Value: uint32(v), Selector: uint32(v >> 32)}
			payload := append(edges.Bytes(uint64(f.Value), 4), edges.Bytes(uint64(f.Selector), 4)...)
			edgesOfAppend(t, func(b []byte, typ uint16) []byte { return AppendBitfield32(b, typ, f) }, 0, payload)
		}
	}
	return rows
}

func edgesOfAppendMsecs(t *testing.T) {
	for _, v := range edges.Uint64s() {
		d := time.Duration(v)
		if d < 0 {
			if edges.Panics(func() { AppendMsecs(nil, 1, d) }) == nil {
				t.Errorf("%d ns: no panic", d)
			}
			continue
		}
		edgesOfAppend(t, func(b []byte, typ uint16) []byte { return AppendMsecs(b, typ, d) }, 0, edges.Bytes(v/1_000_000, 8))
	}
}

func fromString(f func([]byte, uint16, string) []byte) func([]byte, uint16, []byte) []byte {
	return func(b []byte, typ uint16, p []byte) []byte { return f(b, typ, edges.String(p)) }
}

// payloadSizes returns edges.Sizes and the sizes around those at which appendPayload copies in
// another way.
func payloadSizes() []int {
	all := edges.Sizes()
	for n := 41; n <= 300; n++ {
		all = append(all, n)
	}
	return all
}

// edgesOfAppendBytes tests payloads of all sizes, followed by zeros.
func edgesOfAppendBytes(t *testing.T, f func(b []byte, typ uint16, p []byte) []byte, zeros int) {
	payload := make([]byte, 1<<16+16)
	for i := range payload {
		payload[i] = byte(i)*7 | 1
	}
	for _, size := range payloadSizes() {
		p := slices.Clip(payload[:size])
		if size+zeros > MaxPayload {
			if reason := edges.Panics(func() { f(nil, 1, p) }); reason != payloadTooLong {
				t.Errorf("%d bytes: %v", size, reason)
			}
			continue
		}
		want := slowAttr(9, append(slices.Clone(p), make([]byte, zeros)...), true)
		eachRoom(t, len(want), func(b []byte) {
			if got := f(b, 9, p); string(got[len(b):]) != string(want) {
				t.Errorf("%d bytes after %d: % x, want % x", size, len(b), head(got[len(b):]), head(want))
			}
		})
		// The payload is in fenced memory, too. With and without room it is copied in different ways.
		for _, b := range [][]byte{nil, make([]byte, 0, len(want))} {
			edges.Fence(p, func(p []byte) {
				if string(f(b, 9, p)) != string(want) {
					t.Errorf("fenced: %d bytes, room for %d", size, cap(b))
				}
			})
		}
	}
	if got := f(nil, 9, nil); string(got) != string(slowAttr(9, make([]byte, zeros), true)) {
		t.Errorf("nil: % x", got)
	}
}

// Payloads of up to 2^31-1 bytes must panic. With a header or a NUL their sizes overflow a 32-bit
// int.
func TestEdgesOfHugePayloads(t *testing.T) {
	huge := edges.Reserve(t, 1<<31-1)
	for name, f := range map[string]func(b []byte, typ uint16, p []byte) []byte{
		"AppendBytes": AppendBytes, "AppendText": fromString(AppendText), "AppendCString": fromString(AppendCString),
	} {
		for _, size := range []int{1 << 16, 1<<31 - 9, 1<<31 - 8, 1<<31 - 5, 1<<31 - 4, 1<<31 - 1} {
			for _, b := range [][]byte{nil, make([]byte, 8, 64)} {
				if reason := edges.Panics(func() { f(b, 1, huge[:size]) }); reason != payloadTooLong {
					t.Errorf("%s of %d bytes: %v", name, size, reason)
				}
			}
		}
	}
	for name, walk := range map[string]func([]byte) walked{"Consume": walkConsume, "All": walkAll} {
		copy(huge, edges.Bytes(3, 2))
		if w := walk(huge); len(w.Types) != 0 || w.Err != ErrLength || w.Offset != 0 {
			t.Errorf("%s: %+v", name, w)
		}
	}
	copy(huge, slowAttr(3, make([]byte, 5), false))
	if a, n := Consume(huge); len(a) != 9 || n != 12 {
		t.Errorf("Consume: %d bytes, step %d", len(a), n)
	}
	edges.View(t, Find(huge, 3), huge, 0, 9, "Find")
	for _, mark := range []int{0, 1<<31 - 1<<16 - 1, 1<<31 - 1<<16 - 2, 1<<31 - 4} {
		if edges.Panics(func() { End(huge, mark) }) == nil {
			t.Errorf("End with a mark of %d: no panic", mark)
		}
		if b, err := TryEnd(huge, mark); err != ErrTooLong || len(b) != mark {
			t.Errorf("TryEnd with a mark of %d: %d bytes, %v", mark, len(b), err)
		}
	}
}

func edgesOfAppendAttr(t *testing.T) {
	eachAttr(func(a Attr) {
		want := slices.Clone([]byte(a))
		for len(want)%4 != 0 {
			want = append(want, 0)
		}
		if got := AppendAttr(nil, a); string(got) != string(want) || a == nil && got != nil {
			t.Errorf("% x: % x", head(a), head(got))
		}
		if got := AppendAttr([]byte("abc"), a); string(got) != "abc"+string(want) {
			t.Errorf("% x after abc: % x", head(a), head(got))
		}
	})
}

func edgesOfAppendPad64(t *testing.T) {
	for size := range 40 {
		b := make([]byte, size)
		want := slices.Clone(b)
		if size%8 == 0 {
			want = append(want, slowAttr(7, nil, true)...)
		}
		if got := AppendPad64(b, 7); string(got) != string(want) {
			t.Errorf("after %d bytes: % x", size, got)
		}
	}
	edges.Equal(t, AppendPad64(nil, 7), slowAttr(7, nil, true), "nil")
}

// isNest reports whether a nest can begin at mark in a buffer of size bytes.
func isNest(size, mark int) bool { return mark >= 0 && mark <= size-4 && size-mark <= 1<<16-1 }

// ended returns the expected result of End.
func ended(b []byte, mark int) string {
	want := slices.Clone(b)
	copy(want[mark:], edges.Bytes(uint64(len(b)-mark), 2))
	for (len(want)-mark)%4 != 0 {
		want = append(want, 0)
	}
	return string(want)
}

func edgesOfEnd(t *testing.T) {
	for _, size := range edges.Sizes() {
		b := make([]byte, size)
		for _, mark := range append(edges.Ints(), size-6, size-5, size-4, size-3, size-1, size, size+1, size-65535, size-65536) {
			if !isNest(size, mark) {
				if edges.Panics(func() { End(b, mark) }) == nil {
					t.Errorf("%d bytes, mark %d: no panic", size, mark)
				}
				continue
			}
			edges.Fence(b, func(b []byte) {
				if want := ended(b, mark); string(End(b[:size:size], mark)) != want {
					t.Errorf("%d bytes, mark %d", size, mark)
				}
			})
		}
	}
}

func edgesOfTryEnd(t *testing.T) {
	for _, size := range edges.Sizes() {
		b := make([]byte, size)
		for _, mark := range append(edges.Ints(), size-6, size-5, size-4, size-3, size-1, size, size+1, size-65535, size-65536) {
			want, wantErr := "", error(nil)
			switch {
			case isNest(size, mark):
				want = ended(b, mark)
			case mark < 0 || mark > size:
				want, wantErr = string(b), ErrTooLong
			default:
				want, wantErr = string(b[:mark]), ErrTooLong
			}
			if got, err := TryEnd(slices.Clone(b), mark); string(got) != want || !errors.Is(err, wantErr) {
				t.Errorf("%d bytes, mark %d: %d bytes, %v, want %d bytes, %v", size, mark, len(got), err, len(want), wantErr)
			}
		}
	}
}
