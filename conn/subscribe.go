package conn

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"syscall"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Subscription receives the notifications of multicast groups, on a Transport of
// its own. It is one goroutine's, but for Close.
type Subscription struct {
	// Resync, if it is set, is called when notifications were lost, in the
	// goroutine of the loop, once those from before the loss were delivered. What
	// it lists with a dump is then right, and what is delivered afterwards brings
	// it up to date; a change may show in both. Its error ends the loop.
	Resync func(ctx context.Context, loss *LossError) error

	conn *Conn
	from *dialed
	t    Transport // of from
	op   string
	buf  []byte
	info socket.Info

	loss  error // not yet told
	queue int   // datagrams that may have been queued before the loss
	again error // another loss, since
}

// Subscribe joins multicast groups of the protocol, by number. What they carry is
// kept apart from the answers to requests. The flags that [Open] was given apply:
// [socket.PacketInfo] and [socket.ListenAllNSID] tell more in [Subscription.Info].
func (c *Conn) Subscribe(groups ...uint32) (*Subscription, error) {
	op := "subscription to groups " + fmt.Sprint(groups)
	d, err := c.dial()
	if err != nil {
		return nil, fmt.Errorf("conn: %s: %w", op, err)
	}
	s := &Subscription{conn: c, from: d, t: d.t, op: op, buf: c.conf.newBuffer()}
	if err := s.join(groups); err != nil {
		_ = c.hangUp(d)
		return nil, fmt.Errorf("conn: %s: %w", op, err)
	}
	return s, nil
}

func (s *Subscription) join(groups []uint32) error {
	j, ok := s.t.(joiner)
	if !ok {
		return fmt.Errorf("%T has no groups: %w", s.t, errors.ErrUnsupported)
	}
	for _, group := range groups {
		if err := j.Join(group); err != nil {
			return err
		}
	}
	return nil
}

// Close leaves the groups. It wakes a loop that waits, which ends with
// [os.ErrClosed].
func (s *Subscription) Close() error { return s.conn.hangUp(s.from) }

// Transport returns what the subscription receives from, for options such as a
// larger receive buffer.
func (s *Subscription) Transport() Transport { return s.t }

// Info tells where the last message came from: its group if the socket has
// [socket.PacketInfo], its namespace if it has [socket.ListenAllNSID].
func (s *Subscription) Info() socket.Info { return s.info }

// All ranges over the notifications, waiting for each. A message is good until
// the next step; Clone keeps it.
//
// A [*LossError] says that notifications are missing among the latest ones, as
// many as the receive buffer holds; what follows it is complete again. The loop
// goes on after it. It comes only if there is no Resync. Any other error comes
// last: that of ctx, of Resync, or [os.ErrClosed].
func (s *Subscription) All(ctx context.Context) iter.Seq2[nlmsg.Msg, error] {
	return func(yield func(nlmsg.Msg, error) bool) {
		for {
			n, err := s.receive(ctx)
			switch {
			case err != nil:
				yield(nil, fmt.Errorf("conn: %s: %w", s.op, err))
				return
			case !s.deliver(s.buf[:n], yield):
				return
			}
			if s.isLossDue() && !s.tellLoss(ctx, yield) {
				return
			}
		}
	}
}

// receive returns the length of the next datagram, 0 for none.
func (s *Subscription) receive(ctx context.Context) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n, info, err := s.t.TryReceive(s.buf)
	if err == socket.ErrEmpty {
		if s.loss != nil {
			s.queue, s.again = 0, nil // all from before the losses has been delivered
			return 0, nil
		}
		release := interruptBy(ctx, s.t)
		n, info, err = s.t.Receive(s.buf)
		if release() && errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, ctx.Err()
		}
	}
	return s.judge(n, info, err)
}

// judge sorts out what is no datagram to deliver.
func (s *Subscription) judge(n int, info socket.Info, err error) (int, error) {
	s.info = info
	s.queue--
	switch {
	case err == nil && info.PortID != 0 && !s.conn.conf.anySender, err == socket.ErrSender:
		s.conn.stats.foreign.Add(1)
		return 0, nil
	case err == nil && n == 0:
		s.conn.stats.malformed.Add(1)
	case err == socket.ErrTruncated:
		s.conn.stats.truncated.Add(1)
		s.lose(socket.ErrTruncated)
		s.conn.conf.grow(info.Size)
		s.buf = s.conn.conf.newBuffer()
		return 0, nil
	case errors.Is(err, syscall.EINTR), errors.Is(err, syscall.EAGAIN):
		return 0, nil
	case errors.Is(err, syscall.ENOBUFS):
		s.lose(syscall.ENOBUFS)
		return 0, nil
	}
	return n, err
}

// lose notes a loss. The kernel tells it at once, ahead of what is queued, and
// then drops everything until the queue has been emptied (NETLINK_S_CONGESTED,
// netlink_rcv_wake). Who looks at the state before that misses changes without
// another word; so the loss is told only then.
func (s *Subscription) lose(err error) {
	s.conn.stats.lost.Add(1)
	if s.loss == nil {
		s.loss, s.queue = err, s.capacity()
	} else {
		s.again = err // in a flood that does not end, the first is told all the same
	}
	growReceiveBuffer(s.t, 0)
}

// capacity is how many datagrams the receive buffer can hold. After so many, all
// of those queued at a loss have been received, even if new ones follow so fast
// that the queue is never found empty.
func (s *Subscription) capacity() int {
	const least = 256 // bytes that the smallest datagram takes, with its sk_buff
	if b, ok := s.t.(bufferer); ok {
		if size, err := b.ReceiveBuffer(); err == nil {
			return size / least
		}
	}
	return 0
}

func (s *Subscription) isLossDue() bool { return s.loss != nil && s.queue <= 0 }

// tellLoss returns whether the loop goes on.
func (s *Subscription) tellLoss(ctx context.Context, yield func(nlmsg.Msg, error) bool) bool {
	loss := &LossError{Op: s.op, Err: s.loss}
	if s.loss, s.again = s.again, nil; s.loss != nil {
		s.queue = s.capacity()
	}
	if s.Resync == nil {
		return yield(nil, loss)
	}
	if err := s.Resync(ctx, loss); err != nil {
		yield(nil, fmt.Errorf("conn: %s: resynchronising: %w", s.op, err))
		return false
	}
	return true
}

// deliver hands out the messages of a datagram.
func (s *Subscription) deliver(b []byte, yield func(nlmsg.Msg, error) bool) bool {
	for len(b) > 0 {
		m, n := nlmsg.Consume(b)
		if n < 0 {
			s.conn.stats.malformed.Add(1)
			s.lose(nlmsg.ParseError(n)) // what else it held is not known
			return true
		}
		b = b[n:]
		switch m.Type() {
		case nlmsg.Noop:
		case nlmsg.Overrun:
			s.lose(ErrOverrun)
		default:
			if !yield(m, nil) {
				return false
			}
		}
	}
	return true
}
