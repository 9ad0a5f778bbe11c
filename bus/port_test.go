package bus

import (
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

func TestPortIDs(t *testing.T) {
	b := newBus(t)
	p, other := openPort(t, b), openPort(t, b)
	if p.PortID() == 0 || p.PortID() == other.PortID() || p.PortID() < 1<<31 {
		t.Errorf("port IDs %d, %d: want different ones above 2^31", p.PortID(), other.PortID())
	}
	if _, err := b.Open(WithPortID(p.PortID())); !errors.Is(err, errno.EADDRINUSE) {
		t.Errorf("ID in use: %v", err)
	}
	if there := openPort(t, b, WithPortID(p.PortID()), WithNetNS(1)); there.PortID() != p.PortID() {
		t.Error("a port ID of another namespace was not free")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	openPort(t, b, WithPortID(p.PortID()))
}

// A full queue drops datagrams, reports the loss once, before the queued datagrams, and
// accepts datagrams again after it was emptied. With NoENOBUFS it reports nothing.
func TestOverruns(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		b := newBus(t)
		f := register(t, b, simple("f", nothing))
		p := openPort(t, b)
		if err := p.SetFlag(socket.NoENOBUFS, quiet); err != nil {
			t.Fatal(err)
		}
		if err := p.SetReceiveBuffer(2000); err != nil {
			t.Fatal(err)
		}
		const fits = 4 // 4 times 832 bytes in 4000
		for range 10 {
			if err := p.Send(message(f, 1, nlmsg.FlagAck, nil)); err != nil {
				t.Fatal(err)
			}
		}
		buf := make([]byte, 100)
		if _, _, err := p.TryReceive(buf); (err != nil) == quiet || err != nil && !errors.Is(err, errno.ENOBUFS) {
			t.Errorf("quiet %v: the first receive: %v", quiet, err)
		}
		want := fits
		if quiet {
			want-- // received by the first receive
		}
		if list := received(t, p); len(list) != want {
			t.Errorf("quiet %v: %d in the queue, want %d", quiet, len(list), want)
		}
		if drops, _ := p.Drops(); drops != 10-fits || b.Stats().Overruns != 10-fits {
			t.Errorf("quiet %v: %d drops, %+v", quiet, drops, b.Stats())
		}
		if list := send(t, p, message(f, 1, nlmsg.FlagAck, nil)); len(list) != 1 {
			t.Errorf("quiet %v: %d replies after the queue was emptied", quiet, len(list))
		}
	}
}

// After a loss no datagram is accepted until the queue was empty, even if there is room.
func TestCongestion(t *testing.T) {
	b := newBus(t)
	f := register(t, b, simple("f", nothing))
	p := openPort(t, b)
	_ = p.SetReceiveBuffer(2000)
	ask := func() {
		if err := p.Send(message(f, 1, nlmsg.FlagAck, nil)); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		ask()
	}
	buf := make([]byte, 100)
	if _, _, err := p.TryReceive(buf); !errors.Is(err, errno.ENOBUFS) {
		t.Fatal(err)
	}
	if _, _, err := p.TryReceive(buf); err != nil {
		t.Fatal(err)
	}
	ask() // dropped although there is room
	if list := received(t, p); len(list) != 3 {
		t.Errorf("%d more in the queue, want 3", len(list))
	}
}

func TestSendErrors(t *testing.T) {
	b := newBus(t)
	p := openPort(t, b, WithCaps(0))
	isErrno(t, p.Send(nil), errno.ENODATA)
	isErrno(t, p.Send(make([]byte, defaultBuffer-sendOverhead+1)), errno.EMSGSIZE)
	if err := p.Send(make([]byte, defaultBuffer-sendOverhead)); err != nil {
		t.Error(err)
	}
	isErrno(t, p.SendTo(5, []byte{1}), errno.EPERM)
	root := openPort(t, b)
	isErrno(t, root.SendTo(5, []byte{1}), errno.ECONNREFUSED)
	if err := root.SendTo(p.PortID(), []byte{1, 2}); err != nil {
		t.Error(err)
	}
	buf := make([]byte, 10)
	if n, info, err := p.TryReceive(buf); n != 2 || info.PortID != root.PortID() || err != nil {
		t.Errorf("%d bytes, %+v, %v: a port's datagrams carry its ID", n, info, err)
	}
}

func TestTruncation(t *testing.T) {
	b := newBus(t)
	f := register(t, b, simple("f", nothing))
	p := openPort(t, b)
	for range 2 {
		if err := p.Send(message(f, 1, nlmsg.FlagAck, nil)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 20)
	if n, info, err := p.TryReceive(buf); n != 20 || info.Size != 36 || err != socket.ErrTruncated {
		t.Errorf("%d bytes, %+v, %v", n, info, err)
	}
	if n, _, err := p.TryReceive(make([]byte, 36)); n != 36 || err != nil {
		t.Errorf("the next datagram: %d bytes, %v", n, err)
	}
}

// Deadlines end waiting and later receives until they are removed.
func TestDeadlines(t *testing.T) {
	b := newBus(t)
	f := register(t, b, simple("f", nothing))
	p := openPort(t, b)
	buf := make([]byte, 100)
	_ = p.SetReadDeadline(time.Now().Add(time.Millisecond))
	for range 2 {
		if _, _, err := p.Receive(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	_ = p.SetReadDeadline(time.Time{})
	waiting := make(chan error)
	for range 2 { // both receivers wake
		go func() { _, _, err := p.Receive(make([]byte, 10)); waiting <- err }()
	}
	_ = p.SetReadDeadline(time.Unix(1, 0))
	for range 2 {
		if err := <-waiting; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	}
	if err := p.Send(message(f, 1, nlmsg.FlagAck, nil)); err != nil {
		t.Fatal(err)
	}
	if n, _, err := p.Receive(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a queued datagram was received after the deadline: %d, %v", n, err)
	}
}

// Close wakes all waiters and ends the dump and the memberships.
func TestClose(t *testing.T) {
	b := New()
	p := openPort(t, b)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, _, err := p.Receive(make([]byte, 10)); !errors.Is(err, os.ErrClosed) {
				t.Error(err)
			}
		})
	}
	_ = p.SetReadDeadline(time.Now().Add(time.Hour))
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	for what, err := range map[string]error{
		"send": p.Send([]byte{1}), "close": p.Close(), "bus": b.Close(), "join": p.Join(16), "leave": p.Leave(16),
		"deadline": p.SetReadDeadline(time.Time{}), "send to": p.SendTo(1, nil),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := b.Open(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if _, _, err := p.TryReceive(nil); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

// The families of a closed bus can be registered on another bus.
func TestFamiliesOutliveTheirBus(t *testing.T) {
	f := simple("f", nothing)
	for range 2 {
		b := New()
		register(t, b, f)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := b.Register(simple("late", nothing)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("registered on a closed bus: %v", err)
		}
		if err := f.Multicast(0, 0, nil, 0); err != errNotRegistered || f.ID() != 0 {
			t.Errorf("id %d, %v", f.ID(), err)
		}
	}
}

func TestFlagsOfAPort(t *testing.T) {
	p := openPort(t, newBus(t), WithFlags(socket.ExtAck))
	for f, want := range map[socket.Flag]bool{socket.ExtAck: true, socket.CapAck: false} {
		if on, err := p.Flag(f); on != want || err != nil {
			t.Errorf("%v is %v, %v", f, on, err)
		}
	}
	if err := p.SetFlag(socket.ExtAck, false); err != nil || p.has(socket.ExtAck) {
		t.Error(err)
	}
	if err := p.SetFlag(99, true); err == nil {
		t.Error("an undefined flag was accepted")
	}
	if err := p.SetFlag(-1, true); err == nil {
		t.Error("an undefined flag was accepted")
	}
	for _, g := range []uint32{16, 3, 16} {
		if err := p.Join(g); err != nil {
			t.Fatal(err)
		}
	}
	if groups, err := p.Groups(); !slices.Equal(groups, []uint32{3, 16}) || err != nil {
		t.Errorf("groups %v, %v", groups, err)
	}
}

// The queue keeps its order while the ring wraps and grows.
func TestQueue(t *testing.T) {
	var q queue
	next, want := 0, 0
	for round := range 50 {
		for range round % 13 {
			q.push(&datagram{size: next})
			next++
		}
		for range min(q.count, round%7) {
			if d := q.pop(); d.size != want {
				t.Fatalf("%d, want %d", d.size, want)
			}
			want++
		}
	}
}

// Each datagram is received by exactly one of several receivers, and none is left.
func TestManyReceivers(t *testing.T) {
	b := newBus(t)
	f := register(t, b, simple("f", nothing))
	p := openPort(t, b)
	const total = 2000
	var wg, got sync.WaitGroup
	got.Add(total)
	for range 4 {
		wg.Go(func() {
			buf := make([]byte, 100)
			for {
				if _, _, err := p.Receive(buf); err != nil {
					return
				}
				got.Done()
			}
		})
	}
	_ = p.SetReceiveBuffer(total * 1000)
	for range 4 {
		wg.Go(func() {
			for range total / 4 {
				if err := p.Send(message(f, 1, nlmsg.FlagAck, nla.AppendUint32(nil, 1, 1))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	got.Wait()
	_ = p.Close()
	wg.Wait()
}
