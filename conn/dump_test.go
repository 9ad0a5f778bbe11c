package conn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

const multi = nlmsg.FlagMulti

// lister answers dumps with a separate list of events for each attempt. It answers other
// requests with an acknowledgement and an echo.
func lister(attempts ...func(r nlmsg.Msg) []event) func(*fake, []nlmsg.Msg) []event {
	var mu sync.Mutex
	attempt := 0
	return func(_ *fake, reqs []nlmsg.Msg) []event {
		r := reqs[0]
		if r.Flags()&nlmsg.FlagDump != nlmsg.FlagDump {
			return events(join(message(r, 0, text(r)), answer(r, 0, "")))
		}
		mu.Lock()
		defer mu.Unlock()
		list := attempts[min(attempt, len(attempts)-1)](r)
		attempt++
		return list
	}
}

// inOneAndInAPool runs a test on a single Transport, and on a pool of them.
func inOneAndInAPool(t *testing.T, answer func() func(*fake, []nlmsg.Msg) []event, test func(t *testing.T, c *Conn), options ...Option) {
	t.Helper()
	t.Run("one", func(t *testing.T) {
		c, _ := newFakeConn(t, answer(), options...)
		test(t, c)
	})
	t.Run("pool", func(t *testing.T) {
		answer := answer()
		c, _ := newFakeConn(t, answer, append(options, WithDialer(func() (Transport, error) { return newFake(answer), nil }))...)
		test(t, c)
	})
}

