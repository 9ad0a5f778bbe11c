package nla

import (
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nlwire/nlwire/internal/test/edges"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/internal/test/slow"
)

// TestEdges calls every exported function with extreme arguments, in memory where a read past the
// end faults, and compares the results with the slowest implementation of the documentation. It
// passes in every form of the package (unsafe and purego, 32 and 64 bits, little-endian and
// big-endian), so all forms have the same results.
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
				t.Error("Unwrap does not return Err")
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
	for name, f := range readerEdges() {
		rows[name] = f
	}
	const ofAttr = "same value and error as the method of Attr"
	exempt := map[string]string{"NewTable": "a negative size panics, as make does"}
	for _, name := range []string{"Uint8", "Uint16", "Uint32", "Uint64", "Int8", "Int16", "Int32", "Int64", "BE16", "BE32", "BE64", "Uint", "Sint",
		"Bitfield32", "Msecs", "Flag", "CString", "Text", "Addr"} {
		exempt["Reader."+name] = ofAttr
	}
	for _, name := range []string{"Reader.Err", "Reader.Attr", "Reader.Type", "Reader.Bytes", "Reader.Nest", "Reader.Fail", "NewReader", "Cursor.Attr", "Cursor.Type", "Cursor.More", "Cursor.Err", "Cursor.Next"} {
		exempt[name] = "tested with Reader.Next or Walk"
	}
	guard.Edges(t, rows, exempt)
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

// eachAttr calls f with views that may not be complete attributes.
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

// slowAttr returns an attribute, with or without its padding.
func slowAttr(typ uint16, payload []byte, padded bool) []byte {
	b := slices.Concat(edges.Bytes(uint64(4+len(payload)), 2), edges.Bytes(uint64(typ), 2), payload)
	for padded && len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// slowType returns the type field, or 0 if it is absent.
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
				edges.View(t, p, a, 4, len(beforeNULOf(want)), "% x", head(a))
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

// wide converts getters of all integer types to one type.
func wide[V uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64](get func(Attr) (V, error)) func(Attr) (uint64, error) {
	return func(a Attr) (uint64, error) {
		v, err := get(a)
		return uint64(v), err
	}
}

// first returns the 8 bytes after the header if from equals size, otherwise the 4 bytes at from.
// It returns nil if a does not have size bytes.
func first(a Attr, from, size int) []byte {
	switch {
	case len(a) != size:
		return nil
	case from == size:
		return a[4:]
	}
	return a[from : from+4]
}

// checkGot compares v with the number in p. If p is nil, v must be 0 and err ErrSize.
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

// slowUint returns the number in p, a negative one as its two's complement.
func slowUint(p []byte, bigEndian, signed bool) uint64 {
	v := slow.Number(p, bigEndian, signed)
	if v.Sign() < 0 {
		v.Add(v, new(big.Int).Lsh(big.NewInt(1), 64))
	}
	return v.Uint64()
}

func head(b []byte) []byte { return b[:min(len(b), 24)] }
