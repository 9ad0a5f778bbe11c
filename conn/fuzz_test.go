package conn

import (
	"errors"
	"syscall"
	"testing"

	"github.com/nlwire/nlwire/nlmsg"
)

// FuzzAnswers answers a request, a dump and a batch with any datagrams: each ends,
// and a later request gets its own answer. What is malformed or lost is an
// error, never an answer of somebody else's.
func FuzzAnswers(f *testing.F) {
	req := nlmsg.Msg(make([]byte, nlmsg.HeaderLen))
	for _, b := range [][]byte{
		nil, message(req, 0, "a"), answer(req, 0, ""), answer(req, 22, "text"), done(req, 0, 0), done(req, nlmsg.DumpIntr, 5),
		join(message(req, multi, "a"), message(req, multi, "b"), done(req, 0, 0)), message(req, multi, "a")[:19], {1, 2, 3},
	} {
		f.Add(byte(0), b)
		f.Add(byte(3), append(b[:len(b):len(b)], b...))
	}
	f.Fuzz(func(t *testing.T, how byte, b []byte) {
		answers := func(_ *fake, reqs []nlmsg.Msg) (list []event) {
			if text(reqs[0]) == "next" {
				return events(message(reqs[0], 0, "its own"))
			}
			rest := append([]byte(nil), b...)
			direct(rest, reqs[0].Seq())
			for size := 16 + int(how)*4; len(rest) > 0; rest = rest[min(size, len(rest)):] {
				list = append(list, event{b: rest[:min(size, len(rest))]})
				if how&1 == 0 { // all in one, or in pieces
					list[0].b, rest = rest, nil
				}
			}
			return append(list, event{err: syscall.ENOBUFS})
		}
		for _, options := range [][]Option{nil, {WithDialer(func() (Transport, error) { return newFake(answers), nil })}} {
			c := New(newFake(answers), append(options, WithBuffer(256), WithQueue(1024))...)
			next := func(after string, err error) {
				// What cannot be read at all is an error for all who wait, once.
				var got string
				var e error
				for range 2 + len(b)/16 + 2 {
					if got, e = ask(t, c, 0, "next"); e == nil {
						break
					}
				}
				if got != "its own" || e != nil {
					t.Fatalf("after %s (%v): %q, %v", after, err, got, e)
				}
			}
			_, err := ask(t, c, nlmsg.Flags(how)&nlmsg.Ack, "")
			next("a request", err)
			_, err = collect(t, c)
			next("a dump", err)
			err = c.Batch(t.Context(), c.Request(fakeType, 0, nil), c.Request(fakeType, nlmsg.Ack, nil), c.Request(fakeType, nlmsg.Ack, nil))
			next("a batch", err)
			var refused *Error
			if errors.As(err, &refused) && refused.Errno == 0 {
				t.Fatalf("an error without an errno: %v", err)
			}
			c.Close()
		}
	})
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