func TestDumpDeliversUpToItsEnd(t *testing.T) {
	abc := func(r nlmsg.Msg) []byte { return join(message(r, multi, "a"), message(r, multi, "b")) }
	other := func(r nlmsg.Msg) nlmsg.Msg {
		late := r.Clone()
		late.SetSeq(r.Seq() - 1)
		return late
	}
	tests := []struct {
		name  string
		reply func(r nlmsg.Msg) []event
		want  []string
		err   error
	}{
		{"DONE by itself", func(r nlmsg.Msg) []event { return events(abc(r), message(r, multi, "c"), done(r, 0, 0)) }, []string{"a", "b", "c"}, nil},
		{"DONE after the data", func(r nlmsg.Msg) []event { return events(join(abc(r), done(r, 0, 0))) }, []string{"a", "b"}, nil},
		{"no end, in parts", func(r nlmsg.Msg) []event { return events(abc(r), message(r, multi, "c")) }, []string{"a", "b", "c"}, nil},
		{"a reply that is not one of several", func(r nlmsg.Msg) []event { return events(abc(r), message(r, 0, "c"), message(r, 0, "d")) }, []string{"a", "b", "c"}, nil},
		{"nothing", func(nlmsg.Msg) []event { return nil }, nil, ErrUnanswered},
		{"nothing but DONE", func(r nlmsg.Msg) []event { return events(done(r, 0, 0)) }, nil, nil},
		{"an error at once", func(r nlmsg.Msg) []event { return events(answer(r, 95, "no dump")) }, nil, errno.EOPNOTSUPP},
		{"EBUSY", func(r nlmsg.Msg) []event { return events(answer(r, 16, "")) }, nil, errno.EBUSY},
		{"an error in the middle", func(r nlmsg.Msg) []event { return events(abc(r), answer(r, 5, "")) }, []string{"a", "b"}, errno.EIO},
		{"DONE with an error", func(r nlmsg.Msg) []event { return events(abc(r), done(r, 0, 90)) }, []string{"a", "b"}, errno.EMSGSIZE},
		{"late answers in between", func(r nlmsg.Msg) []event {
			return events(done(other(r), 0, 0), abc(r), message(other(r), 0, "late"), answer(other(r), 1, ""), done(r, 0, 0))
		}, []string{"a", "b"}, nil},
		{"late answers in the same datagrams", func(r nlmsg.Msg) []event {
			return events(join(abc(r), message(other(r), 0, "late"), message(r, multi, "c"), done(r, 0, 0)))
		}, []string{"a", "b", "c"}, nil},
		{"a forged DONE", func(r nlmsg.Msg) []event {
			return []event{{b: abc(r)}, {b: done(r, 0, 0), info: socket.Info{PortID: 9}}, {b: message(r, multi, "c")}, {b: done(r, 0, 0)}}
		}, []string{"a", "b", "c"}, nil},
		{"EINTR and empty datagrams", func(r nlmsg.Msg) []event {
			return []event{{err: errno.EINTR}, {b: abc(r)}, {b: []byte{}}, {err: errno.EAGAIN}, {b: done(r, 0, 0)}}
		}, []string{"a", "b"}, nil},
		{"ENOBUFS, but all is there", func(r nlmsg.Msg) []event {
			return []event{{b: abc(r)}, {err: errno.ENOBUFS}, {b: message(r, multi, "c")}, {b: done(r, 0, 0)}}
		}, []string{"a", "b", "c"}, nil},
		{"ENOBUFS, and no end", func(r nlmsg.Msg) []event { return []event{{b: abc(r)}, {err: errno.ENOBUFS}} }, []string{"a", "b"}, errno.ENOBUFS},
		{"truncated", func(r nlmsg.Msg) []event {
			return events(abc(r), join(message(r, multi, "c"), message(r, multi, strings.Repeat("x", 400))), done(r, 0, 0))
		}, []string{"a", "b", "c"}, socket.ErrTruncated},
		{"garbage after a message", func(r nlmsg.Msg) []event {
			return events(abc(r), join(message(r, multi, "c"), []byte{1, 0, 0, 0}), done(r, 0, 0))
		}, []string{"a", "b", "c"}, nlmsg.ErrTruncated},
		{"an overrun", func(r nlmsg.Msg) []event {
			b := nlmsg.Begin(nil, nlmsg.TypeOverrun, 0, 0, 0)
			return events(abc(r), nlmsg.End(b, 0), done(r, 0, 0))
		}, []string{"a", "b"}, ErrOverrun},
		{"an overrun with the dump's own numbers", func(r nlmsg.Msg) []event {
			b := nlmsg.Begin(nil, nlmsg.TypeOverrun, 0, r.Seq(), fakePort)
			return events(abc(r), nlmsg.End(b, 0), done(r, 0, 0))
		}, []string{"a", "b"}, ErrOverrun},
		{"a NOOP", func(r nlmsg.Msg) []event {
			b := nlmsg.Begin(nil, nlmsg.TypeNoop, 0, r.Seq(), fakePort)
			return events(join(nlmsg.End(b, 0), abc(r), done(r, 0, 0)))
		}, []string{"a", "b"}, nil},
		{"marked, on data", func(r nlmsg.Msg) []event {
			return events(message(r, multi|nlmsg.FlagDumpIntr, "a"), message(r, multi, "b"), done(r, 0, 0))
		}, []string{"a", "b"}, ErrInterrupted},
		{"marked, only on DONE", func(r nlmsg.Msg) []event {
			return events(abc(r), done(r, nlmsg.FlagDumpIntr, 0))
		}, []string{"a", "b"}, ErrInterrupted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			good := func(r nlmsg.Msg) []event { return events(join(message(r, multi, "good"), done(r, 0, 0))) }
			inOneAndInAPool(t, func() func(*fake, []nlmsg.Msg) []event { return lister(tt.reply, good) }, func(t *testing.T, c *Conn) {
				got, err := collect(t, c)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				if got, err := ask(t, c, nlmsg.FlagAck, "next"); got != "next" || err != nil {
					t.Errorf("the next request: %q, %v", got, err)
				}
				if got, err := collect(t, c); len(got) != 1 || err != nil {
					t.Errorf("the next dump: %q, %v", got, err)
				}
			}, WithBuffer(256))
		})
	}
}

