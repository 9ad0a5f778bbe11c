package conn

import (
	"errors"
	"slices"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// hostile makes Transports that answer every request with the same datagrams, except
// "next", which gets its own answer. It counts their receives.
type hostile struct {
	how   byte
	b     []byte
	last  nlmsg.Msg // the first request of the last datagram
	sent  []event   // the answer to it
	calls int
}

// open makes a Transport.
func (h *hostile) open() (Transport, error) { return &hostileTransport{newFake(h.answer), h}, nil }

// answer cuts b into one or several datagrams. Every second one may come from another
// process or from a group. A valid end and a loss may follow.
func (h *hostile) answer(_ *fake, reqs []nlmsg.Msg) []event {
	h.last, h.sent = reqs[0], nil
	if text(reqs[0]) == "next" {
		return events(message(reqs[0], 0, "its own"))
	}
	rest := append([]byte(nil), h.b...)
	direct(rest, reqs[0].Seq())
	size := len(rest)
	if h.how&1 == 1 {
		size = 16 + int(h.how)*4
	}
	for ; len(rest) > 0; rest = rest[min(size, len(rest)):] {
		e := event{b: rest[:min(size, len(rest))]}
		if len(h.sent)%2 == 1 {
			e.info = []socket.Info{{}, {PortID: 9}, {Group: 5}, {Groups: 1}}[h.how>>1&3]
		}
		h.sent = append(h.sent, e)
	}
	if h.how&8 != 0 {
		h.sent = append(h.sent, event{b: done(reqs[0], 0, 0)})
	}
	if h.how&16 != 0 {
		h.sent = append(h.sent, event{err: errno.ENOBUFS})
	}
	return slices.Clone(h.sent)
}

// hostileTransport is a Transport of hostile.
type hostileTransport struct {
	*fake
	h *hostile
}

func (t *hostileTransport) TryReceive(b []byte) (int, socket.Info, error) {
	t.h.calls++
	return t.fake.TryReceive(b)
}

func (t *hostileTransport) Receive(b []byte) (int, socket.Info, error) {
	t.h.calls++
	return t.fake.Receive(b)
}

// direct turns the messages found in b into answers to a request. Messages with an odd
// number become late answers to the preceding request.
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

// owed returns the messages of the last answer that belong to a dump, up to its end.
// isSound reports whether the list is complete and has no fault.
func (h *hostile) owed() (texts []string, isSound bool) {
	isSound = true
	for _, e := range h.sent {
		if e.info.PortID != 0 {
			continue
		}
		if e.err != nil {
			return texts, false // a loss before the end
		}
		isOwn, isFirst, isCut := false, true, len(e.b) > fuzzBuffer
		for m, err := range nlmsg.All(e.b[:min(len(e.b), fuzzBuffer)]) {
			if isCut && err != nil {
				break // the messages before it are complete
			}
			if err != nil && (isOwn || isFirst) || err == nil && m.Type() == nlmsg.TypeOverrun {
				return texts, false
			}
			if err != nil {
				break
			}
			isFirst = false
			if isOwn = h.isOwn(m, e.info); !isOwn {
				continue
			}
			isSound = isSound && (m.Flags()&nlmsg.FlagDumpIntr == 0 || m.Type() == nlmsg.TypeError)
			switch m.Type() {
			case nlmsg.TypeDone:
				a, err := nlmsg.ParseDone(m)
				return texts, isSound && err == nil && a.Errno == 0
			case nlmsg.TypeError:
				a, err := nlmsg.ParseAck(m)
				return texts, isSound && err == nil && a.Errno == 0
			case nlmsg.TypeNoop:
			default:
				texts = append(texts, text(m))
				if m.Flags()&nlmsg.FlagMulti == 0 {
					return texts, isSound
				}
			}
		}
		if isCut {
			return texts, false
		}
	}
	return texts, isSound && len(texts) > 0
}

// isOwn reports whether a message answers the last request.
func (h *hostile) isOwn(m nlmsg.Msg, info socket.Info) bool {
	return m.Seq() == h.last.Seq() && (m.PortID() == fakePort || m.PortID() == 0) && info.Group == 0 && info.Groups == 0
}

// The sizes are small so that both limits are reached.
const fuzzBuffer, fuzzQueue = 256, 1024

// FuzzAnswers answers a request, a dump and a batch with arbitrary datagrams, on a single
// Transport and on a pool. Each exchange ends after one receive per datagram and a few
// more, and a later request gets its own answer. A dump delivers the messages up to its
// end, in order, and reports an error exactly if one of them is faulty. The reply to a
// request is one of these messages.
func FuzzAnswers(f *testing.F) {
	for _, s := range seeds.Datagrams() {
		f.Add(byte(16), s.B)
		f.Add(byte(len(s.B)|1), s.B)
		f.Add(byte(8), s.B)
	}
	req := nlmsg.Msg(make([]byte, nlmsg.HeaderLen))
	for _, b := range [][]byte{
		message(req, 0, "a"), answer(req, 0, ""), answer(req, 22, "text"), done(req, 0, 0), done(req, nlmsg.FlagDumpIntr, 5),
		join(message(req, multi, "a"), message(req, multi, "b"), done(req, 0, 0)), message(req, multi, "a")[:19],
		join(message(req, multi, "a"), message(req, multi, "b")), join(done(req, 0, 0), []byte{1}),
	} {
		f.Add(byte(0), b)
		f.Add(byte(16), b)
		f.Add(byte(3), append(b[:len(b):len(b)], b...))
	}
	f.Fuzz(func(t *testing.T, how byte, b []byte) {
		for _, isPool := range []bool{false, true} {
			h, options := &hostile{how: how, b: b}, []Option{WithBuffer(fuzzBuffer), WithQueue(fuzzQueue)}
			if isPool {
				options = append(options, WithDialer(h.open))
			}
			first, _ := h.open()
			c := New(first, options...)
			got, err := ask(t, c, nlmsg.Flags(how)&nlmsg.FlagAck, "")
			if got != "" && !slices.Contains(h.replies(), got) {
				t.Fatalf("a request got %q, %v", got, err)
			}
			next(t, c, b)
			texts, err := collect(t, c)
			checkDump(t, h, texts, err)
			datagrams := len(h.sent)
			next(t, c, b)
			err = c.Batch(t.Context(), c.Request(fakeType, 0, nil), c.Request(fakeType, nlmsg.FlagAck, nil), c.Request(fakeType, nlmsg.FlagAck, nil))
			next(t, c, b)
			if limit := 4 * (datagrams + len(b)/16 + 16); h.calls > limit {
				t.Fatalf("%d receives, want %d at most", h.calls, limit)
			}
			var refused *Error
			if errors.As(err, &refused) && refused.Errno == 0 {
				t.Fatalf("an error without an errno: %v", err)
			}
			c.Close()
		}
	})
}

// next makes one more request. An unreadable datagram in the queue fails one request.
func next(t *testing.T, c *Conn, b []byte) {
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

// replies returns the messages that answer the last request.
func (h *hostile) replies() (texts []string) {
	for _, e := range h.sent {
		if e.info.PortID != 0 {
			continue
		}
		for m, err := range nlmsg.All(e.b) {
			if err == nil && h.isOwn(m, e.info) {
				texts = append(texts, text(m))
			}
		}
	}
	return texts
}

// checkDump compares the messages that a dump delivered with those of the last answer.
func checkDump(t *testing.T, h *hostile, texts []string, err error) {
	t.Helper()
	owed, isSound := h.owed()
	if !slices.Equal(texts, owed) || (err == nil) != isSound {
		t.Fatalf("a dump delivered %q, %v, want %q, complete %v", texts, err, owed, isSound)
	}
}
