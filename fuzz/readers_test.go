package fuzz

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/edges"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/internal/test/slow"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// walk is the result of a reader.
type walk struct {
	views [][]byte // in the order of their offsets
	err   error    // the reason for stopping before the end: a static error
	stop  int      // the offset where it stopped; unknown if the reader does not report it
}

const unknown = -1

func (w *walk) add(view []byte) { w.views = append(w.views, view) }

// attributeReaders lists all ways to read a stream of attributes. A new reader needs one more
// row.
var attributeReaders = []struct {
	name string
	read func(b []byte) walk
	// want selects, from all attributes, those that the reader returns.
	want func(all []slow.Attr) []slow.Attr
	// silent readers do not report a malformed attribute.
	silent bool
}{
	{"nla.Consume", func(b []byte) (w walk) {
		for rest := b; len(rest) > 0; {
			a, n := nla.Consume(rest)
			if n < 0 {
				w.err, w.stop = nla.ParseError(n), len(b)-len(rest)
				return w
			}
			w.add(a)
			rest = rest[n:]
		}
		w.stop = len(b)
		return w
	}, everyAttribute, false},
	{"nla.All", func(b []byte) walk {
		w := walk{stop: len(b)}
		for a, err := range nla.All(b) {
			var syntax *nla.SyntaxError
			if errors.As(err, &syntax) {
				w.err, w.stop = syntax.Err, syntax.Offset
				break
			}
			w.add(a)
		}
		return w
	}, everyAttribute, false},
	{"nla.Walk", func(b []byte) (w walk) {
		c := nla.Walk(b)
		for ; c.More(); c = c.Next() {
			w.add(c.Attr())
		}
		w.err, w.stop = c.Err(), unknown
		return w
	}, everyAttribute, false},
	{"nla.NewReader", func(b []byte) walk {
		w := walk{stop: len(b)}
		r := nla.NewReader(b)
		for r.Next() {
			w.add(r.Attr())
		}
		var syntax *nla.SyntaxError
		if errors.As(r.Err(), &syntax) {
			w.err, w.stop = syntax.Err, syntax.Offset
		}
		return w
	}, everyAttribute, false},
	{"nla.Table.Read", func(b []byte) walk {
		tb := &nla.Table{Slots: make([]uint32, tableSize)}
		err := tb.Read(b)
		w := tableViews(tb, b)
		w.stop = len(b)
		var syntax *nla.SyntaxError
		if errors.As(err, &syntax) {
			w.err, w.stop = syntax.Err, syntax.Offset
		}
		return w
	}, lastOfType, false},
	{"nla.Find", func(b []byte) (w walk) {
		seen := map[uint16]bool{}
		for a, err := range nla.All(b) {
			if err == nil && !seen[a.Type()] && len(seen) < 200 { // takes quadratic time
				seen[a.Type()] = true
				w.add(nla.Find(b, a.Type()))
			}
		}
		return w
	}, func(all []slow.Attr) []slow.Attr {
		first := oneOfType(all, func(int) bool { return true }, false)
		return first[:min(len(first), 200)]
	}, true},
	{"policy.Parse without a policy", func(b []byte) walk { return parsed(b, nil) }, lastOfType, true},
	{"policy.Parse", func(b []byte) walk { return parsed(b, anyBinary) }, lastOfType, true},
}

func everyAttribute(all []slow.Attr) []slow.Attr { return all }

// tableSize is the size of the tables here; they do not store higher types and type 0.
const tableSize = 256

func lastOfType(all []slow.Attr) []slow.Attr {
	return oneOfType(all, func(typ int) bool { return typ > 0 && typ < tableSize }, true)
}

// oneOfType returns the first or the last attribute of each type that has a slot.
func oneOfType(all []slow.Attr, hasPlace func(typ int) bool, last bool) (some []slow.Attr) {
	at := map[uint16]int{}
	for _, a := range all {
		i, ok := at[a.Type]
		switch {
		case !hasPlace(int(a.Type)):
		case !ok:
			at[a.Type] = len(some)
			some = append(some, a)
		case last:
			some[i] = a
		}
	}
	slices.SortFunc(some, func(a, b slow.Attr) int { return cmp.Compare(a.At, b.At) })
	return some
}

// anyBinary accepts every attribute that has a slot in the table.
var anyBinary = func() *policy.Policy {
	rules := make([]policy.Rule, tableSize)
	for typ := range rules {
		rules[typ].Kind = policy.KindBinary
	}
	return &policy.Policy{Attrs: rules}
}()

func parsed(b []byte, p *policy.Policy) walk {
	tb := &nla.Table{Slots: make([]uint32, tableSize)}
	err := policy.Parse(tb, b, p, policy.Liberal)
	w := tableViews(tb, b)
	w.err = err // nil in a liberal mode
	return w
}

