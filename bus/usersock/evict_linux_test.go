package usersock

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// All places are occupied by clients that never read. A new client replaces the client that
// has been stuck longest, after that client has been stuck for evictAfter.
func TestClientsThatNeverReadGiveWay(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use)
	var all []*socket.Socket
	for range 256 {
		s := w.small()
		w.fill(s)
		all = append(all, s)
		clock.advance(time.Millisecond)
	}
	if _, err := NewClient(w.socket(), w.id); !errors.Is(err, errno.EUSERS) {
		t.Errorf("before evictAfter: error %v", err)
	}
	clock.advance(evictAfter)
	for i := range 3 {
		c := w.dial()
		if err := c.Send(w.appendEcho(nil, 0, 5, "served")); err != nil {
			t.Fatal(err)
		}
		if b, _ := receive(t, c); textOf(b) != "served" {
			t.Errorf("reply %v", nlmsg.Msg(b))
		}
		if w.isClient(all[i].PortID()) || !w.isClient(all[i+1].PortID()) {
			t.Errorf("client %d: the client stuck longest was not evicted", i)
		}
	}
	if got := w.server.Stats(); got.Clients != 256 || got.Evicted != 3 || got.Refused != 1 {
		t.Errorf("%+v", got)
	}
}

// A client that reads keeps its place: each successful send restarts the time.
func TestProgressKeepsThePlace(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use, WithMaxClients(1))
	s := w.small()
	w.fill(s)
	clock.advance(evictAfter)
	since := w.stuck(s.PortID())
	w.ask(s, 2)
	receive(t, s)
	await(t, "the client is stuck again", func() bool {
		clock.advance(minPause) // for the next attempt, and far below evictAfter
		return w.stuck(s.PortID()).After(since)
	})
	if _, err := NewClient(w.socket(), w.id); !errors.Is(err, errno.EUSERS) {
		t.Errorf("error %v", err)
	}
	if !w.isClient(s.PortID()) {
		t.Error("the client was evicted")
	}
}

// A new hello from a client with a full socket does not restart the time.
func TestHelloIsNoProgress(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use, WithMaxClients(1))
	s := w.small()
	w.fill(s)
	since := w.stuck(s.PortID())
	clock.advance(evictAfter - 1)
	hello := control{cmdHello, s.PortID(), 0}.append(nil, nlmsg.FlagRequest, 1)
	if err := s.SendTo(hello, socket.Addr{PortID: w.id}); err != nil {
		t.Fatal(err)
	}
	w.fill(s)
	if got := w.stuck(s.PortID()); !got.Equal(since) {
		t.Errorf("stuck since %v, want %v", got, since)
	}
	clock.advance(1)
	w.dial()
	if w.isClient(s.PortID()) {
		t.Error("the client has kept its place")
	}
}

// The time of a full socket goes on over any number of hellos, also if the goroutine of the
// peer ends between two sessions.
func TestHellosAreNoProgress(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use, WithMaxClients(2))
	s, other := w.small(), w.dial()
	w.fill(s)
	since := w.stuck(s.PortID())
	clock.advance(1)
	for i := range 2000 {
		hello := control{cmdHello, s.PortID(), 0}.append(nil, nlmsg.FlagRequest, 1)
		if err := s.SendTo(hello, socket.Addr{PortID: w.id}); err != nil {
			t.Fatal(err)
		}
		w.ask(s, 1)
		if err := other.Send(w.appendEcho(nil, 0, 1, "handled")); err != nil {
			t.Fatal(err)
		}
		receive(t, other)
		if got := w.stuck(s.PortID()); !got.Equal(since) {
			t.Fatalf("after %d: stuck since %v, want %v", i, got, since)
		}
	}
}

// An evicted Client receives its queued datagrams, then ErrEvicted. Its later requests fail
// with ErrEvicted and are not handled. It can dial again.
func TestEvictedClient(t *testing.T) {
	for _, sends := range []bool{false, true} {
		clock := newFakeClock()
		w := serve(t, bus.New(), clock.use, WithMaxClients(1))
		c := w.smallClient()
		if err := c.Join(w.family.GroupID(0)); err != nil {
			t.Fatal(err)
		}
		w.fill(c.sock)
		clock.advance(evictAfter)
		other := w.dial()
		if w.family.HasListeners(0) {
			t.Error("the evicted client is still a member")
		}
		if err := c.Join(w.family.GroupID(0)); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("join: %v", err)
		}
		requests := w.server.Stats().Requests
		if sends {
			if err := c.Send(w.appendEcho(nil, 0, 2, "late")); err != nil {
				t.Fatal(err)
			}
		}
		wantEnd(t, c, ErrEvicted)
		if got := w.server.Stats().Requests; got != requests {
			t.Errorf("%d requests handled after the eviction", got-requests)
		}
		if err := c.Send(w.appendEcho(nil, 0, 2, "late")); !errors.Is(err, ErrEvicted) {
			t.Errorf("send: %v", err)
		}
		if err := c.SetFlag(socket.ExtAck, true); !errors.Is(err, ErrEvicted) {
			t.Errorf("set flag: %v", err)
		}
		if err := other.Close(); err != nil {
			t.Fatal(err)
		}
		await(t, "a place is free", func() bool { return w.server.Stats().Clients == 0 })
		again, err := c.Sibling()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Send(w.appendEcho(nil, 0, 3, "again")); err != nil {
			t.Fatal(err)
		}
		if b, _ := receive(t, again); textOf(b) != "again" {
			t.Errorf("reply %v", nlmsg.Msg(b))
		}
		again.Close()
	}
}

