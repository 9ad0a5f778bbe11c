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
	"sync/atomic"
	"testing"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
)

// scatter answers like a peer that replies late, repeats replies, and answers requests in
// any order.
type scatter struct {
	mu      sync.Mutex
	random  *rand.Rand
	held    map[*fake][]event
	cancels map[string]context.CancelFunc // by payload: ends the context of the request
}

func (s *scatter) answer(f *fake, reqs []nlmsg.Msg) []event {
	r := reqs[0]
	if r.Flags()&nlmsg.FlagDump == nlmsg.FlagDump {
		return long(r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own := join(message(r, 0, text(r)), answer(r, 0, ""))
	list := s.held[f]
	delete(s.held, f)
	switch s.random.IntN(8) {
	case 0: // later, from another goroutine
		go f.put(event{b: own})
		return list
	case 1: // with the reply to the next request, after the caller has given up
		s.held[f] = append(list, event{b: own})
		s.cancels[text(r)]()
		return nil
	case 2: // twice
		list = append(list, event{b: own})
	case 3:
		list = append(list, event{err: errno.EINTR}, event{b: []byte{}})
	}
	list = append(list, event{b: own})
	s.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func (s *scatter) register(payload string, cancel context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancels[payload] = cancel
}

// Contexts end at any time, and disturb no other request.
func TestAnswersInAnyOrderFindTheirRequests(t *testing.T) {
	s := &scatter{random: rand.New(rand.NewPCG(1, 2)), held: map[*fake][]event{}, cancels: map[string]context.CancelFunc{}}
	inOneAndInAPool(t, func() func(*fake, []nlmsg.Msg) []event { return s.answer }, func(t *testing.T, c *Conn) {
		var answered atomic.Int64
		var wg sync.WaitGroup
		for id := range 8 {
			wg.Go(func() {
				for i := range 300 {
					ctx, cancel := context.WithCancel(t.Context())
					if i%3 == 0 {
						go cancel()
					}
					if i%50 == 49 {
						dumpInOrder(ctx, t, c)
						cancel()
						continue
					}
					want := fmt.Sprintf("%04d%04d", id, i)
					s.register(want, cancel)
					r := c.Request(fakeType, nlmsg.FlagRequest|nlmsg.FlagAck, []byte(want))
					m, err := c.Do(ctx, r)
					switch {
					case err == nil && text(m) == want:
						answered.Add(1)
					case !errors.Is(err, context.Canceled):
						t.Errorf("%q, %v, want %q", text(m), err, want)
					}
					r.Release()
					cancel()
				}
			})
		}
		wg.Wait()
		if n := answered.Load(); n < 500 {
			t.Errorf("%d requests of 2352 were answered", n)
		}
	}, WithLateReplies())
}

// dumpInOrder checks a dump; its context may end.
func dumpInOrder(ctx context.Context, t *testing.T, c *Conn) {
	t.Helper()
	n := 0
	for m, err := range c.Dump(ctx, c.Request(fakeType, 0, nil)) {
		if err == nil && text(m) != fmt.Sprint(n) || err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("dump: %q, %v, want %d", text(m), err, n)
		}
		n++
	}
}

func TestRequestsAfterADeadlineGetTheirOwnReplies(t *testing.T) {
	c, f := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
		if text(reqs[0]) == "late" {
			return nil
		}
		return events(message(reqs[0], 0, text(reqs[0])))
	}, WithLateReplies())
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	r := c.Request(fakeType, nlmsg.FlagRequest, []byte("late"))
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
	if s := c.Stats(); s != (Stats{Stale: 1}) {
		t.Errorf("%+v", s)
	}
	sent := f.requests()
	if _, err := c.Do(ctx, r); !errors.Is(err, context.DeadlineExceeded) || f.requests() != sent {
		t.Errorf("a context that had ended: %v, %d datagrams sent", err, f.requests()-sent)
	}
}

// An exchange with the only Transport is given up. Those that wait for the Transport
// continue, and none receives the late reply.
func TestExchangesGetOnWhenTheOneBeforeThemIsGivenUp(t *testing.T) {
	for range 100 {
		var first nlmsg.Msg
		c, f := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event {
			if first == nil {
				first = reqs[0]
				return nil
			}
			return events(message(first, 0, "of another"), message(reqs[0], 0, text(reqs[0])))
		}, WithLateReplies())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		givenUp := make(chan error, 1)
		go func() {
			_, err := c.Do(ctx, c.Request(fakeType, nlmsg.FlagRequest, nil))
			givenUp <- err
		}()
		for f.requests() == 0 {
			runtime.Gosched()
		}
		var wg sync.WaitGroup
		for _, want := range []string{"two.", "tree"} {
			wg.Go(func() {
				if got, err := ask(t, c, 0, want); got != want || err != nil {
					t.Errorf("%q, %v, want %q", got, err, want)
				}
			})
		}
		cancel()
		isError(t, <-givenUp, context.Canceled)
		wg.Wait()
	}
}

