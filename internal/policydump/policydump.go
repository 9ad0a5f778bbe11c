// Package policydump implements the format in which the controller exports policies: a number for
// each policy, and a message for each operation and each rule. The bus sends it; ctrl uses it to
// check that the policies it has read encode to the same bytes.
package policydump

import (
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// Tables are numbered policies. The zero Tables is empty.
type Tables struct {
	List []*policy.Policy
	// SkipEmpty makes Add skip policies without types.
	SkipEmpty bool
	// Change returns the rule to write instead of a rule. It is optional.
	Change func(policy.Rule) policy.Rule

	index map[*policy.Policy]uint32
	next  int // the first policy with nested policies that are not numbered yet
}

// Add assigns numbers to a policy and, breadth first, to the policies nested in it, unless they
// are nil or already numbered (netlink_policy_dump_add_policy).
func (t *Tables) Add(top *policy.Policy) {
	t.add(top)
	for ; t.next < len(t.List); t.next++ {
		for i := range t.List[t.next].Attrs {
			// A nested policy without types has no number; its rule contains none.
			if nested := t.List[t.next].Attrs[i].Nested; nested != nil && nested.MaxType() > 0 {
				t.add(nested)
			}
		}
	}
}

func (t *Tables) add(p *policy.Policy) {
	if p == nil || t.SkipEmpty && p.MaxType() == 0 {
		return
	}
	if _, known := t.index[p]; known {
		return
	}
	if t.index == nil {
		t.index = map[*policy.Policy]uint32{}
	}
	t.index[p] = uint32(len(t.List))
	t.List = append(t.List, p)
}

// AppendOp appends the numbers of an operation's policies (ctrl_dumppolicy_put_op).
func (t *Tables) AppendOp(b []byte, cmd uint16, do, dump *policy.Policy) []byte {
	outer := len(b)
	b = nla.Begin(b, genlmsg.CtrlAttrOpPolicy)
	inner := len(b)
	b = nla.Begin(b, cmd)
	if do != nil {
		b = nla.AppendUint32(b, genlmsg.CtrlAttrPolicyDo, t.index[do])
	}
	if dump != nil {
		b = nla.AppendUint32(b, genlmsg.CtrlAttrPolicyDump, t.index[dump])
	}
	return nla.End(nla.End(b, inner), outer)
}

// Next returns the first exported rule at or after type typ of table, and reports whether there
// is one.
func (t *Tables) Next(table, typ int) (int, int, bool) {
	for ; table < len(t.List); table, typ = table+1, 0 {
		attrs := t.List[table].Attrs
		for ; typ < len(attrs); typ++ {
			if policywire.Exported(attrs[typ].Kind) {
				return table, typ, true
			}
		}
	}
	return table, typ, false
}

// AppendRule appends the rule of one type of a table (netlink_policy_dump_write).
func (t *Tables) AppendRule(b []byte, table, typ int) []byte {
	r := &t.List[table].Attrs[typ]
	if t.Change != nil {
		changed := t.Change(*r)
		r = &changed
	}
	outer := len(b)
	b = nla.Begin(b, genlmsg.CtrlAttrPolicy)
	inner := len(b)
	b = nla.Begin(b, uint16(table))
	rule := len(b)
	b = nla.Begin(b, uint16(typ))
	if r.Nested != nil && r.Nested.MaxType() > 0 {
		b = policywire.AppendNestRule(b, r, t.index[r.Nested], uint32(r.Nested.MaxType()))
	} else {
		b = policywire.AppendRule(b, r)
	}
	return nla.End(nla.End(nla.End(b, rule), inner), outer)
}