func TestInterruptedDumpDoesWhatTheCallerChose(t *testing.T) {
	onData := func(r nlmsg.Msg) []event {
		return events(message(r, multi, "a"), message(r, multi|nlmsg.FlagDumpIntr, "bad"), done(r, 0, 0))
	}
	onDone := func(r nlmsg.Msg) []event { return events(message(r, multi, "bad"), done(r, nlmsg.FlagDumpIntr, 0)) }
	good := func(r nlmsg.Msg) []event { return events(message(r, multi, "good"), done(r, 0, 0)) }
	tests := []struct {
		name     string
		attempts []func(nlmsg.Msg) []event
		on       func(again func(), accepted *bool) []Interrupted
		want     []string
		err      error
		accepted bool
		marks    uint64
	}{
		{"no choice: fail", []func(nlmsg.Msg) []event{onData}, func(func(), *bool) []Interrupted { return nil }, []string{"a", "bad"}, ErrInterrupted, false, 1},
		{"fail", []func(nlmsg.Msg) []event{onDone}, func(func(), *bool) []Interrupted { return []Interrupted{Fail()} }, []string{"bad"}, ErrInterrupted, false, 1},
		{"accept", []func(nlmsg.Msg) []event{onDone}, func(_ func(), accepted *bool) []Interrupted { return []Interrupted{Accept(accepted)} }, []string{"bad"}, nil, true, 1},
		{"accept what is good", []func(nlmsg.Msg) []event{good}, func(_ func(), accepted *bool) []Interrupted { return []Interrupted{Accept(accepted)} }, []string{"good"}, nil, false, 0},
		{"retry", []func(nlmsg.Msg) []event{onData, onDone, good}, func(again func(), _ *bool) []Interrupted { return []Interrupted{Retry(2, again)} }, []string{"good"}, nil, false, 2},
		{"retry in vain", []func(nlmsg.Msg) []event{onData}, func(again func(), _ *bool) []Interrupted { return []Interrupted{Retry(2, again)} }, []string{"a", "bad"}, ErrInterrupted, false, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inOneAndInAPool(t, func() func(*fake, []nlmsg.Msg) []event { return lister(tt.attempts...) }, func(t *testing.T, c *Conn) {
				var got []string
				var accepted bool
				r := c.Request(fakeType, 0, nil)
				var err error
				for m, e := range c.Dump(t.Context(), r, tt.on(func() { got = nil }, &accepted)...) {
					if err = e; e == nil {
						got = append(got, text(m))
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) || accepted != tt.accepted {
					t.Errorf("error %v, accepted %v", err, accepted)
				}
				if s := c.Stats(); s.Interrupted != tt.marks {
					t.Errorf("%+v, want %d interrupted", s, tt.marks)
				}
			})
		})
	}
}

// long is a dump of 50 datagrams.
func long(r nlmsg.Msg) (list []event) {
	for i := range 50 {
		list = append(list, event{b: join(message(r, multi, fmt.Sprint(2*i)), message(r, multi, fmt.Sprint(2*i+1)))})
	}
	return append(list, event{b: done(r, 0, 0)})
}

// The loop is left early, or the context ends during it.
func TestExchangesAfterADumpThatWasGivenUpAreComplete(t *testing.T) {
	inOneAndInAPool(t, func() func(*fake, []nlmsg.Msg) []event { return lister(long) }, func(t *testing.T, c *Conn) {
		for i := range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			r := c.Request(fakeType, 0, nil)
			n := 0
			var err error
			for _, e := range c.Dump(ctx, r) {
				if err = e; e != nil {
					break
				}
				if n++; n == i {
					if i%2 == 0 {
						break
					}
					cancel()
				}
			}
			if i%2 == 1 {
				isError(t, err, context.Canceled)
			}
			cancel()
			r.Release()
			if got, err := ask(t, c, nlmsg.FlagAck, "next"); got != "next" || err != nil {
				t.Fatalf("the next request: %q, %v", got, err)
			}
		}
		if got, err := collect(t, c); len(got) != 100 || err != nil || got[99] != "99" {
			t.Errorf("the next dump: %d, %v", len(got), err)
		}
	})
}