// wantEnd receives until an error, which must be want.
func wantEnd(t *testing.T, c *Client, want error) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(guardTime)); err != nil {
		t.Fatal(err)
	}
	b, err := make([]byte, 4096), error(nil)
	n := -1
	for ; err == nil; n++ {
		_, _, err = c.Receive(b)
	}
	if !errors.Is(err, want) || !errors.Is(err, syscall.ECONNREFUSED) || n == 0 {
		t.Errorf("after %d datagrams: error %v, want %v", n, err, want)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("wait for the error: %v", err)
	}
	if _, _, err := c.TryReceive(b); !errors.Is(err, want) {
		t.Errorf("again: error %v", err)
	}
}

// An evicted client without control messages gets ECONNREFUSED for its next datagram after
// it has read. With the datagram after that, it is a client again.
func TestEvictedPlainSocket(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use, WithMaxClients(1))
	s := w.small()
	w.fill(s)
	clock.advance(evictAfter)
	other := w.dial()
	requests := w.server.Stats().Requests
	w.ask(s, 2) // its socket is full, so it gets no reply
	await(t, "it is refused", func() bool { return w.server.Stats().Refused == 1 })
	b := make([]byte, 4096)
	for _, _, err := s.TryReceive(b); err != socket.ErrEmpty; _, _, err = s.TryReceive(b) {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.ask(s, 3)
	b, _ = receive(t, s)
	if a, err := nlmsg.ParseAck(b); err != nil || a.Errno != errno.ECONNREFUSED || nlmsg.Msg(b).Seq() != 3 {
		t.Errorf("%+v, %v", a, err)
	}
	if got := w.server.Stats().Requests; got != requests {
		t.Errorf("%d requests handled after the eviction", got-requests)
	}
	other.Close()
	await(t, "a place is free", func() bool { return w.server.Stats().Clients == 0 })
	w.ask(s, 4)
	if b, _ := receive(t, s); textOf(b) != "x" || nlmsg.Msg(b).Seq() != 4 {
		t.Errorf("reply %v", nlmsg.Msg(b))
	}
}

// Only the client and its second socket learn of the eviction. Other sockets cannot remove
// it from the list.
func TestOthersAndEvictedClients(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use, WithMaxClients(1))
	c := w.smallClient()
	w.fill(c.sock)
	clock.advance(evictAfter)
	stranger := w.dial()
	for _, cmd := range []uint32{cmdBye, cmdJoin, cmdReady} {
		if e := command(t, w, stranger.sock, control{cmd, c.PortID(), 3}); e != errno.EPERM {
			t.Errorf("command %d: %v", cmd, e)
		}
	}
	if e := command(t, w, c.second, control{cmdJoin, c.PortID(), 3}); e != errno.ECONNREFUSED {
		t.Errorf("the client itself: %v", e)
	}
	if err := c.Close(); err != nil { // sends a bye, which is not an error
		t.Fatal(err)
	}
	await(t, "it is forgotten", func() bool {
		w.server.mu.Lock()
		defer w.server.mu.Unlock()
		_, isKnown := w.server.evicted.find(c.PortID())
		return !isKnown
	})
	if got := w.server.Stats(); got.Refused != 4 {
		t.Errorf("%+v", got)
	}
}

// A server stores evicted clients up to a limit.
func TestEvictionsAreBounded(t *testing.T) {
	var e evictions
	for round := range 1000 {
		e.add(uint32(round%7), eviction{control: uint32(round)}, 3)
		if round%5 == 0 {
			e.remove(uint32((round + 6) % 7))
		}
		if found, ok := e.find(uint32(round % 7)); !ok || found.control != uint32(round) {
			t.Fatalf("round %d: %+v", round, found)
		}
		if len(e.byID) > 3 || len(e.order) > 3 {
			t.Fatalf("round %d: %d kept, %d in order", round, len(e.byID), len(e.order))
		}
	}
}

