package nla

import (
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/internal/test/edges"
	"github.com/nlwire/nlwire/internal/test/slow"
)

// eachTable calls f with tables without attributes, and with tables that have arbitrary slots.
func eachTable(f func(tb *Table, typ uint16)) {
	for _, typ := range edges.Uint16s() {
		f(&Table{}, typ)
		f(&Table{Slots: make([]uint32, 3)}, typ)
	}
	eachStream(func(b []byte) {
		if len(b) > 1<<12 {
			return
		}
		for _, slot := range []int{0, 1, 3, 4, 5, len(b) - 8, len(b) - 1, len(b), len(b) + 1, 1<<31 - 1, -1 << 31, -1} {
			f(&Table{Stream: b, Slots: []uint32{1: uint32(slot)}}, 1)
			f(&Table{Stream: b, Slots: []uint32{uint32(slot)}}, 0)
			f(&Table{Stream: b, Slots: []uint32{uint32(slot)}}, 1)
		}
	})
}

// slowGet returns the attribute that a slot refers to, or nil if it is not inside the stream.
func slowGet(tb *Table, typ uint16) Attr {
	if int(typ) >= len(tb.Slots) {
		return nil
	}
	slot := int64(tb.Slots[typ])
	if slot < 4 || slot > int64(len(tb.Stream)) {
		return nil
	}
	b := tb.Stream[int64(len(tb.Stream))-slot:]
	if n := int(slowUint(b[:2], false, false)); n >= 4 && n <= len(b) {
		return b[:n]
	}
	return nil
}

// slowPayload returns the payload of an attribute, or nil if it is absent.
func slowPayload(tb *Table, typ uint16) []byte {
	if a := slowGet(tb, typ); len(a) > 4 {
		return a[4:]
	}
	return nil
}

