package conn

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

func TestLastIsTheMessageThatEndedTheExchange(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: echo})
		r := c.Request(fakeType, 0, []byte("text"))
		if r.Last() != nil {
			t.Error("before the exchange: ", r.Last())
		}
		if _, err := c.Do(patiently(t), r); err != nil || said(r.Last()) != "text" {
			t.Error(r.Last(), err)
		}
		r.msg().SetFlags(nlmsg.FlagAck)
		if _, err := c.Do(patiently(t), r); err != nil || r.Last().Type() != nlmsg.TypeError || r.Last().Seq() != r.Sent() {
			t.Error(r.Last(), err)
		}
		for range c.Dump(patiently(t), r) {
		}
		if r.Last().Type() != nlmsg.TypeDone || r.Last().Seq() != r.Sent() {
			t.Error(r.Last())
		}
	})
}

// After Take the request has no replies. The bytes stay valid when the request is used
// again.
func TestTakenRepliesAreTheCallers(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: echo})
		r := c.Request(fakeType, nlmsg.FlagAck, []byte("text"))
		if _, err := c.Do(patiently(t), r); err != nil {
			t.Fatal(err)
		}
		b := r.Take()
		if len(r.Take()) != 0 || r.Reply() != nil {
			t.Error("it still has replies: ", r.Reply())
		}
		copy(r.B[nlmsg.HeaderLen:], "next")
		if m, err := c.Do(patiently(t), r); said(m) != "next" || err != nil {
			t.Error(said(m), err)
		}
		r.Release()
		isAlive(t, c)
		if m, n := nlmsg.Consume(b); n != len(b) || said(m) != "text" {
			t.Errorf("%q, %d of %d bytes", said(m), n, len(b))
		}
	})
}

func TestSequenceNumberMayBeChosen(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		var sent []uint32
		c := open(&fleet{reply: func(req nlmsg.Msg) []event {
			sent = append(sent, req.Seq())
			if said(req) == "bad" {
				return events(answer(req, errno.EINVAL, ""))
			}
			return echo(req)
		}})
		r := c.Request(fakeType, nlmsg.FlagAck, []byte("text"))
		r.Seq = 0xfffffffe
		if m, err := c.Do(patiently(t), r); err != nil || m.Seq() != r.Seq {
			t.Error(m, err)
		}
		if err := c.Batch(patiently(t), r); err != nil || r.Reply().Seq() != r.Seq {
			t.Error(r.Reply(), err)
		}
		for m, err := range c.Dump(patiently(t), r) {
			if err != nil || m.Seq() != r.Seq {
				t.Error(m, err)
			}
		}
		if want := []uint32{r.Seq, r.Seq, r.Seq}; !slices.Equal(sent, want) || r.Sent() != r.Seq {
			t.Errorf("sent %d", sent)
		}
		bad := c.Request(fakeType, nlmsg.FlagAck, []byte("bad"))
		bad.Seq = 5
		_, err := c.Do(patiently(t), bad)
		var refused *Error
		if !errors.As(err, &refused) || refused.Seq != 5 {
			t.Errorf("%+v", err)
		}
		bad.Release()
		if again := c.Request(fakeType, 0, nil); again.Seq != 0 {
			t.Errorf("number %d of a released request", again.Seq)
		}
	})
}

func TestChosenSequenceNumberIsNotGivenToAnotherRequest(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		ignored := false
		c := open(&fleet{reply: func(req nlmsg.Msg) []event {
			if ignored {
				return nil
			}
			return echo(req)
		}})
		release := func() {}
		if c.conf.dial != nil {
			release = occupy(t, c) // the sequence numbers of another Transport begin with 1
		}
		defer release()
		first := c.Request(fakeType, nlmsg.FlagAck, []byte("text"))
		if _, err := c.Do(patiently(t), first); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			own, chosen := c.Request(fakeType, nlmsg.FlagAck, []byte("own")), c.Request(fakeType, nlmsg.FlagAck, []byte("chosen"))
			chosen.Seq = first.Sent() + 1
			if err := c.Batch(patiently(t), own, chosen); err != nil || said(own.Reply()) != "own" || said(chosen.Reply()) != "chosen" {
				t.Error(said(own.Reply()), said(chosen.Reply()), own.Sent(), chosen.Sent(), err)
			}
			if err := c.Batch(patiently(t), chosen, own); err != nil || own.Sent() == chosen.Sent() {
				t.Error(own.Sent(), chosen.Sent(), err)
			}
			if _, err := c.Do(patiently(t), first); err != nil {
				t.Error(err)
			}
		}
		ignored = true // the barrier has a sequence number too
		for i := range uint32(8) {
			first.Seq = 0
			_, err := c.Do(patiently(t), first)
			isError(t, err, ErrUnanswered)
			first.Seq = first.Sent() + i
			_, err = c.Do(patiently(t), first)
			isError(t, err, ErrUnanswered)
		}
	})
}

// A deadline ends an exchange as the end of a context does. The contexts of this test never
// end.
func TestDeadlineEndsAnExchangeThatWaitsForItsReply(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: func(nlmsg.Msg) []event { return nil }}, WithLateReplies())
		r := c.Request(fakeType, nlmsg.FlagAck, nil)
		other := c.Request(fakeType, nlmsg.FlagAck, nil)
		for name, exchange := range map[string]func() error{
			"Do": func() error { _, err := c.Do(t.Context(), r); return err },
			"Dump": func() (last error) {
				for _, err := range c.Dump(t.Context(), r) {
					last = err
				}
				return last
			},
			"Batch":                   func() error { return c.Batch(t.Context(), r) },
			"second request of Batch": func() error { return c.Batch(patiently(t), other, r) },
		} {
			start := time.Now()
			r.Deadline = start.Add(time.Second)
			isError(t, exchange(), os.ErrDeadlineExceeded)
			if d := time.Since(start); d != time.Second {
				t.Errorf("%s: waited for %v", name, d)
			}
			r.Deadline = time.Now()
			isError(t, exchange(), os.ErrDeadlineExceeded)
		}
		r.Deadline = time.Time{}
		r.Release()
	})
}

