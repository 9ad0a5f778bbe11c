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

// A receiver sends to and receives from a member, for the exchange that holds it.
type receiver struct {
	wait
	c *Conn
	m *member

	space *[]byte // of the pool of buffers
	buf   []byte  // as much of it as a datagram may have

	isListener bool // of Subscription.All

	count   int    // of the receives
	loss    error  // a loss that the kernel reported; the reply may still be queued
	barrier uint32 // sequence number of the barrier, 0 before it is sent
}

// hold takes a member and a buffer. drop must follow if it succeeds.
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

// borrow takes a receive buffer, unless x has one.
func (x *receiver) borrow() {
	if x.space == nil {
		x.space = x.c.conf.getBuffer()
		x.buf = (*x.space)[:x.c.conf.buffer]
	}
}

// rest gives the buffer back.
func (x *receiver) rest() {
	if x.space != nil {
		x.c.conf.putBuffer(x.space)
		x.space, x.buf = nil, nil
	}
}

// sendBarrier asks for the acknowledgement of nothing. The kernel handles the requests
// of a socket in their order, within the send (netlink_rcv_skb), so that whatever it
// answers to earlier ones arrives first. One that answers no barrier, as the
// connector, is waited for. The sequence numbers in use are not its own.
func (x *receiver) sendBarrier(isUsed func(seq uint32) bool) error {
	for x.barrier = x.m.nextSeq(); isUsed(x.barrier); {
		x.barrier = x.m.nextSeq()
	}
	b := nlmsg.Begin(x.m.space[:0], nlmsg.TypeNoop, nlmsg.FlagRequest|nlmsg.FlagAck, x.barrier, 0)
	return x.m.t.Send(nlmsg.End(b, 0))
}

// isBarrier reports whether m acknowledges the barrier. A subsystem that knows no NOOP
// refuses it, which says as much.
func (x *receiver) isBarrier(m nlmsg.Msg) bool {
	return x.barrier != 0 && m.Seq() == x.barrier && m.Type() == nlmsg.TypeError
}

// maxFailures is how many receives may fail in a row for passing reasons.
const maxFailures = 100

// next returns the next datagram of the kernel. If none is queued it waits, or, if it
// must not block, the error is [socket.ErrEmpty]. With [socket.ErrTruncated] there is
// the beginning of the datagram.
//
// A queue that is never empty must not make the exchange overlook its end, so every few
// datagrams it looks.
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

// judge is next after the first attempt.
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
			// The kernel reports it once, ahead of the datagrams that are queued, and
			// drops all others until the queue is empty (NETLINK_S_CONGESTED).
			x.c.stats.lost.Add(1)
			x.loss = errno.ENOBUFS
			if !x.isListener {
				x.m.room = growReceiveBuffer(x.m.t, 0)
			}
			x.missed(errno.ENOBUFS)
			block = false // there may be nothing to wait for
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

// isPassing reports whether a receive that failed is tried again. EINVAL comes when a
// dump ends while another goroutine sends (netlink_dump, cb_running).
func isPassing(err error) bool {
	return errno.Is(err, errno.EINTR) || errno.Is(err, errno.EAGAIN) || errno.Is(err, errno.EINVAL)
}

// read is one attempt of next.
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

// limited waits for the member, as long as the exchange does.
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

// clean discards the replies to an earlier exchange that was given up, and nothing else: a
// subscription has notifications among them. A dump goes on with each receive, so that
// it has ended when nothing is queued.
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

// missed reports a loss that may be of notifications.
func (x *receiver) missed(err error) {
	if x.c.onLoss != nil && !x.isListener {
		x.c.onLoss(err)
	}
}

// unmatched takes a message that belongs to no request.
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

// handOver calls the hook with what was not matched.
func (x *receiver) handOver() {
	strays := x.strays
	x.strays = nil
	for _, s := range strays {
		x.c.conf.unmatched(s.m, s.info)
	}
}

// isMulticast reports whether a datagram was sent to a group.
func isMulticast(info socket.Info) bool { return info.Groups != 0 || info.Group != 0 }

// buffers has receive buffers of DefaultBuffer bytes for all Conns, so that an idle one
// has none. Only the pages that datagrams have reached take memory.
var buffers sync.Pool

// getBuffer returns a buffer for datagrams, which putBuffer takes back.
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
