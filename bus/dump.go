package bus

import (
	"errors"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The sizes of a dump's datagrams (netlink_dump): the first has goodSize bytes, later ones
// the length of the longest receive buffer so far, up to maxDumpSize.
const (
	goodSize    = 4096 - sharedInfo      // NLMSG_GOODSIZE
	maxDumpSize = 32<<10 - sharedInfo    // SKB_WITH_OVERHEAD(32768)
	doneSize    = nlmsg.HeaderLen + 4    // a Done without an extended ACK
	unfinished  = errno.Errno(1<<32 - 1) // not an errno that a handler can return
)

// ErrMore is returned by a DumpFunc that has completed messages and has more for the next
// datagram. If this datagram contains no message, ErrMore ends the dump, as a returned
// skb->len of 0 does in the kernel.
var ErrMore = errors.New("bus: more to dump")

// Dump is a running dump, as its handlers receive it (struct netlink_callback). It is valid
// until DoneFunc returns.
//
// The bus calls the operation's Dump once for each datagram. The handler adds messages with
// Begin and End until End returns EMSGSIZE. The handler returns that error, and adds the
// same message again in the next call. Nil ends the dump; [ErrMore] requests another call;
// any other error ends the dump with its errno in the Done.
type Dump struct {
	// Info is the request; its Msg is a copy. Reply, Notify and Multicast send messages
	// from Info.Begin and reject those from Dump.Begin.
	Info

	// Args contains the position of the handler between calls; it is zero at the start
	// (cb->args).
	Args [6]int
	// Generation is the generation of the listed objects (cb->seq). A message or Done gets
	// nlmsg.FlagDumpIntr if its Generation differs from that of the preceding message; 0 is
	// not compared (nl_dump_check_consistent).
	Generation uint32
	// AnswerFlags are added to the flags of the Done, for example nlmsg.FlagDumpFiltered
	// (cb->answer_flags).
	AnswerFlags nlmsg.Flags
	// StrictCheck is the option socket.StrictCheck of the requester's port when the dump
	// started.
	StrictCheck bool

	op       *operation
	end      errno.Errno // result of the last step, or unfinished
	previous uint32      // Generation of the preceding message
	request  []byte      // the copy of the request, reused by the next dump
	slots    []uint32    // of the attributes
	out      []byte      // the datagram
	room     int         // its maximum size
}

// Begin starts a message of the dump: the headers, and zeros for the family's own header
// (genlmsg_put). The handler appends attributes and passes the buffer to End. A message
// without End is not part of the dump. The buffer starts with the preceding messages of the
// datagram. flags is nlmsg.FlagMulti, except that netdev of Linux 6.18 sets no flags.
func (d *Dump) Begin(flags nlmsg.Flags, cmd uint8) []byte {
	d.begun = false // Reply, Notify and Multicast must not send the datagram
	return d.on.begin(d.out, d.Family, flags, d.Seq, d.PortID, cmd)
}

// End completes a message from Begin (genlmsg_end). The error is EMSGSIZE if the message
// does not fit into the datagram: it is then not part of it, and the handler returns the
// error and starts with this message in the next call. The error is EINVAL if b is not from
// Begin or was already completed.
func (d *Dump) End(b []byte) error {
	mark := len(d.out)
	if len(b) < mark+nlmsg.HeaderLen {
		return errNotBegun
	}
	b = nlmsg.End(b, mark)
	if len(b) > d.room {
		d.out = b[:mark] // keep the grown buffer
		return errno.EMSGSIZE
	}
	d.checkConsistent(nlmsg.Msg(b[mark:]))
	d.out = b
	return nil
}

func (d *Dump) checkConsistent(m nlmsg.Msg) {
	if d.previous != 0 && d.Generation != d.previous {
		m.SetFlags(m.Flags() | nlmsg.FlagDumpIntr)
	}
	d.previous = d.Generation
}

// startDump starts a dump on the requester's port and sends its first datagram
// (__netlink_dump_start, genl_start). EINTR means that the dump has started.
func (b *Bus) startDump(c *call, op *operation) error {
	p := c.info.port
	p.dumpMu.Lock()
	defer p.dumpMu.Unlock()
	if p.isDumping() {
		return errno.EBUSY
	}
	d := &p.dump
	d.copyRequest(&c.info, op)
	var err error
	d.Attrs, d.slots, err = d.parse(d.slots, op, DontValidateDumpStrict)
	if err != nil {
		c.info.copyAck(d.ExtAck)
		return err
	}
	if op.start != nil {
		c.info.copyAck(d.ExtAck)
		if err := b.step(d, op.start); err != nil {
			e := d.take(err)
			if b.features.Has(FeatureStartExtAck) {
				c.info.copyAck(d.ExtAck)
			}
			return e
		}
	}
	if p.setDumping(true) {
		b.finish(d) // Close came before setDumping and has not ended this dump
		return errClosed
	}
	if err := b.dumpOn(p); err != nil {
		return err
	}
	return errno.EINTR
}

// copyRequest copies the request, because the dump outlives its datagram.
func (d *Dump) copyRequest(i *Info, op *operation) {
	request, own := append(d.request[:0], i.Msg...), d.scratch
	*d = Dump{
		Info: *i, StrictCheck: i.port.has(socket.StrictCheck), op: op, end: unfinished,
		request: request, slots: d.slots, out: d.out[:0],
	}
	d.Msg = request
	d.ExtAck, d.scratch = nlmsg.ExtAck{}, own
	d.Header, _ = genlmsg.Consume(d.Msg.Payload())
	d.UserHeader = genlmsg.UserHeader(d.Msg, i.Family.HdrSize)
	d.buf = nil
}

// step runs a handler of the dump, with the lock of the handlers held unless the family is
// Parallel.
func (b *Bus) step(d *Dump, f DumpFunc) error {
	if !d.Family.Parallel {
		b.handlers.Lock()
		defer b.handlers.Unlock()
	}
	return b.run(&d.Info, func() error { return f(d) })
}

// continueDump sends the next datagram of the port's dump.
func (b *Bus) continueDump(p *Port) error {
	b.registry.RLock()
	defer b.registry.RUnlock()
	p.dumpMu.Lock()
	defer p.dumpMu.Unlock()
	if !p.isDumping() {
		return nil
	}
	return b.dumpOn(p)
}

// dumpOn fills a datagram and queues it (netlink_dump).
func (b *Bus) dumpOn(p *Port) error {
	d := &p.dump
	var ok bool
	if d.room, ok = p.dumpSize(); !ok {
		return errno.ENOBUFS
	}
	d.out = d.out[:0]
	d.ExtAck = nlmsg.ExtAck{}
	if d.end == unfinished {
		d.end = b.dumpStep(d)
	}
	if d.end == unfinished || d.room-len(d.out) < doneSize {
		p.deliver(d.out, socket.Info{}, b.features.trueSize(d.room), true)
		return nil
	}
	d.appendDone()
	p.setDumping(false)
	p.deliver(d.out, socket.Info{}, b.features.trueSize(d.room), true)
	b.finish(d)
	return nil
}

// dumpStep calls the family's handler for one datagram. It returns the errno for the Done,
// or unfinished.
func (b *Bus) dumpStep(d *Dump) errno.Errno {
	err := b.step(d, d.op.dump)
	switch {
	case err == nil, err == ErrMore && len(d.out) == 0:
		return 0
	case err == ErrMore:
		return unfinished
	}
	e := d.take(err)
	if e == errno.EMSGSIZE && len(d.out) > 0 {
		return unfinished
	}
	return e
}

// appendDone appends the Done (netlink_dump_done). If the extended ACK does not fit, the
// Done has only the flag nlmsg.FlagAckTLVs.
func (d *Dump) appendDone() {
	ext, opts := d.answer(d.end)
	if !d.port.bus.features.Has(FeatureDoneExtAck) {
		ext = &nlmsg.ExtAck{Errno: ext.Errno, Request: ext.Request, Msg: ext.Msg}
	}
	start := len(d.out)
	d.out = nlmsg.AppendDone(d.out, ext, d.AnswerFlags, opts)
	if len(d.out)+slack(ext, opts) > d.room {
		opts.Ext = false
		d.out = nlmsg.AppendDone(d.out[:start], ext, d.AnswerFlags|nlmsg.FlagAckTLVs, opts)
	}
	d.checkConsistent(nlmsg.Msg(d.out[start:]))
}

// finish calls the family's DoneFunc.
func (b *Bus) finish(d *Dump) {
	if d.op.done != nil {
		_ = b.step(d, func(d *Dump) error { d.op.done(d); return nil }) // run recovers from a panic
	}
	d.Info = Info{scratch: d.scratch}
}

// abandonDump ends the dump of a closed port.
func (b *Bus) abandonDump(p *Port) {
	p.dumpMu.Lock()
	defer p.dumpMu.Unlock()
	if p.isDumping() {
		p.setDumping(false)
		b.finish(&p.dump)
	}
}

func (p *Port) isDumping() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dumping
}

// setDumping sets p.dumping, which stays false on a closed port, and reports whether the
// port is closed.
func (p *Port) setDumping(is bool) (closed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dumping = is && !p.closed
	return p.closed
}

// dumpSize returns the size of the next datagram, and whether it fits into the queue.
func (p *Port) dumpSize() (size int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	size = max(goodSize, p.maxReceive)
	return size, p.rmem == 0 || p.rmem+p.bus.features.trueSize(size) < p.rcvbuf
}
