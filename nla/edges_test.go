package nla

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/internal/test/edges"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/internal/test/slow"
)

// TestEdges tries every exported function with extreme arguments, in memory where a read
// outside of them faults, and compares the results with the slowest implementation of what
// is documented. It passes in every form of the package: with unsafe and with the build tag
// purego, 32 and 64 bits, little-endian and big-endian. So they have the same results.
func TestEdges(t *testing.T) {
	rows := map[string]func(*testing.T){
		"Align": func(t *testing.T) {
			for _, n := range edges.Ints() {
				if got, want := Align(n), edges.RoundUp(n); got != want {
					t.Errorf("Align(%d) = %d, want %d", n, got, want)
				}
			}
		},
		"Size": func(t *testing.T) {
			for _, n := range edges.Ints() {
				if got, want := Size(n), edges.RoundUp(4, n); got != want {
					t.Errorf("Size(%d) = %d, want %d", n, got, want)
				}
			}
		},
		"Consume": func(t *testing.T) { eachStream(func(b []byte) { edgeWalk(t, "Consume", b, walkConsume(b)) }) },
		"All":     func(t *testing.T) { eachStream(func(b []byte) { edgeWalk(t, "All", b, walkAll(b)) }) },
		"Find":    edgesOfFind,
		"ParseError": func(t *testing.T) {
			for _, n := range edges.Ints() {
				if err := ParseError(n); (err == nil) != (n >= 0) || err != nil && err != ErrTruncated && err != ErrLength && err != ErrOverrun {
					t.Errorf("ParseError(%d) = %v", n, err)
				}
			}
		},
		"SyntaxError.Error": func(t *testing.T) {
			for _, n := range edges.Ints() {
				if text, want := (&SyntaxError{n, ErrLength}).Error(), big.NewInt(int64(n)).String(); !strings.HasSuffix(text, " "+want) {
					t.Errorf("offset %d: %q", n, text)
				}
			}
		},
		"SyntaxError.Unwrap": func(t *testing.T) {
			if (&SyntaxError{}).Unwrap() != nil || (&SyntaxError{0, ErrLength}).Unwrap() != ErrLength {
				t.Error("not the error in it")
			}
		},
		"Begin":         func(t *testing.T) { edgesOfAppend(t, Begin, 1<<15, nil) },
		"BeginNoFlag":   func(t *testing.T) { edgesOfAppend(t, BeginNoFlag, 0, nil) },
		"End":           edgesOfEnd,
		"TryEnd":        edgesOfTryEnd,
		"AppendPad64":   edgesOfAppendPad64,
		"AppendMsecs":   edgesOfAppendMsecs,
		"AppendAttr":    edgesOfAppendAttr,
		"AppendBytes":   func(t *testing.T) { edgesOfAppendBytes(t, AppendBytes, 0) },
		"AppendText":    func(t *testing.T) { edgesOfAppendBytes(t, fromString(AppendText), 0) },
		"AppendCString": func(t *testing.T) { edgesOfAppendBytes(t, fromString(AppendCString), 1) },
	}
	for name, f := range numberWriters() {
		rows[name] = f
	}
	for name, f := range attrRows() {
		rows[name] = f
	}
	for name, f := range tableEdges() {
		rows[name] = f
	}
	guard.Edges(t, rows, nil)
}

// eachStream calls f with streams of attributes in fenced memory.
func eachStream(f func(b []byte)) {
	for _, b := range edges.Streams(2) {
		edges.Fence(b, f)
	}
	for _, s := range seeds.Attributes() {
		edges.Fence(s.B, f)
	}
}

// edgeWalk compares a walk over b with the kernel's loop.
func edgeWalk(t *testing.T, name string, b []byte, w walked) {
	t.Helper()
	want, rem := slow.Walk(b)
	checkWalk(t, name, b, w, want, rem)
}

func edgesOfFind(t *testing.T) {
	eachStream(func(b []byte) {
		want, _ := slow.Walk(b)
		for _, typ := range edges.Uint16s() {
			a := Find(b, typ)
			i := slices.IndexFunc(want, func(a slow.Attr) bool { return a.Type == typ })
			if i < 0 {
				if a != nil {
					t.Errorf("Find(% x, %d) = % x", b, typ, []byte(a))
				}
				continue
			}
			edges.View(t, a, b, want[i].At, 4+len(want[i].Payload), "Find(%d)", typ)
		}
	})
}

