package bus

import (
	"errors"
	"sort"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

func familiesOfTheKernel(t *testing.T) []kernelFamily {
	t.Helper()
	c, err := ctrl.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	families, err := c.Families(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []kernelFamily
	for _, f := range families {
		p, err := c.Policies(t.Context(), &f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, kernelFamily{f, p})
	}
	return all
}

// resvStartOp finds the first command for which the kernel checks the reserved field: the check
// comes before the operation is looked up. Older commands are sent without the request's do, or
// as a dump.
func resvStartOp(t *testing.T, c *conn.Conn, f *ctrl.Family) uint8 {
	t.Helper()
	isChecked := func(cmd int) bool {
		op, _ := f.Op(uint8(cmd))
		flags := nlmsg.FlagAck
		if op.Flags&genlmsg.OpDump == 0 || op.Flags&genlmsg.OpDo != 0 {
			flags = nlmsg.FlagDump
		}
		header := genlmsg.Append(nil, uint8(cmd), uint8(f.Version))
		header[2] = 1
		r := c.Request(nlmsg.Type(f.ID), nlmsg.FlagRequest|flags, append(header, make([]byte, nlmsg.Align(int(f.HdrSize)))...))
		defer r.Release()
		var err error
		if flags == nlmsg.FlagDump {
			for _, err = range c.Dump(t.Context(), r) {
			}
		} else {
			_, err = c.Do(t.Context(), r)
		}
		var refusal *conn.Error
		return errors.As(err, &refusal) && string(refusal.Msg) == "genlmsghdr.reserved field is not 0"
	}
	return uint8(sort.Search(0xff, isChecked))
}

// flagsOfGroup determines the capabilities required to join a group: the controller does
// not export them.
func flagsOfGroup(t *testing.T, group uint32) GroupFlags {
	t.Helper()
	s, err := socket.Open(socket.Generic)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	kerneltest.DropCaps(t)
	defer kerneltest.RestoreCaps(t)
	if errors.Is(s.Join(group), unix.EPERM) {
		return GroupNetAdmin
	}
	return 0
}

// setDo and setDump set the handler of a twin's operation.
func (f *Family) setDo(cmd uint8, do DoFunc) {
	for i := range f.Ops {
		if f.Ops[i].Cmd == cmd {
			f.Ops[i].Do = do
		}
	}
	for i := range f.SplitOps {
		if s := &f.SplitOps[i]; s.Cmd == cmd && s.Do != nil {
			s.Do = do
		}
	}
}

func (f *Family) setDump(cmd uint8, start, dump DumpFunc) {
	for i := range f.Ops {
		if f.Ops[i].Cmd == cmd {
			f.Ops[i].Start, f.Ops[i].Dump = start, dump
		}
	}
	for i := range f.SplitOps {
		if s := &f.SplitOps[i]; s.Cmd == cmd && s.Dump != nil {
			s.Start, s.Dump = start, dump
		}
	}
}

// learned is the kernel's reply to a request: messages, and the errno and text at the end.
type learned struct {
	messages []nlmsg.Msg
	errno    errno.Errno
	msg      string // text of the error or warning
}

// appendLearned begins a message with the command of m and appends the attributes of m.
func appendLearned(begin func(cmd uint8) []byte, m nlmsg.Msg) []byte {
	h, _ := genlmsg.Consume(m.Payload())
	return append(begin(h.Cmd()), genlmsg.Attrs(m, 0)...)
}

// reply answers a request with the recorded messages.
func (l *learned) reply(i *Info) error {
	if l.msg != "" {
		i.SetMsg(l.msg)
	}
	for _, m := range l.messages {
		if err := i.Reply(appendLearned(i.Begin, m)); err != nil {
			return err
		}
	}
	if l.errno != 0 {
		return l.errno
	}
	return nil
}

// dump lists the recorded messages. The text is reported with the first of them.
func (l *learned) dump(d *Dump) error {
	if d.Args[0] == 0 && l.msg != "" {
		d.SetMsg(l.msg)
	}
	for ; d.Args[0] < len(l.messages); d.Args[0]++ {
		m := l.messages[d.Args[0]]
		begin := func(cmd uint8) []byte { return d.Begin(m.Flags(), cmd) }
		if err := d.End(appendLearned(begin, m)); err != nil {
			return err
		}
	}
	if l.errno != 0 {
		return l.errno
	}
	return nil
}

// learn sends a request to the kernel and records the reply.
func learn(t *testing.T, c *conn.Conn, f *ctrl.Family, cmd uint8, flags nlmsg.Flags, attrs []byte) *learned {
	t.Helper()
	r := c.Request(nlmsg.Type(f.ID), nlmsg.FlagRequest|nlmsg.FlagAck|flags, genlmsg.Append(nil, cmd, uint8(f.Version)))
	defer r.Release()
	r.B = append(r.B, attrs...)
	l := &learned{}
	var err error
	if flags&nlmsg.FlagDump == nlmsg.FlagDump {
		var m nlmsg.Msg
		for m, err = range c.Dump(t.Context(), r) {
			if err == nil {
				l.messages = append(l.messages, m.Clone())
			}
		}
	} else {
		_, err = c.Do(t.Context(), r)
		for m := range r.Replies() {
			l.messages = append(l.messages, m.Clone())
		}
	}
	if w := r.Warning(); w != nil {
		l.msg = string(w.Msg)
	}
	if refusal := (*conn.Error)(nil); errors.As(err, &refusal) {
		l.errno, l.msg = refusal.Errno, string(refusal.Msg)
	} else if err != nil {
		t.Fatal(err)
	}
	return l
}

const eafnosupport, enodev errno.Errno = 97, errno.ENODEV

// completeTCPMetrics makes the twin behave like net/ipv4/tcp_metrics.c without metrics.
func completeTCPMetrics(f *Family) {
	const addr4, addr6, cmdGet, cmdDel, len6 = 1, 2, 1, 2, 16
	f.Policy = f.Ops[0].Policy // two small operations share one policy, up to type 13
	f.Policy.Attrs = append(f.Policy.Attrs, make([]policy.Rule, f.MaxAttr+1-len(f.Policy.Attrs))...)
	f.ResvStartOp, f.Parallel = cmdDel+1, true
	flags := f.Ops[1].Flags
	f.Ops = []Op{
		{Cmd: cmdGet, Validate: DontValidateStrict | DontValidateDump, Do: func(i *Info) error {
			switch {
			case i.Attrs.Has(addr4):
			case !i.Attrs.Has(addr6):
				return eafnosupport
			case len(i.Attrs.Bytes(addr6)) != len6: // in the policy since Linux 6.12
				return errno.EINVAL
			}
			return errno.ESRCH
		}, Dump: func(*Dump) error { return nil }},
		{Cmd: cmdDel, Flags: flags, Validate: DontValidateStrict | DontValidateDump, Do: noDo},
	}
}

// completeNetdev makes the twin behave like net/core/netdev-genl.c for devices that are
// down.
func completeNetdev(t *testing.T, c *conn.Conn, k *kernelFamily, f *Family) {
	t.Helper()
	const devGet, pagePoolGet, queueGet, napiGet, qstatsGet = 1, 5, 10, 11, 12
	f.ResvStartOp = 0
	list := learn(t, c, &k.Family, devGet, nlmsg.FlagDump, nil)
	devices := map[uint32]*learned{}
	for _, m := range list.messages {
		index, err := nla.Find(genlmsg.Attrs(m, 0), 1).Uint32()
		if err != nil {
			t.Fatal(err)
		}
		devices[index] = &learned{messages: []nlmsg.Msg{m}}
	}
	f.setDo(devGet, func(i *Info) error {
		if err := i.Require(1); err != nil {
			return err
		}
		one, ok := devices[i.Attrs.Uint32(1)]
		if !ok {
			return enodev
		}
		return one.reply(i)
	})
	f.setDump(devGet, nil, func(d *Dump) error { return list.dump(d) })
	f.setDo(pagePoolGet, func(i *Info) error {
		if err := i.Require(1); err != nil {
			return err
		}
		return errno.ENOENT
	})
	f.setDump(pagePoolGet, nil, func(*Dump) error { return nil })
	f.setDo(queueGet, func(i *Info) error {
		for _, typ := range []uint16{1, 3, 2} {
			if err := i.Require(typ); err != nil {
				return err
			}
		}
		if devices[i.Attrs.Uint32(2)] == nil {
			return enodev
		}
		return errno.ENOENT
	})
	f.setDo(napiGet, func(i *Info) error {
		if err := i.Require(2); err != nil {
			return err
		}
		i.SetAttr(i.Attrs.Get(2))
		return errno.ENOENT
	})
	dumpOf := func(index uint16) DumpFunc {
		return func(d *Dump) error {
			if i := d.Attrs.Uint32(index); i != 0 && devices[i] == nil {
				return enodev
			}
			return nil
		}
	}
	f.setDump(queueGet, nil, dumpOf(2))
	f.setDump(napiGet, nil, dumpOf(1))
	f.setDump(qstatsGet, nil, func(d *Dump) error {
		a := d.Attrs.Get(1)
		if a == nil || d.Attrs.Uint32(1) == 0 {
			return nil
		}
		d.SetAttr(a)
		if devices[d.Attrs.Uint32(1)] == nil {
			return enodev
		}
		return errno.EOPNOTSUPP
	})
}

// event is a notification to a group, and the actions that cause it on the kernel and the
// bus.
type event struct {
	group  uint32
	happen func(t *testing.T)
}

// netdevEvents are the events for a device that is added and removed
// (netdev_genl_dev_notify).
func netdevEvents(t *testing.T, f *Family) []event {
	t.Helper()
	const index, mgmt, devAdd, devDel = 500, 0, 2, 3
	rtnl, err := conn.Open(socket.Route)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rtnl.Close() })
	notify := func(t *testing.T, cmd uint8) {
		t.Helper()
		b := f.Begin(nil, 0, 0, 0, cmd)
		b = nla.AppendUint32(b, 1, index)
		for _, typ := range []uint16{3, 5, 6} { // features that a bridge lacks
			b = nla.AppendUint64(b, typ, 0)
		}
		if err := f.Multicast(1, mgmt, nlmsg.End(b, 0), 0); err != nil && err != error(errno.ENOBUFS) && err != error(errno.ESRCH) {
			t.Fatal(err)
		}
	}
	return []event{
		{f.GroupID(mgmt), func(t *testing.T) { addBridge(t, rtnl, "event", index); notify(t, devAdd) }},
		{f.GroupID(mgmt), func(t *testing.T) { deleteLink(t, rtnl, index); notify(t, devDel) }},
	}
}
