package socket

import (
	"bytes"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/kerneltest"
)

func TestRoundTrip(t *testing.T) {
	polledOrNot(t, func(t *testing.T, s *Socket) {
		b := make([]byte, BufferSize)
		n, info, err := s.RoundTrip(getFamily(42), b)
		if err != nil || msgType(b[:n]) != typeCtrl || msgSeq(b[:n]) != 42 || info != (Info{Size: n}) {
			t.Fatalf("answer %x, info %+v, error %v", b[:n], info, err)
		}
		short := bytes.Repeat([]byte{0xee}, 28)
		size, info, err := s.RoundTrip(getFamily(43), short[:20])
		if err != ErrTruncated || size != 20 || info != (Info{Size: n}) || msgSeq(short) != 43 || short[20] != 0xee {
			t.Errorf("in 20 bytes: %x, info %+v, error %v", short[:size], info, err)
		}
		_, _, err = s.RoundTrip(nil, b)
		is(t, err, unix.ENODATA, "sendto")
	})
}

// What is queued comes first, with what control messages tell of it.
func TestRoundTripBehindAnEvent(t *testing.T) {
	rawOrNot(t, func(t *testing.T, opts ...Option) {
		ns := kerneltest.NewNetNS(t)
		opts = append(opts, WithNetNS(ns), With(PacketInfo), WithGroups(unix.RTNLGRP_LINK))
		s := open(t, Route, opts...)
		linkUp(t, open(t, Route, WithNetNS(ns)), 1)
		getLink := message(unix.RTM_GETLINK, flagRequest, 42, []byte{0, 0, 0, 0}, u32(1), u32(0), u32(0))
		b := make([]byte, BufferSize)
		n, info, err := s.RoundTrip(getLink, b)
		if err != nil || msgSeq(b[:n]) == 42 || info.Group != unix.RTNLGRP_LINK {
			t.Errorf("event %x, info %+v, error %v", b[:n], info, err)
		}
		for msgSeq(b) != 42 {
			if n, info, err = s.Receive(b); err != nil {
				t.Fatal(err)
			}
		}
		if msgType(b) != unix.RTM_NEWLINK || info != (Info{Size: n}) {
			t.Errorf("answer %x, info %+v", b[:n], info)
		}
	})
}

// The option is there when it was asked for, also in a twin.
func TestRawSyscallsAreRemembered(t *testing.T) {
	for _, want := range []bool{false, true} {
		var opts []Option
		if want {
			opts = append(opts, WithRawSyscalls())
		}
		s := open(t, Generic, opts...)
		twin, err := s.Twin()
		if err != nil {
			t.Fatal(err)
		}
		defer twin.Close()
		if s.sys.raw != want || twin.sys.raw != want {
			t.Errorf("raw: %v, in the twin %v, want %v", s.sys.raw, twin.sys.raw, want)
		}
	}
}

