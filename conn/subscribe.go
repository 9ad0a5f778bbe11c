package conn

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"sync"
	"sync/atomic"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Subscription receives the notifications of multicast groups on a separate Transport. One
// goroutine may run All. Any number of goroutines may run exchanges, Send and Close.
//
// Do, Dump and Batch use the same Transport, for protocols that send replies and reports to
// one port: registrations of nl80211, TASKSTATS, upcalls of openvswitch, nflog and nfqueue,
// the audit daemon. Other messages that arrive during an exchange are kept for All, up to
// [WithQueue]; more is a loss, with [ErrTooMuch]. If All waits in another goroutine, it
// gives the Transport to the exchange and continues afterwards.
type Subscription struct {
	single

	// Resync, if set, is called after a loss of notifications, in the goroutine of the
	// loop, when all notifications from before the loss were delivered. It typically dumps
	// a list. The notifications delivered afterwards bring that list up to date; a change
	// may appear in both. An error of Resync ends the loop.
	Resync func(ctx context.Context, loss *LossError) error

	from *Conn
	op   string
	info socket.Info // origin of the last message

	loss  error // a loss that was not reported yet
	queue int   // number of datagrams that may have been queued before the loss
	again error // a further loss, after that

	mu     sync.Mutex  // guards the messages and losses that exchanges leave for All
	isLeft atomic.Bool // kept or missed is set
	kept   []notification
	size   int   // bytes of kept
	missed error // a loss that occurred during an exchange
}

// notification is a message that arrived during an exchange.
type notification struct {
	m    nlmsg.Msg
	info socket.Info
}

// Subscribe opens another Transport and joins multicast groups of the protocol, by number.
// Without groups it is for protocols that report to a port. The flags of [Open] and the
// settings of [Conn.Configure] apply: [socket.PacketInfo] and [socket.ListenAllNSID] add
// fields to [Subscription.Info].
//
// KObjectUevent is refused, because device events are not netlink messages. Receive them
// from a [socket.Socket] with that group.
func (c *Conn) Subscribe(groups ...uint32) (*Subscription, error) {
	op := "subscription to groups " + fmt.Sprint(groups)
	if !c.isOpen() {
		return nil, errZero
	}
	if hasProtocol(c.pool.first.t, socket.KObjectUevent) {
		return nil, fmt.Errorf("conn: %s: device events are not netlink messages; receive them from a socket.Socket: %w", op, errors.ErrUnsupported)
	}
	child, err := c.child()
	if err != nil {
		return nil, fmt.Errorf("conn: %s: %w", op, err)
	}
	s := &Subscription{single: single{child}, from: c, op: op}
	child.keep, child.onLoss = s.keep, s.miss
	if err := s.join(groups); err != nil {
		_ = c.closeChild(child)
		return nil, fmt.Errorf("conn: %s: %w", op, err)
	}
	return s, nil
}

// join joins the groups. acquire applies the settings before the first notification can
// arrive.
func (s *Subscription) join(groups []uint32) error {
	p := s.own.pool
	m, err := p.acquire(&wait{ctx: context.Background()}, forListening)
	if err != nil {
		return err
	}
	defer p.release(m, true)
	j, ok := m.t.(joiner)
	if !ok && len(groups) > 0 {
		return fmt.Errorf("%T does not support multicast groups: %w", m.t, errors.ErrUnsupported)
	}
	for _, group := range groups {
		if err := j.Join(group); err != nil {
			return err
		}
	}
	return nil
}

// Close leaves the groups. A waiting loop ends with [os.ErrClosed].
func (s *Subscription) Close() error {
	if s.from == nil {
		return errZero
	}
	return s.from.closeChild(s.own)
}

// Info returns the origin of the last message that All delivered: its group if the socket
// has [socket.PacketInfo], its namespace if the socket has [socket.ListenAllNSID].
func (s *Subscription) Info() socket.Info { return s.info }

// keep keeps a message that arrived during an exchange. The sender was checked before.
func (s *Subscription) keep(m nlmsg.Msg, info socket.Info) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isLeft.Store(true)
	if s.size+len(m) > s.from.conf.queue {
		s.own.stats.lost.Add(1)
		s.missed = ErrTooMuch
		return
	}
	s.size += len(m)
	s.kept = append(s.kept, notification{m.Clone(), info})
}

