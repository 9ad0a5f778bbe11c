package conn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Batch sends requests in one datagram, in their order, with [nlmsg.FlagRequest] set. It
// waits for the answers of all requests that have [nlmsg.FlagAck]. It does not wait for the
// others, such as the messages that begin and end an nftables batch. If replies or errors
// of those are queued when the rest has been answered, they are delivered too. Each request
// has its answer in [Request.Err], [Request.Replies] and [Request.Warning]. Batch returns
// the first error of the requests. With nftables, a refusal undoes the whole batch; other
// subsystems handle each request separately. If the kernel refuses the batch as a whole
// (nfnetlink_rcv_batch), the requests with nlmsg.FlagAck that it did not handle have
// [ErrUnanswered].
//
// Batch enlarges the send and receive buffers where the system allows it. If the batch
// still does not fit, the requests are sent in several datagrams. Only nftables
// distinguishes these from one datagram: such a batch fails with [ErrBatchSize], and
// nothing is sent.
func (c *Conn) Batch(ctx context.Context, requests ...*Request) error {
	for i, r := range requests {
		if err := r.begin(); err != nil {
			for _, r := range requests[:i] {
				r.fail(fmt.Errorf("conn: %s: not sent: %w", r.op(), err))
				r.finish()
			}
			return fmt.Errorf("request %d of the batch: %w", i, err)
		}
		r.awaited = r.asksAck()
	}
	if len(requests) == 0 {
		return nil
	}
	x := batch{exchange: exchange{receiver: receiver{wait: wait{ctx: ctx, deadline: earliest(requests)}, c: c}}, all: requests}
	x.finish(x.run())
	x.handOver()
	var first error
	for i, r := range requests {
		r.conclude(c)
		if r.err != nil && first == nil {
			first = fmt.Errorf("request %d of the batch: %w", i, r.err)
		}
	}
	return first
}

// earliest returns the earliest deadline, the zero time if there is none.
func earliest(requests []*Request) (t time.Time) {
	for _, r := range requests {
		if !r.Deadline.IsZero() && (t.IsZero() || r.Deadline.Before(t)) {
			t = r.Deadline
		}
	}
	return t
}

// batch is the exchange of several requests.
type batch struct {
	exchange
	all  []*Request
	sent int // number of requests sent
}

// finish ends the use of the requests. Requests without an answer get err.
func (x *batch) finish(err error) {
	for _, r := range x.all {
		if err != nil && !r.answered {
			r.fail(fmt.Errorf("conn: %s: %w", r.op(), err))
		}
		r.finish()
	}
}

func (x *batch) run() error {
	if err := x.hold(forRequest); err != nil {
		return err
	}
	b := getDatagram()
	err := x.sendAll(b)
	putDatagram(b)
	x.drop(err == nil || errors.Is(err, ErrBatchSize))
	return err
}

// sendAll sends the requests in as few datagrams as possible. It assembles them in b.
func (x *batch) sendAll(b *[]byte) error {
	most, err := x.makeRoom()
	for err == nil && x.sent < len(x.all) {
		n := min(most, len(x.all)-x.sent)
		x.requests, x.awaiting, x.at = x.all[x.sent:x.sent+n], 0, 0
		*b = (*b)[:0]
		for _, r := range x.requests {
			*b = append(*b, r.B...)
			if r.awaited {
				x.awaiting++
			}
		}
		err = x.exchange.exchange(*b)
		switch {
		case err == nil:
			x.sent += n
			err = x.settle()
		case x.isSent || !errno.Is(err, errno.EMSGSIZE): // netlink_sendmsg returns EMSGSIZE before it sends
		case x.growSendBuffer(len(*b)):
			err = nil
		case n == 1 || x.isWhole():
			err = fmt.Errorf("%w: %d bytes: %w", ErrBatchSize, len(*b), err)
		default:
			most, err = n/2, nil
		}
	}
	return err
}

// settle receives queued errors and replies of requests that the batch does not wait for.
func (x *batch) settle() error {
	for {
		b, info, err := x.next(false)
		if err == socket.ErrEmpty {
			break
		}
		if _, err = x.handle(b, info, err); err != nil {
			return err
		}
	}
	if x.loss == nil {
		return nil
	}
	for _, r := range x.requests {
		if !r.answered {
			r.fail(r.lost(x.loss))
		}
	}
	x.loss = nil
	return nil
}

// The space that an answer takes in a receive buffer, as the kernel counts it: an
// acknowledgement with its sk_buff; a typical reply; a reply of 66 KB, such as that of a
// link with hundreds of names, for which Linux 6.1 allocates 128 KiB, with its
// acknowledgement.
const (
	ackSize   = 1 << 10
	replySize = 8 << 10
	largeSize = 130 << 10
)

// makeRoom makes the receive buffer large enough for large answers, where the system allows
// it: a larger limit takes no memory by itself. It returns the number of requests that may
// be sent at once. With a smaller buffer, that is the number of typical replies that fit.
func (x *batch) makeRoom() (most int, err error) {
	n, m := len(x.all), x.m
	if n == 1 {
		return n, nil // its answer fits into any buffer
	}
	if want := min(n*largeSize, 2*maxSocketBuffer); m.room < want && m.asked < want {
		m.asked = want
		m.room = growReceiveBuffer(m.t, want/2)
	}
	switch {
	case m.room == 0 || m.room >= n*largeSize:
		return n, nil // the size of the buffer is unknown, or sufficient
	case !x.isWhole():
		return min(n, max(1, m.room/largeSize, min(m.room/replySize, 64))), nil
	case m.room < n*ackSize:
		return 0, fmt.Errorf("%w: %d answers need a receive buffer of %d bytes, the socket has %d",
			ErrBatchSize, n, n*ackSize, m.room)
	}
	return n, nil
}

// isWhole reports whether the batch must be one datagram: nfnetlink combines the requests
// between two messages into a transaction (nfnetlink_rcv_batch).
func (x *batch) isWhole() bool {
	const batchBegin = nlmsg.MinType // NFNL_MSG_BATCH_BEGIN
	return hasProtocol(x.m.t, socket.Netfilter) && x.all[0].msg().Type() == batchBegin
}

// growSendBuffer reports whether the send buffer was enlarged for a datagram. The kernel
// doubles the size for its bookkeeping.
func (x *batch) growSendBuffer(size int) bool {
	s, ok := x.m.t.(sendBufferer)
	if !ok || size <= x.m.sendRoom || size > maxSocketBuffer {
		return false
	}
	x.m.sendRoom = size
	return s.SetSendBuffer(size) == nil
}

// datagrams keeps buffers for the datagrams of batches for reuse. All Conns share it.
var datagrams sync.Pool

func getDatagram() *[]byte {
	if b, ok := datagrams.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

// putDatagram returns a buffer to datagrams, unless it is larger than DefaultBuffer.
func putDatagram(b *[]byte) {
	if cap(*b) <= DefaultBuffer {
		datagrams.Put(b)
	}
}
