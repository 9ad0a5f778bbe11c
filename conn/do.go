package conn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Do sends a request, with [nlmsg.FlagRequest] set, and waits for the end of its answer,
// which is the first of these:
//
//   - an error, or, if the request has [nlmsg.FlagAck], its acknowledgement (netlink_ack);
//   - without nlmsg.FlagAck, a reply that is not marked [nlmsg.FlagMulti] (genlmsg_reply), or the
//     notification of the request's own change, if it has [nlmsg.FlagEcho] (nlmsg_notify);
//   - the end of a reply of several parts, or of a dump (netlink_dump_done);
//   - nothing more to come: when no datagram is queued after the send, Do has the kernel
//     acknowledge an empty message, ahead of which all replies are. So a reply marked
//     nlmsg.FlagMulti that no end follows (ctnetlink_get_ct) is complete, and a request
//     that has no reply, as many changes without nlmsg.FlagAck, is done. A request with
//     nlmsg.FlagAck that was not acknowledged is [ErrUnanswered] then.
//
// Where replies come after the send (NETLINK_AUDIT, Transports that say so, or
// [WithLateReplies]) the last rule does not apply: Do waits as long as ctx and
// Request.Deadline allow.
//
// A list, which Dump is for, may be requested too, if it fits into [WithQueue]; one that the
// kernel marked as inconsistent is [ErrInterrupted], and Request.Replies has it.
//
// It returns the first reply, nil if there was none; see [Request.Replies] for all of
// them. A refusal is an [*Error]. When ctx ends first, its error is returned; the kernel
// has handled the request all the same, since it does so within the send. That also
// means that Do takes at least as long as the kernel, which no context can interrupt;
// other exchanges do not wait for it if they have other Transports (WithLimit).
//
// nfnetlink and rtnetlink ignore a request that is shorter than their fixed header, and
// acknowledge it if it has nlmsg.FlagAck: success then means nothing.
func (c *Conn) Do(ctx context.Context, r *Request) (nlmsg.Msg, error) {
	if err := r.begin(); err != nil {
		return nil, err
	}
	defer r.finish()
	x := exchange{receiver: receiver{wait: wait{ctx: ctx, deadline: r.Deadline}, c: c}, requests: r.self[:], awaiting: 1}
	err := x.hold(forRequest)
	if err == nil {
		err = x.exchange(r.B)
		x.drop(err == nil) // what may still arrive has another number
	}
	if err != nil {
		r.fail(fmt.Errorf("conn: %s: %w", r.op(), err))
	}
	if x.strays != nil {
		x.handOver()
	}
	if r.ended || r.interrupted {
		r.conclude(c)
	}
	if r.err != nil {
		return nil, r.err
	}
	return r.Reply(), nil
}

// exchange is a request, or a batch of them, on the member that it holds.
type exchange struct {
	receiver
	requests []*Request
	portID   uint32
	awaiting int // requests whose answer is not complete
	at       int // where find looks first
	isSent   bool
}

// exchange sends b, which holds the requests, and takes the answers. Its error is that of
// all requests that have no answer.
//
// The first receive stands here, as it is the only one for most requests: the kernel
// leaves the processor's return-address predictor cold, so that each function that has
// called a system call costs 10 to 20 ns when it returns.
func (x *exchange) exchange(b []byte) error {
	x.number(b)
	x.barrier = 0
	m := x.m
	var (
		n    int
		info socket.Info
		sent bool
		err  error
	)
	if m.fast != nil {
		n, info, sent, err = m.fast.TryRoundTrip(b, x.buf)
	} else if err = m.t.Send(b); err == nil {
		sent = true
		n, info, err = m.t.TryReceive(x.buf)
	}
	if x.isSent = sent; !sent {
		return err
	}
	x.portID = m.t.PortID()
	datagram := x.buf[:n]
	if err != nil || info.PortID != 0 {
		datagram, info, err = x.judge(false, n, info, err)
	}
	for {
		block, failure := x.handle(datagram, info, err)
		if failure != nil || x.awaiting <= 0 {
			return failure
		}
		datagram, info, err = x.next(block)
	}
}

// handle takes what was received, and decides how to go on: whether to wait for the next
// datagram.
func (x *exchange) handle(b []byte, info socket.Info, err error) (block bool, _ error) {
	switch {
	case err == nil:
		x.deliver(b, info)
		return false, nil
	case err == socket.ErrEmpty && x.awaiting > 0:
		return x.quiet()
	case err == socket.ErrEmpty:
		return false, nil
	case errors.Is(err, socket.ErrTruncated):
		x.truncated(b, info)
		return false, nil
	}
	return false, err
}

