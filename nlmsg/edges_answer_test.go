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
	"github.com/nlwire/nlwire/internal/test/slow"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// checkAnswer parses a message, or a payload at offset at of its message. All results must be
// views inside it, and offsets of errors, too. Package fuzz compares the contents.
func checkAnswer(t *testing.T, b []byte, f Flags, at int, parse func([]byte, Flags) (ExtAck, error)) {
	t.Helper()
	a, err := parse(b, f)
	for _, part := range [][]byte{a.Request, a.Msg, a.Cookie, a.Policy} {
		edges.Within(t, part, "% x", []any{head(b)}, b)
		if cap(part) != len(part) {
			t.Errorf("% x: a part of %d bytes has a capacity of %d", head(b), len(part), cap(part))
		}
	}
	var syntax *SyntaxError
	if errors.As(err, &syntax) != (err != nil) || err != nil && (syntax.Offset < 0 || syntax.Offset > at+len(b)) {
		t.Errorf("% x: %v", head(b), err)
	}
}

func edgesOfAnswers(t *testing.T, m Msg) {
	of := func(parse func(Msg) (ExtAck, error)) func([]byte, Flags) (ExtAck, error) {
		return func(b []byte, _ Flags) (ExtAck, error) { return parse(b) }
	}
	for _, typ := range []Type{TypeError, TypeDone} {
		for _, f := range []Flags{0, FlagCapped, FlagAckTLVs, 0xffff} {
			if m.SetFlags(f); len(m) >= 16 {
				copy(m[4:], edges.Bytes(uint64(typ), 2))
			}
			checkAnswer(t, m, f, 16, of(ParseAck))
			checkAnswer(t, m, f, 16, of(ParseDone))
		}
	}
}

func edgesOfClone(t *testing.T, m Msg) {
	e := ExtAck{Errno: math.MaxUint32, Request: m, Msg: m, Cookie: m, Policy: m}
	c := e.Clone()
	for _, part := range [][]byte{c.Request, c.Msg, c.Cookie, c.Policy} {
		if string(part) != string(m) || len(m) > 0 && &part[0] == &m[0] {
			t.Errorf("% x: % x", head(m), head(part))
		}
	}
}

// Every field that fits into an answer is written and read again. A text that does not fit is
// cut; other fields panic.
func edgesOfAppendAck(t *testing.T) {
	long := make([]byte, nla.MaxPayload+2)
	for i := range long {
		long[i] = 'x'
	}
	for _, size := range []int{0, 1, 16, nla.MaxPayload - 1, nla.MaxPayload, nla.MaxPayload + 1} {
		for _, code := range []errno.Errno{0, 1, 4095, 1<<31 - 1, 1 << 31} {
			opts := AckOptions{PortID: math.MaxUint32, Ext: true}
			for name, e := range map[string]ExtAck{"text": {Msg: long[:size]}, "cookie": {Cookie: long[:size]}, "policy": {Policy: long[:size]}} {
				e.Errno, e.Request = code, Begin(nil, 0xffff, 0xffff, math.MaxUint32, 0)
				PutLen(e.Request)
				limit := nla.MaxPayload
				switch {
				case name == "text": // is cut
					limit = math.MaxInt
				case name == "policy" && code == 0: // an acknowledgement has no policy
					limit = math.MaxInt
				}
				reason := edges.Panics(func() {
					got, err := ParseAck(AppendAck(nil, &e, opts))
					done, err2 := ParseDone(AppendDone(nil, &e, 0, opts))
					if got.Errno != code || done.Errno != code || err != nil || err2 != nil || string(got.Msg) != string(e.Msg[:min(len(e.Msg), nla.MaxPayload-1)]) || string(done.Cookie) != string(e.Cookie) {
						t.Errorf("%s of %d bytes, errno %d: read %d, %v, %d, %v", name, size, code, got.Errno, err, done.Errno, err2)
					}
				})
				if (reason != nil) != (size > limit) {
					t.Errorf("%s of %d bytes: %v", name, size, reason)
				}
			}
		}
	}
	eachDatagram(func(b []byte) {
		for options := range 4 {
			e := ExtAck{Errno: 22, Request: b, Offset: math.MaxUint32, MissType: math.MaxUint32, MissNest: 1}
			opts := AckOptions{Cap: options&1 != 0, Ext: options&2 != 0}
			ack := AppendAck([]byte{1}, &e, opts)[1:]
			size, err := slowFirst(ack)
			if got, _ := ParseAck(ack); err != nil || edges.RoundUp(size) != len(ack) || got.Errno != 22 || got.Offset != 0 || Msg(ack).Seq() != Msg(b).Seq() {
				t.Errorf("% x: % x, %v", head(b), head(ack), err)
			}
			if got, err := ParseDone(AppendDone(nil, &e, 0xffff&^FlagAckTLVs, opts)); err != nil || got.Errno != 22 || got.Offset != 0 || opts.Ext != (got.MissType != 0) {
				t.Errorf("% x: %+v, %v", head(b), got, err)
			}
		}
	})
	_, _ = AppendAck(nil, &ExtAck{}, AckOptions{}), AppendDone(nil, &ExtAck{}, 0, AckOptions{})
}

