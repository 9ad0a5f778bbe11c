package conn

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Interrupted determines how a dump handles an inconsistent list (NLM_F_DUMP_INTR, on any
// of its messages or only on the last). The zero value is [Fail].
type Interrupted struct {
	accept  *bool
	retries int
	again   func()
}

// Fail delivers the messages. Dump returns [ErrInterrupted] at the end.
func Fail() Interrupted { return Interrupted{} }

// Accept delivers the messages and ends without an error. It sets *interrupted to true if
// the list was inconsistent.
func Accept(interrupted *bool) Interrupted {
	if interrupted == nil {
		interrupted = new(bool)
	}
	return Interrupted{accept: interrupted}
}

// Retry repeats an inconsistent dump, up to n times. Before each repetition it calls the
// function again, in which the caller discards the messages delivered so far. If the last
// attempt is inconsistent too, Dump returns [ErrInterrupted].
func Retry(n int, again func()) Interrupted { return Interrupted{retries: n, again: again} }

// Dump sends a request for a list, with [nlmsg.FlagRequest] and [nlmsg.FlagDump] set, and
// ranges over the messages of the answer. A message is valid until the next step; Clone
// keeps it. The optional argument determines how Dump handles an inconsistent list; at most
// one is allowed. An error is the last value and has a nil message: an [*Error], a
// [*LossError], [ErrInterrupted], or the error of ctx. The memory that Dump needs does not
// depend on the length of the list, unless another exchange needs the Transport: then up to
// WithQueue bytes are kept.
//
// The first of these events ends the list:
//
//   - the end of the dump, with or without an error (netlink_dump_done), or an error
//     instead of a list (netlink_ack); further errors are discarded;
//   - without nlmsg.FlagAck: a reply that is not marked [nlmsg.FlagMulti]
//     (nf_tables_getgen);
//   - with [nlmsg.FlagAck]: the acknowledgement. It follows the messages of a family that
//     handles the dump as a single request; for an empty list it is the only message;
//   - an empty queue, as for [Conn.Do]. A list without its end is complete. If no message
//     arrived at all, the error is [ErrUnanswered]: rtnetlink and nfnetlink ignore a
//     request that is shorter than their fixed header.
//
// Where replies arrive after the send (see [Conn.Do]), an acknowledgement before any
// message is ignored and the last rule does not apply: the list ends with its end, or with
// ctx.
//
// A message with sequence number 0 and port ID 0 belongs to the list if three conditions
// hold: the kernel sent it to this socket, the socket is in no group, and the type of the
// message is that of the request. drivers/thermal replies this way
// (thermal_genl_cmd_dumpit).
//
// The body of the loop may use the Conn, see [WithLimit]. It may take any time: the kernel
// waits for it, and no other exchange does. Leaving the loop early closes the Transport. If
// there is only one Transport, the next exchange reads the rest of the list instead.
//
// A dump of links without IFLA_EXT_MASK that exceeds the size of a datagram ends normally
// but lacks links: this is the kernel's answer (rtnl_dump_ifinfo).
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

// dump is one range over a list. The body of the loop is passed from function to function
// instead of stored here: a struct that outlives the loop would move the body and its
// captures to the heap.
type dump struct {
	receiver
	Interrupted
	ending
	r          *Request
	isFinished bool

	left        bool // the loop was left
	interrupted bool // this attempt is inconsistent

	// Guarded by pool.mu. receiver.m is nil after another exchange has taken the member
	// over. See spill.go for the states.
	taken     chan struct{} // set while another exchange reads the rest; closed when it ends
	abandoned bool          // the loop was left while taken was set
	parked    ending        // the ending before the datagram that the loop processes
	backlog   []datagram    // the rest that another exchange has read
	restLoss  error         // the loss that occurred while it was read
}

// datagram is a datagram of the rest of a dump, kept in memory.
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

// attempt runs one exchange for the list.
func (d *dump) attempt(yield func(nlmsg.Msg, error) bool) error {
	if err := d.hold(forDump); err != nil {
		return err
	}
	isClean := false
	defer func() { d.leave(isClean) }() // also if the body of the loop panics
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

// nextDatagram returns the next datagram, from the member or from the backlog. It returns
// nil without an error if nothing more follows.
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
		return b, info, d.r.lost(d.loss) // with the complete messages of a truncated datagram
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

// The results of fetch that end a dump without a message.
var (
	errOver = errors.New("conn: nothing more follows")
	errLost = errors.New("conn: lost") // receiver.loss has the reason
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

// whole returns the complete messages of a truncated datagram.
func whole(b []byte) []byte {
	for rest := b; ; {
		_, n := nlmsg.Consume(rest)
		if n < 0 {
			return b[:len(b)-len(rest)]
		}
		rest = rest[n:]
	}
}

// deliver passes the messages of a datagram to the loop.
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
		case !isParked: // not earlier: the loop of a subscription could overtake its notifications
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

// deliverOne passes a message to the loop.
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
		return // the next attempt delivers it again
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
