package conn

import (
	"context"
	"fmt"
	"iter"
	"os"

	"github.com/nlwire/nlwire/nlmsg"
)

// Interrupted says what a dump does when the kernel marks it as inconsistent
// (NLM_F_DUMP_INTR, on any of its messages or only on the last). The zero value
// is [Fail].
type Interrupted struct {
	accept  *bool
	retries int
	again   func()
}

// Fail delivers what comes and ends with [ErrInterrupted].
func Fail() Interrupted { return Interrupted{} }

// Accept delivers what comes and ends without an error; interrupted tells.
func Accept(interrupted *bool) Interrupted { return Interrupted{accept: interrupted} }

// Retry starts over, up to n times, after calling again: what was delivered so
// far is to be thrown away. When the last attempt is interrupted too, it fails.
func Retry(n int, again func()) Interrupted { return Interrupted{retries: n, again: again} }

// Dump sends a request for a list ([nlmsg.Dump], which it sets) and ranges over
// the messages of the answer. A message is good until the next step; Clone keeps
// it. An error comes last, with a nil message: an [*Error], a [*LossError],
// [ErrInterrupted], or that of ctx. The memory it takes does not depend on the
// length of the list.
//
// A Conn with a Dialer runs each dump on a Transport of its own: it does not
// delay requests, which may be made within the loop, the kernel waits for a slow
// consumer, and a loop that is left early costs nothing. Without one, dumps wait
// for each other, since a socket can only have one (EBUSY), and one that was left
// early is read to its end before the next.
func (c *Conn) Dump(ctx context.Context, r *Request, on ...Interrupted) iter.Seq2[nlmsg.Msg, error] {
	return func(yield func(nlmsg.Msg, error) bool) {
		d := dump{conn: c, ctx: ctx, r: r}
		if len(on) > 0 {
			d.Interrupted = on[0]
		}
		if err := d.run(yield); err != nil && !d.left {
			r.err = err
			yield(nil, err)
		}
	}
}

// dump is one range over a list. The body of the loop is not in it, but goes down
// from function to function: in a struct whose other parts outlive the loop the
// compiler would have it, and what it captures, on the heap.
type dump struct {
	Interrupted
	conn *Conn
	ctx  context.Context
	r    *Request

	left        bool // the loop was left
	interrupted bool // this attempt is
	ended       bool // its last message was there
}

func (d *dump) run(yield func(nlmsg.Msg, error) bool) error {
	if err := d.r.ready(); err != nil {
		return err
	}
	d.r.msg().SetFlags(d.r.msg().Flags() | nlmsg.Request | nlmsg.Dump)
	for {
		d.interrupted, d.ended = false, false
		err := d.attempt(yield)
		switch {
		case d.left || !d.interrupted:
			return err
		case d.retries > 0 && err == nil:
			d.retries--
			if d.again != nil {
				d.again()
			}
			continue
		case err != nil:
			return err
		case d.accept != nil:
			*d.accept = true
			return nil
		}
		return fmt.Errorf("conn: %s: %w", d.r.op(), ErrInterrupted)
	}
}

// attempt asks once.
func (d *dump) attempt(yield func(nlmsg.Msg, error) bool) error {
	l, err := d.conn.dumpLane(d.ctx)
	if err != nil {
		return fmt.Errorf("conn: %s: %w", d.r.op(), err)
	}
	defer func() { d.conn.dumpLaneDone(l, d.ended) }()
	d.r.reset()
	call := &d.r.call
	call.begin(d.r.self[:], true)
	l.register(call)
	number(d.r.B, call.first)
	if err := l.t.Send(d.r.B); err != nil {
		d.ended = true // it never began
		l.forget(call)
		return fmt.Errorf("conn: %s: %w", d.r.op(), err)
	}
	defer l.leaveDump(call)
	for {
		err := d.ctx.Err()
		if err == nil {
			err = l.wait(d.ctx, call)
		}
		if err != nil {
			return fmt.Errorf("conn: %s: %w", d.r.op(), err)
		}
		b := l.next(call)
		if b == nil {
			return d.r.err // what ended it from outside
		}
		more := d.deliver(b, yield)
		l.giveBack(b)
		if !more {
			return d.r.err
		}
	}
}

// deliver hands out the messages of a datagram and returns whether more follow.
func (d *dump) deliver(b []byte, yield func(nlmsg.Msg, error) bool) bool {
	for len(b) > 0 {
		m, n := nlmsg.Consume(b)
		if n < 0 {
			return true // the lane has checked that this cannot be
		}
		b = b[n:]
		if m.Flags()&nlmsg.DumpIntr != 0 && m.Type() != nlmsg.Error && !d.interrupted {
			d.interrupted = true
			d.conn.stats.interrupted.Add(1)
		}
		switch m.Type() {
		case nlmsg.Error, nlmsg.Done:
			d.ended = true
			_ = d.r.take(m, 0)
			d.conn.warn(d.r)
			return false
		case nlmsg.Noop:
			continue
		}
		if d.interrupted && d.retries > 0 {
			continue // it will be delivered again
		}
		if !yield(m, nil) {
			d.left = true
			return false
		}
	}
	return true
}

// maxIdle is how many Transports are kept for later dumps.
const maxIdle = 4

// dumpLane returns a lane on which no dump runs.
func (c *Conn) dumpLane(ctx context.Context) (*lane, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.conf.dial == nil {
		return c.main, c.main.awaitDump(ctx)
	}
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		l := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		return l, nil
	}
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return nil, os.ErrClosed
	}
	d, err := c.dial()
	if err != nil {
		return nil, err
	}
	l := newLane(d.t, &c.conf, &c.stats)
	l.from = d
	return l, nil
}

// dumpLaneDone gives a lane back. One with a dump that has not ended is closed,
// which ends it in the kernel too: cheaper than reading the rest.
func (c *Conn) dumpLaneDone(l *lane, ended bool) {
	if l == c.main {
		<-l.dumping
		return
	}
	c.mu.Lock()
	if ended && !c.closed && len(c.idle) < maxIdle {
		c.idle = append(c.idle, l)
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	_ = c.hangUp(l.from)
}

// awaitDump waits until this lane has no dump, and takes the right to one.
func (l *lane) awaitDump(ctx context.Context) error {
	select {
	case l.dumping <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	l.rd.Lock()
	broken := l.broken
	l.rd.Unlock()
	if broken == nil {
		return nil
	}
	if err := l.wait(ctx, broken); err != nil {
		<-l.dumping
		return err
	}
	l.rd.Lock()
	l.broken = nil
	l.rd.Unlock()
	return nil
}

// next takes the next datagram of a dump, nil if none is queued.
func (l *lane) next(c *call) []byte {
	l.rd.Lock()
	defer l.rd.Unlock()
	if len(c.queue) == 0 {
		return nil
	}
	b := c.queue[0]
	n := copy(c.queue, c.queue[1:])
	c.queue[n] = nil
	c.queue = c.queue[:n]
	c.queued -= len(b)
	return b
}

// giveBack returns the buffer of a datagram to the lane.
func (l *lane) giveBack(b []byte) {
	l.rd.Lock()
	l.free = append(l.free, b[:cap(b)])
	l.rd.Unlock()
}

// leaveDump drops what the lane has for a dump that is over, or was given up.
func (l *lane) leaveDump(c *call) {
	l.rd.Lock()
	defer l.rd.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range c.queue {
		l.free = append(l.free, b[:cap(b)])
	}
	c.queue = c.queue[:0]
	if !c.done {
		l.remove(c)
		l.keepBroken(c)
	}
}