// PutLen writes the length of m into its length field.
func PutLen(m Msg) { edges.PutLen(m, uint64(len(m))) }

func edgesOfTypes(t *testing.T) {
	for _, v := range edges.Uint16s() {
		want := KindUnknown
		if v == 2 || v == 3 {
			want = KindAck
		}
		if s := Type(v).String(); KindOf(Type(v)) != want || s == "" || (v == 0 || v > 4) && s != fmt.Sprintf("%#x", v) {
			t.Errorf("type %d: %q, kind %d", v, s, KindOf(Type(v)))
		}
	}
}

func edgesOfFlags(t *testing.T) {
	for _, v := range append(edges.Uint16s(), 0x300, 0x100, 0x200, 0x3f, 0xc0) {
		if Flags(v).String() != Flags(v).Names(KindUnknown) {
			t.Errorf("flags %#x: %q", v, Flags(v))
		}
		for k := range 256 {
			s := Flags(v).Names(Kind(k))
			if s == "" || (s == "0") != (v == 0) || strings.Contains(s, "||") || k > int(KindAck) && s != Flags(v).String() {
				t.Errorf("flags %#x of kind %d: %q", v, k, s)
			}
		}
	}
}

func edgesOfSetReport(t *testing.T) {
	for _, offset := range edges.Ints() {
		var e ExtAck
		if buf := e.SetReport(&policy.Report{HasAttr: true, Offset: offset}, nil); e.Offset != uint32(offset) || buf != nil || e.Msg != nil || e.Policy != nil {
			t.Errorf("offset %d: %+v", offset, e)
		}
	}
	for kind := range 256 {
		for check := range 9 {
			r := policy.Rule{Kind: policy.Kind(kind), Check: policy.Check(check), Len: math.MaxUint16, Mask: math.MaxUint32, Min: math.MinInt64, Max: math.MaxInt64}
			r.Nested = &policy.Policy{Attrs: make([]policy.Rule, 1<<16+1)}
			e := ExtAck{}
			buf := e.SetReport(&policy.Report{Msg: "text", Policy: &r}, []byte("before"))
			if !strings.HasPrefix(string(buf), "beforetext") || string(e.Msg) != "text" || string(buf[10:]) != string(e.Policy) {
				t.Errorf("kind %d, check %d: %q, %+v", kind, check, buf, e)
			}
			if _, rem := slow.Walk(e.Policy); rem > 0 {
				t.Errorf("kind %d, check %d: % x", kind, check, e.Policy)
			}
		}
	}
	e := ExtAck{}
	if e.SetReport(&policy.Report{}, nil) != nil || e.Msg != nil || e.Offset != 0 {
		t.Errorf("%+v", e)
	}
}

