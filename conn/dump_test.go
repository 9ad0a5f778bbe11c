package conn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

const multi = nlmsg.Multi

// lister answers dumps with events made for each attempt, and everything else
// with an acknowledgement that echoes.
func lister(attempts ...func(r nlmsg.Msg) []event) func(*fake, []nlmsg.Msg) []event {
	var mu sync.Mutex
	attempt := 0
	return func(_ *fake, reqs []nlmsg.Msg) []event {
		r := reqs[0]
		if r.Flags()&nlmsg.Dump != nlmsg.Dump {
			return events(join(message(r, 0, text(r)), answer(r, 0, "")))
		}
		mu.Lock()
		defer mu.Unlock()
		list := attempts[min(attempt, len(attempts)-1)](r)
		attempt++
		return list
	}
}

// twice runs a test with dumps on a Transport of their own, and without.
func twice(t *testing.T, answer func() func(*fake, []nlmsg.Msg) []event, test func(t *testing.T, c *Conn), options ...Option) {
	t.Run("shared", func(t *testing.T) {
		c, _ := newFakeConn(t, answer(), options...)
		test(t, c)
	})
	t.Run("dialed", func(t *testing.T) {
		answer := answer()
		c, _ := newFakeConn(t, answer, append(options, WithDialer(func() (Transport, error) { return newFake(answer), nil }))...)
		test(t, c)
	})
}

func TestDumpEnds(t *testing.T) {
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
		{"DONE behind the data", func(r nlmsg.Msg) []event { return events(join(abc(r), done(r, 0, 0))) }, []string{"a", "b"}, nil},
		{"nothing but DONE", func(r nlmsg.Msg) []event { return events(done(r, 0, 0)) }, nil, nil},
		{"an error at once", func(r nlmsg.Msg) []event { return events(answer(r, 95, "no dump")) }, nil, syscall.EOPNOTSUPP},
		{"EBUSY", func(r nlmsg.Msg) []event { return events(answer(r, 16, "")) }, nil, syscall.EBUSY},
		{"an error in the middle", func(r nlmsg.Msg) []event { return events(abc(r), answer(r, 5, "")) }, []string{"a", "b"}, syscall.EIO},
		{"DONE with an error", func(r nlmsg.Msg) []event { return events(abc(r), done(r, 0, 90)) }, []string{"a", "b"}, syscall.EMSGSIZE},
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
			return []event{{err: syscall.EINTR}, {b: abc(r)}, {b: []byte{}}, {err: syscall.EAGAIN}, {b: done(r, 0, 0)}}
		}, []string{"a", "b"}, nil},
		{"ENOBUFS, but all is there", func(r nlmsg.Msg) []event {
			return []event{{b: abc(r)}, {err: syscall.ENOBUFS}, {b: message(r, multi, "c")}, {b: done(r, 0, 0)}}
		}, []string{"a", "b", "c"}, nil},
		{"ENOBUFS, and no end", func(r nlmsg.Msg) []event { return []event{{b: abc(r)}, {err: syscall.ENOBUFS}} }, []string{"a", "b"}, syscall.ENOBUFS},
		{"truncated", func(r nlmsg.Msg) []event {
			return events(abc(r), join(message(r, multi, "c"), message(r, multi, strings.Repeat("x", 400))), done(r, 0, 0))
		}, []string{"a", "b"}, socket.ErrTruncated},
		{"garbage behind a message", func(r nlmsg.Msg) []event {
			return events(abc(r), join(message(r, multi, "c"), []byte{1, 0, 0, 0}), done(r, 0, 0))
		}, []string{"a", "b", "c"}, nlmsg.ErrTruncated},
		{"an overrun", func(r nlmsg.Msg) []event {
			b, m := nlmsg.Begin(nil, nlmsg.Overrun, 0, 0, 0)
			return events(abc(r), nlmsg.End(b, m), done(r, 0, 0))
		}, []string{"a", "b"}, ErrOverrun},
		{"an overrun with the dump's own numbers", func(r nlmsg.Msg) []event {
			b, m := nlmsg.Begin(nil, nlmsg.Overrun, 0, r.Seq(), fakePort)
			return events(abc(r), nlmsg.End(b, m), done(r, 0, 0))
		}, []string{"a", "b"}, ErrOverrun},
		{"a NOOP", func(r nlmsg.Msg) []event {
			b, m := nlmsg.Begin(nil, nlmsg.Noop, 0, r.Seq(), fakePort)
			return events(join(nlmsg.End(b, m), abc(r), done(r, 0, 0)))
		}, []string{"a", "b"}, nil},
		{"marked, on data", func(r nlmsg.Msg) []event {
			return events(message(r, multi|nlmsg.DumpIntr, "a"), message(r, multi, "b"), done(r, 0, 0))
		}, []string{"a", "b"}, ErrInterrupted},
		{"marked, only on DONE", func(r nlmsg.Msg) []event {
			return events(abc(r), done(r, nlmsg.DumpIntr, 0))
		}, []string{"a", "b"}, ErrInterrupted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			good := func(r nlmsg.Msg) []event { return events(join(message(r, multi, "good"), done(r, 0, 0))) }
			twice(t, func() func(*fake, []nlmsg.Msg) []event { return lister(tt.reply, good) }, func(t *testing.T, c *Conn) {
				got, err := collect(t, c)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				if got, err := ask(t, c, nlmsg.Ack, "next"); got != "next" || err != nil {
					t.Errorf("the next request: %q, %v", got, err)
				}
				if got, err := collect(t, c); len(got) != 1 || err != nil {
					t.Errorf("the next dump: %q, %v", got, err)
				}
			}, WithBuffer(256))
		})
	}
}

