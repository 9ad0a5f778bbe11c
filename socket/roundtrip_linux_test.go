package socket

import (
	"bytes"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

func TestTryRoundTrip(t *testing.T) {
	polledOrNot(t, func(t *testing.T, s *Socket) {
		b := make([]byte, BufferSize)
		n, info, sent, err := s.TryRoundTrip(getFamily(42), b)
		if err != nil || !sent || msgType(b[:n]) != typeCtrl || msgSeq(b[:n]) != 42 || info != (Info{Size: n}) {
			t.Fatalf("reply %x, info %+v, error %v", b[:n], info, err)
		}
		short := bytes.Repeat([]byte{0xee}, 28)
		size, info, sent, err := s.TryRoundTrip(getFamily(43), short[:20])
		if err != ErrTruncated || !sent || size != 20 || info != (Info{Size: n}) || msgSeq(short) != 43 || short[20] != 0xee {
			t.Errorf("in 20 bytes: %x, info %+v, error %v", short[:size], info, err)
		}
		_, _, sent, err = s.TryRoundTrip(nil, b)
		if is(t, err, unix.ENODATA, "sendto"); sent {
			t.Error("nothing was sent")
		}
		noRequest := message(typeCtrl, 0, 1, []byte{3, 1, 0, 0}) // netlink_rcv_skb skips it
		if _, _, sent, err := s.TryRoundTrip(noRequest, b); err != ErrEmpty || !sent {
			t.Errorf("without a reply: sent %v, error %v", sent, err)
		}
	})
}

// Queued datagrams are received first, with the group of their control message.
func TestTryRoundTripAfterAnEvent(t *testing.T) {
	ns := kerneltest.NewNetNS(t)
	s := open(t, Route, WithNetNS(ns), WithFlags(PacketInfo), WithGroups(unix.RTNLGRP_LINK))
	linkUp(t, open(t, Route, WithNetNS(ns)), 1)
	getLink := message(unix.RTM_GETLINK, flagRequest, 42, []byte{0, 0, 0, 0}, u32(1), u32(0), u32(0))
	b := make([]byte, BufferSize)
	n, info, sent, err := s.TryRoundTrip(getLink, b)
	if err != nil || !sent || msgSeq(b[:n]) == 42 || info.Group != unix.RTNLGRP_LINK {
		t.Errorf("event %x, info %+v, error %v", b[:n], info, err)
	}
	for msgSeq(b) != 42 {
		if n, info, err = s.Receive(b); err != nil {
			t.Fatal(err)
		}
	}
	if msgType(b) != unix.RTM_NEWLINK || info != (Info{Size: n}) {
		t.Errorf("reply %x, info %+v", b[:n], info)
	}
}

// The write deadline applies to it. The read deadline does not, as for TryReceive.
func TestTryRoundTripHasTheWriteDeadline(t *testing.T) {
	s, b := open(t, Generic), make([]byte, BufferSize)
	if err := s.SetWriteDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	_, _, sent, err := s.TryRoundTrip(getFamily(1), b)
	if is(t, err, os.ErrDeadlineExceeded, "sendto"); sent {
		t.Error("it was sent")
	}
	if err := s.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := s.TryRoundTrip(getFamily(1), b); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, _, err = s.TryRoundTrip(getFamily(1), b)
	is(t, err, os.ErrClosed, "sendto")
}

// A loss is reported as an error of the receive, and the socket remains usable.
func TestTryRoundTripAfterALoss(t *testing.T) {
	s, b := open(t, Generic), make([]byte, BufferSize)
	if err := s.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetReceiveBuffer(1); err != nil { // the kernel's minimum
		t.Fatal(err)
	}
	for range 50 {
		if err := s.Send(getFamily(1)); err != nil {
			t.Fatal(err)
		}
	}
	n, info, sent, err := s.TryRoundTrip(getFamily(2), b)
	is(t, err, unix.ENOBUFS, "receive")
	if n != 0 || info != (Info{}) || !sent {
		t.Errorf("%d bytes, info %+v with the error", n, info)
	}
	if n, info, _, err := s.TryRoundTrip(getFamily(3), b); err != nil || msgSeq(b) != 1 || info != (Info{Size: n}) {
		t.Errorf("after it %x, info %+v, error %v", b[:n], info, err)
	}
}

// No goroutine receives the reply of another.
func TestTryRoundTripsAtOnce(t *testing.T) {
	s := open(t, Generic)
	if err := s.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for g := range uint32(8) {
		group.Go(func() {
			b := make([]byte, BufferSize)
			for i := range uint32(200) {
				n, _, _, err := s.TryRoundTrip(getFamily(g<<16|i), b)
				if err != nil || msgSeq(b[:n]) != g<<16|i {
					t.Errorf("goroutine %d, request %d: reply %x, %v", g, i, b[:n], err)
					return
				}
			}
		})
	}
	group.Wait()
}