// A request whose send is in progress does not wait for the other.
func TestLossOfOneExchangeIsNotThatOfAnother(t *testing.T) {
	sending, goOn := make(chan struct{}), make(chan struct{})
	answers := func(_ *fake, reqs []nlmsg.Msg) []event {
		if text(reqs[0]) != "slow" {
			return []event{{err: errno.ENOBUFS}}
		}
		close(sending)
		<-goOn
		return events(message(reqs[0], 0, "done"))
	}
	c, _ := newFakeConn(t, answers, WithDialer(func() (Transport, error) { return newFake(answers), nil }))
	type result struct {
		text string
		err  error
	}
	slow := make(chan result)
	go func() {
		got, err := ask(t, c, 0, "slow")
		slow <- result{got, err}
	}()
	<-sending
	_, err := ask(t, c, 0, "lost")
	isError(t, err, errno.ENOBUFS)
	close(goOn)
	if got := <-slow; got != (result{"done", nil}) {
		t.Errorf("%+v", got)
	}
}

func TestCloseEndsEveryExchange(t *testing.T) {
	var sent atomic.Int64
	answers := func(_ *fake, reqs []nlmsg.Msg) []event {
		sent.Add(1)
		if reqs[0].Flags()&nlmsg.FlagDump == nlmsg.FlagDump {
			return events(message(reqs[0], multi, "a"))
		}
		return nil
	}
	inOneAndInAPool(t, func() func(*fake, []nlmsg.Msg) []event { sent.Store(0); return answers }, func(t *testing.T, c *Conn) {
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
		most := int64(8)
		if c.conf.dial == nil {
			most = 1 // the others wait for their turn
		}
		for sent.Load() < most {
			runtime.Gosched()
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		isError(t, c.Close(), ErrClosed)
		_, err := ask(t, c, 0, "")
		isError(t, err, ErrClosed)
		_, err = collect(t, c)
		isError(t, err, ErrClosed)
		isError(t, c.Batch(t.Context(), c.Request(fakeType, nlmsg.FlagAck, nil), c.Request(fakeType, nlmsg.FlagAck, nil)), ErrClosed)
	}, WithLateReplies())
}

// The next exchange would have to read the rest.
func TestCloseAfterADumpWithoutItsEndWasLeft(t *testing.T) {
	c, _ := newFakeConn(t, func(_ *fake, reqs []nlmsg.Msg) []event { return events(message(reqs[0], multi, "a")) }, WithLateReplies())
	for range c.Dump(t.Context(), c.Request(fakeType, 0, nil)) {
		break
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	_, err := collect(t, c)
	isError(t, err, ErrClosed)
}

// faulty is a fake whose sends fail.
type faulty struct {
	*fake
	err error
}

func (f *faulty) Send(b []byte) error {
	if f.err != nil {
		return f.err
	}
	return f.fake.Send(b)
}

func TestErrorOfTheSendIsThatOfTheExchange(t *testing.T) {
	f := &faulty{newFake(lister(long)), errno.EMSGSIZE}
	c := New(f)
	defer c.Close()
	_, err := ask(t, c, 0, "")
	isError(t, err, errno.EMSGSIZE)
	_, err = collect(t, c)
	isError(t, err, errno.EMSGSIZE)
	f.err = nil
	if got, err := ask(t, c, nlmsg.FlagAck, "next"); got != "next" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := collect(t, c); len(got) != 100 || err != nil {
		t.Errorf("%d messages, %v", len(got), err)
	}
}

// Everything else arrives complete, so that nothing is lost.
func TestPassingErrorsAtAnyReceiveLoseNothing(t *testing.T) {
	for _, fault := range []error{errno.EINTR, errno.EAGAIN, errno.ENOBUFS} {
		for at := range 52 {
			inject := func(list []event) []event {
				i := min(at, len(list)-1)
				return append(append(append([]event(nil), list[:i]...), event{err: fault}), list[i:]...)
			}
			answers := func(_ *fake, reqs []nlmsg.Msg) []event {
				r := reqs[0]
				switch {
				case r.Flags()&nlmsg.FlagDump == nlmsg.FlagDump:
					return inject(long(r))
				case len(reqs) > 1:
					return inject(events(answer(reqs[0], 0, ""), answer(reqs[1], 0, ""), answer(reqs[2], 0, "")))
				}
				return inject(events(message(r, 0, "abcd"), message(r, 0, "b"), answer(r, 0, "")))
			}
			inOneAndInAPool(t, func() func(*fake, []nlmsg.Msg) []event { return answers }, func(t *testing.T, c *Conn) {
				if got, err := ask(t, c, nlmsg.FlagAck, ""); got != "abcd" || err != nil {
					t.Errorf("%v at %d: %q, %v", fault, at, got, err)
				}
				if got, err := collect(t, c); len(got) != 100 || err != nil {
					t.Errorf("%v at %d: %d messages, %v", fault, at, len(got), err)
				}
				batch := []*Request{c.Request(fakeType, nlmsg.FlagAck, nil), c.Request(fakeType, nlmsg.FlagAck, nil), c.Request(fakeType, nlmsg.FlagAck, nil)}
				if err := c.Batch(t.Context(), batch...); err != nil {
					t.Errorf("%v at %d: batch: %v", fault, at, err)
				}
			})
		}
	}
}

func TestExchangeEndsIfTheConnWasClosedDuringItsSend(t *testing.T) {
	sending, goOn := make(chan struct{}), make(chan struct{})
	c, f := newFakeConn(t, func(*fake, []nlmsg.Msg) []event {
		close(sending)
		<-goOn
		return nil
	}, WithLateReplies())
	result := make(chan error)
	go func() {
		_, err := ask(t, c, nlmsg.FlagAck, "")
		result <- err
	}()
	<-sending
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	close(goOn)
	isError(t, <-result, ErrClosedWaiting)
	if !f.closed {
		t.Error("the Transport is open")
	}
}