// As with a context that has ended, nothing is sent.
func TestDeadlineThatHasPassedSendsNothing(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		fl := &fleet{reply: echo}
		c := open(fl)
		r := c.Request(fakeType, nlmsg.FlagAck, nil)
		r.Deadline = time.Now().Add(-1)
		_, err := c.Do(t.Context(), r)
		isError(t, err, os.ErrDeadlineExceeded)
		isError(t, c.Batch(t.Context(), r), os.ErrDeadlineExceeded)
		for _, err := range c.Dump(t.Context(), r) {
			isError(t, err, os.ErrDeadlineExceeded)
		}
		if n := fl.all[0].requests(); n != 0 {
			t.Errorf("%d datagrams sent", n)
		}
	})
}

func TestUnmatchedMessagesGoToTheHook(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		var c *Conn
		var got []string
		old := nlmsg.Msg(nlmsg.End(nlmsg.Begin(nil, fakeType, 0, 12345, 0), 0))
		c = open(&fleet{reply: func(req nlmsg.Msg) []event {
			if req.Flags()&nlmsg.FlagDump != nlmsg.FlagDump && said(req) != "text" {
				return echo(req)
			}
			stray := []event{
				{b: message(old, 0, "late")}, {b: message(old, 0, "event"), info: socket.Info{Groups: 4}},
				{b: message(old, 0, "foreign"), info: socket.Info{PortID: 9}},
			}
			twice := join(message(req, 0, "text"), message(req, 0, "twice"))
			if req.Flags()&nlmsg.FlagDump == nlmsg.FlagDump {
				twice = join(message(req, nlmsg.FlagMulti, "text"), done(req, nlmsg.FlagMulti, 0), message(req, 0, "twice"))
			}
			return append(stray, event{b: twice})
		}}, WithUnmatched(func(m nlmsg.Msg, info socket.Info) {
			got = append(got, fmt.Sprint(said(m), info.Groups))
			if said(m) == "late" {
				if s, err := asking(patiently(t), c, 0, "hook"); s != "hook" || err != nil {
					t.Error(s, err)
				}
			}
		}))
		want := []string{"late0", "event4", "twice0"}
		if s, err := asking(patiently(t), c, 0, "text"); s != "text" || err != nil || !slices.Equal(got, want) {
			t.Error(s, err, got)
		}
		got = nil
		r := c.Request(fakeType, 0, []byte("text"))
		if err := c.Batch(patiently(t), r); err != nil || said(r.Reply()) != "text" || !slices.Equal(got, want) {
			t.Error(said(r.Reply()), err, got)
		}
		got = nil
		if s, err := listing(patiently(t), c, "list"); len(s) != 1 || err != nil || !slices.Equal(got, want) {
			t.Error(s, err, got)
		}
		got = nil
		for range c.Dump(patiently(t), r) { // leaves the loop early
			break
		}
		if !slices.Equal(got, want[:2]) && !slices.Equal(got, want) { // the request of the hook may have read the rest
			t.Error(got)
		}
	})
}

// wrapping wraps each error of a Transport.
type wrapping struct{ Transport }

func (w wrapping) Send(b []byte) error { return wrapped(w.Transport.Send(b)) }

func (w wrapping) Receive(b []byte) (int, socket.Info, error) {
	n, info, err := w.Transport.Receive(b)
	return n, info, wrapped(err)
}

func (w wrapping) TryReceive(b []byte) (int, socket.Info, error) {
	n, info, err := w.Transport.TryReceive(b)
	return n, info, wrapped(err)
}

func (w wrapping) SetReadDeadline(t time.Time) error { return wrapped(w.Transport.SetReadDeadline(t)) }

func (w wrapping) Close() error { return wrapped(w.Transport.Close()) }

func (w wrapping) Join(uint32) error { return nil }

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("wrapped: %w", err)
}

func TestErrorsOfATransportMayBeWrapped(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: func(req nlmsg.Msg) []event {
			switch said(req) {
			case "lost":
				return []event{{err: errno.ENOBUFS}}
			case "none":
				return nil
			case "long":
				return events(message(req, 0, string(make([]byte, 1000))))
			}
			return append([]event{{err: errno.EINTR}, {b: []byte{1}, err: socket.ErrSender}}, echo(req)...)
		}}
		c := New(wrapping{fl.open()}, WithBuffer(500), WithDialer(func() (Transport, error) { return wrapping{fl.open()}, nil }))
		defer c.Close()
		isAlive(t, c)
		for text, want := range map[string]error{"lost": errno.ENOBUFS, "none": ErrUnanswered, "long": socket.ErrTruncated} {
			_, err := asking(patiently(t), c, nlmsg.FlagAck, text)
			isError(t, err, want)
			_, err = listing(patiently(t), c, text)
			isError(t, err, want)
		}
		s, err := c.Subscribe(1)
		if err != nil {
			t.Fatal(err)
		}
		all := inBackground(func() (last error) {
			for _, err := range s.All(t.Context()) {
				last = err
			}
			return last
		})
		synctest.Wait()
		useSubscription(t, s)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		isError(t, <-all, os.ErrClosed)
	})
}