func tableEdges() map[string]func(*testing.T) {
	rows := map[string]func(*testing.T){
		"Table.Get": func(t *testing.T) {
			eachTable(func(tb *Table, typ uint16) {
				edges.Equal(t, tb.Get(typ), slowGet(tb, typ), "type %d", typ)
			})
		},
		"Table.Has": func(t *testing.T) {
			eachTable(func(tb *Table, typ uint16) {
				if got := tb.Has(typ); got != (slowGet(tb, typ) != nil) {
					t.Errorf("type %d of %v: %v", typ, tb, got)
				}
			})
		},
		"Table.Read": func(t *testing.T) {
			eachStream(func(b []byte) {
				all, rem := slow.Walk(b)
				last := map[int]slow.Attr{}
				for _, a := range all {
					if a.Type != 0 {
						last[int(a.Type)] = a
					}
				}
				for _, size := range []int{0, 1, 3, 300} {
					tb := &Table{Stream: []byte{1}, Slots: slices.Repeat([]uint32{7}, size)}
					if err := tb.Read(b); (err != nil) != (rem > 0) {
						t.Errorf("% x: %v, %d leftover bytes", head(b), err, rem)
					}
					for typ := range tb.Slots {
						a, ok := last[typ]
						if !ok {
							edges.Equal(t, tb.Get(uint16(typ)), nil, "type %d of % x", typ, head(b))
							continue
						}
						edges.View(t, tb.Get(uint16(typ)), b, a.At, 4+len(a.Payload), "type %d", typ)
					}
				}
			})
		},
		"Table.Addr": func(t *testing.T) {
			eachTable(func(tb *Table, typ uint16) {
				p, got := slowPayload(tb, typ), tb.Addr(typ)
				if isAddr := len(p) == 4 || len(p) == 16; got.IsValid() != isAddr || isAddr && string(got.AsSlice()) != string(p) {
					t.Errorf("type %d of %v: %v", typ, tb, got)
				}
			})
		},
		"Table.Flag": func(t *testing.T) {
			eachTable(func(tb *Table, typ uint16) {
				if got := tb.Flag(typ); got != (slowGet(tb, typ) != nil) {
					t.Errorf("type %d of %v: %v", typ, tb, got)
				}
			})
		},
		"Table.Bytes": func(t *testing.T) {
			eachTable(func(tb *Table, typ uint16) { edges.Equal(t, tb.Bytes(typ), slowPayload(tb, typ), "type %d", typ) })
		},
		"Table.Text": func(t *testing.T) {
			eachTable(func(tb *Table, typ uint16) {
				want, _, _ := strings.Cut(string(slowPayload(tb, typ)), "\x00")
				if got := tb.Text(typ); string(got) != want {
					t.Errorf("type %d of %v: %q, want %q", typ, tb, got, want)
				}
			})
		},
		"Table.Bitfield32": func(t *testing.T) {
			eachTable(func(tb *Table, typ uint16) {
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
			eachTable(func(tb *Table, typ uint16) {
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
		get               func(*Table, uint16) uint64
		size              int // 0 for 4 or 8 bytes
		bigEndian, signed bool
	}{
		"Uint8":  {wideOf((*Table).Uint8), 1, false, false},
		"Uint16": {wideOf((*Table).Uint16), 2, false, false},
		"Uint32": {wideOf((*Table).Uint32), 4, false, false},
		"Uint64": {wideOf((*Table).Uint64), 8, false, false},
		"Int8":   {wideOf((*Table).Int8), 1, false, true},
		"Int16":  {wideOf((*Table).Int16), 2, false, true},
		"Int32":  {wideOf((*Table).Int32), 4, false, true},
		"Int64":  {wideOf((*Table).Int64), 8, false, true},
		"BE16":   {wideOf((*Table).BE16), 2, true, false},
		"BE32":   {wideOf((*Table).BE32), 4, true, false},
		"BE64":   {wideOf((*Table).BE64), 8, true, false},
		"Uint":   {wideOf((*Table).Uint), 0, false, false},
		"Sint":   {wideOf((*Table).Sint), 0, false, true},
	} {
		rows["Table."+name] = func(t *testing.T) {
			eachTable(func(tb *Table, typ uint16) {
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

func wideOf[V uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64](get func(*Table, uint16) V) func(*Table, uint16) uint64 {
	return func(tb *Table, typ uint16) uint64 { return uint64(get(tb, typ)) }
}

// readerEdges returns the rows for cursors, readers and numbers of run-time width.
func readerEdges() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"Walk": func(t *testing.T) {
			eachStream(func(b []byte) {
				edgeWalk(t, "Walk", b, walkCursor(b))
				if len(b) < 100 {
					checkCursor(t, b)
				}
			})
		},
		"Reader.Next": func(t *testing.T) {
			eachStream(func(b []byte) {
				edgeWalk(t, "NewReader", b, walkReader(b))
				r := NewReader(b)
				for r.Next() {
					in := r.Nest()
					for in.Next() {
						in.Uint32()
					}
					r.Fail(in.Err())
					if r.Err() == nil && (r.Attr() == nil || r.Type() != r.Attr().Type() || len(r.Bytes()) != len(r.Attr())-HeaderLen) {
						t.Errorf("% x: % x", head(b), r.Attr())
					}
				}
			})
		},
		"Format": func(t *testing.T) {
			eachStream(func(b []byte) {
				if n := len(Format(b)); n > 40*(len(b)+1) {
					t.Errorf("%d bytes of text for %d", n, len(b))
				}
			})
		},
		"Attr.RawType": func(t *testing.T) {
			eachAttr(func(a Attr) {
				if want := slowType(a); !want.IsUint64() || uint64(a.RawType()) != want.Uint64() {
					t.Errorf("% x: %#x, want %#x", head(a), a.RawType(), want)
				}
			})
		},
		"Attr.Addr": func(t *testing.T) {
			eachAttr(func(a Attr) {
				addr, err := a.Addr()
				if isAddr := len(a) == 8 || len(a) == 20; (err == nil) != isAddr || isAddr && string(addr.AsSlice()) != string(a[4:]) {
					t.Errorf("% x: %v, %v", head(a), addr, err)
				}
			})
		},
		"AppendAddr": func(t *testing.T) {
			for _, addr := range []netip.Addr{addr4, addr6, netip.IPv6Unspecified().WithZone("eth0")} {
				edgesOfAppend(t, func(b []byte, typ uint16) []byte { return AppendAddr(b, typ, addr) }, 0, addr.AsSlice())
			}
			defer func() {
				if recover() == nil {
					t.Error("the zero Addr is appended")
				}
			}()
			AppendAddr(nil, 1, netip.Addr{})
		},
		"FieldUint":    TestFieldNumbers,
		"AppendField":  TestFieldNumbers,
		"AppendNumber": TestFieldNumbers,
		"FieldError.Error": func(t *testing.T) {
			if got := (&FieldError{1<<16 - 1, ErrSize}).Error(); got != "attribute 65535: "+ErrSize.Error() {
				t.Error(got)
			}
		},
		"FieldError.Unwrap": func(t *testing.T) {
			if (&FieldError{}).Unwrap() != nil || (&FieldError{0, ErrSize}).Unwrap() != ErrSize {
				t.Error("Unwrap does not return Err")
			}
		},
	}
}

func beforeNULOf(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}