// tableViews returns the attributes in a table of b, ordered by offset.
func tableViews(tb *nla.Table, b []byte) (w walk) {
	for typ := range tb.Slots {
		if a := tb.Get(uint16(typ)); a != nil {
			w.add(a)
		}
	}
	slices.SortFunc(w.views, func(x, y []byte) int { return cmp.Compare(edges.Place(x, b), edges.Place(y, b)) })
	return w
}

// reasonOf returns the reason why the kernel's loop stops at rest.
func reasonOf(rest bytesAt) error {
	switch {
	case len(rest) == 0:
		return nil
	case len(rest) < 4:
		return nla.ErrTruncated
	case rest.number(0, 2) < 4:
		return nla.ErrLength
	}
	return nla.ErrOverrun
}

// attributesAgree compares all readers of attributes with the kernel's loop.
func attributesAgree(t *testing.T, b []byte) {
	t.Helper()
	all, rem := slow.Walk(b)
	stop := len(b) - max(rem, 0)
	for _, r := range attributeReaders {
		w, want := r.read(b), r.want(all)
		if len(w.views) != len(want) {
			t.Fatalf("%s: %d attributes, want %d\n% x", r.name, len(w.views), len(want), b)
		}
		for i, a := range want {
			if v := w.views[i]; edges.Place(v, b) != a.At || len(v) != 4+len(a.Payload) || cap(v) != len(v) {
				t.Fatalf("%s: attribute %d at %d, %d bytes with a capacity of %d, want it at %d with %d\n% x",
					r.name, i, edges.Place(v, b), len(v), cap(v), a.At, 4+len(a.Payload), b)
			}
		}
		switch {
		case r.silent && w.err == nil:
		case w.err != reasonOf(b[stop:]), w.stop != unknown && w.stop != stop:
			t.Fatalf("%s: %v at %d, want %v at %d\n% x", r.name, w.err, w.stop, reasonOf(b[stop:]), stop, b)
		}
	}
	if err := policy.Validate(b, nil, policy.ValidateTrailing); (err != nil) != (rem > 0) {
		t.Fatalf("%d leftover bytes, %v\n% x", rem, err, b)
	}
}

// copiesAgree appends the attributes to a new buffer. Reading it returns the same attributes, and
// the bytes are equal where the padding was zero.
func copiesAgree(t *testing.T, b []byte) {
	t.Helper()
	all, rem := slow.Walk(b)
	zeros := bytes.Clone(b[:len(b)-max(rem, 0)])
	for _, a := range all {
		for at := a.At + 4 + len(a.Payload); at%4 != 0; at++ {
			if at == len(zeros) {
				zeros = append(zeros, 0)
			}
			zeros[at] = 0
		}
	}
	var again, last []byte
	for _, a := range all {
		again = nla.AppendAttr(again, b[a.At:a.At+4+len(a.Payload)])
		last = nla.AppendBytes(last, uint16(bytesAt(b).number(a.At+2, 2)), a.Payload)
	}
	if !bytes.Equal(again, zeros) || !bytes.Equal(last, zeros) {
		t.Fatalf("appended again % x, with AppendBytes % x, want % x", again, last, zeros)
	}
	attributesAgree(t, again)
}

// messageReaders lists all ways to read a datagram.
var messageReaders = []struct {
	name string
	read func(b []byte) walk
}{
	{"nlmsg.Consume", func(b []byte) (w walk) {
		for rest := b; len(rest) > 0; {
			m, n := nlmsg.Consume(rest)
			if n < 0 {
				w.err, w.stop = nlmsg.ParseError(n), len(b)-len(rest)
				return w
			}
			w.add(m)
			rest = rest[n:]
		}
		w.stop = len(b)
		return w
	}},
	{"nlmsg.All", func(b []byte) walk {
		w := walk{stop: len(b)}
		for m, err := range nlmsg.All(b) {
			var syntax *nlmsg.SyntaxError
			if errors.As(err, &syntax) {
				w.err, w.stop = syntax.Err, syntax.Offset
				break
			}
			w.add(m)
		}
		return w
	}},
	{"nlmsg.Walk", func(b []byte) walk {
		w, c := walk{stop: unknown}, nlmsg.Walk(b)
		for ; c.More(); c = c.Next() {
			w.add(c.Msg())
		}
		w.err = c.Err()
		return w
	}},
}

// messageReason returns the reason why netlink_rcv_skb stops at rest.
func messageReason(rest bytesAt) error {
	switch {
	case len(rest) == 0:
		return nil
	case len(rest) < 16:
		return nlmsg.ErrTruncated
	case rest.number(0, 4) < 16:
		return nlmsg.ErrLength
	}
	return nlmsg.ErrOverrun
}

// headers are lengths of a family's header. A message has no attributes after a header of
// negative length.
var headers = []int{0, 1, 4, 5, 8, 12, 16, 20, 1 << 16, math.MaxInt, math.MaxInt - 19, math.MaxInt - 20, -1, -4, -16, -20, math.MinInt}

