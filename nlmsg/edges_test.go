package nlmsg

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/edges"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/internal/test/slow"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// TestEdges calls every exported function with extreme arguments, like the test of the same name
// in package nla.
func TestEdges(t *testing.T) {
	rows := map[string]func(*testing.T){
		"Size": func(t *testing.T) {
			for _, n := range edges.Ints() {
				if got, want := Size(n), edges.RoundUp(HeaderLen, n); got != want {
					t.Errorf("Size(%d) = %d, want %d", n, got, want)
				}
			}
		},
		"Align": func(t *testing.T) {
			for _, n := range edges.Ints() {
				if got, want := Align(n), edges.RoundUp(n); got != want {
					t.Errorf("Align(%d) = %d, want %d", n, got, want)
				}
			}
		},
		"ParseError": func(t *testing.T) {
			for _, n := range edges.Ints() {
				if err := ParseError(n); (err == nil) != (n >= 0) || err != nil && err != ErrTruncated && err != ErrLength && err != ErrOverrun {
					t.Errorf("ParseError(%d) = %v", n, err)
				}
			}
		},
		"SyntaxError.Error": func(t *testing.T) {
			for _, n := range edges.Ints() {
				if text := (&SyntaxError{n, ErrLength}).Error(); text != ErrLength.Error()+" at offset "+fmt.Sprint(n) {
					t.Errorf("offset %d: %q", n, text)
				}
			}
		},
		"SyntaxError.Unwrap": func(t *testing.T) {
			if (&SyntaxError{}).Unwrap() != nil || (&SyntaxError{0, ErrLength}).Unwrap() != ErrLength {
				t.Error("Unwrap does not return Err")
			}
		},
		"Consume": func(t *testing.T) {
			eachDatagram(func(b []byte) {
				m, n := Consume(b)
				size, err := slowFirst(b)
				if ParseError(n) != err || err == nil && n != min(edges.RoundUp(size), len(b)) {
					t.Errorf("% x: step %d, %v, want %v", head(b), n, ParseError(n), err)
				}
				edges.View(t, m, b, 0, size, "% x", head(b))
			})
		},
		"All":         edgesOfAll,
		"Walk":        edgesOfWalk,
		"Cursor.More": edgesOfCursor,
		"Cursor.Next": edgesOfNext,
		"Msg.Attrs":   edgesOfAttrs,
		"ParseReport": edgesOfParse,
		"Begin":       edgesOfBegin,
		"End":         edgesOfEnd,
		"Msg.Header": eachMsg(func(t *testing.T, m Msg) {
			h := m.Header()
			if h.Type != m.Type() || h.Flags != m.Flags() || h.Seq != m.Seq() || h.PortID != m.PortID() || len(m) < 16 && h != (Header{}) {
				t.Errorf("%d bytes: %+v", len(m), h)
			}
			if len(m) >= 16 && h.Len != ne.Uint32(m) {
				t.Errorf("%d bytes: length %d", len(m), h.Len)
			}
		}),
		"Msg.Type":     field(4, 2, func(m Msg) uint64 { return uint64(m.Type()) }),
		"Msg.Flags":    field(6, 2, func(m Msg) uint64 { return uint64(m.Flags()) }),
		"Msg.Seq":      field(8, 4, func(m Msg) uint64 { return uint64(m.Seq()) }),
		"Msg.PortID":   field(12, 4, func(m Msg) uint64 { return uint64(m.PortID()) }),
		"Msg.SetSeq":   setter(8, 4, func(m Msg, v uint64) { m.SetSeq(uint32(v)) }),
		"Msg.SetFlags": setter(6, 2, func(m Msg, v uint64) { m.SetFlags(Flags(v)) }),
		"Msg.Payload":  eachMsg(func(t *testing.T, m Msg) { edges.View(t, m.Payload(), m, 16, max(0, len(m)-16), "% x", head(m)) }),
		"Msg.Clone": eachMsg(func(t *testing.T, m Msg) {
			edges.Equal(t, append([]byte{}, m.Clone()...), append([]byte{}, m...), "clone")
		}),
		"Msg.String":       eachMsg(edgesOfString),
		"ParseAck":         eachMsg(edgesOfAnswers),
		"AppendAck":        edgesOfAppendAck,
		"ExtAck.Clone":     eachMsg(edgesOfClone),
		"Type.String":      edgesOfTypes,
		"Flags.Names":      edgesOfFlags,
		"ExtAck.SetReport": edgesOfSetReport,
		"ParseAckPayload": eachMsg(func(t *testing.T, m Msg) {
			for _, f := range []Flags{0, FlagCapped, FlagAckTLVs, 0xffff} {
				checkAnswer(t, m, f, 0, ParseAckPayload)
			}
		}),
	}
	guard.Edges(t, rows, map[string]string{
		"Cursor.Msg": "with More", "Cursor.Type": "with More", "Cursor.Err": "with More",
		"Cursor.Attrs": "with Msg.Attrs", "Parse": "with ParseReport", "ParseDone": "with ParseAck", "AppendDone": "with AppendAck",
		"KindOf": "with Type.String", "Flags.String": "with Flags.Text",
	})
}

