package conn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nlwire/nlwire/nlmsg"
)

// Answers that come in any order, late, twice, with others in a datagram, each
// find who asked; contexts that end at any time take nothing from anybody.
func TestManyAtOnce(t *testing.T) {
	var mu sync.Mutex
	var held []event
	random := rand.New(rand.NewPCG(1, 2))
	answers := func(f *fake, reqs []nlmsg.Msg) []event {
		r := reqs[0]
		if r.Flags()&nlmsg.Dump == nlmsg.Dump {
			return long(r)
		}
		mu.Lock()
		defer mu.Unlock()
		own := join(message(r, 0, text(r)), answer(r, 0, ""))
		switch random.IntN(8) {
		case 0: // later, from another goroutine
			go f.put(event{b: own})
			return nil
		case 1: // with the next one's
			held = append(held, event{b: own})
			return nil
		case 2: // twice
			held = append(held, event{b: own}, event{b: own})
		case 3:
			held = append(held, event{err: syscall.EINTR}, event{b: nil})
		}
		list := append(held, event{b: own})
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		held = nil
		return list
	}
	twice(t, func() func(*fake, []nlmsg.Msg) []event { return answers }, func(t *testing.T, c *Conn) {
		var wg sync.WaitGroup
		for id := range 8 {
			wg.Go(func() {
				for i := range 300 {
					ctx, cancel := context.WithCancel(t.Context())
					if i%3 == 0 {
						go cancel()
					}
					if i%50 == 49 {
						n := 0
						for m, err := range c.Dump(ctx, c.Request(fakeType, 0, nil)) {
							if err == nil && text(m) != fmt.Sprint(n) || err != nil && !errors.Is(err, context.Canceled) {
								t.Errorf("dump: %q, %v", text(m), err)
							}
							n++
						}
						cancel()
						continue
					}
					if i%3 != 0 { // must not wait for ever where the answer is held back
						time.AfterFunc(20*time.Millisecond, cancel)
					}
					want := fmt.Sprintf("%04d%04d", id, i)
					r := c.Request(fakeType, nlmsg.Request|nlmsg.Ack, []byte(want))
					m, err := c.Do(ctx, r)
					if err == nil && text(m) != want || err != nil && !errors.Is(err, context.Canceled) {
						t.Errorf("%q, %v, want %q", text(m), err, want)
					}
					r.Release()
					cancel()
				}
			})
		}
		wg.Wait()
		held = nil
	})
}

// A deadline leaves nothing behind: a thousand good requests follow.
func TestDeadlines(t *testing.T) {
	c, f := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
		if text(reqs[0]) == "late" {
			return nil
		}
		return events(message(reqs[0], 0, text(reqs[0])))
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	r := c.Request(fakeType, nlmsg.Request, []byte("late"))
	r.Op = "wait for it"
	_, err := c.Do(ctx, r)
	isError(t, err, context.DeadlineExceeded)
	if err == nil || !strings.HasPrefix(err.Error(), "conn: wait for it: ") || r.Err() != err {
		t.Errorf("error %v, kept %v", err, r.Err())
	}
	f.put(event{b: message(r.msg(), 0, "too late")})
	for i := range 1000 {
		want := fmt.Sprintf("%08d", i)
		if got, err := ask(t, c, 0, want); got != want || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if s := c.Stats(); s.Stale != 1 {
		t.Errorf("%+v", s)
	}
	sent := f.requests()
	if _, err := c.Do(ctx, r); !errors.Is(err, context.DeadlineExceeded) || f.requests() != sent {
		t.Errorf("a context that had ended: %v, %d datagrams sent", err, f.requests()-sent)
	}
}

// The one who waits in the Transport leaves; another takes its place.
func TestTheLeaderLeaves(t *testing.T) {
	for range 100 {
		c, f := newFakeConn(t, func(*fake, []nlmsg.Msg) []event { return nil })
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 3)
		requests := make([]*Request, 3)
		for i := range requests {
			requests[i] = c.Request(fakeType, nlmsg.Request, nil)
			own := ctx
			if i > 0 {
				own = t.Context()
			}
			go func() {
				_, err := c.Do(own, requests[i])
				results <- err
			}()
			for f.requests() <= i {
				runtime.Gosched()
			}
		}
		cancel()
		isError(t, <-results, context.Canceled)
		f.put(event{b: message(requests[2].msg(), 0, "")}, event{b: message(requests[1].msg(), 0, "")})
		if a, b := <-results, <-results; a != nil || b != nil {
			t.Fatalf("%v, %v", a, b)
		}
	}
}

