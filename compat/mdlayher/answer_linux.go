package netlink

import (
	"errors"
	"os"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// An answer collects the datagrams that Execute or Receive returns together.
type answer struct {
	k       *conn
	sp      *space
	request Header // for Execute; zero for Receive
	stream

	isExecute   bool
	datagrams   []datagram
	small       *smallReply // instead of datagrams
	replies     int         // messages except acknowledgements
	acks        int
	hasDatagram bool // a datagram of this answer has arrived
	hasStrange  bool // a datagram with another sequence number has arrived
}

// execute implements Execute. The caller holds the locks.
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

// clear receives the queued replies to abandoned requests. This also finishes an abandoned dump:
// the kernel runs only one dump per socket at a time (EBUSY).
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

// answer receives the answer to a sent message.
func (k *conn) answer(m *Message) ([]Message, error) {
	sp := getSpace()
	defer sp.put()
	x := answer{k: k, sp: sp, request: m.Header, isExecute: true}
	return x.collect()
}

// receive implements Receive. The caller holds the lock.
func (k *conn) receive() ([]Message, error) {
	sp := getSpace()
	defer sp.put()
	x := answer{k: k, sp: sp}
	return x.collect()
}

// collect receives datagrams until the answer is complete. It returns the messages of the answer.
func (x *answer) collect() ([]Message, error) {
	for x.needsMore() {
		d, err := x.next()
		switch {
		case err == socket.ErrEmpty && !x.hasDatagram:
			return nil, x.fail(errMismatchedSequence)
		case err == socket.ErrEmpty:
			return x.messages(), nil
		case err != nil && x.isComplete():
			x.k.queue.loss = err // notifications were lost
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

// isComplete reports whether the answer has arrived, except for an acknowledgement.
func (x *answer) isComplete() bool { return x.hasDatagram && (x.isOver || !x.isMulti) }

// needsAck reports whether an acknowledgement was requested and has not arrived.
func (x *answer) needsAck() bool {
	return x.isExecute && x.request.Flags&Acknowledge != 0 && x.acks == 0
}

// needsMore reports whether to receive another datagram. An acknowledgement after a reply is only
// received if the kernel queues it within the send.
func (x *answer) needsMore() bool {
	return !x.isComplete() || x.needsAck() && !x.mustWait()
}

// mustWait reports whether more replies may arrive after the queued ones.
func (x *answer) mustWait() bool { return x.k.isLate || x.k.anySender }

// next returns a datagram for take. It waits for the first one only. The kernel queues the next part
// of a dump within the receive of the part before it (netlink_recvmsg), and everything else within
// the send. Therefore an empty queue means that the end of a multipart answer will never arrive.
func (x *answer) next() (datagram, error) {
	if !x.isExecute {
		if d, ok, err := x.k.queue.next(); ok || err != nil {
			return d, err
		}
	}
	return x.k.fetch(x.sp, x.mustWait() || !x.hasDatagram && !x.hasStrange)
}

// fail returns the error of a failed receive. It marks the request as abandoned, because its replies
// may still arrive.
func (x *answer) fail(err error) error {
	if x.isExecute {
		x.k.queue.abandon(x.request.Sequence)
	}
	if err == errMismatchedSequence {
		return newOpError("validate", err)
	}
	return newOpError("receive", err)
}

// take adds d to the answer. Replies to abandoned requests are dropped. Datagrams that do not belong
// to an Execute are kept for Receive. An error in a message of the answer ends the answer.
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
		// Without Acknowledge, the notification that the request caused is its answer.
		return m != nil && x.request.Flags&Acknowledge == 0 &&
			m.Seq() == x.request.Sequence && m.PortID() == x.k.pid
	case m == nil || m.Seq() == x.request.Sequence:
		return true
	}
	x.hasStrange = true
	return false
}

// message counts a message of the answer, or returns the error that it reports.
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
