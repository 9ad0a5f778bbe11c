package conn

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Interrupted says what a dump does when the kernel marks it as inconsistent
// (NLM_F_DUMP_INTR, on any of its messages or only on the last). The zero value
// is [Fail].
type Interrupted struct {
	accept  *bool
	retries int
	again   func()
}

// Fail delivers the messages and ends with [ErrInterrupted].
func Fail() Interrupted { return Interrupted{} }

// Accept delivers the messages, ends without an error, and sets *interrupted to true if the
// list was inconsistent.
func Accept(interrupted *bool) Interrupted {
	if interrupted == nil {
		interrupted = new(bool)
	}
	return Interrupted{accept: interrupted}
}

// Retry starts over, up to n times, after calling again: the messages delivered so
// far are to be dropped. When the last attempt is interrupted too, it fails.
func Retry(n int, again func()) Interrupted { return Interrupted{retries: n, again: again} }

// Dump sends a request for a list, with [nlmsg.FlagRequest] and [nlmsg.FlagDump] set, and ranges
// over the messages of the answer. A message is good until the next step; Clone keeps
// it. At most one of on says what to do about an inconsistent list. An error comes last,
// with a nil message: an [*Error], a [*LossError], [ErrInterrupted], or that of ctx. The
// memory it takes does not depend on the length of the list, unless another exchange needs
// the Transport: then up to WithQueue is kept.
//
// The list ends with the first of these:
//
//   - the end of the dump, with or without an error (netlink_dump_done), or an error
//     instead of a list (netlink_ack); further errors are discarded;
//   - a reply that is not marked [nlmsg.FlagMulti] (nf_tables_getgen), if the request does
//     not have [nlmsg.FlagAck];
//   - the acknowledgement, if the request has nlmsg.FlagAck: after the messages of a family
//     that handles the dump as a single request, or before any, when the list is empty;
//   - nothing more to come, as for [Conn.Do]: a list without its end is complete, and
//     without any message it is [ErrUnanswered]: rtnetlink and nfnetlink ignore a
//     request that is shorter than their fixed header.
//
// Where replies come after the send (NETLINK_AUDIT, Transports that say so, or
// [WithLateReplies]) an acknowledgement before any message is ignored and the last rule
// does not apply: the list ends with its end, or with ctx.
//
// A message with sequence number 0 and port ID 0 belongs to the list if the kernel sent
// it to this socket, which is in no group, and its type is that of the request: so
// drivers/thermal replies (thermal_genl_cmd_dumpit).
//
// The body of the loop may use the Conn, see [WithLimit]. It may take its time: the
// kernel waits for it, and no other exchange does. Leaving the loop early costs a
// Transport, which is closed; where there is only one, the next exchange reads the rest.
//
// A dump of links over the size of a datagram without IFLA_EXT_MASK ends with its end and
// lacks links: that is the kernel's answer (rtnl_dump_ifinfo).
func (c *Conn) Dump(ctx context.Context, r *Request, on ...Interrupted) iter.Seq2[nlmsg.Msg, error] {
	return func(yield func(nlmsg.Msg, error) bool) {
		if err := r.begin(); err != nil {
			yield(nil, err)
			return
		}
		d := &dump{receiver: receiver{wait: wait{ctx: ctx, deadline: r.Deadline}, c: c}, r: r}
		if len(on) > 0 {
			d.Interrupted = on[0]
		}
		defer d.finish()
		err := error(errManyPolicies)
		if len(on) < 2 {
			err = d.run(yield)
		}
		r.err = err
		if err != nil && !d.left {
			d.finish()
			yield(nil, err)
		}
	}
}

// dump is one range over a list. The body of the loop is not in it, but passed from
// function to function: in a struct that outlives the loop the compiler would have it,
// and its captures, on the heap.
type dump struct {
	receiver
	Interrupted
	ending
	r          *Request
	isFinished bool

	left        bool // the loop was left
	interrupted bool // this attempt is

	// Guarded by pool.mu. The member is nil once another exchange has taken it over.
	taken     chan struct{} // closed when another exchange has read, or given up
	abandoned bool          // the loop was left meanwhile
	parked    ending        // as it was before the datagram that the loop has
	backlog   []datagram    // what that has read
	restLoss  error         // the loss that it met then
}

// datagram is one of the rest of a dump that was read into memory.
type datagram struct {
	b    []byte
	info socket.Info
}

// finish ends the use of the request.
func (d *dump) finish() {
	if !d.isFinished {
		d.isFinished = true
		d.r.finish()
	}
}

func (d *dump) run(yield func(nlmsg.Msg, error) bool) error {
	d.r.msg().SetFlags(d.r.msg().Flags() | nlmsg.FlagDump)
	for {
		d.interrupted, d.loss, d.barrier, d.restLoss, d.backlog = false, nil, 0, nil, nil
		d.ending = ending{}
		d.r.reset()
		err := d.attempt(yield)
		if d.strays != nil {
			d.handOver()
		}
		if !d.left {
			d.r.conclude(d.c)
		}
		switch {
		case err == nil:
			err = d.r.err
		case !isLoss(err):
			err = fmt.Errorf("conn: %s: %w", d.r.op(), err)
		}
		switch {
		case d.left || !d.interrupted || err != nil && d.retries == 0:
			return err
		case d.retries > 0 && err == nil:
			d.retries--
			if d.again != nil {
				d.again()
			}
			continue
		case err != nil:
			return err
		case d.accept != nil:
			*d.accept = true
			return nil
		}
		return fmt.Errorf("conn: %s: %w", d.r.op(), ErrInterrupted)
	}
}