// attrsReaders lists all ways to get the attributes of a message.
var attrsReaders = []struct {
	name string
	read func(m nlmsg.Msg, hdrlen int) []byte
}{
	{"Msg.Attrs", nlmsg.Msg.Attrs},
	{"Cursor.Attrs", func(m nlmsg.Msg, hdrlen int) []byte { return nlmsg.Walk(m).Attrs(hdrlen) }},
	{"genlmsg.Attrs", func(m nlmsg.Msg, hdrlen int) []byte {
		switch {
		case hdrlen < 0:
			return genlmsg.Attrs(m, hdrlen)
		case hdrlen < genlmsg.HeaderLen:
			return m.Attrs(hdrlen)
		}
		return genlmsg.Attrs(m, hdrlen-genlmsg.HeaderLen)
	}},
}

// messageAgrees compares the results of reading a message with its bytes.
func messageAgrees(t *testing.T, m nlmsg.Msg) {
	t.Helper()
	h, n := genlmsg.Consume(m.Payload())
	if (n == 4) != (len(m) >= 20) || n == 4 && (edges.Place(h, m) != 16 || len(h) != 4) || (n == -1) != (len(m) < 20) {
		t.Fatalf("genlmsg.Consume: % x, %d\n% x", []byte(h), n, []byte(m))
	}
	for _, hdrlen := range append(headers, len(m)-17, len(m)-16, len(m)-15) {
		start, fits := edges.RoundUp(16, hdrlen), hdrlen >= 0 && hdrlen <= len(m)-16
		want := []byte(nil)
		if fits && start < len(m) {
			want = m[start:]
		}
		for _, r := range attrsReaders {
			if v := r.read(m, hdrlen); (v == nil) != (want == nil) || len(v) != len(want) || cap(v) != len(v) || v != nil && edges.Place(v, m) != start {
				t.Fatalf("%s, header of %d: %d bytes, want %d at %d\n% x", r.name, hdrlen, len(v), len(want), start, []byte(m))
			}
		}
		tb, same := &nla.Table{Slots: make([]uint32, tableSize)}, &nla.Table{Slots: make([]uint32, tableSize)}
		err := nlmsg.Parse(tb, m, hdrlen, nil, policy.ValidateTrailing)
		switch wantErr := policy.Parse(same, want, nil, policy.ValidateTrailing); {
		case (err == nil) != (fits && wantErr == nil):
			t.Fatalf("nlmsg.Parse, header of %d: %v, policy.Parse: %v\n% x", hdrlen, err, wantErr, []byte(m))
		case err == nil && !slices.Equal(tb.Slots, same.Slots) || err == nil && !bytes.Equal(tb.Stream, same.Stream):
			t.Fatalf("nlmsg.Parse, header of %d: %v, policy.Parse %v\n% x", hdrlen, tb, same, []byte(m))
		}
	}
	for _, hdrlen := range []int{0, 4, 12, 16} {
		if attrs := m.Attrs(hdrlen); len(attrs) < 1<<12 {
			attributesAgree(t, attrs)
		}
	}
}

// readersAgree compares all readers with each other, with the input as attributes and as a
// datagram. The input is in memory where a read outside faults.
func readersAgree(t *testing.T, b []byte) {
	t.Helper()
	if len(b) > 1<<17 {
		return
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	edges.Fence(b, func(b []byte) {
		attributesAgree(t, b)
		frames, stop := slowFrames(b)
		for _, r := range messageReaders {
			w := r.read(b)
			if len(w.views) != len(frames) || w.err != messageReason(b[stop:]) || w.stop != unknown && w.stop != stop {
				t.Fatalf("%s: %d messages, %v at %d, want %d, %v at %d\n% x",
					r.name, len(w.views), w.err, w.stop, len(frames), messageReason(b[stop:]), stop, b)
			}
			for i, f := range frames {
				if v := w.views[i]; edges.Place(v, b) != f.at || len(v) != f.end-f.at || cap(v) != len(v) {
					t.Fatalf("%s: message %d at %d, %d bytes, want %+v\n% x", r.name, i, edges.Place(v, b), len(v), f, b)
				}
			}
		}
		for i, f := range frames {
			if i < 8 || i > len(frames)-4 {
				messageAgrees(t, b[f.at:f.end:f.end])
			}
		}
	})
	copiesAgree(t, b)
}

// FuzzReaders compares all readers of attributes and messages on the same input.
func FuzzReaders(f *testing.F) {
	seeds.Fuzz(f, append(seeds.Attributes(), seeds.Datagrams()...), readersAgree)
}

// TestReadersAgreeWithTheOracle runs the check of FuzzReaders on nearly valid inputs.
func TestReadersAgreeWithTheOracle(t *testing.T) {
	g := generate.New(5)
	inputs := 6_000
	if testing.Short() {
		inputs = 600
	}
	for range inputs / 3 {
		b := g.Stream((&reader{description(g)}).policies())
		readersAgree(t, b)
		readersAgree(t, g.Spoil(b))
		readersAgree(t, g.Datagram())
	}
}