// eachAttr calls f with views that may be no whole attribute.
func eachAttr(f func(a Attr)) {
	for _, b := range edges.Streams(2) {
		edges.Fence(b, func(b []byte) { f(b) })
	}
	for _, v := range edges.Uint64s() {
		for _, size := range []int{1, 2, 4, 8} {
			edges.Fence(slowAttr(1, edges.Bytes(v, size), false), func(b []byte) { f(b) })
		}
	}
	for _, text := range []string{"\x00", "a", "a\x00", "a\x00b", "a\x00\x00", "\x00\x00"} {
		edges.Fence(slowAttr(1, []byte(text), false), func(b []byte) { f(b) })
	}
}

// slowAttr is an attribute, with its padding if wanted.
func slowAttr(typ uint16, payload []byte, padded bool) []byte {
	b := slices.Concat(edges.Bytes(uint64(4+len(payload)), 2), edges.Bytes(uint64(typ), 2), payload)
	for padded && len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// slowType is the type field, 0 if it is not there.
func slowType(a Attr) *big.Int {
	if len(a) < 4 {
		return new(big.Int)
	}
	return slow.Number(a[2:4], false, false)
}

func attrRows() map[string]func(*testing.T) {
	flag := func(get func(Attr) bool, bit int) func(*testing.T) {
		return func(t *testing.T) {
			eachAttr(func(a Attr) {
				if got := get(a); got != (slowType(a).Bit(bit) == 1) {
					t.Errorf("% x: %v", head(a), got)
				}
			})
		}
	}
	rows := map[string]func(*testing.T){
		"Attr.Type": func(t *testing.T) {
			eachAttr(func(a Attr) {
				if want := slowType(a).Int64() % 0x4000; int64(a.Type()) != want {
					t.Errorf("% x: type %d, want %d", head(a), a.Type(), want)
				}
			})
		},
		"Attr.IsNested":       flag(Attr.IsNested, 15),
		"Attr.IsNetByteOrder": flag(Attr.IsNetByteOrder, 14),
		"Attr.Payload": func(t *testing.T) {
			eachAttr(func(a Attr) { edges.View(t, a.Payload(), a, 4, max(0, len(a)-4), "% x", head(a)) })
		},
		"Attr.Clone": func(t *testing.T) {
			eachAttr(func(a Attr) {
				if c := a.Clone(); string(c) != string(a) || len(a) > 0 && &c[0] == &a[0] {
					t.Errorf("% x: % x", head(a), head(c))
				}
			})
		},
		"Attr.Flag": func(t *testing.T) {
			eachAttr(func(a Attr) {
				if v, err := a.Flag(); v != (len(a) == 4) || (err != nil) != (len(a) != 0 && len(a) != 4) {
					t.Errorf("% x: %v, %v", head(a), v, err)
				}
			})
		},
		"Attr.CString": func(t *testing.T) {
			eachAttr(func(a Attr) {
				p, err := a.CString()
				n := strings.IndexByte(string(a[min(4, len(a)):]), 0)
				if (err == ErrUnterminated) != (n < 0) {
					t.Errorf("% x: %q, %v", head(a), p, err)
				}
				edges.View(t, p, a, 4, max(n, 0), "% x", head(a))
			})
		},
		"Attr.Text": func(t *testing.T) {
			eachAttr(func(a Attr) {
				p, err := a.Text()
				want := string(a[min(4, len(a)):])
				if (err == ErrSize) != (want == "") {
					t.Errorf("% x: %q, %v", head(a), p, err)
				}
				edges.View(t, p, a, 4, len(strings.TrimSuffix(want, "\x00")), "% x", head(a))
			})
		},
		"Attr.Bitfield32": func(t *testing.T) {
			eachAttr(func(a Attr) {
				v, err := a.Bitfield32()
				checkGot(t, "the value of", a, uint64(v.Value), err, first(a, 4, 12), false, false)
				checkGot(t, "the selector of", a, uint64(v.Selector), err, first(a, 8, 12), false, false)
			})
		},
		"Attr.Msecs": func(t *testing.T) {
			eachAttr(func(a Attr) {
				v, err := a.Msecs()
				p := first(a, 12, 12)
				if ns := new(big.Int).Mul(slow.Number(p, false, false), big.NewInt(1_000_000)); !ns.IsInt64() {
					if v != 0 || err != ErrRange {
						t.Errorf("% x: %v, %v", head(a), v, err)
					}
					return
				}
				checkGot(t, "milliseconds of", a, uint64(v/time.Millisecond), err, p, false, false)
			})
		},
	}
	for name, n := range map[string]struct {
		get               func(Attr) (uint64, error)
		sizes             []int
		bigEndian, signed bool
	}{
		"Uint8":  {wide(Attr.Uint8), []int{1}, false, false},
		"Uint16": {wide(Attr.Uint16), []int{2}, false, false},
		"Uint32": {wide(Attr.Uint32), []int{4}, false, false},
		"Uint64": {wide(Attr.Uint64), []int{8}, false, false},
		"Int8":   {wide(Attr.Int8), []int{1}, false, true},
		"Int16":  {wide(Attr.Int16), []int{2}, false, true},
		"Int32":  {wide(Attr.Int32), []int{4}, false, true},
		"Int64":  {wide(Attr.Int64), []int{8}, false, true},
		"BE16":   {wide(Attr.BE16), []int{2}, true, false},
		"BE32":   {wide(Attr.BE32), []int{4}, true, false},
		"BE64":   {wide(Attr.BE64), []int{8}, true, false},
		"Uint":   {wide(Attr.Uint), []int{4, 8}, false, false},
		"Sint":   {wide(Attr.Sint), []int{4, 8}, false, true},
	} {
		rows["Attr."+name] = func(t *testing.T) {
			eachAttr(func(a Attr) {
				v, err := n.get(a)
				var p []byte
				if slices.Contains(n.sizes, len(a)-4) {
					p = a[4:]
				}
				checkGot(t, name+" of", a, v, err, p, n.bigEndian, n.signed)
			})
		}
	}
	return rows
}

// wide makes the getters of all sizes one type.
func wide[V uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64](get func(Attr) (V, error)) func(Attr) (uint64, error) {
	return func(a Attr) (uint64, error) {
		v, err := get(a)
		return uint64(v), err
	}
}

// first returns the bytes of the number that ends 8 or 4 bytes after its start at from-8 or
// from; nil if a is not of size bytes.
func first(a Attr, from, size int) []byte {
	switch {
	case len(a) != size:
		return nil
	case from == size:
		return a[4:]
	}
	return a[from : from+4]
}

// checkGot compares a number with that in p; without p it is 0 and ErrSize.
func checkGot(t *testing.T, what string, a Attr, v uint64, err error, p []byte, bigEndian, signed bool) {
	t.Helper()
	if p == nil {
		if v != 0 || err != ErrSize {
			t.Errorf("%s % x: %#x, %v", what, head(a), v, err)
		}
		return
	}
	if want := slowUint(p, bigEndian, signed); v != want || err != nil {
		t.Errorf("%s % x: %#x, %v, want %#x", what, head(a), v, err, want)
	}
}

// slowUint reads p, and has a negative number as its two's complement.
func slowUint(p []byte, bigEndian, signed bool) uint64 {
	v := slow.Number(p, bigEndian, signed)
	if v.Sign() < 0 {
		v.Add(v, new(big.Int).Lsh(big.NewInt(1), 64))
	}
	return v.Uint64()
}

func head(b []byte) []byte { return b[:min(len(b), 24)] }

// eachRoom calls f with buffers to append to, with much room, the room of size bytes, less,
// and none. Room after size bytes has to stay as it is.
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

// edgesOfAppend tries a function that appends payload.
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
		size      int // 0 for the shortest, -1 for the shortest that is signed
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

// edgesOfAppendBytes tries payloads of all sizes, which zeros follow.
func edgesOfAppendBytes(t *testing.T, f func(b []byte, typ uint16, p []byte) []byte, zeros int) {
	payload := make([]byte, 1<<16+16)
	for i := range payload {
		payload[i] = byte(i)*7 | 1
	}
	for _, size := range edges.Sizes() {
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
		// What is read is fenced too.
		copies := 0
		edges.Fence(p, func(p []byte) {
			if copies++; string(f(nil, 9, p)) != string(want) {
				t.Errorf("fenced: %d bytes", size)
			}
		})
	}
	if got := f(nil, 9, nil); string(got) != string(slowAttr(9, make([]byte, zeros), true)) {
		t.Errorf("nil: % x", got)
	}
}

// A payload of the greatest int has no room, and with a NUL no length.
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

// isNest is whether a nest may have been begun at mark in a buffer of so many bytes.
func isNest(size, mark int) bool { return mark >= 0 && mark <= size-4 && size-mark <= 1<<16-1 }

// ended is what End makes of b.
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

// eachTable calls f with tables that have no attribute, one of any size, and odd views.
func eachTable(f func(tb Table, typ uint16)) {
	for _, typ := range edges.Uint16s() {
		f(nil, typ)
		f(make(Table, 3), typ)
	}
	eachAttr(func(a Attr) {
		if len(a) < 1<<12 {
			f(Table{1: a}, 1)
			f(Table{a}, 0)
			f(Table{a}, 1)
		}
	})
}

// slowPayload returns the payload of an attribute that may be none.
func slowPayload(tb Table, typ uint16) []byte {
	if int(typ) >= len(tb) || len(tb[typ]) <= 4 {
		return nil
	}
	return tb[typ][4:]
}

func tableEdges() map[string]func(*testing.T) {
	rows := map[string]func(*testing.T){
		"Table.Get": func(t *testing.T) {
			eachTable(func(tb Table, typ uint16) {
				var want Attr
				if int(typ) < len(tb) {
					want = tb[typ]
				}
				edges.Equal(t, tb.Get(typ), want, "type %d", typ)
			})
		},
		"Table.Has": func(t *testing.T) {
			eachTable(func(tb Table, typ uint16) {
				if got := tb.Has(typ); got != (int(typ) < len(tb) && tb[typ] != nil) {
					t.Errorf("type %d of %v: %v", typ, tb, got)
				}
			})
		},
		"Table.Flag": func(t *testing.T) {
			eachTable(func(tb Table, typ uint16) {
				if got := tb.Flag(typ); got != (int(typ) < len(tb) && tb[typ] != nil) {
					t.Errorf("type %d of %v: %v", typ, tb, got)
				}
			})
		},
		"Table.Bytes": func(t *testing.T) {
			eachTable(func(tb Table, typ uint16) { edges.Equal(t, tb.Bytes(typ), slowPayload(tb, typ), "type %d", typ) })
		},
		"Table.Text": func(t *testing.T) {
			eachTable(func(tb Table, typ uint16) {
				want, _, _ := strings.Cut(string(slowPayload(tb, typ)), "\x00")
				if got := tb.Text(typ); string(got) != want {
					t.Errorf("type %d of %v: %q, want %q", typ, tb, got, want)
				}
			})
		},
		"Table.Bitfield32": func(t *testing.T) {
			eachTable(func(tb Table, typ uint16) {
				var want Bitfield32
				if p := slowPayload(tb, typ); len(p) >= 8 {
					want = Bitfield32{uint32(slowUint(p[:4], false, false)), uint32(slowUint(p[4:8], false, false))}
				}
				if got := tb.Bitfield32(typ); got != want {
					t.Errorf("type %d of %v: %+v, want %+v", typ, tb, got, want)
				}
			})
		},
		"Table.Msecs": func(t *testing.T) {
			eachTable(func(tb Table, typ uint16) {
				want := new(big.Int)
				if p := slowPayload(tb, typ); len(p) >= 8 {
					want.Mul(slow.Number(p[:8], false, false), big.NewInt(1_000_000))
				}
				if !want.IsInt64() {
					want.SetInt64(1<<63 - 1)
				}
				if got := tb.Msecs(typ); int64(got) != want.Int64() {
					t.Errorf("type %d of %v: %d, want %d", typ, tb, got, want)
				}
			})
		},
	}
	for name, n := range map[string]struct {
		get               func(Table, uint16) uint64
		size              int // 0 for 4 bytes or 8
		bigEndian, signed bool
	}{
		"Uint8":  {wideOf(Table.Uint8), 1, false, false},
		"Uint16": {wideOf(Table.Uint16), 2, false, false},
		"Uint32": {wideOf(Table.Uint32), 4, false, false},
		"Uint64": {wideOf(Table.Uint64), 8, false, false},
		"Int8":   {wideOf(Table.Int8), 1, false, true},
		"Int16":  {wideOf(Table.Int16), 2, false, true},
		"Int32":  {wideOf(Table.Int32), 4, false, true},
		"Int64":  {wideOf(Table.Int64), 8, false, true},
		"BE16":   {wideOf(Table.BE16), 2, true, false},
		"BE32":   {wideOf(Table.BE32), 4, true, false},
		"Uint":   {wideOf(Table.Uint), 0, false, false},
		"Sint":   {wideOf(Table.Sint), 0, false, true},
	} {
		rows["Table."+name] = func(t *testing.T) {
			eachTable(func(tb Table, typ uint16) {
				p, size, want := slowPayload(tb, typ), n.size, uint64(0)
				if size == 0 {
					size = 8
					if len(p) == 4 {
						size = 4
					}
				}
				if len(p) >= size {
					want = slowUint(p[:size], n.bigEndian, n.signed)
				}
				if got := n.get(tb, typ); got != want {
					t.Errorf("type %d of %v: %#x, want %#x", typ, tb, got, want)
				}
			})
		}
	}
	return rows
}

func wideOf[V uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64](get func(Table, uint16) V) func(Table, uint16) uint64 {
	return func(tb Table, typ uint16) uint64 { return uint64(get(tb, typ)) }
}
