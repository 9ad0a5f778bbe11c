package bus

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// A Port is a conn.Transport with the optional methods.
var (
	_ conn.Transport = (*Port)(nil)
	_ interface {
		Join(group uint32) error
		Groups() ([]uint32, error)
		Wait() error
		ReadDeadline() time.Time
		SetFlag(f socket.Flag, on bool) error
		ReceiveBuffer() (bytes int, err error)
		SetReceiveBuffer(bytes int) error
		SetSendBuffer(bytes int) error
	} = (*Port)(nil)
)

// A control message of the netlink layer (type below nlmsg.MinType) runs no handler. Its
// ACK follows all replies to earlier requests of the port, in the same datagram or in
// another one (netlink_rcv_skb). Package conn uses it as a barrier.
func TestNoopIsABarrier(t *testing.T) {
	b := newBus(t)
	echo := register(t, b, echoFamily("echo"))
	refuse := register(t, b, simple("refuse", func(*Info) error { return errno.ENODEV }))
	attr := nla.AppendUint32(nil, 1, 1)
	requests := [][]byte{message(echo, 1, 0, attr), message(refuse, 1, 0, attr), message(echo, 1, nlmsg.FlagAck, attr)}
	want := fmt.Sprint("[", uint16(echo.ID()), " error 19 ", uint16(echo.ID()), " error 0 error 0 of noop]")
	for _, together := range []bool{false, true} {
		p := openPort(t, b)
		list := append(requests[:3:3], noop())
		if together {
			list = [][]byte{bytes.Join(list, nil)}
		}
		for _, m := range list {
			if err := p.Send(m); err != nil {
				t.Fatal(err)
			}
		}
		if got := fmt.Sprint(kinds(t, received(t, p))); got != want {
			t.Errorf("one datagram %v: answers %s, want %s", together, got, want)
		}
	}
}

