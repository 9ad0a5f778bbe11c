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

// Batch sends requests, with [nlmsg.FlagRequest] set, in one datagram and in their order,
// and waits for all that have [nlmsg.FlagAck]; the others, such as the messages that begin
// and end an nftables batch, are not waited for, but what is queued for them when the
// rest has been answered is theirs too: replies, and errors. Each request has its answer
// in [Request.Err], [Request.Replies] and [Request.Warning]. The error is the first of
// theirs. With nftables a refusal undoes all of the batch; other subsystems handle each
// request by itself. A request with nlmsg.FlagAck that the kernel did not get to, as it
// refused the batch as a whole (nfnetlink_rcv_batch), has [ErrUnanswered].
//
// The send and the receive buffer are made large enough, where the system allows it. For
// a batch that does not fit all the same the requests are sent in several datagrams,
// which makes no difference but for nftables: there the batch fails with
// [ErrBatchSize], and nothing is sent.
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

// earliest returns the first of the deadlines, the zero time if there are none.
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
	sent int // how many of all were sent
}

// finish ends the use of the requests. One that was not answered has err.
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

// sendAll sends the requests in as few datagrams as there must be, which it makes in b.
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
		case x.isSent || !errno.Is(err, errno.EMSGSIZE): // which netlink_sendmsg returns before it sends
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

// settle takes what is queued: errors and replies for requests that are not waited for.
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

// What an answer takes of a receive buffer as the kernel counts it: an acknowledgement
// with its sk_buff, most replies, and one of 66 KB, such as that of a link with hundreds
// of names.
const (
	ackSize   = 1 << 10
	replySize = 8 << 10
	largeSize = 128 << 10
)

// makeRoom makes the receive buffer large enough for large answers, where the system lets
// it: a larger limit takes no memory by itself. It returns how many requests may be sent
// at once; with less room that is what holds most replies.
func (x *batch) makeRoom() (most int, err error) {
	n, m := len(x.all), x.m
	const few = 2 // answers fit into any buffer, whatever their size
	if n <= few {
		return n, nil
	}
	if want := min(n*largeSize, 2*maxSocketBuffer); m.room < want && m.asked < want {
		m.asked = want
		m.room = growReceiveBuffer(m.t, want/2)
	}
	switch {
	case m.room == 0 || m.room >= n*largeSize:
		return n, nil // in the first case its size is unknown
	case !x.isWhole():
		return min(n, max(1, m.room/largeSize, min(m.room/replySize, 64))), nil
	case m.room < n*ackSize:
		return 0, fmt.Errorf("%w: %d answers need a receive buffer of %d bytes, it has %d",
			ErrBatchSize, n, n*ackSize, m.room)
	}
	return n, nil
}

// isWhole reports whether the batch must be one datagram: nfnetlink collects the
// requests between two messages into a transaction (nfnetlink_rcv_batch).
func (x *batch) isWhole() bool {
	const batchBegin = nlmsg.MinType // NFNL_MSG_BATCH_BEGIN
	return hasProtocol(x.m.t, socket.Netfilter) && x.all[0].msg().Type() == batchBegin
}

// growSendBuffer reports whether the send buffer was grown for a datagram. It takes as
// much again for the kernel's bookkeeping.
func (x *batch) growSendBuffer(size int) bool {
	s, ok := x.m.t.(sendBufferer)
	if !ok || size <= x.m.sendRoom || size > maxSocketBuffer {
		return false
	}
	x.m.sendRoom = size
	return s.SetSendBuffer(size) == nil
}

// datagrams keeps those of batches for the next use, for all Conns as buffers does.
var datagrams sync.Pool

func getDatagram() *[]byte {
	if b, ok := datagrams.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

// putDatagram drops one that is too large to be kept.
func putDatagram(b *[]byte) {
	if cap(*b) <= DefaultBuffer {
		datagrams.Put(b)
	}
}
