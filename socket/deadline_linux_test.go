package socket

import (
	"os"
	"testing"
	"time"
)

// polledOrNot runs a test on a socket outside the poller and on one in it: they store
// deadlines in different places.
func polledOrNot(t *testing.T, f func(t *testing.T, s *Socket)) {
	for _, name := range []string{"direct", "polled"} {
		t.Run(name, func(t *testing.T) {
			s, polled := open(t, Generic), name == "polled"
			if polled {
				if _, err := s.SyscallConn(); err != nil {
					t.Fatal(err)
				}
			}
			f(t, s)
			if got := s.sys.poll.Load() != nil; got != polled {
				t.Errorf("in the poller: %v, want %v", got, polled)
			}
		})
	}
}

func TestDeadlineInThePast(t *testing.T) {
	polledOrNot(t, func(t *testing.T, s *Socket) {
		if err := s.SetDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		is(t, s.Send(getFamily(1)), os.ErrDeadlineExceeded, "sendto")
		_, _, err := s.Receive(make([]byte, BufferSize))
		is(t, err, os.ErrDeadlineExceeded, "receive")
		_, err = s.ReceiveBatch(MakeBatch(2, 100))
		is(t, err, os.ErrDeadlineExceeded, "recvmmsg")
		if !err.(*OpError).Timeout() {
			t.Errorf("%v is not a timeout", err)
		}
	})
}

func TestDeadlinesAreSeparate(t *testing.T) {
	polledOrNot(t, func(t *testing.T, s *Socket) {
		if err := s.SetReadDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		if err := s.Send(getFamily(1)); err != nil {
			t.Fatal(err)
		}
		_, _, err := s.Receive(make([]byte, BufferSize)) // although a datagram is queued
		is(t, err, os.ErrDeadlineExceeded, "receive")

		if err := s.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetWriteDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		receive(t, s)
		is(t, s.Send(getFamily(1)), os.ErrDeadlineExceeded, "sendto")
		if err := s.SetDeadline(time.Now().Add(guardTime)); err != nil {
			t.Fatal(err)
		}
		if err := s.Send(getFamily(1)); err != nil {
			t.Fatal(err)
		}
		receive(t, s)
	})
}

// The value 0 means that there is no deadline. A deadline at the base must not be stored as
// 0.
func TestDeadlineAtTheBase(t *testing.T) {
	base := time.Now()
	var d deadline
	if d.passed(base) {
		t.Error("none has passed")
	}
	d.set(base, base)
	eventually(t, "the deadline passes", func() bool { return d.passed(base) })
	d.set(base.Add(time.Hour), base)
	if d.passed(base) {
		t.Error("that of the next hour has passed")
	}
	d.set(base.Add(-time.Nanosecond), base)
	if !d.passed(base) {
		t.Error("that before the base has not passed")
	}
	d.set(time.Time{}, base)
	if d.passed(base) {
		t.Error("removed, it has passed")
	}
}

// A deadline set on a socket outside the poller applies after the socket enters it.
func TestDeadlineIsHandedOver(t *testing.T) {
	s := open(t, Generic)
	if err := s.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if s.sys.poll.Load() != nil {
		t.Error("in the poller already")
	}
	_, _, err := s.Receive(make([]byte, 100)) // has to wait, and enters the poller
	is(t, err, os.ErrDeadlineExceeded, "receive")
	if s.sys.poll.Load() == nil {
		t.Error("not in the poller")
	}
	_, _, err = s.Receive(make([]byte, 100))
	is(t, err, os.ErrDeadlineExceeded, "receive")
}

func TestDeadlineEndsWaiting(t *testing.T) {
	s := open(t, Generic)
	if err := s.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.Receive(make([]byte, 100))
	is(t, err, os.ErrDeadlineExceeded, "receive")
}

func TestDeadlineSetWhileWaiting(t *testing.T) {
	s, err := Open(Generic) // no deadline before
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	done := start(func() error { _, _, err := s.Receive(make([]byte, 100)); return err })
	blocked(t, 1, onPoller, inReceive)
	if err := s.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	is(t, <-done, os.ErrDeadlineExceeded, "receive")
}
