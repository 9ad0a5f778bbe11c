package conn

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// notify makes a notification with a text.
func notify(s string) event {
	b := nlmsg.Begin(nil, fakeType, 0, 0, 0)
	return event{b: nlmsg.End(append(b, s...), 0), info: socket.Info{Groups: 1, Group: 1}}
}

func subscribe(t *testing.T, c *Conn) (*Subscription, *double) {
	t.Helper()
	s, err := c.Subscribe(1)
	if err != nil {
		t.Fatal(err)
	}
	return s, s.Transport().(*double)
}

// useSubscription runs each kind of exchange on a subscription.
func useSubscription(t *testing.T, s *Subscription) {
	t.Helper()
	r := s.Request(fakeType, nlmsg.FlagAck, []byte("text"))
	defer r.Release()
	if m, err := s.Do(patiently(t), r); said(m) != "text" || err != nil {
		t.Error(said(m), err)
	}
	if err := s.Batch(patiently(t), r); said(r.Reply()) != "text" || err != nil {
		t.Error(said(r.Reply()), err)
	}
	n := 0
	list := s.Request(fakeType, 0, []byte("list"))
	defer list.Release()
	for m, err := range s.Dump(patiently(t), list) {
		if said(m) != "list" || err != nil {
			t.Error(said(m), err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d messages", n)
	}
}

// between adds a notification before and after each datagram of an answer.
func between(reply func(nlmsg.Msg) []event, next func() event) func(nlmsg.Msg) []event {
	return func(req nlmsg.Msg) []event {
		all := []event{next()}
		for _, e := range reply(req) {
			all = append(all, e, next())
		}
		return all
	}
}

// counting returns notifications with consecutive numbers.
func counting() (next func() event, sent func() int) {
	n := 0
	return func() event {
		n++
		return notify(numbers(200)[n-1])
	}, func() int { return n }
}

func TestExchangesRunBesideTheLoopOfASubscription(t *testing.T) {
	inTime(t, func(t *testing.T) {
		next, sent := counting()
		fl := &fleet{reply: between(echo, next)}
		s, d := subscribe(t, fl.pool(t))
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		all := inBackground(func() error {
			for m, err := range s.All(ctx) {
				if err != nil {
					return err
				}
				got = append(got, said(m))
				if s.Info().Group != 1 {
					t.Errorf("%+v", s.Info())
				}
			}
			return nil
		})
		synctest.Wait()
		for range 5 {
			useSubscription(t, s)
			d.put(next())
		}
		synctest.Wait()
		cancel()
		isError(t, <-all, context.Canceled)
		if !slices.Equal(got, numbers(sent())) {
			t.Errorf("%q of %d", got, sent())
		}
	})
}

func TestExchangesRunInTheLoopOfASubscription(t *testing.T) {
	inTime(t, func(t *testing.T) {
		next, sent := counting()
		fl := &fleet{reply: between(echo, next)}
		s, d := subscribe(t, fl.pool(t))
		d.put(next())
		var got []string
		for m, err := range s.All(patiently(t)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, said(m))
			if len(got) <= 3 {
				useSubscription(t, s)
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

// The next loop delivers the notifications that the last one has left.
func TestNotificationsStayInOrderWhenTheLoopIsLeft(t *testing.T) {
	inTime(t, func(t *testing.T) {
		next, sent := counting()
		fl := &fleet{reply: between(echo, next)}
		s, d := subscribe(t, fl.pool(t))
		d.put(event{b: join(next().b, next().b, next().b), info: socket.Info{Groups: 1, Group: 1}})
		useSubscription(t, s)
		var got []string
		for len(got) < sent() {
			for m, err := range s.All(patiently(t)) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, said(m))
				break
			}
		}
		if !slices.Equal(got, numbers(sent())) {
			t.Errorf("%q of %d", got, sent())
		}
	})
}

func TestNotificationsStayInOrderWhileADumpIsUnderWay(t *testing.T) {
	inTime(t, func(t *testing.T) {
		next, sent := counting()
		fl := &fleet{reply: between(manyParts(5, 10), next)}
		s, d := subscribe(t, fl.pool(t))
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		all := inBackground(func() error {
			for m, err := range s.All(ctx) {
				if err != nil {
					return err
				}
				got = append(got, said(m))
			}
			return nil
		})
		synctest.Wait()
		r := s.Request(fakeType, 0, nil)
		n := 0
		for _, err := range s.Dump(patiently(t), r) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			synctest.Wait()
			d.put(next())
		}
		synctest.Wait()
		cancel()
		isError(t, <-all, context.Canceled)
		if n != 5 || !slices.Equal(got, numbers(sent())) {
			t.Errorf("%d messages, %q of %d", n, got, sent())
		}
	})
}

func TestNotificationsAboveTheQueueLimitAreALoss(t *testing.T) {
	inTime(t, func(t *testing.T) {
		next, sent := counting()
		fl := &fleet{reply: between(manyParts(50, 10), next)}
		s, _ := subscribe(t, fl.pool(t, WithQueue(30*20)))
		r := s.Request(fakeType, 0, nil)
		for _, err := range s.Dump(patiently(t), r) {
			if err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for m, err := range s.All(patiently(t)) {
			if err != nil {
				var loss *LossError
				if !errors.As(err, &loss) || loss.Seq != 0 || !errors.Is(err, ErrTooMuch) {
					t.Error(err)
				}
				break
			}
			got = append(got, said(m))
		}
		if len(got) < 20 || len(got) > 31 || !slices.Equal(got[:20], numbers(20)) {
			t.Errorf("%q of %d", got, sent())
		}
		if m, err := s.Do(patiently(t), s.Request(fakeType, nlmsg.FlagAck, []byte("text"))); said(m) != "text" || err != nil {
			t.Error(said(m), err)
		}
	})
}

// The loop waits for the dump, regardless of the length of the rest of the list.
func TestLoopOfASubscriptionWaitsForADumpThatExceedsTheQueue(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: manyParts(50, 1000)}
		s, d := subscribe(t, fl.pool(t, WithQueue(10_000)))
		all := inBackground(func() error {
			for m, err := range s.All(patiently(t)) {
				if err != nil || said(m) == "last" {
					return err
				}
			}
			return nil
		})
		synctest.Wait()
		r := s.Request(fakeType, 0, nil)
		n := 0
		for _, err := range s.Dump(patiently(t), r) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			synctest.Wait()
		}
		d.put(notify("last"))
		if err := <-all; err != nil || n != 50 {
			t.Error(n, err)
		}
	})
}

// A request in the body of a dump reads its rest, including the notifications among it.
func TestNotificationsStayInOrderWhenTheRestOfADumpIsTakenOver(t *testing.T) {
	inTime(t, func(t *testing.T) {
		next, sent := counting()
		fl := &fleet{reply: between(manyParts(5, 10), next)}
		s, d := subscribe(t, fl.pool(t))
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		all := inBackground(func() error {
			for m, err := range s.All(ctx) {
				if err != nil {
					return err
				}
				got = append(got, said(m))
			}
			return nil
		})
		synctest.Wait()
		list, r := s.Request(fakeType, 0, nil), s.Request(fakeType, nlmsg.FlagAck, []byte("text"))
		n := 0
		for _, err := range s.Dump(patiently(t), list) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if _, err := s.Do(patiently(t), r); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			d.put(next())
		}
		synctest.Wait()
		cancel()
		isError(t, <-all, context.Canceled)
		if n != 5 || !slices.Equal(got, numbers(sent())) {
			t.Errorf("%d messages, %q of %d", n, got, sent())
		}
	})
}
