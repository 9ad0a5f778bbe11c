package conn

import (
	"fmt"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// deliver hands the messages of a datagram, which is in l.buf, to those who wait
// for them. It is called with rd.
func (l *lane) deliver(b []byte, info socket.Info) {
	if !l.isReply(info) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deliverWhole(b) {
		return
	}
	if len(b) == 0 {
		l.stats.malformed.Add(1)
	}
	rest, last := l.routeAll(b)
	if len(rest) == 0 {
		return
	}
	l.stats.malformed.Add(1)
	_, n := nlmsg.Consume(rest)
	l.blame(len(rest) == len(b), last, func(c *call) error {
		return fmt.Errorf("conn: %s: malformed answer: %w", c.requests[0].op(), nlmsg.ParseError(n))
	})
}

// routeAll routes the sound messages at the front of b, and returns what is
// behind them and whom the last of them was for.
func (l *lane) routeAll(b []byte) (rest []byte, last *call) {
	for {
		m, n := nlmsg.Consume(b)
		if n < 0 {
			return b, last
		}
		last = l.route(m)
		b = b[n:]
	}
}

// blame fails whom an unreadable rest of a datagram was for. The kernel builds a
// datagram for one, so that is who had the message before it, if anybody; when
// nothing at all could be read it may have been anybody's.
func (l *lane) blame(isAll bool, last *call, reason func(*call) error) {
	switch {
	case isAll:
		l.failEach(reason)
	case last != nil && !last.done && !last.broken:
		l.fail(last, reason(last))
	}
}

// isReply judges a datagram by where it came from. Any process can send to the
// port of a socket: only the address of the sender, which the kernel vouches
// for, tells its own messages from theirs.
func (l *lane) isReply(info socket.Info) bool {
	if info.PortID != 0 && !l.conf.anySender {
		l.stats.foreign.Add(1)
		return false
	}
	l.multicast = info.Groups != 0 || info.Group != 0
	return true
}

// find returns the call that waits for m, nil if none does. A reply carries the
// port ID of whom it is for; some subsystems leave it 0 (audit_make_reply). The
// notification of a change carries the numbers of the request that made it; it is
// an answer only to who asked for its ECHO, which then comes from the group too
// (nlmsg_notify).
func (l *lane) find(m nlmsg.Msg) *call {
	seq := m.Seq()
	if port := m.PortID(); port != l.own && port != 0 {
		return nil
	}
	for _, c := range l.calls {
		if c.owns(seq) {
			if l.multicast && c.request(seq).msg().Flags()&nlmsg.Echo == 0 {
				return nil
			}
			return c
		}
	}
	return nil
}

// deliverWhole gives the whole datagram to a dump without copying, if it holds
// nothing but sound messages for it. That is how the kernel sends them.
func (l *lane) deliverWhole(b []byte) bool {
	first, _ := nlmsg.Consume(b)
	c := l.find(first)
	if c == nil || !c.stream || c.broken {
		return false
	}
	ended := false
	for rest := b; len(rest) > 0; {
		m, n := nlmsg.Consume(rest)
		if n < 0 || m.Seq() != first.Seq() || m.PortID() != first.PortID() || m.Type() == nlmsg.Overrun {
			return false
		}
		ended = ended || m.Type() == nlmsg.Done || m.Type() == nlmsg.Error
		rest = rest[n:]
	}
	l.buf = l.buffer()
	l.push(c, b, ended)
	return true
}

// push queues a datagram, which is c's from now on.
func (l *lane) push(c *call, b []byte, ended bool) {
	if len(c.queue) > 0 && c.queued+len(b) > l.conf.queue {
		l.free = append(l.free, b[:cap(b)])
		l.fail(c, &LossError{Op: c.requests[0].op(), Err: ErrTooMuch})
		return
	}
	c.queue = append(c.queue, b)
	c.queued += len(b)
	if ended {
		l.end(c)
	}
	c.notify()
}

// pushCopy queues a message that shares its datagram with something else.
func (l *lane) pushCopy(c *call, m nlmsg.Msg, ended bool) {
	if n := len(c.queue); n > 0 && cap(c.queue[n-1])-len(c.queue[n-1]) >= nlmsg.Align(len(m)) {
		b := c.queue[n-1]
		c.queued -= len(b)
		c.queue = c.queue[:n-1]
		l.push(c, pad(append(b, m...)), ended)
		return
	}
	l.push(c, pad(append(l.buffer()[:0], m...)), ended)
}

// pad aligns the end of b for another message.
func pad(b []byte) []byte { return append(b, "\x00\x00\x00"[:nlmsg.Align(len(b))-len(b)]...) }

// end takes c from the list, with mu: nothing more will come for it.
func (l *lane) end(c *call) {
	c.done = true
	l.remove(c)
	c.notify()
}

// keepBroken leaves a stand-in for a dump that was given up: until the kernel
// has ended it, it answers the next one with EBUSY (__netlink_dump_start). It is
// called with rd and mu.
func (l *lane) keepBroken(c *call) {
	r := &Request{B: c.requests[0].B[:nlmsg.HeaderLen:nlmsg.HeaderLen]}
	r.B = append([]byte(nil), r.B...)
	r.self[0] = r
	r.call.begin(r.self[:], true)
	r.call.first, r.call.broken, r.call.sent = c.first, true, true
	r.call.suspect, l.lossy = true, true // it goes on with each receive: when nothing is queued, it is over
	l.calls = append(l.calls, &r.call)
	l.broken = &r.call
}

// route takes one message and returns the call it was for.
func (l *lane) route(m nlmsg.Msg) *call {
	if m.Type() == nlmsg.Overrun {
		return l.overrun(m)
	}
	c := l.find(m)
	if c == nil {
		if l.multicast {
			l.stats.notifications.Add(1)
		} else {
			l.stats.stale.Add(1)
		}
		return nil
	}
	ends := m.Type() == nlmsg.Done || m.Type() == nlmsg.Error
	switch {
	case c.broken:
		l.stats.stale.Add(1)
		if ends {
			l.end(c)
		}
	case c.stream:
		l.pushCopy(c, m, ends)
	default:
		l.answer(c, m)
	}
	return c
}

// answer takes one message for a request or a batch.
func (l *lane) answer(c *call, m nlmsg.Msg) {
	r := c.request(m.Seq())
	if r.answered {
		l.stats.stale.Add(1)
		return
	}
	if err := r.take(m, l.conf.queue); err != nil {
		r.answered, r.err = true, err
	}
	switch {
	case !r.answered:
	case c.awaits(r):
		if c.awaiting--; c.awaiting == 0 {
			l.end(c)
		}
	case r.err != nil:
		// The batch as a whole failed, as nfnetlink says by an error for the
		// message that opens it: the others may have no answer.
		c.suspect, c.aborted, l.lossy = true, true, true
	}
}

// overrun: data for somebody is lost, or for anybody.
func (l *lane) overrun(m nlmsg.Msg) *call {
	l.stats.lost.Add(1)
	c := l.find(m)
	l.blame(c == nil, c, func(c *call) error { return &LossError{Op: c.requests[0].op(), Err: ErrOverrun} })
	return c
}

// truncated takes what there is of a datagram that did not fit: the messages
// that are whole, and the loss for whom the rest was.
func (l *lane) truncated(b []byte, info socket.Info) {
	l.stats.truncated.Add(1)
	if info.Size > len(l.buf) {
		l.conf.grow(info.Size)
		l.buf, l.free = l.conf.newBuffer(), nil
	}
	if !l.isReply(info) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	rest, last := l.routeAll(b)
	if len(rest) >= nlmsg.HeaderLen {
		last = l.find(nlmsg.Msg(rest))
	}
	l.blame(len(b) < nlmsg.HeaderLen, last, func(c *call) error { return &LossError{Op: c.requests[0].op(), Err: socket.ErrTruncated} })
}

// buffer returns a buffer for a datagram.
func (l *lane) buffer() []byte {
	if n := len(l.free); n > 0 {
		b := l.free[n-1]
		l.free = l.free[:n-1]
		return b
	}
	return l.conf.newBuffer()
}