// Without a full client a server starts no timer: while idle, with idle clients, and while
// serving. Only datagrams wake it.
func TestNoTimersWithoutFullClients(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use)
	for range 20 {
		w.dial()
	}
	c, _ := w.conn()
	for i := range 100 {
		wantEcho(w, c, fmt.Sprint(i))
	}
	if running, started, _ := clock.state(); running != 0 || started != 0 || w.server.stats.retries.Load() != 0 {
		t.Errorf("%d timers run, of %d started; %d retries", running, started, w.server.stats.retries.Load())
	}
}

// The pauses between attempts to send to a full client double up to maxPause. Each pause
// has one timer and one attempt.
func TestPausesGrow(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use)
	s := w.small()
	w.fill(s)
	await(t, "it waits", func() bool { n, _, _ := clock.state(); return n == 1 })
	pause := minPause
	for n := 1; n <= 20; n++ {
		clock.advance(pause)
		await(t, "it waits again", func() bool { _, started, _ := clock.state(); return started == 1+n })
		running, _, next := clock.state()
		if want := min(2*pause, maxPause); running != 1 || next != want || w.server.stats.retries.Load() != uint64(n) {
			t.Fatalf("attempt %d: %d timers, a pause of %v after %v, want %v", n, running, next, pause, want)
		}
		pause = next
	}
	if pause != maxPause {
		t.Errorf("a pause of %v", pause)
	}
}

// A Client that has emptied its socket gets the remaining datagrams immediately, without a
// timer: the fake clock does not advance. Afterwards no timer runs.
func TestReadyWakesTheServer(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use)
	c := w.smallClient()
	w.fill(c.sock)
	const more = 50
	for i := range more {
		if err := c.Send(w.appendEcho(nil, 0, uint32(100+i), "x")); err != nil {
			t.Fatal(err)
		}
	}
	for want := uint32(100); want < 100+more; {
		b, info := receive(t, c)
		switch seq := nlmsg.Msg(b).Seq(); {
		case info.PortID != 0, seq == 1: // datagrams of fill
		case seq != want:
			t.Fatal(nlmsg.Msg(b))
		default:
			want++
		}
	}
	await(t, "no timer runs", func() bool { n, _, _ := clock.state(); return n == 0 })
	if got := c.Stats(); got.Lost != 0 {
		t.Errorf("%+v", got)
	}
}

// A request of a full client also wakes its forwarder: a client without control messages
// does not wait for a timer.
func TestRequestsWakeTheServer(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use)
	s := w.small()
	w.fill(s)
	got := 0
	for seq := uint32(2); got < 6; seq++ {
		b := make([]byte, 4096)
		for {
			_, _, err := s.TryReceive(b)
			if err == socket.ErrEmpty {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got++
		}
		w.ask(s, seq)
	}
}

// A server that ends does not wait for full clients. They receive the datagrams in their
// sockets, then the end of the server.
func TestServerEndsWithFullClients(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use)
	c := w.smallClient()
	w.fill(c.sock)
	w.fill(w.small())
	w.stop()
	if err := <-w.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	wantEnd(t, c, errGone)
	if running, _, _ := clock.state(); running != 0 {
		t.Errorf("%d timers run", running)
	}
}

// A client that leaves with a full socket releases its place and its goroutine immediately.
func TestFullClientLeaves(t *testing.T) {
	w := serve(t, bus.New(), newFakeClock().use)
	c := w.smallClient()
	w.fill(c.sock)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "its place is free", func() bool { return w.server.Stats().Clients == 0 })
}

// A hello removes the record of an eviction: after its bye, the socket may become a client
// without control messages.
func TestHelloAfterAnEviction(t *testing.T) {
	clock := newFakeClock()
	w := serve(t, bus.New(), clock.use, WithMaxClients(1))
	s := w.small()
	w.fill(s)
	clock.advance(evictAfter)
	w.dial().Close()
	await(t, "a place is free", func() bool { return w.server.Stats().Clients == 0 })
	w.drain(s)
	for _, cmd := range []uint32{cmdHello, cmdBye} {
		b := control{cmd, s.PortID(), 0}.append(nil, nlmsg.FlagRequest, 1)
		if err := s.SendTo(b, socket.Addr{PortID: w.id}); err != nil {
			t.Fatal(err)
		}
	}
	w.ask(s, 4)
	if b, _ := receive(t, s); textOf(b) != "x" || nlmsg.Msg(b).Seq() != 4 {
		t.Errorf("reply %v", nlmsg.Msg(b))
	}
}
