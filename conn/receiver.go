package conn

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// A receiver sends and receives on a member, for the exchange that holds it.
type receiver struct {
	wait
	c *Conn
	m *member

	space *[]byte // from the pool of buffers
	buf   []byte  // the part of space that conf.buffer allows

	isListener bool // it belongs to Subscription.All

	count   int    // number of receives
	loss    error  // a loss that the kernel reported; the reply may still be queued
	barrier uint32 // sequence number of the barrier, 0 before it is sent
}

// hold acquires a member and a buffer. If it succeeds, the caller calls drop afterwards.
func (x *receiver) hold(k kind) error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	if !x.deadline.IsZero() && !time.Now().Before(x.deadline) {
		return os.ErrDeadlineExceeded
	}
	if !x.c.isOpen() {
		return errZero
	}
	m, err := x.c.pool.acquire(&x.wait, k)
	if err != nil {
		return err
	}
	x.m = m
	x.borrow()
	if m.dirty {
		if err := x.clean(); err != nil {
			x.drop(false)
			return err
		}
	}
	return nil
}

// drop returns the member and the buffer.
func (x *receiver) drop(isClean bool) {
	x.c.pool.release(x.m, isClean)
	x.rest()
}

// borrow takes a receive buffer from the pool, unless x has one.
func (x *receiver) borrow() {
	if x.space == nil {
		x.space = x.c.conf.getBuffer()
		x.buf = (*x.space)[:x.c.conf.buffer]
	}
}

// rest returns the buffer to the pool.
func (x *receiver) rest() {
	if x.space != nil {
		x.c.conf.putBuffer(x.space)
		x.space, x.buf = nil, nil
	}
}

// sendBarrier requests the acknowledgement of an empty message. The kernel handles the
// requests of a socket in their order, within the send (netlink_rcv_skb), so that all
// replies to earlier requests arrive before the acknowledgement. For a peer that does not
// acknowledge a barrier, such as the connector, the exchange waits. The barrier uses a
// sequence number for which isUsed is false.
func (x *receiver) sendBarrier(isUsed func(seq uint32) bool) error {
	for x.barrier = x.m.nextSeq(); isUsed(x.barrier); {
		x.barrier = x.m.nextSeq()
	}
	b := nlmsg.Begin(x.m.space[:0], nlmsg.TypeNoop, nlmsg.FlagRequest|nlmsg.FlagAck, x.barrier, 0)
	return x.m.t.Send(nlmsg.End(b, 0))
}

// isBarrier reports whether m answers the barrier. A subsystem without NOOP refuses it with
// an error, which has the same meaning.
func (x *receiver) isBarrier(m nlmsg.Msg) bool {
	return x.barrier != 0 && m.Seq() == x.barrier && m.Type() == nlmsg.TypeError
}

// maxFailures limits consecutive receives that fail with temporary errors.
const maxFailures = 100

// next returns the next datagram of the kernel. If none is queued, it waits; without block,
// it returns [socket.ErrEmpty] instead. With [socket.ErrTruncated] it returns the beginning
// of the datagram.
//
// It checks the end of the exchange every few datagrams, because the queue may never become
// empty.
func (x *receiver) next(block bool) (b []byte, info socket.Info, err error) {
	const few = 16
	if x.count++; x.count%few == 0 {
		if err := x.expired(); err != nil {
			return nil, info, err
		}
	}
	n, info, err := x.read(block)
	return x.judge(block, n, info, err)
}

// judge continues next with the result of its first receive.
func (x *receiver) judge(block bool, n int, info socket.Info, err error) ([]byte, socket.Info, error) {
	for failures := 0; ; n, info, err = x.read(block) {
		switch {
		case err == nil || errors.Is(err, socket.ErrTruncated):
			failures = 0
			if err != nil {
				x.c.stats.truncated.Add(1)
				x.missed(socket.ErrTruncated)
			}
			if info.PortID == 0 || x.c.conf.anySender {
				return x.buf[:n], info, err
			}
			x.c.stats.foreign.Add(1) // any process can send to the port of a socket
		case errors.Is(err, socket.ErrEmpty):
			if !block {
				return nil, info, socket.ErrEmpty
			}
		case errors.Is(err, socket.ErrSender):
			x.c.stats.foreign.Add(1)
		case errno.Is(err, errno.ENOBUFS):
			// The kernel reports it once, before the queued datagrams, and drops all others
			// until the queue is empty (NETLINK_S_CONGESTED).
			x.c.stats.lost.Add(1)
			x.loss = errno.ENOBUFS
			if !x.isListener {
				x.m.room = growReceiveBuffer(x.m.t, 0)
			}
			x.missed(errno.ENOBUFS)
			block = false // the reply may have been dropped
		case isPassing(err) && failures < maxFailures:
			failures++
		default:
			if x.c.pool.closed.Load() {
				err = ErrClosedWaiting
			}
			return nil, info, err
		}
		if err := x.expired(); err != nil {
			return nil, info, err
		}
		if x.c.pool.closed.Load() {
			return nil, info, ErrClosedWaiting
		}
	}
}