// quiet decides what to do when nothing is queued and an answer is not complete.
func (x *exchange) quiet() (block bool, err error) {
	switch {
	case x.loss != nil:
		loss := x.loss
		x.failAll(func(r *Request) error { return r.lost(loss) })
		x.loss = nil // the queue is empty: the member is clean, and has a larger buffer now
	case x.barrier != 0 || x.c.late:
		return true, nil
	default:
		return false, x.sendBarrier(x.uses)
	}
	return false, nil
}

// number gives the messages of a datagram their sequence numbers.
func (x *exchange) number(b []byte) {
	hasChosen := false
	for _, r := range x.requests {
		r.seq = r.Seq
		hasChosen = hasChosen || r.Seq != 0
	}
	for _, r := range x.requests {
		m, n := nlmsg.Consume(b)
		if r.seq == 0 {
			seq := x.m.nextSeq()
			for hasChosen && x.uses(seq) {
				seq = x.m.nextSeq()
			}
			r.seq = seq
		}
		m.SetSeq(r.seq)
		b = b[n:]
	}
}

// uses reports whether a request has a sequence number.
func (x *exchange) uses(seq uint32) bool {
	return slices.ContainsFunc(x.requests, func(r *Request) bool { return r.seq == seq })
}

// find returns the request that a message answers, nil if it answers none. A reply
// carries the port ID of its requester; some subsystems leave it 0 (audit_make_reply).
// The notification of a change carries the numbers of the request that made it; it is
// an answer only to a request for its echo, which then comes from the group too
// (nlmsg_notify).
func (x *exchange) find(m nlmsg.Msg, info socket.Info) *Request {
	if port := m.PortID(); port != x.portID && port != 0 {
		return nil
	}
	seq := m.Seq()
	for i := range x.requests {
		if i += x.at; i >= len(x.requests) {
			i -= len(x.requests)
		}
		if r := x.requests[i]; r.seq == seq {
			if isMulticast(info) && r.msg().Flags()&nlmsg.FlagEcho == 0 {
				return nil
			}
			x.at = i
			return r
		}
	}
	return nil
}

// deliver takes the messages of a datagram, and returns the request of the last one.
func (x *exchange) deliver(b []byte, info socket.Info) (last *Request) {
	if len(b) == 0 {
		x.c.stats.malformed.Add(1)
	}
	for rest := b; len(rest) > 0; {
		m, n := nlmsg.Consume(rest)
		if n < 0 {
			x.c.stats.malformed.Add(1)
			x.blame(len(rest) == len(b), last, func(r *Request) error {
				return fmt.Errorf("conn: %s: malformed reply: %w", r.op(), nlmsg.ParseError(n))
			})
			break
		}
		last = x.take(m, info)
		rest = rest[n:]
	}
	return last
}

// take takes one message, and returns the request that it was for.
func (x *exchange) take(m nlmsg.Msg, info socket.Info) *Request {
	r := x.find(m, info)
	switch {
	case m.Type() == nlmsg.TypeOverrun:
		x.c.stats.lost.Add(1)
		x.missed(ErrOverrun)
		x.blame(r == nil, r, func(r *Request) error { return r.lost(ErrOverrun) })
	case r == nil && x.isBarrier(m):
		x.failAll((*Request).unanswered)
	case r == nil || r.answered:
		x.unmatched(m, info)
	default:
		r.take(m, x.c.conf.queue)
		x.count(r)
	}
	return r
}

// count notes that the answer to r may be complete.
func (x *exchange) count(r *Request) {
	if r.answered && r.awaited {
		r.awaited = false
		x.awaiting--
	}
}

// blame fails the requests that an unreadable or lost part of a datagram may have been
// for: the kernel builds a datagram for one, so that is the request of the message
// before it, or, without one, any of them.
func (x *exchange) blame(isAny bool, last *Request, reason func(*Request) error) {
	switch {
	case isAny:
		x.failAll(reason)
	case last != nil && !last.answered:
		last.fail(reason(last))
		x.count(last)
	}
}

// truncated takes the whole messages of a datagram that did not fit.
func (x *exchange) truncated(b []byte, info socket.Info) {
	var last *Request
	complete := whole(b)
	if len(complete) > 0 {
		last = x.deliver(complete, info)
	}
	if cut := b[len(complete):]; len(cut) >= nlmsg.HeaderLen {
		last = x.find(nlmsg.Msg(cut), info)
	}
	x.loss = socket.ErrTruncated
	x.blame(len(b) < nlmsg.HeaderLen, last, func(r *Request) error { return r.lost(socket.ErrTruncated) })
}

// failAll ends every request that is waited for.
func (x *exchange) failAll(reason func(*Request) error) {
	for _, r := range x.requests {
		if r.awaited && !r.answered {
			r.fail(reason(r))
			x.count(r)
		}
	}
}