func TestRequestsInTheBodiesOfSeveralDumpsAreAnswered(t *testing.T) {
	inOneAndInAPool(t, func() func(*fake, []nlmsg.Msg) []event { return lister(long) }, func(t *testing.T, c *Conn) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				r := c.Request(fakeType, 0, nil)
				n := 0
				for m, err := range c.Dump(t.Context(), r) {
					if err != nil || text(m) != fmt.Sprint(n) {
						t.Errorf("%q, %v, want %d", text(m), err, n)
						return
					}
					n++
					if got, err := ask(t, c, nlmsg.FlagAck, "within a"); got != "within a" || err != nil {
						t.Errorf("a request: %q, %v", got, err)
					}
				}
				if n != 100 {
					t.Errorf("%d messages", n)
				}
			})
		}
		wg.Wait()
	})
}

func TestTransportsOfDumpsAreKeptWhileTheyAreClean(t *testing.T) {
	var dialed []*fake
	answers := lister(long)
	c, first := newFakeConn(t, answers, WithDialer(func() (Transport, error) {
		dialed = append(dialed, newFake(answers))
		return dialed[len(dialed)-1], nil
	}))
	isWhole := func() {
		t.Helper()
		if got, err := collect(t, c); len(got) != 100 || err != nil {
			t.Fatalf("%d, %v", len(got), err)
		}
	}
	for range 3 {
		isWhole()
	}
	if len(dialed) != 0 {
		t.Fatalf("%d more Transports for three dumps one after the other", len(dialed))
	}
	r := c.Request(fakeType, 0, nil)
	for range c.Dump(t.Context(), r) { // the first Transport stays open
		break
	}
	for range c.Dump(t.Context(), r) {
		break
	}
	if first.closed || len(dialed) != 1 || !dialed[0].closed {
		t.Errorf("first closed %v, %d more: the Transport of an abandoned dump is open, or another one is closed", first.closed, len(dialed))
	}
	isWhole()
	for range c.Dump(t.Context(), r) {
		if len(dialed) == 2 {
			isWhole() // a dump within a dump
		}
	}
	if len(dialed) != 3 {
		t.Errorf("%d more Transports for an abandoned dump and then two dumps at once", len(dialed))
	}
	c.Close()
	for i, f := range append(dialed, first) {
		if !f.closed {
			t.Errorf("Transport %d is open after Close", i)
		}
	}
	_, err := collect(t, c)
	isError(t, err, os.ErrClosed)
}

func TestDumpRunsOnTheFirstTransportWhenTheDialerFails(t *testing.T) {
	c, _ := newFakeConn(t, lister(long), WithDialer(func() (Transport, error) { return nil, errno.EMFILE }))
	n := 0
	for _, err := range c.Dump(t.Context(), c.Request(fakeType, 0, nil)) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 10 { // uses another Transport, or takes turns
			if got, err := collect(t, c); len(got) != 100 || err != nil {
				t.Errorf("a dump within a dump: %d, %v", len(got), err)
			}
		}
	}
	if n != 100 {
		t.Errorf("%d messages", n)
	}
	_, err := c.Subscribe(1)
	isError(t, err, errno.EMFILE)
}

func TestSubscribeNeedsAnotherTransportWithGroups(t *testing.T) {
	c, _ := newFakeConn(t, lister(long))
	_, err := c.Subscribe(1)
	isError(t, err, ErrNoDialer)
	own := newFake(lister(long))
	c, _ = newFakeConn(t, lister(long), WithDialer(func() (Transport, error) { return own, nil }))
	_, err = c.Subscribe(1)
	isError(t, err, errors.ErrUnsupported)
	if !own.closed {
		t.Error("the Transport is left open")
	}
}
