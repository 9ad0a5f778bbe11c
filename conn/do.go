package conn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Do sends a request, with [nlmsg.FlagRequest] set, and waits for the end of its answer.
// The first of these events ends the answer:
//
//   - an error, or, if the request has [nlmsg.FlagAck], the acknowledgement (netlink_ack);
//   - without nlmsg.FlagAck: a reply that is not marked [nlmsg.FlagMulti] (genlmsg_reply),
//     or, with [nlmsg.FlagEcho], the notification of the request's own change
//     (nlmsg_notify);
//   - the end of a reply of several parts, or of a dump (netlink_dump_done);
//   - an empty queue. If no datagram is queued after the send, Do requests the
//     acknowledgement of an empty message; all replies arrive before it. A reply marked
//     nlmsg.FlagMulti without a following end (ctnetlink_get_ct) is then complete. A
//     request without a reply is done, for example a change without nlmsg.FlagAck. A
//     request with nlmsg.FlagAck that was not acknowledged fails with [ErrUnanswered].
//
// The last rule does not apply where replies arrive after the send: for NETLINK_AUDIT, for
// Transports that report it (RepliesLate), and with [WithLateReplies]. Do then waits as
// long as ctx and Request.Deadline allow.
//
// Do can also request a list that fits into [WithQueue]; [Conn.Dump] is intended for lists.
// If the kernel marked the list as inconsistent, the error is [ErrInterrupted] and
// Request.Replies has the list.
//
// Do returns the first reply, or nil if there was none; [Request.Replies] has all of them.
// A refusal is an [*Error]. If ctx ends first, its error is returned, although the kernel
// has handled the request, because it does so within the send. For the same reason Do takes
// at least as long as the kernel, which no context can interrupt. Other exchanges do not
// wait for it if they have other Transports (WithLimit).
//
// nfnetlink and rtnetlink ignore a request that is shorter than their fixed header, and
// acknowledge it if it has nlmsg.FlagAck. Success means nothing in this case.
func (c *Conn) Do(ctx context.Context, r *Request) (nlmsg.Msg, error) {
	if err := r.begin(); err != nil {
		return nil, err
	}
	defer r.finish()
	x := exchange{receiver: receiver{wait: wait{ctx: ctx, deadline: r.Deadline}, c: c}, requests: r.self[:], awaiting: 1}
	err := x.hold(forRequest)
	if err == nil {
		err = x.exchange(r.B)
		x.drop(err == nil) // later messages have another sequence number
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

// exchange is one request, or a batch of requests, with the member that it holds.
type exchange struct {
	receiver
	requests []*Request
	portID   uint32
	awaiting int // number of requests without a complete answer
	at       int // index at which find starts
	isSent   bool
}

// exchange sends b, which contains the requests, and receives the answers. Its error
// applies to all requests without an answer.
//
// The first receive is part of this function, because most requests need only one. The
// system call leaves the return-address predictor cold, so that every function that returns
// after it costs extra time.
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

// handle processes the result of a receive. block reports whether the next receive should
// wait.
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

// quiet decides how to continue if nothing is queued and an answer is incomplete.
func (x *exchange) quiet() (block bool, err error) {
	switch {
	case x.loss != nil:
		loss := x.loss
		x.failAll(func(r *Request) error { return r.lost(loss) })
		x.loss = nil // the queue is empty: the member is clean and its buffer was enlarged
	case x.barrier != 0 || x.c.late:
		return true, nil
	default:
		return false, x.sendBarrier(x.uses)
	}
	return false, nil
}

// number writes the sequence numbers of the requests into the messages of a datagram.
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

// uses reports whether a request has the sequence number seq.
func (x *exchange) uses(seq uint32) bool {
	return slices.ContainsFunc(x.requests, func(r *Request) bool { return r.seq == seq })
}

// find returns the request that a message answers, nil if there is none. A reply carries
// the port ID of the requester; some subsystems leave it 0 (audit_make_reply). The
// notification of a change carries the numbers of the request that caused it, and arrives
// from the group too (nlmsg_notify). It is an answer only if the request has FlagEcho.
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

// deliver processes the messages of a datagram. It returns the request of the last one.
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

// take processes one message and returns the request that it answers.
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

// count updates the number of incomplete answers after a message for r.
func (x *exchange) count(r *Request) {
	if r.answered && r.awaited {
		r.awaited = false
		x.awaiting--
	}
}

// blame fails the requests to which an unreadable or lost part of a datagram may belong.
// The kernel builds each datagram for one request, so this is the request of the preceding
// message. Without a preceding message it may be any request.
func (x *exchange) blame(isAny bool, last *Request, reason func(*Request) error) {
	switch {
	case isAny:
		x.failAll(reason)
	case last != nil && !last.answered:
		last.fail(reason(last))
		x.count(last)
	}
}

// truncated processes the complete messages of a truncated datagram.
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

// failAll ends every request that the exchange waits for.
func (x *exchange) failAll(reason func(*Request) error) {
	for _, r := range x.requests {
		if r.awaited && !r.answered {
			r.fail(reason(r))
			x.count(r)
		}
	}
}