// attempt asks once.
func (d *dump) attempt(yield func(nlmsg.Msg, error) bool) error {
	if err := d.hold(forDump); err != nil {
		return err
	}
	isClean := false
	defer func() { d.leave(isClean) }() // also when the body of the loop panics
	if d.r.seq = d.r.Seq; d.r.seq == 0 {
		d.r.seq = d.m.nextSeq()
	}
	d.r.msg().SetSeq(d.r.seq)
	if err := d.m.t.Send(d.r.B); err != nil {
		return err
	}
	req := d.r.msg()
	d.ending = ending{seq: req.Seq(), typ: req.Type(), flags: req.Flags(), t: d.m.t, portID: d.m.t.PortID(), isLate: d.c.late}
	for {
		b, info, err := d.nextDatagram()
		if err == nil || len(b) > 0 {
			if err := d.deliver(b, info, yield); err != nil {
				return err
			}
			if d.isOver || d.left {
				break
			}
		}
		if err != nil {
			return err
		}
	}
	isClean = d.isOver && d.loss == nil
	return nil
}

// nextDatagram returns the next datagram, from the member or from what another exchange
// has read of it. nil without an error says that nothing more follows.
func (d *dump) nextDatagram() (b []byte, info socket.Info, err error) {
	if err := d.c.pool.resume(d); err != nil {
		return nil, info, err
	}
	if err := d.expired(); err != nil {
		return nil, info, err
	}
	if len(d.backlog) > 0 {
		first := d.backlog[0]
		d.backlog = d.backlog[1:]
		return first.b, first.info, nil
	}
	if d.m == nil {
		d.isOver = true
		if d.restLoss != nil {
			return nil, info, d.r.lost(d.restLoss)
		}
		return nil, info, nil
	}
	b, info, err = d.fetch(&d.ending)
	switch {
	case err == errLost:
		return b, info, d.r.lost(d.loss) // with what is whole of a truncated datagram
	case err != errOver:
		return b, info, err
	case !d.hasMessages:
		err = ErrUnanswered
	default:
		err = nil
	}
	d.isOver = true
	return nil, info, err
}

// What ends a dump without a message.
var (
	errOver = errors.New("conn: nothing more follows")
	errLost = errors.New("conn: lost") // the receiver has the reason
)

// fetch returns the next datagram of a dump from its member.
func (x *receiver) fetch(e *ending) (b []byte, info socket.Info, err error) {
	for block := false; ; {
		b, info, err := x.next(block)
		block = false
		switch {
		case errors.Is(err, socket.ErrTruncated):
			x.loss = socket.ErrTruncated
			return whole(b), info, errLost
		case err != socket.ErrEmpty:
			if m, _ := nlmsg.Consume(b); err == nil && x.isBarrier(m) {
				return nil, info, errOver
			}
			return b, info, err
		case x.loss != nil:
			return nil, info, errLost
		case x.barrier != 0 || e.isLate:
			block = true
		default:
			if err := x.sendBarrier(func(seq uint32) bool { return seq == e.seq }); err != nil {
				return nil, info, err
			}
		}
	}
}

// whole returns the messages of a truncated datagram that are complete.
func whole(b []byte) []byte {
	for rest := b; ; {
		_, n := nlmsg.Consume(rest)
		if n < 0 {
			return b[:len(b)-len(rest)]
		}
		rest = rest[n:]
	}
}

// deliver gives the loop the messages of a datagram.
func (d *dump) deliver(b []byte, info socket.Info, yield func(nlmsg.Msg, error) bool) error {
	if len(b) == 0 {
		if !d.isOver {
			d.c.stats.malformed.Add(1)
		}
		return nil
	}
	isOwn, isParked := false, false
	for rest := b; len(rest) > 0; {
		m, n := nlmsg.Consume(rest)
		if n < 0 {
			d.c.stats.malformed.Add(1)
			if !d.isOver && (isOwn || len(rest) == len(b)) {
				return fmt.Errorf("malformed reply: %w", nlmsg.ParseError(n))
			}
			break
		}
		rest = rest[n:]
		isOwn = !d.isOver && d.owns(m, info)
		switch {
		case m.Type() == nlmsg.TypeOverrun && !d.isOver:
			d.c.stats.lost.Add(1)
			d.missed(ErrOverrun)
			return d.r.lost(ErrOverrun)
		case !isOwn:
			d.unmatched(m, info)
			continue
		case !isParked: // not before: a subscription's loop could overtake its notifications
			d.c.pool.park(d, b, info)
			isParked = true
		}
		if d.deliverOne(m, yield); d.left {
			return nil
		}
	}
	if d.strays != nil {
		if !isParked {
			d.c.pool.park(d, b, info) // the hook may use the Conn
		}
		d.handOver()
	}
	return nil
}

// deliverOne gives the loop a message.
func (d *dump) deliverOne(m nlmsg.Msg, yield func(nlmsg.Msg, error) bool) {
	if m.Flags()&nlmsg.FlagDumpIntr != 0 && m.Type() != nlmsg.TypeError && !d.interrupted {
		d.interrupted = true
		d.c.stats.interrupted.Add(1)
	}
	isOver := d.ends(m)
	switch m.Type() {
	case nlmsg.TypeError, nlmsg.TypeDone:
		if isOver {
			d.r.end(m)
		}
		return
	case nlmsg.TypeNoop:
		return
	}
	if d.interrupted && d.retries > 0 {
		return // it will be delivered again
	}
	d.left = !yield(m, nil)
}

// leave returns the member, unless another exchange has it.
func (d *dump) leave(isClean bool) {
	if d.c.pool.leave(d) {
		d.c.pool.release(d.m, isClean)
	}
	d.rest()
}