func edgesOfBegin(t *testing.T) {
	for _, v := range []uint64{0, 1, 1<<16 - 1, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		want := slices.Concat(make([]byte, 4), edges.Bytes(v, 2), edges.Bytes(v, 2), edges.Bytes(v, 4), edges.Bytes(v, 4))
		for _, prefix := range []int{0, 1, 16} {
			for _, spare := range []int{0, 15, 16, 17} {
				whole := make([]byte, prefix+spare)
				for i := range whole {
					whole[i] = 0xa5
				}
				edges.Fence(whole, func(b []byte) {
					got := Begin(b[:prefix], Type(v), Flags(v), uint32(v), uint32(v))
					if string(got[:prefix]) != string(whole[:prefix]) || string(got[prefix:]) != string(want) {
						t.Errorf("%#x: % x, want % x", v, got, want)
					}
					if spare > 16 && b[prefix+16] != 0xa5 {
						t.Errorf("%#x: a byte after the header was written", v)
					}
				})
			}
		}
		edges.Equal(t, Begin(nil, Type(v), Flags(v), uint32(v), uint32(v)), want, "%#x", v)
	}
}

func edgesOfEnd(t *testing.T) {
	for _, size := range edges.Sizes() {
		b := make([]byte, size)
		for _, mark := range append(edges.Ints(), size-20, size-17, size-16, size-15, size, size+1) {
			if mark < 0 || mark > size-16 {
				if edges.Panics(func() { End(b, mark) }) == nil {
					t.Errorf("%d bytes, mark %d: no panic", size, mark)
				}
				continue
			}
			want := slices.Clone(b)
			copy(want[mark:], edges.Bytes(uint64(size-mark), 4))
			for (len(want)-mark)%4 != 0 {
				want = append(want, 0)
			}
			edges.Fence(b, func(b []byte) {
				if string(End(b[:size:size], mark)) != string(want) {
					t.Errorf("%d bytes, mark %d", size, mark)
				}
			})
		}
	}
}

// A message may be as long as a slice. Rounding its length up overflows a 32-bit int.
func TestEdgesOfHugeMessages(t *testing.T) {
	huge := edges.Reserve(t, 1<<31-1)
	for size := len(huge); size > len(huge)-6; size-- {
		b := huge[:size:size]
		for spare := range 24 {
			length := size - spare
			edges.PutLen(b, uint64(length))
			step := min(edges.RoundUp(length), size)
			m, n := Consume(b)
			if len(m) != length || cap(m) != length || n != step {
				t.Errorf("%d bytes: a message of %d, step %d, want %d, %d", size, len(m), n, length, step)
			}
			c := Walk(b)
			if !c.More() || c.Err() != nil || len(c.Msg()) != length || c.Next().offset(b) != step {
				t.Errorf("%d bytes: the cursor has a message of %d, the next one at %d, want %d, %d", size, len(c.Msg()), c.Next().offset(b), length, step)
			}
			messages := 0
			for m, err := range All(b) {
				if messages++; messages == 1 && (err != nil || len(m) != length) || messages == 2 && err == nil || messages > 2 {
					t.Errorf("%d bytes: message %d has %d bytes, %v", size, messages, len(m), err)
					break
				}
			}
			for _, hdrlen := range append(edges.Ints(), length-20, length-17, length-16) {
				start, n := slowAttrs(length, hdrlen)
				edges.View(t, m.Attrs(hdrlen), b, start, n, "Msg.Attrs(%d) of %d bytes", hdrlen, length)
				edges.View(t, c.Attrs(hdrlen), b, start, n, "Cursor.Attrs(%d) of %d bytes", hdrlen, length)
				var r policy.Report
				if code := ParseReport(nil, m, hdrlen, nil, 0, &r); (code == 0) != (hdrlen >= 0 && hdrlen <= length-16) {
					t.Errorf("ParseReport, header of %d in %d bytes: errno %d", hdrlen, length, code)
				}
			}
		}
		for length := uint64(size) + 1; length < 1<<31+8; length++ {
			edges.PutLen(b, length)
			if m, n := Consume(b); m != nil || ParseError(n) != ErrOverrun || Walk(b).More() || Walk(b).Err() != ErrOverrun || Walk(b).Attrs(0) != nil {
				t.Errorf("%d bytes: a message of %d, of %d bytes", size, len(m), length)
			}
		}
	}
	for _, length := range []uint64{1<<32 - 1, 1<<32 - 3, 1<<32 - 4, 1<<31 + 1} {
		edges.PutLen(huge, length)
		if c := Walk(huge); c.More() || c.Err() != ErrOverrun || c.Next().offset(huge) < 0 {
			t.Errorf("a message of %d bytes", length)
		}
	}
}

