package conn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/nlwire/nlwire/socket"
)

// A lane is a Transport with those who wait for its answers. There is no
// goroutine that receives: whoever waits for an answer receives, for the others
// too, until its own is there.
//
// The kernel answers within the send. So after sending, everybody takes rd in
// turn and receives without waiting; mostly the first datagram is the answer, or
// somebody else has taken it already. Only when nothing is queued does one
// goroutine, the leader, wait in Transport.Receive. It does so without rd, with
// leading set; the others park until their answer is there or the leader leaves.
//
//	rd before mu. mu is held for moments, rd for a receive that does not wait.
type lane struct {
	t     Transport
	from  *dialed // nil: the main lane
	own   uint32  // port ID
	conf  *config
	stats *counters

	mu    sync.Mutex // guards calls and seq
	calls []*call    // those that wait; few
	seq   uint32     // the last one given

	rd        sync.Mutex // guards the calls themselves and what follows
	leading   bool       // somebody waits in t.Receive; buf is theirs
	parked    bool       // somebody may be parked
	kicked    bool       // the leader was told to look for itself
	lossy     bool       // some calls are suspect
	buf       []byte     // for the next datagram
	multicast bool       // the datagram being delivered was sent to a group
	free      [][]byte   // buffers that dumps have given back

	dumping chan struct{} // held by the dump under way, of which a socket can have one
	broken  *call         // stands for a dump that was given up; guarded by rd
}

func newLane(t Transport, conf *config, stats *counters) *lane {
	return &lane{
		t: t, own: t.PortID(), conf: conf, stats: stats, dumping: make(chan struct{}, 1),
		seq: uint32(time.Now().UnixNano()), // late answers to an earlier user of t should not match
		buf: conf.newBuffer(),
	}
}

// register finds sequence numbers for c that nobody waits for, and not 0, which
// notifications have.
func (l *lane) register(c *call) {
	n := uint32(len(c.requests))
	l.mu.Lock()
	c.first = l.seq + 1
	for !l.isFree(c.first, n) {
		c.first++
	}
	l.seq = c.first + n - 1
	l.calls = append(l.calls, c)
	l.mu.Unlock()
}

// isFree reports whether the numbers first to first+n-1 are.
func (l *lane) isFree(first, n uint32) bool {
	if first == 0 || first+n-1 < first {
		return false
	}
	for _, c := range l.calls {
		if c.owns(first) || first <= c.first && c.first-first < n {
			return false
		}
	}
	return true
}

// remove is called with mu.
func (l *lane) remove(c *call) {
	for i, other := range l.calls {
		if other == c {
			last := len(l.calls) - 1
			l.calls[i], l.calls[last] = l.calls[last], nil
			l.calls = l.calls[:last]
			return
		}
	}
}

// forget drops a call that somebody gave up: its answers go nowhere.
func (l *lane) forget(c *call) {
	l.rd.Lock()
	l.mu.Lock()
	l.remove(c)
	l.mu.Unlock()
	c.parked = false
	l.pass()
	l.rd.Unlock()
}

// wait receives until c is ready. Its only errors are those of ctx; the call is
// not forgotten then.
func (l *lane) wait(ctx context.Context, c *call) error {
	for {
		l.rd.Lock()
		c.sent, c.parked = true, false
		for !l.leading && !c.ready() {
			n, info, err := l.t.TryReceive(l.buf)
			if err == socket.ErrEmpty {
				l.empty()
				break
			}
			l.take(n, info, err)
		}
		switch {
		case c.ready():
			l.pass()
			l.rd.Unlock()
			return nil
		case ctx.Err() != nil:
			l.pass()
			l.rd.Unlock()
			return ctx.Err()
		case !l.leading:
			l.leading = true
			l.rd.Unlock()
			l.lead(ctx)
		default:
			if c.suspect {
				l.kick()
			}
			c.parked, l.parked = true, true
			l.rd.Unlock()
			select {
			case <-c.wake:
			case <-ctx.Done():
			}
		}
	}
}

