// Package exercise implements NLW_EXERCISE on a bus. This Generic Netlink family for tests
// uses features that no family of the kernel combines: rules of every kind, a user header,
// operations with old and new validation, permissions, and dumps that are interrupted, fail,
// or never fit.
//
// internal/test/module contains the same family as a kernel module. The tests compare both
// if the module is loaded. Both must change together.
package exercise

import (
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// Names and numbers of the family.
const (
	Name    = "NLW_EXERCISE"
	Version = 2
	HdrSize = 8

	Delay = 20 * time.Millisecond // of the reply to CmdLate

	entries, halfway = 300, 150
	large            = 50_000
)

// The commands (enum EX_C_* of the module).
const (
	CmdLegacy      = 1 + iota // echo, liberal validation
	CmdLoose                  // echo, liberal validation; dump: entries, no validation
	CmdNothing                // below ResvStartOp and without a policy
	CmdEcho                   // echo; this and later commands have strict validation
	CmdAdmin                  // echo, requires bus.CapNetAdmin
	CmdNSAdmin                // echo, requires bus.CapNetAdminNS
	CmdInterrupted            // dump whose entries change midway
	CmdBroken                 // dump that fails midway
	CmdRefused                // dump that fails at its start
	CmdLate                   // echo, after the acknowledgement
	CmdLarge                  // a message larger than any buffer; dump: an entry that never fits
	CmdNotify                 // echo to the group and, with nlmsg.FlagEcho, to the requester
	CmdFail                   // an extended acknowledgement with all its parts
)

// New makes the family for a bus; register it there with Bus.Register.
func New(b *bus.Bus) *bus.Family {
	p := Policy(b.Features())
	strict := func(cmd uint8, do bus.DoFunc, dump bus.DumpFunc) bus.Op {
		return bus.Op{Cmd: cmd, Policy: p, Do: do, Dump: dump}
	}
	f := &bus.Family{
		Name: Name, Version: Version, HdrSize: HdrSize, NetNSOK: true, ResvStartOp: CmdEcho,
		Groups: []bus.Group{{Name: "first"}, {Name: "second"}},
		Ops: []bus.Op{
			strict(CmdLegacy, echo, echoDump),
			strict(CmdLoose, echo, list),
			{Cmd: CmdNothing, Do: func(*bus.Info) error { return nil }},
			strict(CmdEcho, echo, echoDump),
			strict(CmdAdmin, echo, nil),
			strict(CmdNSAdmin, echo, nil),
			strict(CmdInterrupted, nil, interrupted),
			strict(CmdBroken, nil, broken),
			strict(CmdRefused, nil, list),
			strict(CmdLate, func(i *bus.Info) error { return late(b, i) }, nil),
			strict(CmdLarge, largeReply, largeDump),
			strict(CmdNotify, func(i *bus.Info) error { _ = i.Notify(0, echoed(i)); return nil }, nil),
			strict(CmdFail, fail, nil),
		},
	}
	f.Ops[CmdLegacy-1].Validate = bus.DontValidateStrict | bus.DontValidateDumpStrict
	f.Ops[CmdLoose-1].Validate = bus.DontValidateStrict | bus.DontValidateDump
	f.Ops[CmdAdmin-1].Flags = genlmsg.OpAdmin
	f.Ops[CmdNSAdmin-1].Flags = genlmsg.OpUnsAdmin
	f.Ops[CmdRefused-1].Start = func(d *bus.Dump) error {
		d.SetMsg("failed at the start")
		return errno.EBUSY
	}
	return f
}

// begin starts a message with the user header of the request.
func begin(i *bus.Info) []byte { return withHeader(i.Begin(i.Header.Cmd()), i) }

// beginEntry starts a message of a dump with the user header of the request.
func beginEntry(d *bus.Dump) []byte {
	return withHeader(d.Begin(nlmsg.FlagMulti, d.Header.Cmd()), &d.Info)
}

func withHeader(b []byte, i *bus.Info) []byte {
	copy(b[len(b)-HdrSize:], i.UserHeader)
	return b
}

// appendAttrs copies the attributes of the request in the order of their types.
func appendAttrs(b []byte, i *bus.Info) []byte {
	for typ := range len(i.Attrs.Slots) {
		if a := i.Attrs.Get(uint16(typ)); a != nil {
			b = nla.AppendAttr(b, a)
		}
	}
	return b
}

func echoed(i *bus.Info) []byte { return appendAttrs(begin(i), i) }

func echo(i *bus.Info) error { return i.Reply(echoed(i)) }

// late sends its reply from a timer, after the acknowledgement.
func late(b *bus.Bus, i *bus.Info) error {
	m, netNS, portID := append([]byte(nil), nlmsg.End(echoed(i), 0)...), i.NetNS, i.PortID
	time.AfterFunc(Delay, func() { _ = b.Unicast(netNS, portID, m) }) // the port may be closed
	return nil
}

func echoDump(d *bus.Dump) error {
	if d.Args[0] != 0 {
		return nil
	}
	if err := d.End(appendAttrs(beginEntry(d), &d.Info)); err != nil {
		return err
	}
	d.Args[0] = 1
	return bus.ErrMore
}

// entry adds entry number d.Args[0].
func entry(d *bus.Dump) error {
	return d.End(nla.AppendUint32(beginEntry(d), attrU32, uint32(d.Args[0])))
}

func list(d *bus.Dump) error {
	for ; d.Args[0] < entries && entry(d) == nil; d.Args[0]++ {
	}
	return bus.ErrMore
}

func interrupted(d *bus.Dump) error {
	for ; d.Args[0] < entries; d.Args[0]++ {
		if d.Generation = 1; d.Args[0] >= halfway {
			d.Generation = 2
		}
		if entry(d) != nil {
			break
		}
	}
	return bus.ErrMore
}

func broken(d *bus.Dump) error {
	for ; d.Args[0] < halfway; d.Args[0]++ {
		if entry(d) != nil {
			return bus.ErrMore
		}
	}
	d.SetMsg("failed midway")
	if a := d.Attrs.Get(attrU32); a != nil {
		d.SetAttr(a)
	}
	return errno.EIO
}

func appendLarge(b []byte) []byte {
	payload := make([]byte, large)
	for i := range payload {
		payload[i] = 'x'
	}
	return nla.AppendBytes(nla.AppendBytes(b, attrBinary, payload), attrBinary, payload)
}

func largeReply(i *bus.Info) error   { return i.Reply(appendLarge(begin(i))) }
func largeDump(d *bus.Dump) error    { return d.End(appendLarge(beginEntry(d))) }
func has(i *bus.Info, t uint16) bool { return i.Attrs.Has(t) }

// fail returns an errno, a text, an attribute and a cookie as the request selects.
func fail(i *bus.Info) error {
	e := errno.EINVAL
	if has(i, attrU32) {
		e = errno.Errno(i.Attrs.Uint32(attrU32) % 134)
	}
	if has(i, attrFlag) {
		i.SetMsg("as requested")
	}
	if a := i.Attrs.Get(attrBinary); a != nil {
		i.SetAttr(a)
	}
	if a := i.Attrs.Get(attrU64); a != nil {
		i.SetCookie(a.Payload()[:8])
	}
	if !has(i, attrS32) {
		i.SetMissing(i.Attrs.Get(attrNest), attrS32)
	}
	if e == 0 {
		return nil
	}
	return e
}
