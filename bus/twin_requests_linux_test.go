package bus

import (
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// one returns true in one of n calls on average.
func (w *twins) one(n int) bool { return w.g.IntN(n) == 0 }

// request makes a message that is valid or almost valid in most cases.
func (w *twins) request() []byte {
	g := w.g
	at := w.targets[g.IntN(len(w.targets))]
	for at.weight <= g.IntN(100) {
		at = w.targets[g.IntN(len(w.targets))]
	}
	w.requests++
	if at.family != "" {
		w.families[at.family] = true
	}
	w.seq++
	flags := g.RequestFlags()
	return g.Request(nlmsg.Type(at.id), flags, w.seq, at.cmd, w.attrs(&at, flags))
}

// attrs makes attributes according to the operation's policy, and often those that a real
// client sends.
func (w *twins) attrs(at *target, flags nlmsg.Flags) []byte {
	g := w.g
	p := at.do
	if flags&nlmsg.FlagDump == nlmsg.FlagDump {
		p = at.dump
	}
	if p == nil {
		p = anyAttrs
	}
	switch {
	case at.family == genlmsg.CtrlName && g.IntN(3) != 0:
		return w.ctrlAttrs()
	case at.family == "ethtool" && g.IntN(2) == 0:
		return w.ethtoolAttrs()
	case at.family == "netdev" && g.IntN(2) == 0:
		return w.netdevAttrs()
	}
	return g.Stream(p)
}

// anyAttrs is the policy for attributes of operations without a policy.
var anyAttrs = &policy.Policy{Attrs: []policy.Rule{
	1: {Kind: policy.KindU32}, 2: {Kind: policy.KindU16}, 3: {Kind: policy.KindNULString, Len: 15}, 4: {Kind: policy.KindBinary, Len: 20},
}}

// ctrlAttrs makes attributes that select a family and sometimes an operation.
func (w *twins) ctrlAttrs() (b []byte) {
	g := w.g
	names := []string{"nlctrl", "netdev", "ethtool", "tcp_metrics", "mptcp_pm", "thermal", "VFS_DQUOT", "IOAM6", "SEG6", "nosuch", "", "TASKSTATS"}
	if g.IntN(3) != 0 {
		name := names[g.IntN(len(names))]
		if w.one(10) {
			name += "\x00junk"
		}
		b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, name)
	}
	if g.IntN(3) == 0 {
		b = nla.AppendUint16(b, genlmsg.CtrlAttrFamilyID, uint16(14+g.IntN(22)))
	}
	if w.one(5) {
		b = nla.AppendUint32(b, genlmsg.CtrlAttrOp, uint32(g.IntN(60)))
	}
	if w.one(20) {
		b = append(b, g.Stream(ctrlPolicyPolicy)...)
	}
	return b
}

// ethtoolAttrs makes a header attribute, which is complete in most cases.
func (w *twins) ethtoolAttrs() []byte {
	g := w.g
	b := nla.Begin(nil, ethtoolHeader)
	if g.IntN(3) != 0 {
		b = nla.AppendUint32(b, ethtoolIndex, pick[uint32](g, 1, 1, 1, 0, 2, 99))
	}
	if g.IntN(4) == 0 {
		b = nla.AppendCString(b, ethtoolName, pick(g, "lo", "lo", "lo0", "eth0", ""))
	}
	if g.IntN(2) == 0 {
		b = nla.AppendUint32(b, ethtoolFlags, uint32(g.IntN(9)))
	}
	return nla.End(b, 0)
}

// netdevAttrs makes device indexes and IDs, with the attribute types that the operations
// share.
func (w *twins) netdevAttrs() (b []byte) {
	g := w.g
	for typ := range uint16(3) {
		if g.IntN(3) != 0 {
			b = nla.AppendUint32(b, typ+1, pick[uint32](g, 1, 1, 0, 100, 120, 99, 1<<31))
		}
	}
	return b
}

func pick[T any](g generate.Generator, list ...T) T { return list[g.IntN(len(list))] }
