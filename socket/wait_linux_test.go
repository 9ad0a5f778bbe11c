package socket

import (
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The functions and states by which blocked finds waiting goroutines.
const (
	inReceive = "socket.(*Socket).Receive"
	inPause   = "socket.(*sysSocket).pause"
	onPoller  = "IO wait"
	onMutex   = "sync.Mutex.Lock"
	onSelect  = "select"
)

// start runs f in a goroutine and returns a channel with its error.
func start(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

func TestCloseWakesReceivers(t *testing.T) {
	s, err := Open(Generic)
	if err != nil {
		t.Fatal(err)
	}
	var done []<-chan error
	for range 3 {
		done = append(done, start(func() error { _, _, err := s.Receive(make([]byte, 100)); return err }))
	}
	blocked(t, 1, onPoller, inReceive)
	blocked(t, 2, onMutex, inReceive) // both wait for the mutex of the first
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, d := range done {
		is(t, <-d, os.ErrClosed, "receive")
	}
	is(t, s.Close(), os.ErrClosed, "close")
}

func TestCloseWakesReceiveBatch(t *testing.T) {
	s := open(t, Generic)
	done := start(func() error { _, err := s.ReceiveBatch(MakeBatch(2, 100)); return err })
	blocked(t, 1, onPoller, "socket.(*Socket).ReceiveBatch")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	is(t, <-done, os.ErrClosed, "recvmmsg")
}

// Close may run at any point of a call. It must neither hang nor let a call use a closed
// descriptor.
func TestCloseRacesWithCalls(t *testing.T) {
	before := descriptors(t)
	for i := range 100 {
		s, err := Open(Generic)
		if err != nil {
			t.Fatal(err)
		}
		calls := []func() error{
			func() error { _, _, err := s.Receive(make([]byte, BufferSize)); return err },
			func() error { return s.Send(getFamily(1)) },
			func() error { return s.SetReadDeadline(time.Now().Add(guardTime)) },
			func() error { _, err := s.Flag(ExtAck); return err },
		}
		var wg sync.WaitGroup
		for _, f := range calls[:1+i%len(calls)] {
			wg.Go(func() {
				if err := f(); err != nil && !errors.Is(err, os.ErrClosed) {
					t.Error(err)
				}
			})
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	}
	if after := descriptors(t); after > before+1 { // the runtime may have opened its epoll descriptor
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestReceiveDoesNotHoldUpSend(t *testing.T) {
	s := open(t, Generic)
	done := start(func() error { _, _, err := s.Receive(make([]byte, BufferSize)); return err })
	blocked(t, 1, onPoller, inReceive)
	if err := s.Send(getFamily(1)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// fill opens two sockets. One sends to the other until it blocks. The counter has the
// number of datagrams that were sent.
func fill(t *testing.T) (from, to *Socket, sent *int, done <-chan error) {
	t.Helper()
	to = open(t, UserSock, WithReceiveBuffer(1)) // the kernel's minimum
	from = open(t, UserSock)
	sent = new(int)
	done = start(func() error {
		for {
			if err := from.SendTo(make([]byte, 512), Addr{PortID: to.PortID()}); err != nil {
				return err
			}
			*sent++
		}
	})
	blocked(t, 1, onSelect, inPause)
	return from, to, sent, done
}

func TestCloseWakesSender(t *testing.T) {
	from, _, sent, done := fill(t)
	if err := from.Close(); err != nil {
		t.Fatal(err)
	}
	is(t, <-done, os.ErrClosed, "sendto")
	if *sent == 0 {
		t.Error("nothing got through before")
	}
}

func TestDeadlineEndsSending(t *testing.T) {
	from, _, _, done := fill(t)
	if err := from.SetWriteDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	is(t, <-done, os.ErrDeadlineExceeded, "sendto")
}

func TestPeerGoneEndsSending(t *testing.T) {
	_, to, _, done := fill(t)
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	is(t, <-done, unix.ECONNREFUSED, "sendto")
}

// A full peer loses nothing: its sender waits, and continues when there is room.
func TestSenderWaitsForRoom(t *testing.T) {
	from, to, sent, done := fill(t)
	const more = 50
	for range more {
		if b, info := receive(t, to); len(b) != 512 || info.PortID != from.PortID() {
			t.Fatalf("%d bytes from %+v", len(b), info)
		}
	}
	if err := from.Close(); err != nil {
		t.Fatal(err)
	}
	is(t, <-done, os.ErrClosed, "sendto")
	left := 0
	for {
		if err := to.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := to.Receive(make([]byte, 512)); errors.Is(err, os.ErrDeadlineExceeded) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		left++
	}
	if more+left != *sent {
		t.Errorf("%d sent, %d received", *sent, more+left)
	}
}

// A full peer must not delay sending to others on the same socket.
func TestFullPeerHoldsUpNobodyElse(t *testing.T) {
	from, _, _, done := fill(t)
	other := open(t, UserSock)
	if err := from.SendTo([]byte("past it"), Addr{PortID: other.PortID()}); err != nil {
		t.Fatal(err)
	}
	if b, _ := receive(t, other); string(b) != "past it" {
		t.Errorf("received %q", b)
	}
	from.Close()
	<-done
}

func TestTrySendToDoesNotWait(t *testing.T) {
	from, to, _, done := fill(t)
	if err := from.TrySendTo(make([]byte, 512), Addr{PortID: to.PortID()}); err != ErrFull {
		t.Errorf("error %v, want %v", err, ErrFull)
	}
	is(t, from.TrySendTo([]byte("x"), Addr{PortID: 1<<31 - 5}), unix.ECONNREFUSED, "sendto")
	from.Close()
	<-done
	is(t, from.TrySendTo([]byte("x"), Addr{PortID: to.PortID()}), os.ErrClosed, "sendto")
}

func TestManySendersAndReceivers(t *testing.T) {
	const senders, each = 4, 50
	s := open(t, Generic)
	var mu sync.Mutex
	seen := map[uint32]int{}
	slots := make(chan struct{}, 16) // limits concurrent requests: the queue must hold the answers
	var wg sync.WaitGroup
	for i := range uint32(senders) {
		wg.Go(func() {
			for k := range uint32(each) {
				slots <- struct{}{}
				if err := s.Send(getFamily(i*each + k)); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			b := make([]byte, BufferSize)
			for range each {
				n, _, err := s.Receive(b)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[msgSeq(b[:n])]++
				mu.Unlock()
				<-slots
			}
		})
	}
	wg.Wait()
	if len(seen) != senders*each {
		t.Errorf("%d different answers, want %d", len(seen), senders*each)
	}
}

func TestTryReceive(t *testing.T) {
	polledOrNot(t, func(t *testing.T, s *Socket) {
		buf := make([]byte, BufferSize)
		if _, _, err := s.TryReceive(buf); err != ErrEmpty {
			t.Errorf("nothing queued: %v", err)
		}
		if err := s.Send(getFamily(7)); err != nil {
			t.Fatal(err)
		}
		if err := s.SetReadDeadline(time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		n, info, err := s.TryReceive(buf)
		if err != nil || info.PortID != 0 || info.Size != n || msgSeq(buf) != 7 {
			t.Errorf("%d bytes, %+v, %v", n, info, err)
		}
		if err := s.Send(getFamily(8)); err != nil {
			t.Fatal(err)
		}
		if n, info, err := s.TryReceive(buf[:20]); err != ErrTruncated || n != 20 || info.Size <= 20 {
			t.Errorf("cut: %d bytes, %+v, %v", n, info, err)
		}
		s.Close()
		if _, _, err := s.TryReceive(buf); !errors.Is(err, os.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

// A waiting receiver takes the next datagram. TryReceive does not wait for the receiver.
func TestTryReceiveBesideAReceiver(t *testing.T) {
	s := open(t, Generic)
	done := start(func() error {
		_, _, err := s.Receive(make([]byte, BufferSize))
		return err
	})
	blocked(t, 1, onPoller, inReceive)
	if _, _, err := s.TryReceive(make([]byte, 64)); err != ErrEmpty {
		t.Errorf("error %v", err)
	}
	s.Close()
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		t.Errorf("the receiver: %v", err)
	}
}
