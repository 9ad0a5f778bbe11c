package conn

import (
	"errors"
	"slices"
	"syscall"
	"testing"

	"github.com/nlwire/nlwire/internal/seeds"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// hostile is a Transport that answers every request with the same datagrams, but
// "next", which gets its own answer. It counts what it is asked for.
type hostile struct {
	*fake
	last   nlmsg.Msg // the first request of the last datagram
	events []event   // with which it was answered
	calls  int       // of the receiving methods
}

// newHostile cuts b into datagrams: one, or several, every second of which may come
// from another process or from a group. A good end may follow.
func newHostile(how byte, b []byte) *hostile {
	h := &hostile{}
	h.fake = newFake(func(_ *fake, reqs []nlmsg.Msg) []event {
		h.last = reqs[0]
		if text(reqs[0]) == "next" {
			return events(message(reqs[0], 0, "its own"))
		}
		rest := append([]byte(nil), b...)
		direct(rest, reqs[0].Seq())
		size := len(rest)
		if how&1 == 1 {
			size = 16 + int(how)*4
		}
		h.events = nil
		for ; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			e := event{b: rest[:min(size, len(rest))]}
			if len(h.events)%2 == 1 {
				e.info = []socket.Info{{}, {PortID: 9}, {Group: 5}, {Groups: 1}}[how>>1&3]
			}
			h.events = append(h.events, e)
		}
		if how&8 != 0 {
			h.events = append(h.events, event{b: done(reqs[0], 0, 0)})
		}
		h.events = append(h.events, event{err: syscall.ENOBUFS})
		return slices.Clone(h.events)
	})
	return h
}

func (h *hostile) TryReceive(b []byte) (int, socket.Info, error) {
	h.calls++
	return h.fake.TryReceive(b)
}

func (h *hostile) Receive(b []byte) (int, socket.Info, error) {
	h.calls++
	return h.fake.Receive(b)
}

// direct has the messages of b that can be found answer a request; those with
// an odd number answer the one before it, late.
func direct(b []byte, seq uint32) {
	for {
		m, n := nlmsg.Consume(b)
		if n < 0 {
			return
		}
		if m.PortID() == 0 || m.PortID() == fakePort {
			m.SetSeq(seq - m.Seq()%2)
		}
		b = b[n:]
	}
}

// owed tells what the datagrams have for a request: its messages, up to the end
// of a dump. isSound says that nothing is wrong with any of them, and that the
// dump ends well, so that it must deliver just these.
func (h *hostile) owed() (texts []string, isSound bool) {
	isSound, size := true, 0
	for _, e := range h.events {
		if e.info.PortID != 0 {
			continue
		}
		isGroup := e.info.Group != 0 || e.info.Groups != 0
		size += len(e.b)
		isSound = isSound && len(e.b) <= fuzzBuffer && size <= fuzzQueue
		for m, err := range nlmsg.All(e.b) {
			if isSound = isSound && err == nil && m.Type() != nlmsg.Overrun; err != nil {
				break
			}
			if m.Type() == nlmsg.Overrun || isGroup || !h.isForIt(m) {
				continue
			}
			isSound = isSound && (m.Flags()&nlmsg.DumpIntr == 0 || m.Type() == nlmsg.Error)
			switch m.Type() {
			case nlmsg.Done:
				a, err := nlmsg.ParseDone(m)
				return texts, isSound && err == nil && a.Errno == 0
			case nlmsg.Error:
				return texts, false
			case nlmsg.Noop:
			default:
				texts = append(texts, text(m))
			}
		}
	}
	return texts, false
}

func (h *hostile) isForIt(m nlmsg.Msg) bool {
	return m.Seq() == h.last.Seq() && (m.PortID() == fakePort || m.PortID() == 0)
}

// The sizes are small so that both are reached.
const fuzzBuffer, fuzzQueue = 256, 1024

// FuzzAnswers answers a request, a dump and a batch with any datagrams. Each ends,
// after a receive for each datagram and a few more, and a later request gets its own
// answer. What is delivered was for it and comes in its order, all of it if nothing
// is wrong; what is malformed or lost is an error, never an answer of somebody else's.
func FuzzAnswers(f *testing.F) {
	for _, s := range seeds.Datagrams() {
		f.Add(byte(0), s.B)
		f.Add(byte(len(s.B)|1), s.B)
		f.Add(byte(8), s.B)
	}
	req := nlmsg.Msg(make([]byte, nlmsg.HeaderLen))
	for _, b := range [][]byte{
		message(req, 0, "a"), answer(req, 0, ""), answer(req, 22, "text"), done(req, 0, 0), done(req, nlmsg.DumpIntr, 5),
		join(message(req, multi, "a"), message(req, multi, "b"), done(req, 0, 0)), message(req, multi, "a")[:19],
	} {
		f.Add(byte(0), b)
		f.Add(byte(3), append(b[:len(b):len(b)], b...))
	}
	f.Fuzz(func(t *testing.T, how byte, b []byte) {
		for _, ownLane := range []bool{false, true} {
			h, options := newHostile(how, b), []Option{WithBuffer(fuzzBuffer), WithQueue(fuzzQueue)}
			dumps := h
			if ownLane {
				dumps = newHostile(how, b)
				options = append(options, WithDialer(func() (Transport, error) { return dumps, nil }))
			}
			c := New(h, options...)
			got, err := ask(t, c, nlmsg.Flags(how)&nlmsg.Ack, "")
			if texts, _ := h.owed(); got != "" && !slices.Contains(texts, got) {
				t.Fatalf("a request got %q, %v", got, err)
			}
			next(t, c, h, b)
			texts, err := collect(t, c)
			checkDump(t, dumps, texts, err)
			next(t, c, h, b)
			err = c.Batch(t.Context(), c.Request(fakeType, 0, nil), c.Request(fakeType, nlmsg.Ack, nil), c.Request(fakeType, nlmsg.Ack, nil))
			next(t, c, h, b)
			if limit := 4 * (len(h.events) + len(b)/16 + 16); h.calls > limit || dumps.calls > limit {
				t.Fatalf("%d and %d receives, want %d at most", h.calls, dumps.calls, limit)
			}
			var refused *Error
			if errors.As(err, &refused) && refused.Errno == 0 {
				t.Fatalf("an error without an errno: %v", err)
			}
			c.Close()
		}
	})
}

// next asks once more. What cannot be read at all is an error for all who wait, once.
func next(t *testing.T, c *Conn, h *hostile, b []byte) {
	t.Helper()
	var got string
	var err error
	for range 2 + len(b)/16 + 2 {
		if got, err = ask(t, c, 0, "next"); err == nil {
			break
		}
	}
	if got != "its own" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
}

// checkDump compares what a dump delivered with what there was for it.
func checkDump(t *testing.T, h *hostile, texts []string, err error) {
	t.Helper()
	owed, isSound := h.owed()
	if isSound && (err != nil || !slices.Equal(texts, owed)) {
		t.Fatalf("a dump delivered %q, %v, want %q", texts, err, owed)
	}
	rest := owed
	for _, s := range texts {
		i := slices.Index(rest, s)
		if i < 0 {
			t.Fatalf("a dump delivered %q, there was %q", texts, owed)
		}
		rest = rest[i+1:]
	}
}
