package socket

import (
	"bytes"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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

// With control messages the answer tells what there is to tell.
func TestRoundTripWithPacketInfo(t *testing.T) {
	rawOrNot(t, func(t *testing.T, opts ...Option) {
		s := open(t, Generic, append(opts, With(PacketInfo))...)
		b := make([]byte, BufferSize)
		n, info, err := s.RoundTrip(getFamily(1), b)
		if err != nil || msgSeq(b[:n]) != 1 || info.Size != n || info.Group != 0 {
			t.Errorf("answer %x, info %+v, error %v", b[:n], info, err)
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