// kinds describes replies by type, and Error messages by errno and request type.
func kinds(t *testing.T, list []nlmsg.Msg) (kinds []string) {
	t.Helper()
	for _, m := range list {
		if m.Type() != nlmsg.TypeError {
			kinds = append(kinds, fmt.Sprint(uint16(m.Type())))
			continue
		}
		a, err := nlmsg.ParseAck(m)
		if err != nil {
			t.Fatal(err)
		}
		kind := fmt.Sprint("error ", uint32(a.Errno))
		if nlmsg.Msg(m.Payload()[4:]).Type() == nlmsg.TypeNoop {
			kind += " of noop"
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

// A Noop without FlagAck is not acknowledged; FlagRequest has no effect on it
// (netlink_rcv_skb acknowledges messages that it skips).
func TestNoopFlags(t *testing.T) {
	p := openPort(t, newBus(t))
	for flags, want := range map[nlmsg.Flags]int{0: 0, nlmsg.FlagRequest: 0, nlmsg.FlagAck: 1, nlmsg.FlagRequest | nlmsg.FlagAck: 1} {
		m := nlmsg.Begin(nil, nlmsg.TypeNoop, flags, 3, 0)
		list := send(t, p, nlmsg.End(m, 0))
		if len(list) != want {
			t.Errorf("flags %v: %d answers, want %d", flags, len(list), want)
		}
	}
}

// The send buffer limits each datagram and is counted like SO_SNDBUF; the twin test
// compares the numbers with the kernel's.
func TestSendBuffer(t *testing.T) {
	p := openPort(t, newBus(t))
	for _, tt := range []struct{ asked, size int }{
		{-1, 212992}, {100_000, 200_000}, {300_000, 600_000}, {1, 4608}, {2304, 4608}, {2305, 4610}, {1<<31 - 1, 1<<31 - 2},
	} {
		if tt.asked >= 0 {
			if err := p.SetSendBuffer(tt.asked); err != nil {
				t.Fatal(err)
			}
		}
		if size, err := p.SendBuffer(); size != tt.size || err != nil {
			t.Errorf("asked for %d: %d bytes, %v, want %d", tt.asked, size, err, tt.size)
		}
		if tt.size > 1<<20 {
			continue
		}
		if err := p.Send(make([]byte, tt.size-32)); err != nil {
			t.Errorf("%d bytes of %d: %v", tt.size-32, tt.size, err)
		}
		isErrno(t, p.Send(make([]byte, tt.size-31)), errno.EMSGSIZE)
		isErrno(t, p.SendTo(p.PortID(), make([]byte, tt.size-31)), errno.EMSGSIZE)
	}
	for _, asked := range []int{-5, 0} {
		if err := p.SetSendBuffer(asked); err != nil {
			t.Fatal(err)
		}
		if size, _ := p.SendBuffer(); size != 4608 {
			t.Errorf("asked for %d: %d bytes", asked, size)
		}
	}
}

// ReadDeadline returns the last deadline that was set, even after it has expired.
func TestReadDeadline(t *testing.T) {
	p := openPort(t, newBus(t))
	for _, want := range []time.Time{{}, time.Now().Add(time.Hour), time.Unix(1, 0), {}} {
		if err := p.SetReadDeadline(want); err != nil {
			t.Fatal(err)
		}
		if got := p.ReadDeadline(); !got.Equal(want) {
			t.Errorf("deadline %v, want %v", got, want)
		}
	}
}

// Wait returns when a datagram or an error is pending, and consumes neither.
func TestWait(t *testing.T) {
	p := openPort(t, newBus(t), WithPortFaults(Script(NoFault, NoBuffers)))
	for range 2 { // a datagram, then the pending ENOBUFS
		if err := p.Send(noop()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := p.Wait(); err != nil {
				t.Fatal(err)
			}
		}
	}
	buf := make([]byte, 64)
	if _, _, err := p.TryReceive(buf); !errors.Is(err, errno.ENOBUFS) {
		t.Errorf("error %v", err)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	if n, _, err := p.TryReceive(buf); n != 36 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// Wait wakes for a datagram that arrives while it waits, and passes the wake-up to the
// other waiters: one datagram wakes any number of waiters.
func TestWaitWakes(t *testing.T) {
	p := openPort(t, newBus(t))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if err := p.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	for range 4 { // a receiver may take the datagram before a waiter sees it
		if err := p.Send(noop()); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	for range 4 {
		if n, _, err := p.Receive(make([]byte, 64)); n != 36 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
}

// A waiter that was woken passes the wake-up on.
func TestWaitWakesTheNext(t *testing.T) {
	p := openPort(t, newBus(t))
	if err := p.Send(noop()); err != nil {
		t.Fatal(err)
	}
	<-p.wake
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(p.wake) == 0 {
		t.Error("no receiver is woken")
	}
}

// Wait returns at the deadline and on Close, as Receive does.
func TestWaitEnds(t *testing.T) {
	b := newBus(t)
	p := openPort(t, b)
	ended := make(chan error)
	wait := func() { ended <- p.Wait() }
	for range 2 {
		go wait()
	}
	if err := p.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	}
	if err := p.Send(noop()); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("with a datagram queued: %v", err)
	}
	received(t, p)
	if err := p.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		go wait()
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	}
}

// Wait continues a dump whose datagram was lost by a fault, as Receive does. Otherwise the
// dump would never continue.
func TestWaitContinuesADump(t *testing.T) {
	b := newBus(t)
	f := register(t, b, lister(count(100, 76)))
	p := openPort(t, b, WithPortFaults(Script(Lose, Lose)))
	if err := p.Send(message(f, 1, nlmsg.FlagDump, nil)); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if list := received(t, p); len(list) == 0 || list[len(list)-1].Type() != nlmsg.TypeDone {
		t.Errorf("received %v", list)
	}
}

// The cost of a receive does not depend on the size of the buffer: the bytes after the
// datagram are unchanged, and nothing is allocated.
func TestLargeReceiveBuffers(t *testing.T) {
	p := openPort(t, newBus(t))
	buf := bytes.Repeat([]byte{0xa5}, 1<<20)
	request := noop()
	receive := func() {
		if err := p.Send(request); err != nil {
			t.Fatal(err)
		}
		if n, _, err := p.Receive(buf); n != 36 || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	receive()
	if bytes.Count(buf[36:], []byte{0xa5}) != len(buf)-36 {
		t.Error("the buffer's tail has changed")
	}
	if guard.Race {
		return // the race detector makes sync.Pool drop elements
	}
	if n := testing.AllocsPerRun(100, receive); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// After Close the methods of a Transport fail with os.ErrClosed.
func TestClosedTransport(t *testing.T) {
	p := openPort(t, newBus(t))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := p.SendBuffer()
	for name, err := range map[string]error{"SendBuffer": err, "SetSendBuffer": p.SetSendBuffer(1), "Wait": p.Wait()} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := p.ReadDeadline(); !got.IsZero() {
		t.Errorf("deadline %v", got)
	}
	if _, _, err := p.TryReceive(nil); err == socket.ErrEmpty {
		t.Error("open")
	}
}