// miss records a loss that the kernel reported to an exchange.
func (s *Subscription) miss(err error) {
	s.mu.Lock()
	s.missed = err
	s.isLeft.Store(true)
	s.mu.Unlock()
}

// All ranges over the notifications and waits for each. A message is valid until the next
// step; Clone keeps it.
//
// A [*LossError] reports lost notifications. The gap is among the latest messages, at most
// as many as the receive buffer holds. Later notifications are complete again, and the loop
// continues. The LossError appears only without Resync. Any other error is the last value:
// the error of ctx or of Resync, or [os.ErrClosed].
func (s *Subscription) All(ctx context.Context) iter.Seq2[nlmsg.Msg, error] {
	return func(yield func(nlmsg.Msg, error) bool) {
		if !s.own.isOpen() {
			yield(nil, errZero)
			return
		}
		l := &listener{receiver: receiver{wait: wait{ctx: ctx}, c: s.own, isListener: true}, s: s}
		defer l.end()
		for {
			b, err := l.datagram()
			switch {
			case err != nil:
				yield(nil, fmt.Errorf("conn: %s: %w", s.op, err))
				return
			case !l.deliverKept(yield) || !s.deliver(b, yield):
				return
			}
			if s.isLossDue() && !s.reportLoss(ctx, yield) {
				return
			}
		}
	}
}

// listener receives for All. It lends the member while the loop has a datagram (lend.go).
type listener struct {
	receiver
	s    *Subscription
	kept []notification
}

// datagram returns the next datagram. It returns nil if exchanges have left messages or a
// loss is due. The first receive is part of this function for the same reason as in
// exchange.
func (l *listener) datagram() (b []byte, err error) {
	if err := l.expired(); err != nil {
		return nil, err
	}
	if l.m == nil || !l.c.pool.unlend() {
		if err := l.hold(forListening); err != nil {
			l.m = nil
			return nil, err
		}
	}
	if l.s.isLeft.Load() {
		l.takeKept()
	} else if n, info, failure := l.m.t.TryReceive(l.buf); failure == nil && n > 0 && info.PortID == 0 {
		l.s.info, b = info, l.buf[:n]
		l.s.queue--
	} else if b, err = l.goOn(n, info, failure); err == errHandOver {
		l.release()
		return nil, nil
	}
	if !l.c.pool.lend() {
		l.release()
	}
	return b, err
}

// release returns the member.
func (l *listener) release() {
	l.c.pool.release(l.m, !l.m.dirty)
	l.m = nil
}

// end returns the member and the buffer.
func (l *listener) end() {
	if l.m != nil && l.c.pool.unlend() {
		l.release()
	}
	l.rest()
}

// goOn continues datagram if its first receive returned no usual datagram.
func (l *listener) goOn(n int, info socket.Info, failure error) (b []byte, err error) {
	s := l.s
	b, info, err = l.judge(false, n, info, failure)
	l.noteLoss()
	if err == socket.ErrEmpty {
		if s.loss != nil {
			s.queue, s.again = 0, nil // all notifications from before the losses were delivered
			return nil, nil
		}
		b, info, err = l.listen()
		l.noteLoss()
	}
	s.info = info
	s.queue--
	switch {
	case err == nil && len(b) == 0:
		l.c.stats.malformed.Add(1)
	case errors.Is(err, socket.ErrTruncated):
		l.c.stats.lost.Add(1)
		s.lose(socket.ErrTruncated)
		return nil, nil
	}
	return b, err
}

// noteLoss records the loss that a receive has reported.
func (l *listener) noteLoss() {
	if l.loss != nil {
		l.s.lose(l.loss)
		l.loss = nil
	}
}

// errHandOver reports that a datagram may be queued, or that an exchange needs the
// Transport.
var errHandOver = errors.New("conn: an exchange waits")

// listen waits for a datagram, unless an exchange waits for the Transport. If the Transport
// can wait without a buffer, listen returns the buffer to the pool first.
func (l *listener) listen() (b []byte, info socket.Info, err error) {
	t := l.m.t
	before := readDeadline(t)
	if l.c.pool.listen(l.m, true) {
		return nil, info, errHandOver
	}
	if p, ok := t.(patient); ok {
		l.rest()
		if err = l.limited(p.Wait); err == nil {
			err = errHandOver
		}
	} else {
		if b, info, err = l.next(true); err == socket.ErrEmpty {
			err = errHandOver // after a loss
		}
	}
	if l.c.pool.listen(l.m, false) {
		_ = t.SetReadDeadline(before) // fails if closed; then nothing waits
		if errors.Is(err, os.ErrDeadlineExceeded) && l.expired() == nil {
			err = errHandOver
		}
	}
	return b, info, err
}

