package netlink

import (
	"errors"
	"os"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// An answer is what Execute or Receive collects: the datagrams that belong together.
type answer struct {
	k       *conn
	sp      *space
	request Header // of Execute; zero of Receive
	stream

	isExecute   bool
	datagrams   []datagram
	small       *smallReply // in place of datagrams
	replies     int         // messages that are no acknowledgement
	acks        int
	hasDatagram bool // one has come that belongs to it
	hasStrange  bool // one has come with another sequence number
}

// execute is Execute without its locks.
func (k *conn) execute(m *Message) ([]Message, error) {
	if err := m.checkLength(); err != nil {
		return nil, newOpError("send", err)
	}
	if err := k.mayCall("sendmsg"); err != nil {
		return nil, newOpError("send", err)
	}
	sp := getSpace()
	defer sp.put()
	if k.queue.hasStale.Load() {
		k.clear(sp)
		k.queue.renew(m.Header.Sequence)
	}
	sp.request = m.append(sp.request[:0])
	x := answer{k: k, sp: sp, request: m.Header, isExecute: true}
	if k.isLate || k.anySender || k.size != 0 || k.hasDeadline.Load() {
		if err := k.s.Send(sp.request); err != nil {
			return nil, newOpError("send", systemError("sendmsg", err))
		}
		return x.collect()
	}
	b := sp.replyBuffer()
	n, info, isSent, err := k.s.TryRoundTrip(sp.request, b)
	switch {
	case !isSent:
		return nil, newOpError("send", systemError("sendmsg", err))
	case err == socket.ErrEmpty || err == socket.ErrSender || info.PortID != 0:
	case err != nil:
		return nil, x.fail(systemError("recvmsg", err))
	default:
		if err := x.take(&datagram{b: padded(b, n), info: info}); err != nil {
			return nil, err
		}
	}
	return x.collect()
}

// clear receives the replies to requests that were given up, as far as they are queued. A
// dump among them ends by that, and the kernel has no more than one at a time (EBUSY).
func (k *conn) clear(sp *space) {
	for !k.isLate && !k.anySender {
		d, err := k.fetch(sp, false)
		switch {
		case err == socket.ErrEmpty || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, os.ErrClosed):
			return
		case err != nil:
			k.queue.loss = err
			return
		case !k.queue.isStale(&d):
			k.queue.keep(&d)
		}
	}
}

// answer receives what answers a message that was sent.
func (k *conn) answer(m *Message) ([]Message, error) {
	sp := getSpace()
	defer sp.put()
	x := answer{k: k, sp: sp, request: m.Header, isExecute: true}
	return x.collect()
}

// receive is Receive without its locks.
func (k *conn) receive() ([]Message, error) {
	sp := getSpace()
	defer sp.put()
	x := answer{k: k, sp: sp}
	return x.collect()
}

// collect takes datagrams until the answer is complete, and returns its messages.
func (x *answer) collect() ([]Message, error) {
	for x.needsMore() {
		d, err := x.next()
		switch {
		case err == socket.ErrEmpty && !x.hasDatagram:
			return nil, x.fail(errMismatchedSequence)
		case err == socket.ErrEmpty:
			return x.messages(), nil
		case err != nil && x.isComplete():
			x.k.queue.loss = err // of notifications
			return x.messages(), nil
		case err != nil:
			return nil, x.fail(err)
		}
		if err := x.take(&d); err != nil {
			return nil, err
		}
	}
	if x.needsAck() {
		x.k.queue.abandon(x.request.Sequence) // only the acknowledgement is missing
	}
	return x.messages(), nil
}

// isComplete reports whether all of the answer but an acknowledgement has come.
func (x *answer) isComplete() bool { return x.hasDatagram && (x.isOver || !x.isMulti) }

// needsAck reports whether an acknowledgement follows the reply that was received.
func (x *answer) needsAck() bool {
	return x.isExecute && x.request.Flags&Acknowledge != 0 && x.acks == 0
}

// needsMore reports whether another datagram may belong to the answer. The acknowledgement
// that follows a reply is looked for where it is queued by now.
func (x *answer) needsMore() bool {
	return !x.isComplete() || x.needsAck() && !x.mustWait()
}

// mustWait reports whether replies may come after those that are queued.
func (x *answer) mustWait() bool { return x.k.isLate || x.k.anySender }

// next returns a datagram for take. It waits for the first one. The kernel queues the
// others in time: the next part of a dump when one is received (netlink_recvmsg), all else
// within the send. So if none is queued, the end of a multipart answer will never come.
func (x *answer) next() (datagram, error) {
	if !x.isExecute {
		if d, ok, err := x.k.queue.next(); ok || err != nil {
			return d, err
		}
	}
	return x.k.fetch(x.sp, x.mustWait() || !x.hasDatagram && !x.hasStrange)
}

// fail returns the error of a receive that failed. The replies to its request may still
// come.
func (x *answer) fail(err error) error {
	if x.isExecute {
		x.k.queue.abandon(x.request.Sequence)
	}
	if err == errMismatchedSequence {
		return newOpError("validate", err)
	}
	return newOpError("receive", err)
}

// take adds a datagram that belongs to the answer, and puts others where they belong. An
// error that it reports ends the answer.
func (x *answer) take(d *datagram) error {
	switch {
	case x.k.queue.isStale(d):
		return nil
	case x.isExecute && !x.owns(d):
		x.k.queue.keep(d)
		return nil
	}
	x.hasDatagram = true
	for b := d.b; !x.isOver; {
		m, rest, err := nextMessage(b)
		if err != nil {
			return x.fail(err)
		}
		if m == nil {
			break
		}
		if err := x.message(m); err != nil {
			return err
		}
		b = rest
	}
	if x.replies+x.acks == 1 && len(x.datagrams) == 0 && !x.needsMore() && isSmall(d.b) {
		x.small = newSmallReply(d.b)
		return nil
	}
	d.own()
	x.datagrams = append(x.datagrams, *d)
	return nil
}

// owns reports whether a datagram answers the request.
func (x *answer) owns(d *datagram) bool {
	m, _, _ := nextMessage(d.b)
	switch {
	case d.isMulticast():
		// The notification of the request itself is an answer where no other was asked for.
		return m != nil && x.request.Flags&Acknowledge == 0 &&
			m.Seq() == x.request.Sequence && m.PortID() == x.k.pid
	case m == nil || m.Seq() == x.request.Sequence:
		return true
	}
	x.hasStrange = true
	return false
}

// message looks at a message of the answer.
func (x *answer) message(m nlmsg.Msg) error {
	if t := m.Type(); t == nlmsg.TypeError || t == nlmsg.TypeDone {
		var msg Message
		msg.set(m)
		if err := checkMessage(msg); err != nil {
			return err
		}
		if msg.isEnd() {
			x.isOver = true
			return nil
		}
		if t == nlmsg.TypeError {
			x.acks++
			return nil
		}
	}
	x.isMulti = x.isMulti || m.Flags()&nlmsg.FlagMulti != 0
	x.replies++
	return nil
}