// A loss while somebody waits in the Transport: those whose send was still under
// way look for themselves.
func TestALossWhileSending(t *testing.T) {
	for range 50 {
		sending, goOn := make(chan struct{}), make(chan struct{})
		c, f := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
			if text(reqs[0]) == "slow" {
				close(sending)
				<-goOn
			}
			return nil
		})
		slow := make(chan error)
		go func() {
			_, err := c.Do(context.Background(), c.Request(fakeType, nlmsg.Request, []byte("slow")))
			slow <- err
		}()
		<-sending
		ctx, cancel := context.WithCancel(t.Context())
		leader := make(chan error)
		go func() {
			r := c.Request(fakeType, nlmsg.Request, nil)
			if _, err := c.Do(ctx, r); !errors.Is(err, syscall.ENOBUFS) {
				leader <- err
				return
			}
			_, err := c.Do(ctx, r) // waits for ever
			leader <- err
		}()
		for f.requests() < 2 {
			runtime.Gosched()
		}
		f.put(event{err: syscall.ENOBUFS})
		for f.requests() < 3 {
			runtime.Gosched()
		}
		close(goOn)
		isError(t, <-slow, syscall.ENOBUFS)
		cancel()
		isError(t, <-leader, context.Canceled)
	}
}

// Close ends everything, in whatever it is.
func TestClose(t *testing.T) {
	c, f := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
		if reqs[0].Flags()&nlmsg.Dump == nlmsg.Dump {
			return events(message(reqs[0], multi, "a"))
		}
		return nil
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := ask(t, c, 0, "")
			isError(t, err, os.ErrClosed)
		})
		wg.Go(func() {
			_, err := collect(t, c)
			isError(t, err, os.ErrClosed)
		})
	}
	for f.requests() < 5 { // the dumps wait for each other
		runtime.Gosched()
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	isError(t, c.Close(), os.ErrClosed)
	_, err := ask(t, c, 0, "")
	isError(t, err, os.ErrClosed)
	isError(t, c.Batch(t.Context(), c.Request(fakeType, nlmsg.Ack, nil), c.Request(fakeType, nlmsg.Ack, nil)), os.ErrClosed)
}

// Close while a dump is left whose end another dump waits for.
func TestCloseBehindABrokenDump(t *testing.T) {
	c, f := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event { return events(message(reqs[0], multi, "a")) })
	f.put(event{})
	for range c.Dump(t.Context(), c.Request(fakeType, 0, nil)) {
		break
	}
	c.Close()
	_, err := collect(t, c)
	isError(t, err, os.ErrClosed)
}

func TestSendErrors(t *testing.T) {
	f := &failing{newFake(nil)}
	c := New(f)
	defer c.Close()
	_, err := ask(t, c, 0, "")
	isError(t, err, syscall.EMSGSIZE)
	_, err = collect(t, c)
	isError(t, err, syscall.EMSGSIZE)
	if len(c.main.calls) != 0 {
		t.Errorf("%d calls are left", len(c.main.calls))
	}
}

type failing struct{ *fake }

func (failing) Send([]byte) error { return syscall.EMSGSIZE }

// EINTR, EAGAIN and ENOBUFS at every receive there is: what arrives besides is
// whole, so nothing is lost.
func TestErrorsAtEveryReceive(t *testing.T) {
	for _, fault := range []error{syscall.EINTR, syscall.EAGAIN, syscall.ENOBUFS} {
		for at := 0; at <= 51; at++ {
			inject := func(list []event) []event {
				i := min(at, len(list)-1)
				return append(append(append([]event(nil), list[:i]...), event{err: fault}), list[i:]...)
			}
			answers := func(_ *fake, reqs []nlmsg.Msg) []event {
				r := reqs[0]
				switch {
				case r.Flags()&nlmsg.Dump == nlmsg.Dump:
					return inject(long(r))
				case len(reqs) > 1:
					return inject(events(answer(reqs[0], 0, ""), answer(reqs[1], 0, ""), answer(reqs[2], 0, "")))
				}
				return inject(events(message(r, 0, "abcd"), message(r, 0, "b"), answer(r, 0, "")))
			}
			twice(t, func() func(*fake, []nlmsg.Msg) []event { return answers }, func(t *testing.T, c *Conn) {
				if got, err := ask(t, c, nlmsg.Ack, ""); got != "abcd" || err != nil {
					t.Errorf("%v at %d: %q, %v", fault, at, got, err)
				}
				if got, err := collect(t, c); len(got) != 100 || err != nil {
					t.Errorf("%v at %d: %d messages, %v", fault, at, len(got), err)
				}
				batch := []*Request{c.Request(fakeType, nlmsg.Ack, nil), c.Request(fakeType, nlmsg.Ack, nil), c.Request(fakeType, nlmsg.Ack, nil)}
				if err := c.Batch(t.Context(), batch...); err != nil {
					t.Errorf("%v at %d: batch: %v", fault, at, err)
				}
			})
		}
	}
}

// Close does not wait for a send under way, which ends when it can.
func TestCloseDuringASend(t *testing.T) {
	sending, goOn := make(chan struct{}), make(chan struct{})
	c, _ := newFakeConn(t, func(*fake, []nlmsg.Msg) []event {
		close(sending)
		<-goOn
		return nil
	})
	result := make(chan error)
	go func() {
		_, err := ask(t, c, nlmsg.Ack, "")
		result <- err
	}()
	<-sending
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	close(goOn)
	isError(t, <-result, os.ErrClosed)
}