// What an interrupted dump does is the caller's choice.
func TestInterruptedDumps(t *testing.T) {
	onData := func(r nlmsg.Msg) []event {
		return events(message(r, multi, "a"), message(r, multi|nlmsg.DumpIntr, "bad"), done(r, 0, 0))
	}
	onDone := func(r nlmsg.Msg) []event { return events(message(r, multi, "bad"), done(r, nlmsg.DumpIntr, 0)) }
	good := func(r nlmsg.Msg) []event { return events(message(r, multi, "good"), done(r, 0, 0)) }
	tests := []struct {
		name     string
		attempts []func(nlmsg.Msg) []event
		on       func(again func(), told *bool) []Interrupted
		want     []string
		err      error
		told     bool
		marks    uint64
	}{
		{"not said: fail", []func(nlmsg.Msg) []event{onData}, func(func(), *bool) []Interrupted { return nil }, []string{"a", "bad"}, ErrInterrupted, false, 1},
		{"fail", []func(nlmsg.Msg) []event{onDone}, func(func(), *bool) []Interrupted { return []Interrupted{Fail()} }, []string{"bad"}, ErrInterrupted, false, 1},
		{"accept", []func(nlmsg.Msg) []event{onDone}, func(_ func(), told *bool) []Interrupted { return []Interrupted{Accept(told)} }, []string{"bad"}, nil, true, 1},
		{"accept what is good", []func(nlmsg.Msg) []event{good}, func(_ func(), told *bool) []Interrupted { return []Interrupted{Accept(told)} }, []string{"good"}, nil, false, 0},
		{"retry", []func(nlmsg.Msg) []event{onData, onDone, good}, func(again func(), _ *bool) []Interrupted { return []Interrupted{Retry(2, again)} }, []string{"good"}, nil, false, 2},
		{"retry in vain", []func(nlmsg.Msg) []event{onData}, func(again func(), _ *bool) []Interrupted { return []Interrupted{Retry(2, again)} }, []string{"a", "bad"}, ErrInterrupted, false, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			twice(t, func() func(*fake, []nlmsg.Msg) []event { return lister(tt.attempts...) }, func(t *testing.T, c *Conn) {
				var got []string
				var told bool
				r := c.Request(fakeType, 0, nil)
				var err error
				for m, e := range c.Dump(t.Context(), r, tt.on(func() { got = nil }, &told)...) {
					if err = e; e == nil {
						got = append(got, text(m))
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) || told != tt.told {
					t.Errorf("error %v, told %v", err, told)
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

// A loop that is left, and a context that ends in its middle, leave nothing
// behind.
func TestDumpsGivenUp(t *testing.T) {
	twice(t, func() func(*fake, []nlmsg.Msg) []event { return lister(long) }, func(t *testing.T, c *Conn) {
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
			if got, err := ask(t, c, nlmsg.Ack, "next"); got != "next" || err != nil {
				t.Fatalf("the next request: %q, %v", got, err)
			}
		}
		if got, err := collect(t, c); len(got) != 100 || err != nil || got[99] != "99" {
			t.Errorf("the next dump: %d, %v", len(got), err)
		}
	})
}

// Requests within the loop of a dump, and other dumps next to it.
func TestRequestsDuringADump(t *testing.T) {
	twice(t, func() func(*fake, []nlmsg.Msg) []event { return lister(long) }, func(t *testing.T, c *Conn) {
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
					if got, err := ask(t, c, nlmsg.Ack, "within a"); got != "within a" || err != nil {
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

func TestSubscribeNeedsADialerAndGroups(t *testing.T) {
	c, _ := newFakeConn(t, lister(long))
	_, err := c.Subscribe(1)
	isError(t, err, ErrNoDialer)
	c, _ = newFakeConn(t, lister(long), WithDialer(func() (Transport, error) { return newFake(lister(long)), nil }))
	_, err = c.Subscribe(1)
	isError(t, err, errors.ErrUnsupported)
}