// The request repeated in an answer may be as long as a slice, too.
func TestEdgesOfHugeAnswers(t *testing.T) {
	p := edges.Reserve(t, 1<<31-1)
	for size := len(p) - 4; size > len(p)-12; size-- {
		edges.PutLen(p, 0)
		edges.PutLen(p[4:], uint64(size))
		for _, f := range []Flags{0, FlagAckTLVs} {
			a, err := ParseAckPayload(p, f)
			left := len(p) - min(len(p), edges.RoundUp(4, size))
			if len(a.Request) != size || (err != nil) != (f != 0 && left > 0) {
				t.Errorf("flags %v, a request of %d bytes: %d, %v", f, size, len(a.Request), err)
			}
		}
		edges.PutLen(p[4:], uint64(len(p)))
		if _, err := ParseAckPayload(p, 0); !errors.Is(err, nil) {
			t.Errorf("a capped acknowledgement: %v", err)
		}
	}
	m := Msg(p)
	edges.PutLen(m, uint64(len(m)))
	copy(m[4:], append(edges.Bytes(uint64(TypeError), 2), edges.Bytes(uint64(FlagAckTLVs), 2)...))
	edges.PutLen(m[16:], 0)
	edges.PutLen(m[20:], uint64(len(m)-20))
	if a, err := ParseAck(m); err != nil || len(a.Request) != len(m)-20 {
		t.Errorf("a request of %d bytes, %v", len(a.Request), err)
	}
}

// A message of MaxLen bytes is followed by padding if the slice can be longer than that.
func TestEdgesOfHugeEnds(t *testing.T) {
	if math.MaxInt == math.MaxInt32 {
		b := edges.Reserve(t, math.MaxInt)
		for _, mark := range []int{-1, math.MinInt, math.MaxInt, math.MaxInt - 15, 0} { // with 0 there is no capacity for the padding
			if edges.Panics(func() { End(b, mark) }) == nil {
				t.Errorf("mark %d: no panic", mark)
			}
		}
		if got := End(b[:math.MaxInt-3], 0); len(got) != math.MaxInt-3 || u(got, 0, 4) != math.MaxInt-3 {
			t.Errorf("%d bytes, length %d", len(got), u(got, 0, 4))
		}
		return
	}
	four := 1 << 16
	four *= four // 4 GiB if an int can hold it
	b := edges.Reserve(t, four+64)
	for _, size := range []int{four - 4, four - 3, four - 1} {
		got := End(b[:size], 0)
		if m, n := Consume(got); len(got) != edges.RoundUp(size) || len(m) != size || n != len(got) || len(Walk(got).Msg()) != size {
			t.Errorf("%d bytes: %d, message of %d", size, len(got), len(m))
		}
	}
	if edges.Panics(func() { End(b[:four], 0) }) == nil {
		t.Error("no panic over MaxLen")
	}
	if got := End(b[:four+20], 36); u(got, 36, 4) != uint64(four-16) {
		t.Errorf("length %d", u(got, 36, 4))
	}
}
