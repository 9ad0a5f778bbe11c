package conn

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// putNotes queues n notifications with numbers.
func putNotes(d *double, n int) {
	for _, s := range numbers(n) {
		d.put(notify(s))
	}
}

func TestLoopOfASubscriptionKeepsItsTransport(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s, d := subscribe(t, (&fleet{reply: echo}).pool(t))
		putNotes(d, 10)
		m := s.own.pool.first
		var moves uint64
		var got []string
		for note, err := range s.All(patiently(t)) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, said(note)); len(got) == 1 {
				moves = m.moves
			}
			if m.moves != moves || !m.isBusy {
				t.Errorf("released after %q", got)
			}
			if len(got) == 10 {
				break
			}
		}
		if m.isBusy || !slices.Equal(got, numbers(10)) {
			t.Errorf("still busy: %v, %q", m.isBusy, got)
		}
		useSubscription(t, s)
	})
}

// The body waits for another goroutine.
func TestExchangeTakesTheTransportWhileTheBodyOfTheLoopRuns(t *testing.T) {
	inTime(t, func(t *testing.T) {
		next, sent := counting()
		s, d := subscribe(t, (&fleet{reply: between(echo, next)}).pool(t))
		for range 3 {
			d.put(next())
		}
		var got []string
		for m, err := range s.All(patiently(t)) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, said(m)); len(got) < 6 {
				var users sync.WaitGroup
				for range 3 {
					users.Go(func() { useSubscription(t, s) })
				}
				users.Wait()
			}
			if len(got) == sent() {
				break
			}
		}
		if !slices.Equal(got, numbers(sent())) {
			t.Errorf("%q of %d", got, sent())
		}
	})
}

// busy runs a function during each receive.
type busy struct {
	*double
	during func()
}

func (b *busy) TryReceive(p []byte) (int, socket.Info, error) {
	n, info, err := b.double.TryReceive(p)
	if during := b.during; during != nil {
		b.during = nil
		during()
	}
	return n, info, err
}

// The body of the loop is the first that waits for the Transport.
func TestExchangeThatComesDuringAReceiveHasTheTransportNext(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := &busy{double: (&fleet{reply: echo}).open()}
		s, err := New(newFake(nil), WithDialer(func() (Transport, error) { return b, nil })).Subscribe(1)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		putNotes(b.double, 1)
		var asked <-chan error
		r := s.Request(fakeType, nlmsg.FlagAck, []byte("text"))
		begin := func() {
			asked = inBackground(func() error { _, err := s.Do(patiently(t), r); return err })
			synctest.Wait()
		}
		b.during = begin
		var got []string
		for m, err := range s.All(patiently(t)) {
			if err != nil {
				t.Fatal(err)
			}
			if err := <-asked; err != nil {
				t.Error(err)
			}
			if got = append(got, said(m)); len(got) == 5 {
				break
			}
			b.during = begin
			b.put(notify(numbers(5)[len(got)]))
		}
		if !slices.Equal(got, numbers(5)) {
			t.Errorf("%q", got)
		}
	})
}

// The loop has waited longest, so that it is woken before the exchange.
func TestExchangeThatWaitedAfterTheLoopHasTheTransportInItsBody(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var req nlmsg.Msg
		fl := &fleet{reply: func(m nlmsg.Msg) []event {
			if said(m) == "late" {
				req = m
				return nil
			}
			return echo(m)
		}}
		s, d := subscribe(t, fl.pool(t, WithLateReplies()))
		do := func(text string) <-chan error {
			r := s.Request(fakeType, 0, []byte(text))
			c := inBackground(func() error { _, err := s.Do(patiently(t), r); return err })
			synctest.Wait()
			return c
		}
		late := do("late")
		d.put(notify("one"))
		var second <-chan error
		all := inBackground(func() error {
			for _, err := range s.All(patiently(t)) {
				if err != nil {
					return err
				}
				return <-second
			}
			return nil
		})
		synctest.Wait()
		second = do("text")
		d.put(event{b: message(req, 0, "")})
		for _, c := range []<-chan error{late, all} {
			if err := <-c; err != nil {
				t.Error(err)
			}
		}
	})
}

