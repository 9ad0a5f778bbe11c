package bus

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
)

// noop makes a message without an effect that requests an ACK.
func noop() []byte {
	b := nlmsg.Begin(nil, nlmsg.TypeNoop, nlmsg.FlagRequest|nlmsg.FlagAck, 1, 0)
	return nlmsg.End(b, 0)
}

// An expired deadline blocks queued datagrams, as in a socket.
func TestDeadlineOverWhatIsQueued(t *testing.T) {
	p := openPort(t, newBus(t))
	if err := p.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := p.Send(noop()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	for range 2 {
		if n, _, err := p.Receive(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	if err := p.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if n, _, err := p.Receive(buf); err != nil || n != 36 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TryReceive does not wait and therefore ignores the deadline.
func TestDeadlineAndTryReceive(t *testing.T) {
	p := openPort(t, newBus(t))
	if err := p.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if list := send(t, p, noop()); len(list) != 1 {
		t.Errorf("received %v", list)
	}
}

func TestGroupsThatAreNone(t *testing.T) {
	p := openPort(t, newBus(t))
	for _, group := range []uint32{0, 65, 1<<32 - 1} {
		isErrno(t, p.Join(group), errno.EINVAL)
		isErrno(t, p.Leave(group), errno.EINVAL)
	}
	for _, change := range []func(uint32) error{p.Leave, p.Join, p.Join, p.Leave, p.Leave} {
		if err := change(64); err != nil {
			t.Error(err)
		}
	}
}

// If an overrun leaves the queue empty, the ENOBUFS that reports it ends the congestion
// (netlink_rcv_wake).
func TestOverrunOfAnEmptyQueue(t *testing.T) {
	p := openPort(t, newBus(t), WithPortFaults(Script(NoBuffers)))
	if err := p.Send(noop()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	if _, _, err := p.TryReceive(buf); !errors.Is(err, errno.ENOBUFS) {
		t.Fatal(err)
	}
	if list := send(t, p, noop()); len(list) != 1 {
		t.Errorf("received %v", list)
	}
}

// A receiver that is woken by an error wakes the next receiver for the queued datagram.
func TestErrorWakesTheNext(t *testing.T) {
	p := openPort(t, newBus(t), WithPortFaults(Script(Interrupt)))
	if err := p.Send(noop()); err != nil {
		t.Fatal(err)
	}
	<-p.wake
	if _, _, err := p.TryReceive(nil); !errors.Is(err, errno.EINTR) {
		t.Fatal(err)
	}
	if len(p.wake) == 0 {
		t.Error("no receiver was woken")
	}
}

func TestOptionsThatAreNone(t *testing.T) {
	b := newBus(t)
	if _, err := b.Open(WithFlags(99)); err == nil {
		t.Error("an undefined flag was accepted")
	}
	if _, err := b.Open(WithNetNS(-1)); !errors.Is(err, errno.EINVAL) {
		t.Errorf("namespace -1: %v", err)
	}
	p := openPort(t, b)
	isErrno(t, p.SendTo(p.PortID(), nil), errno.ENODATA)
	if err := p.SetReceiveBuffer(1 << 62 >> (32 - 32*(^uint(0)>>63))); err != nil {
		t.Error(err)
	}
	if n, _ := p.ReceiveBuffer(); n < 1<<20 {
		t.Errorf("a receive buffer of %d bytes", n)
	}
}