func TestRoundTripHasBothDeadlines(t *testing.T) {
	rawOrNot(t, func(t *testing.T, opts ...Option) {
		for _, set := range []func(*Socket, time.Time) error{(*Socket).SetReadDeadline, (*Socket).SetWriteDeadline} {
			s := open(t, Generic, opts...)
			unlimited(t, s) // the other has none
			if err := set(s, time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
			_, _, err := s.RoundTrip(getFamily(1), make([]byte, BufferSize))
			is(t, err, os.ErrDeadlineExceeded, "sendto")
			if err := s.SetDeadline(time.Time{}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.TryReceive(make([]byte, BufferSize)); err != ErrEmpty {
				t.Errorf("it was sent all the same: %v", err)
			}
		}
	})
}

// What has no answer is waited for, until the deadline or the end.
func TestRoundTripWithoutAnswer(t *testing.T) {
	noRequest := message(typeCtrl, 0, 1, []byte{3, 1, 0, 0}) // netlink_rcv_skb skips it
	rawOrNot(t, func(t *testing.T, opts ...Option) {
		s := open(t, Generic, opts...)
		if err := s.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		_, _, err := s.RoundTrip(noRequest, make([]byte, BufferSize))
		is(t, err, os.ErrDeadlineExceeded, "receive")
		_, _, err = s.RoundTrip(noRequest, make([]byte, BufferSize)) // has passed
		is(t, err, os.ErrDeadlineExceeded, "sendto")

		s = open(t, Generic, opts...)
		done := start(func() error {
			_, _, err := s.RoundTrip(noRequest, make([]byte, BufferSize))
			return err
		})
		blocked(t, 1, "IO wait", "roundTrip")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		is(t, <-done, os.ErrClosed, "receive")
		_, _, err = s.RoundTrip(getFamily(1), make([]byte, BufferSize))
		is(t, err, os.ErrClosed, "sendto")
	})
}

// unlimited takes off the deadlines that open sets.
func unlimited(t *testing.T, s *Socket) {
	t.Helper()
	if err := s.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
}

func TestRoundTripWithoutDeadline(t *testing.T) {
	rawOrNot(t, func(t *testing.T, opts ...Option) {
		s := open(t, Generic, opts...)
		unlimited(t, s)
		b := make([]byte, BufferSize)
		for seq := range uint32(3) {
			if n, info, err := s.RoundTrip(getFamily(seq), b); err != nil || msgSeq(b) != seq || info != (Info{Size: n}) {
				t.Fatalf("answer %x, info %+v, error %v", b[:n], info, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		_, _, err := s.RoundTrip(getFamily(1), b)
		is(t, err, os.ErrClosed, "sendto")
	})
}

// What the kernel could not queue is told, and does not end the socket.
func TestRoundTripBehindALoss(t *testing.T) {
	rawOrNot(t, func(t *testing.T, opts ...Option) {
		s := open(t, Generic, opts...)
		unlimited(t, s)
		if err := s.SetReceiveBuffer(1); err != nil { // the least there is
			t.Fatal(err)
		}
		for range 50 {
			if err := s.Send(getFamily(1)); err != nil {
				t.Fatal(err)
			}
		}
		b := make([]byte, BufferSize)
		n, info, err := s.RoundTrip(getFamily(2), b)
		is(t, err, unix.ENOBUFS, "receive")
		if n != 0 || info != (Info{}) {
			t.Errorf("%d bytes, info %+v with the error", n, info)
		}
		if n, info, err := s.RoundTrip(getFamily(3), b); err != nil || msgSeq(b) != 1 || info != (Info{Size: n}) {
			t.Errorf("behind it %x, info %+v, error %v", b[:n], info, err)
		}
	})
}

// Who waits for the answer does not ask twice.
func TestRoundTripSendsOnce(t *testing.T) {
	rawOrNot(t, func(t *testing.T, opts ...Option) {
		s := open(t, Generic, opts...)
		unlimited(t, s)
		ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(ends[1])
		if err := unix.Dup3(ends[0], s.sys.fd, unix.O_CLOEXEC); err != nil { // a peer whose queue can be seen
			t.Fatal(err)
		}
		unix.Close(ends[0])
		done := start(func() error {
			_, _, err := s.RoundTrip([]byte("request"), make([]byte, 16))
			return err
		})
		blocked(t, 1, "IO wait", "roundTrip")
		b := make([]byte, 16)
		if n, err := unix.Read(ends[1], b); err != nil || string(b[:n]) != "request" {
			t.Errorf("the peer has %q, %v", b[:max(n, 0)], err)
		}
		if n, err := unix.Read(ends[1], b); err != unix.EAGAIN {
			t.Errorf("the peer has %d bytes more, %v", n, err)
		}
		if _, err := unix.Write(ends[1], []byte("answer")); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != ErrSender { // a peer without an address
			t.Errorf("the answer: %v", err)
		}
	})
}

// Nobody gets the answer of another.
func TestRoundTripsAtOnce(t *testing.T) {
	rawOrNot(t, func(t *testing.T, opts ...Option) {
		s := open(t, Generic, opts...)
		var group sync.WaitGroup
		for g := range uint32(8) {
			group.Go(func() {
				b := make([]byte, BufferSize)
				for i := range uint32(200) {
					n, _, err := s.RoundTrip(getFamily(g<<16|i), b)
					if err != nil || msgSeq(b[:n]) != g<<16|i {
						t.Errorf("goroutine %d, request %d: answer %x, %v", g, i, b[:n], err)
						return
					}
				}
			})
		}
		group.Wait()
	})
}