// isPassing reports whether a failed receive is repeated. EINVAL occurs if a dump ends
// while another goroutine sends (netlink_dump, cb_running).
func isPassing(err error) bool {
	return errno.Is(err, errno.EINTR) || errno.Is(err, errno.EAGAIN) || errno.Is(err, errno.EINVAL)
}

// read makes one attempt to receive.
func (x *receiver) read(block bool) (n int, info socket.Info, err error) {
	t := x.m.t
	if !block {
		return t.TryReceive(x.buf)
	}
	if p, ok := t.(patient); ok {
		if err := x.limited(p.Wait); err != nil {
			return 0, info, err
		}
		return t.TryReceive(x.buf)
	}
	err = x.limited(func() (err error) {
		n, info, err = t.Receive(x.buf)
		return err
	})
	return n, info, err
}

// limited calls wait, which waits for a datagram on the member. It interrupts wait at the
// end of the exchange.
func (x *receiver) limited(wait func() error) error {
	if err := x.c.pool.beginWait(x.m); err != nil {
		return err
	}
	undo := x.limit(x.m.t)
	err := wait()
	x.c.pool.endWait(x.m)
	if undo(err) {
		if ended := x.expired(); ended != nil {
			return ended
		}
	}
	return err
}

// clean discards the replies to an earlier exchange that was given up. It passes other
// messages on, because a subscription may have notifications among them. Each receive
// continues an unfinished dump, so that the dump has ended when the queue is empty.
func (x *receiver) clean() error {
	own := x.m.t.PortID()
	for {
		b, info, err := x.next(false)
		switch {
		case errors.Is(err, socket.ErrEmpty):
			x.m.dirty, x.loss = false, nil
			return nil
		case err != nil && !errors.Is(err, socket.ErrTruncated):
			return err
		}
		for c := nlmsg.Walk(b); c.More(); c = c.Next() {
			if m := c.Msg(); isMulticast(info) || m.PortID() != own {
				x.unmatched(m, info)
			} else {
				x.c.stats.stale.Add(1)
			}
		}
		if err := x.expired(); err != nil {
			return err
		}
	}
}

// missed reports that notifications may be lost.
func (x *receiver) missed(err error) {
	if x.c.onLoss != nil && !x.isListener {
		x.c.onLoss(err)
	}
}

// unmatched processes a message that belongs to no request.
func (x *receiver) unmatched(m nlmsg.Msg, info socket.Info) {
	switch {
	case x.c.keep != nil:
		x.c.keep(m, info)
		return
	case isMulticast(info):
		x.c.stats.notifications.Add(1)
	default:
		x.c.stats.stale.Add(1)
	}
	if x.c.conf.unmatched != nil {
		x.strays = append(x.strays, stray{m.Clone(), info})
	}
}

// handOver calls the hook with the unmatched messages.
func (x *receiver) handOver() {
	strays := x.strays
	x.strays = nil
	for _, s := range strays {
		x.c.conf.unmatched(s.m, s.info)
	}
}

// isMulticast reports whether a datagram was sent to a group.
func isMulticast(info socket.Info) bool { return info.Groups != 0 || info.Group != 0 }

// buffers keeps receive buffers of DefaultBuffer bytes. All Conns share it, so that an idle
// Conn holds none. Only the pages that datagrams have reached take memory.
var buffers sync.Pool

// getBuffer returns a receive buffer. putBuffer takes it back.
func (c *config) getBuffer() *[]byte {
	if c.buffer > DefaultBuffer {
		b := make([]byte, c.buffer)
		return &b
	}
	b, ok := buffers.Get().(*[]byte)
	if !ok {
		b = new([]byte)
		*b = make([]byte, DefaultBuffer)
	}
	return b
}

func (c *config) putBuffer(b *[]byte) {
	if len(*b) == DefaultBuffer {
		buffers.Put(b)
	}
}