// On one processor, a loop that took the Transport again immediately would starve the
// exchange.
func TestLoopThatWaitsHandsTheTransportOverAtOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	inTime(t, func(t *testing.T) {
		b := &busy{double: (&fleet{reply: echo}).open()}
		s, err := New(newFake(nil), WithDialer(func() (Transport, error) { return b, nil })).Subscribe(1)
		if err != nil {
			t.Fatal(err)
		}
		receives := 0
		var count func()
		count = func() { receives++; b.during = count }
		b.during = count
		all := inBackground(func() (last error) {
			for _, err := range s.All(t.Context()) {
				last = err
			}
			return last
		})
		synctest.Wait()
		useSubscription(t, s)
		synctest.Wait()
		if receives > 20 {
			t.Errorf("%d receives", receives)
		}
		s.Close()
		isError(t, <-all, os.ErrClosed)
	})
}

func TestCloseInTheBodyOfTheLoopClosesTheTransport(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s, d := subscribe(t, (&fleet{reply: echo}).pool(t))
		putNotes(d, 5)
		n := 0
		var last error
		for _, err := range s.All(patiently(t)) {
			if n++; n == 1 {
				if err := s.Close(); err != nil || !d.isClosed() {
					t.Error(err, d.isClosed())
				}
			}
			last = err
		}
		if isError(t, last, ErrClosed); n != 2 {
			t.Errorf("%d steps", n)
		}
	})
}

func TestLoopInTheBodyOfALoopGetsOn(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s, d := subscribe(t, (&fleet{reply: echo}).pool(t))
		putNotes(d, 9)
		var got []string
		for m, err := range s.All(patiently(t)) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, said(m)); len(got) == 9 {
				break
			}
			for m, err := range s.All(patiently(t)) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, said(m))
				break
			}
		}
		if !slices.Equal(got, numbers(9)) {
			t.Errorf("%q", got)
		}
		useSubscription(t, s)
	})
}

func TestPanicInTheBodyOfTheLoopReleasesTheTransport(t *testing.T) {
	inTime(t, func(t *testing.T) {
		s, d := subscribe(t, (&fleet{reply: echo}).pool(t))
		putNotes(d, 1)
		func() {
			defer func() { recover() }()
			for range s.All(patiently(t)) {
				panic("body")
			}
		}()
		if s.own.pool.first.isBusy {
			t.Error("still busy")
		}
		useSubscription(t, s)
	})
}

// Notifications that arrive all the time, alone and among replies, are delivered in order.
func TestExchangesRunBesideALoopThatNeverWaits(t *testing.T) {
	const users, each = 4, 100
	s, d := subscribe(t, (&fleet{}).pool(t))
	var mu sync.Mutex // held until the numbered message is queued
	sent := 0
	next := func() event { sent++; return notify(strconv.Itoa(sent)) }
	d.fake.answer = func(f *fake, reqs []nlmsg.Msg) []event {
		mu.Lock()
		defer mu.Unlock()
		f.put(between(manyParts(3, 10), next)(reqs[0])...)
		return nil
	}
	const total = users * each * (3 + 5 + 1)
	all := inBackground(func() error {
		for i := 0; i < total; {
			for m, err := range s.All(patiently(t)) {
				switch {
				case err != nil:
					return err
				case said(m) != strconv.Itoa(i+1):
					return fmt.Errorf("%q after %d", said(m), i)
				}
				if i++; i == total || i%50 == 0 {
					break
				}
			}
		}
		return nil
	})
	var done sync.WaitGroup
	for range users {
		done.Go(func() {
			for range each {
				r := s.Request(fakeType, nlmsg.FlagAck, []byte("text"))
				if _, err := s.Do(patiently(t), r); err != nil {
					t.Error(err)
				}
				for _, err := range s.Dump(patiently(t), r) {
					if err != nil {
						t.Error(err)
					}
				}
				r.Release()
				mu.Lock()
				d.put(next())
				mu.Unlock()
			}
		})
	}
	if err := <-all; err != nil {
		t.Error(err)
	}
	done.Wait()
}