// pass has a parked goroutine take the place of the one that leaves. It is
// called with rd.
func (l *lane) pass() {
	if !l.parked || l.leading {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.calls {
		if c.parked {
			c.notify()
			return
		}
	}
	l.parked = false
}

// kick has the leader find out that nothing is queued, as someone's answer may
// never come. It is called with rd, while there is a leader.
func (l *lane) kick() {
	l.kicked = true
	_ = l.t.SetReadDeadline(time.Unix(1, 0)) // fails on a closed one, where nobody waits
}

// lead waits for one datagram and takes it. An end of ctx ends the waiting.
func (l *lane) lead(ctx context.Context) {
	release := interruptBy(ctx, l.t)
	n, info, err := l.t.Receive(l.buf)
	interrupted := release()
	l.rd.Lock()
	defer l.rd.Unlock()
	if l.kicked {
		_ = l.t.SetReadDeadline(time.Time{})
	}
	if !(interrupted || l.kicked) || !errors.Is(err, os.ErrDeadlineExceeded) {
		l.take(n, info, err)
	}
	l.leading, l.kicked = false, false
}

// interruptBy makes a Receive of t fail when ctx ends. The function that it
// returns undoes that, and reports whether ctx has ended.
func interruptBy(ctx context.Context, t Transport) (release func() bool) {
	if ctx.Done() == nil {
		return func() bool { return false }
	}
	set := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = t.SetReadDeadline(time.Unix(1, 0)) // fails on a closed one, where nobody waits
		close(set)
	})
	return func() bool {
		if stop() {
			return false
		}
		<-set
		_ = t.SetReadDeadline(time.Time{})
		return true
	}
}

// take takes what a receive returned. It is called with rd.
func (l *lane) take(n int, info socket.Info, err error) {
	switch {
	case err == nil:
		l.deliver(l.buf[:n], info)
	case err == socket.ErrTruncated:
		l.truncated(l.buf[:n], info)
	case err == socket.ErrSender:
		l.stats.foreign.Add(1)
	case errors.Is(err, syscall.EINTR), errors.Is(err, syscall.EAGAIN):
	case errors.Is(err, syscall.ENOBUFS):
		l.stats.lost.Add(1)
		l.suspectAll()
		growReceiveBuffer(l.t, 0)
	default:
		l.failAll(func(c *call) error { return fmt.Errorf("conn: %s: %w", c.requests[0].op(), err) })
	}
}

// suspectAll: an answer is lost, and it is not known whose. Those that are still
// queued may be good, so the calls end when nothing is.
func (l *lane) suspectAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.calls {
		c.suspect = true
	}
	l.lossy = true
}

// empty is called with rd, when nothing is queued.
func (l *lane) empty() {
	if !l.lossy {
		return
	}
	l.lossy = false
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.calls) - 1; i >= 0; i-- {
		c := l.calls[i]
		switch {
		case !c.suspect:
		case !c.sent:
			l.lossy = true // it will see for itself
		case c.aborted:
			l.fail(c, ErrUnanswered)
		default:
			l.fail(c, &LossError{Op: c.requests[0].op(), Err: syscall.ENOBUFS})
		}
	}
}

// failAll ends every call, each with an error of its own: the Transport is of
// no use any more.
func (l *lane) failAll(reason func(*call) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failEach(reason)
	if l.broken != nil {
		l.end(l.broken)
	}
}

// failEach is failAll with mu held.
func (l *lane) failEach(reason func(*call) error) {
	for _, c := range slices.Clone(l.calls) {
		if !c.broken {
			l.fail(c, reason(c))
		}
	}
}

// fail ends a call with an error, with mu.
func (l *lane) fail(c *call, err error) {
	l.remove(c)
	if c.stream && !c.done && !c.broken {
		l.keepBroken(c)
	}
	c.fail(err)
}
