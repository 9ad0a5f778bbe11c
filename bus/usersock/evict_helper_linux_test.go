package usersock

import (
	"sync"
	"time"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// fakeClock is a clock that only the test advances.
type fakeClock struct {
	mu     sync.Mutex
	t      time.Time
	timers map[*fakeTimer]bool // the running ones
	pauses []time.Duration     // of all timers
}

type fakeTimer struct {
	c  chan time.Time
	at time.Time
}

func newFakeClock() *fakeClock {
	return &fakeClock{t: time.Unix(1e9, 0), timers: map[*fakeTimer]bool{}}
}

// use is an Option that makes a server use the clock.
func (f *fakeClock) use(s *Server) { s.clock = clock{now: f.now, timer: f.timer} }

func (f *fakeClock) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.t
}

func (f *fakeClock) timer(d time.Duration) (<-chan time.Time, func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := &fakeTimer{make(chan time.Time, 1), f.t.Add(d)}
	f.timers[t] = true
	f.pauses = append(f.pauses, d)
	return t.c, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		isRunning := f.timers[t]
		delete(f.timers, t)
		return isRunning
	}
}

func (f *fakeClock) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.t = f.t.Add(d)
	for t := range f.timers {
		if !t.at.After(f.t) {
			delete(f.timers, t)
			t.c <- f.t
		}
	}
}

// state returns the number of running timers, the number of started timers, and the pause
// of the last one.
func (f *fakeClock) state() (running, started int, last time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.pauses); n > 0 {
		last = f.pauses[n-1]
	}
	return len(f.timers), len(f.pauses), last
}

// stuck returns the time since which a client's socket has been full, or zero.
func (w *world) stuck(id uint32) time.Time {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	if p := w.server.peers[id]; p != nil {
		return p.stuck
	}
	return time.Time{}
}

func (w *world) isClient(id uint32) bool {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	return w.server.peers[id] != nil
}

// fill fills a client's socket with datagrams of another sender, and waits until a reply
// waits for room in it.
func (w *world) fill(s *socket.Socket) {
	w.t.Helper()
	if w.filler == nil {
		w.filler = w.socket()
	}
	err := error(nil)
	for err == nil {
		err = w.filler.TrySendTo(plain(nil, nlmsg.TypeNoop, s.PortID()), socket.Addr{PortID: s.PortID()})
	}
	if err != socket.ErrFull {
		w.t.Fatal(err)
	}
	w.ask(s, 1)
	await(w.t, "the client is stuck", func() bool { return !w.stuck(s.PortID()).IsZero() })
}

// ask sends a request for an echo.
func (w *world) ask(s *socket.Socket, seq uint32) {
	w.t.Helper()
	if err := s.SendTo(w.appendEcho(nil, 0, seq, "x"), socket.Addr{PortID: w.id}); err != nil {
		w.t.Fatal(err)
	}
}

// drain receives all that fit into a receive buffer: how many depends on the kernel.
func (w *world) drain(s *socket.Socket) {
	w.t.Helper()
	b := make([]byte, socket.BufferSize)
	for err := error(nil); err != socket.ErrEmpty; _, _, err = s.TryReceive(b) {
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// small opens a socket with the smallest receive buffer.
func (w *world) small() *socket.Socket { return w.socket(socket.WithReceiveBuffer(1)) }

func (w *world) smallClient() *Client {
	w.t.Helper()
	c, err := NewClient(w.small(), w.id)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}
