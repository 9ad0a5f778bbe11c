package bus

import (
	"runtime/debug"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// call contains the buffers for handling a request. It comes from a pool.
type call struct {
	info  Info
	slots []uint32 // of Info.Attrs
	ack   []byte   // the Error message that is its reply
}

// handle handles the messages of a datagram. It stops silently at the first malformed
// length (netlink_rcv_skb).
func (b *Bus) handle(p *Port, data []byte) {
	b.stats.datagrams.Add(1)
	b.registry.RLock()
	defer b.registry.RUnlock()
	c := b.calls.Get().(*call)
	defer b.release(c)
	for len(data) > 0 {
		m, n := nlmsg.Consume(data)
		if n < 0 {
			return
		}
		data = data[n:]
		c.begin(p, m)
		err := error(nil)
		if m.Flags()&nlmsg.FlagRequest != 0 && m.Type() >= nlmsg.MinType {
			err = b.request(c)
		}
		e := errno.Errno(0)
		if err != nil {
			e = c.info.take(err)
		}
		// EINTR means that a dump has started; it ends with a Done instead.
		if e != errno.EINTR && (e != 0 || m.Flags()&nlmsg.FlagAck != 0) {
			c.acknowledge(e)
		}
	}
}

func (c *call) begin(p *Port, m nlmsg.Msg) {
	c.info = Info{Seq: m.Seq(), PortID: p.id, NetNS: p.netNS, Msg: m, port: p, buf: c.info.buf, scratch: c.info.scratch}
}

// release clears the references to the request and keeps the buffers.
func (b *Bus) release(c *call) {
	c.info = Info{buf: c.info.buf, scratch: c.info.scratch}
	b.calls.Put(c)
}

// acknowledge replies with an Error message (netlink_ack).
func (c *call) acknowledge(e errno.Errno) {
	ext, opts := c.info.answer(e)
	c.ack = nlmsg.AppendAck(c.ack[:0], ext, opts)
	if !c.info.port.bus.features.Has(FeatureMissing) {
		moveCookie(c.ack, len(ext.Request))
	}
	c.info.port.put(c.ack, socket.Info{}, len(c.ack)+slack(ext, opts))
}

// The kernel's error texts that do not come from the validator (genetlink.c, netlink.h).
const (
	msgReserved = "genlmsghdr.reserved field is not 0"
	msgFlags    = "ambiguous or reserved bits set in nlmsg_flags"
	msgNoNest   = "NLA_F_NESTED is missing" // package policy has the same text; a test compares them
)

// request finds the operation of a request and runs it. The checks are in the kernel's
// order (genl_rcv_msg, genl_family_rcv_msg).
func (b *Bus) request(c *call) error {
	i := &c.info
	typ := i.Msg.Type()
	if typ > genlmsg.MaxID || b.ids.families[typ] == nil {
		return errno.ENOENT
	}
	f := b.ids.families[typ]
	if !f.existsIn(i.NetNS) {
		return errno.ENOENT
	}
	header, _ := genlmsg.Consume(i.Msg.Payload())
	if len(i.Msg) < nlmsg.HeaderLen+genlmsg.HeaderLen+f.HdrSize {
		return errno.EINVAL
	}
	i.Family, i.on = f, f.on.Load()
	i.Header, i.UserHeader = header, genlmsg.UserHeader(i.Msg, f.HdrSize)
	if text := f.checkHeader(i); text != "" {
		i.SetMsg(text)
		return errno.EINVAL
	}
	ops := i.on.ops
	isDump := i.Msg.Flags()&nlmsg.FlagDump == nlmsg.FlagDump
	op, other := ops.do[header.Cmd()], ops.dump[header.Cmd()]
	if isDump {
		op, other = other, op
	}
	switch {
	case op == nil && other != nil && !b.features.Has(FeatureSplitOps) && !i.isPermitted(other):
		return errno.EPERM
	case op == nil:
		return errno.EOPNOTSUPP
	case !i.isPermitted(op):
		return errno.EPERM
	case isDump:
		return b.startDump(c, op)
	}
	return b.do(c, op)
}

// isPermitted reports whether the requester has the capabilities that the operation requires.
func (i *Info) isPermitted(op *operation) bool {
	return (op.flags&genlmsg.OpAdmin == 0 || i.HasCaps(CapNetAdmin)) &&
		(op.flags&genlmsg.OpUnsAdmin == 0 || i.HasCaps(CapNetAdminNS))
}

// checkHeader returns the error text for invalid headers of a command of ResvStartOp or
// above, or "" if they are valid (genl_header_check).
func (f *Family) checkHeader(i *Info) string {
	if !f.isResv(i.Header.Cmd(), i.port.bus.features) {
		return ""
	}
	if i.Header.Reserved() != 0 {
		return msgReserved
	}
	flags := i.Msg.Flags()
	if flags&nlmsg.FlagDump == nlmsg.FlagDump {
		flags &^= nlmsg.FlagDump
	}
	if flags&^(nlmsg.FlagRequest|nlmsg.FlagAck|nlmsg.FlagEcho) != 0 {
		return msgFlags
	}
	return ""
}

// do runs pre_doit, doit and post_doit (genl_family_rcv_msg_doit).
func (b *Bus) do(c *call, op *operation) error {
	i := &c.info
	if !i.Family.Parallel {
		b.handlers.Lock()
		defer b.handlers.Unlock()
	}
	var err error
	if i.Attrs, c.slots, err = i.parse(c.slots, op, DontValidateStrict); err != nil {
		return err
	}
	return b.run(i, func() error {
		if op.preDo != nil {
			if err := op.preDo(i); err != nil {
				return err
			}
		}
		if op.postDo != nil {
			defer op.postDo(i) // also after a panic: PreDo may have taken a lock
		}
		return op.do(i)
	})
}

// parse validates the attributes of the request as the operation requires
// (genl_family_rcv_msg_attrs_parse). The table uses the array of room. parse returns that
// array, which it grows if needed, as slots.
func (i *Info) parse(room []uint32, op *operation, liberal Validate) (tb nla.Table, slots []uint32, err error) {
	if !i.port.bus.features.parses(op) {
		return tb, room, nil
	}
	mode := policy.Strict
	if op.validate&liberal != 0 {
		mode = policy.Liberal
	}
	if op.maxAttr > 0 {
		room = append(room[:0], make([]uint32, op.maxAttr+1)...)
		tb.Slots = room
	}
	attrs := genlmsg.Attrs(i.Msg, i.Family.HdrSize) // request has checked the length of the headers
	if e := i.validate(&tb, attrs, op.policy, mode); e != 0 {
		return nla.Table{}, room, e
	}
	return tb, room, nil
}

// run calls a handler. If the handler panics, run recovers and returns EIO.
func (b *Bus) run(i *Info, handler func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			b.stats.panics.Add(1)
			p := &Panic{Family: i.Family.Name, Cmd: i.Header.Cmd(), Value: v, Stack: debug.Stack()}
			i.SetMsg(p.Error())
			if b.onPanic != nil {
				b.onPanic(p)
			}
			err = errno.EIO
		}
	}()
	if b.before != nil {
		b.before(i)
	}
	return handler()
}