func head(b []byte) []byte { return b[:min(len(b), 48)] }

// eachDatagram calls f with datagrams in fenced memory.
func eachDatagram(f func(b []byte)) {
	for _, b := range edges.Streams(4) {
		edges.Fence(b, f)
	}
	for _, s := range seeds.Datagrams() {
		edges.Fence(s.B, f)
	}
}

// eachMsg makes a row from a function of a view that may not be a complete message.
func eachMsg(f func(t *testing.T, m Msg)) func(*testing.T) {
	return func(t *testing.T) { eachDatagram(func(b []byte) { f(t, b) }) }
}

// u reads n bytes of b at an offset as a number.
func u(b []byte, at, n int) uint64 { return slow.Number(b[at:at+n], false, false).Uint64() }

// slowFirst returns the length of the message at the start of b, or 0 and the reason why there is
// none.
func slowFirst(b []byte) (size int, err error) {
	switch {
	case len(b) < 16:
		return 0, ErrTruncated
	case u(b, 0, 4) < 16:
		return 0, ErrLength
	case u(b, 0, 4) > uint64(len(b)):
		return 0, ErrOverrun
	}
	return int(u(b, 0, 4)), nil
}

func edgesOfAll(t *testing.T) {
	eachDatagram(func(b []byte) {
		at := 0
		var last error
		for m, err := range All(b) {
			size, want := slowFirst(b[at:])
			if last != nil || m == nil {
				var syntax *SyntaxError
				if last = err; !errors.As(err, &syntax) || syntax.Offset != at || syntax.Err != want {
					t.Errorf("% x: %v, want %v at %d", head(b), err, want, at)
				}
				continue
			}
			edges.View(t, m, b, at, size, "% x", head(b))
			at += min(edges.RoundUp(size), len(b)-at)
		}
		if last == nil && at != len(b) {
			t.Errorf("% x: ends after %d bytes without an error", head(b), at)
		}
	})
}

func edgesOfWalk(t *testing.T) {
	eachDatagram(func(b []byte) {
		at, c := 0, Walk(b)
		for ; c.More(); c = c.Next() {
			size, _ := slowFirst(b[at:])
			edges.View(t, c.Msg(), b, at, size, "% x", head(b))
			if at += min(edges.RoundUp(size), len(b)-at); size == 0 {
				return
			}
		}
		var want error
		if at < len(b) {
			_, want = slowFirst(b[at:])
		}
		if err := c.Err(); err != want {
			t.Errorf("% x: %v, want %v", head(b), err, want)
		}
	})
}

func edgesOfCursor(t *testing.T) {
	eachDatagram(func(b []byte) {
		c := Walk(b)
		size, err := slowFirst(b)
		if len(b) == 0 {
			err = nil
		}
		if c.More() != (size > 0) || c.Err() != err {
			t.Errorf("% x: more %v, %v, want %v", head(b), c.More(), c.Err(), err)
		}
		edges.View(t, c.Msg(), b, 0, size, "% x", head(b))
		if size > 0 && uint64(c.Type()) != u(b, 4, 2) || size == 0 && c.Type() != 0 {
			t.Errorf("% x: type %d", head(b), c.Type())
		}
	})
	if c := (Cursor{}); c.More() || c.Msg() != nil || c.Type() != 0 || c.Attrs(0) != nil || c.Err() != nil || c.Next().More() {
		t.Error("the zero Cursor has a message")
	}
}

// Next stays inside the datagram from any position, even if there is no message.
func edgesOfNext(t *testing.T) {
	eachDatagram(func(b []byte) {
		c := Walk(b)
		for range 20 {
			c = c.Next()
			edges.Within(t, c.Msg(), "% x", []any{head(b)}, b)
			_, _, _ = c.Type(), c.Err(), c.Attrs(0)
		}
	})
}

// slowAttrs returns the offset and the length of the attributes in a message of size bytes: both
// are 0 if the header does not fit or its length is negative.
func slowAttrs(size, hdrlen int) (start, n int) {
	if start = edges.RoundUp(16, hdrlen); hdrlen < 0 || start >= size {
		return 0, 0
	}
	return start, size - start
}