// lose records a loss. The kernel reports it immediately, before the queued datagrams, and
// then drops all others until the queue is empty (NETLINK_S_CONGESTED, netlink_rcv_wake). A
// list that is read before that misses changes without a further report. The loss is
// therefore reported to the caller only when the queue is empty.
func (s *Subscription) lose(err error) {
	s.note(err)
	growReceiveBuffer(s.Transport(), 0)
}

// note is lose without growing the receive buffer.
func (s *Subscription) note(err error) {
	if s.loss == nil {
		s.loss, s.queue = err, s.capacity()
	} else {
		s.again = err // an endless flood must not delay the report of the first
	}
}

// capacity returns the maximum number of datagrams in the receive buffer. After that many
// receives, all datagrams that were queued at a loss have been received, even if new ones
// arrive so fast that the queue is never empty.
func (s *Subscription) capacity() int {
	const least = 256 // space for the smallest datagram, with its sk_buff
	if b, ok := s.Transport().(bufferer); ok {
		if size, err := b.ReceiveBuffer(); err == nil {
			return size / least
		}
	}
	return 0
}

func (s *Subscription) isLossDue() bool { return s.loss != nil && s.queue <= 0 }

// reportLoss reports a loss to the loop. It returns whether the loop continues.
func (s *Subscription) reportLoss(ctx context.Context, yield func(nlmsg.Msg, error) bool) bool {
	loss := &LossError{Op: s.op, Err: s.loss}
	if s.loss, s.again = s.again, nil; s.loss != nil {
		s.queue = s.capacity()
	}
	if s.Resync == nil {
		return yield(nil, loss)
	}
	if err := s.Resync(ctx, loss); err != nil {
		yield(nil, fmt.Errorf("conn: %s: resync: %w", s.op, err))
		return false
	}
	return true
}

// takeKept takes the messages that exchanges have left. No exchange runs meanwhile.
func (l *listener) takeKept() {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.missed != nil {
		s.note(s.missed)
	}
	l.kept, s.kept, s.size, s.missed = s.kept, nil, 0, nil
	s.isLeft.Store(false)
}

// deliverKept passes the messages that exchanges have left to the loop. If the loop is
// left, the remaining messages are kept for the next loop.
func (l *listener) deliverKept(yield func(nlmsg.Msg, error) bool) bool {
	kept := l.kept
	l.kept = nil
	for i, n := range kept {
		l.s.info = n.info
		if !yield(n.m, nil) {
			l.s.putBack(kept[i+1:])
			return false
		}
	}
	return true
}

// putBack keeps messages that the loop has not received.
func (s *Subscription) putBack(kept []notification) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isLeft.Store(true)
	s.kept = append(kept, s.kept...)
	for _, n := range kept {
		s.size += len(n.m)
	}
}

// deliver passes the messages of a datagram to the loop.
func (s *Subscription) deliver(b []byte, yield func(nlmsg.Msg, error) bool) bool {
	for len(b) > 0 {
		m, n := nlmsg.Consume(b)
		if n < 0 {
			s.own.stats.malformed.Add(1)
			s.own.stats.lost.Add(1)
			s.lose(nlmsg.ParseError(n)) // the rest of the datagram is unknown
			return true
		}
		b = b[n:]
		switch m.Type() {
		case nlmsg.TypeNoop:
		case nlmsg.TypeOverrun:
			s.own.stats.lost.Add(1)
			s.lose(ErrOverrun)
		default:
			if !yield(m, nil) {
				s.putBack(split(b, s.info))
				return false
			}
		}
	}
	return true
}

// split returns copies of the messages in the rest of a datagram, for the next loop.
func split(b []byte, info socket.Info) (list []notification) {
	for c := nlmsg.Walk(b); c.More(); c = c.Next() {
		list = append(list, notification{c.Msg().Clone(), info})
	}
	return list
}
