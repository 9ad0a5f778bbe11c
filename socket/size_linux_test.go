package socket

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// NextSize is for datagrams longer than any buffer at hand.
func TestNextSize(t *testing.T) {
	from, to := open(t, UserSock, WithSendBuffer(4<<20)), open(t, UserSock, WithReceiveBuffer(4<<20))
	for _, size := range []int{1, 16, BufferSize, BufferSize + 1, 2 << 20} {
		want := bytes.Repeat([]byte{byte(size), 0xa5}, (size+1)/2)[:size]
		if err := from.SendTo(want, Addr{PortID: to.PortID()}); err != nil {
			t.Fatal(size, err)
		}
		for range 2 { // it takes nothing
			if n, err := to.NextSize(); n != size || err != nil {
				t.Fatalf("NextSize is %d, %v, want %d", n, err, size)
			}
		}
		b := make([]byte, size)
		n, info, err := to.TryReceive(b)
		if err != nil || n != size || info.Size != size || info.PortID != from.PortID() || !bytes.Equal(b, want) {
			t.Fatalf("received %d bytes with %+v, %v, want %d as they were sent", n, info, err, size)
		}
	}
}

func TestNextSizeWaits(t *testing.T) {
	s := open(t, Generic)
	sizes := make(chan int, 1)
	done := start(func() error { n, err := s.NextSize(); sizes <- n; return err })
	blocked(t, 1, onPoller, "socket.(*Socket).NextSize")
	if err := s.Send(getFamily(1)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if b, info := receive(t, s); <-sizes != info.Size || msgSeq(b) != 1 {
		t.Errorf("received %d bytes: %x", info.Size, b)
	}
	done = start(func() error { _, err := s.NextSize(); return err })
	blocked(t, 1, onPoller, "socket.(*Socket).NextSize")
	if err := s.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	is(t, <-done, os.ErrDeadlineExceeded, opRecvmsg)
	if err := s.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	done = start(func() error { _, err := s.NextSize(); return err })
	blocked(t, 1, onPoller, "socket.(*Socket).NextSize")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	is(t, <-done, os.ErrClosed, opRecvmsg)
}