// eachWhole calls f with messages of all sizes, with attributes of 8 bytes each.
func eachWhole(f func(b []byte)) {
	for _, size := range edges.Sizes() {
		b := make([]byte, size)
		for at := 0; at < size; at += 8 {
			copy(b[at:], slices.Concat(edges.Bytes(8, 2), edges.Bytes(1, 2)))
		}
		copy(b, edges.Bytes(uint64(size), 4))
		edges.Fence(b, f)
	}
}

func edgesOfAttrs(t *testing.T) {
	eachWhole(func(b []byte) {
		size, _ := slowFirst(b)
		for _, hdrlen := range append(edges.Ints(), len(b)-21, len(b)-20, len(b)-17, len(b)-16, len(b)-15) {
			start, n := slowAttrs(len(b), hdrlen)
			got := Msg(b).Attrs(hdrlen)
			edges.View(t, got, b, start, n, "Msg.Attrs(%d) of %d bytes", hdrlen, len(b))
			start, n = slowAttrs(size, hdrlen)
			gotCursor := Walk(b).Attrs(hdrlen)
			edges.View(t, gotCursor, b, start, n, "Cursor.Attrs(%d) of %d bytes", hdrlen, size)
			if hdrlen < 0 && (got != nil || gotCursor != nil) {
				t.Errorf("not nil after a header of %d", hdrlen)
			}
		}
	})
	eachDatagram(func(b []byte) {
		size, _ := slowFirst(b)
		for _, hdrlen := range []int{-20, -16, -1, 0, 1, 4, 5, size - 17, size - 16, math.MaxInt, math.MinInt} {
			start, n := slowAttrs(size, hdrlen)
			edges.View(t, Walk(b).Attrs(hdrlen), b, start, n, "Cursor.Attrs(%d) of %d bytes", hdrlen, size)
		}
	})
}

func edgesOfParse(t *testing.T) {
	p := &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindU32}}}
	eachWhole(func(b []byte) {
		if len(b) > 1<<12 {
			b = b[:len(b)%64]
		}
		for _, hdrlen := range append(edges.Ints(), len(b)-20, len(b)-17, len(b)-16, len(b)-15) {
			for _, p := range []*policy.Policy{nil, p} {
				var got, want policy.Report
				code := errno.EINVAL
				tb, wantTb := &nla.Table{Slots: make([]uint32, 2)}, &nla.Table{Slots: make([]uint32, 2)}
				if hdrlen >= 0 && hdrlen <= len(b)-16 {
					start, n := slowAttrs(len(b), hdrlen)
					code = policy.ParseReport(wantTb, b[start:start+n], p, policy.Strict, &want)
					if want.HasAttr {
						want.Offset += start
					}
				} else {
					want.Msg = msgHeader
				}
				if c := ParseReport(tb, b, hdrlen, p, policy.Strict, &got); c != code || got != want || c == 0 && string(tb.Get(1)) != string(wantTb.Get(1)) {
					t.Errorf("ParseReport, header of %d in %d bytes: errno %d, %+v, want errno %d, %+v", hdrlen, len(b), c, got, code, want)
				}
				if err := Parse(tb, b, hdrlen, p, policy.Strict); (err == nil) != (code == 0) || err != nil && !errors.Is(err, code) {
					t.Errorf("Parse, header of %d in %d bytes: %v, want errno %d", hdrlen, len(b), err, code)
				}
			}
		}
	})
}

// field returns the row of an accessor for n bytes at an offset of the header.
func field(at, n int, get func(Msg) uint64) func(*testing.T) {
	return eachMsg(func(t *testing.T, m Msg) {
		var want uint64
		if len(m) >= 16 {
			want = u(m, at, n)
		}
		if got := get(m); got != want {
			t.Errorf("% x: %#x, want %#x", head(m), got, want)
		}
	})
}

func setter(at, n int, set func(Msg, uint64)) func(*testing.T) {
	return eachMsg(func(t *testing.T, m Msg) {
		for _, v := range []uint64{0, 1, 1<<16 - 1, 1<<31 - 1, 1<<32 - 1} {
			want := slices.Clone(m)
			if len(m) >= 16 {
				copy(want[at:], edges.Bytes(v, n))
			}
			if set(m, v); string(m) != string(want) {
				t.Errorf("%#x: % x, want % x", v, head(m), head(want))
			}
		}
	})
}

func edgesOfString(t *testing.T, m Msg) {
	if s := m.String(); !strings.HasPrefix(s, fmt.Sprintf("len %d type ", len(m))) || !strings.Contains(s, fmt.Sprintf(" seq %d port %d", m.Seq(), m.PortID())) {
		t.Errorf("% x: %q", head(m), s)
	}
}
