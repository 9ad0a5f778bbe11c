package bus

import (
	"slices"
	"testing"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla/policy"
)

// kernelFamily is a kernel's description of a family.
type kernelFamily struct {
	ctrl.Family
	policies *ctrl.Policies
}

// twin makes a family with the same description as the kernel's. Its operations do nothing.
func (k *kernelFamily) twin(groupFlags func(group uint32) GroupFlags) *Family {
	f := &Family{
		Name: k.Name, Version: uint8(k.Version), HdrSize: int(k.HdrSize), MaxAttr: int(k.MaxAttr),
		ResvStartOp: 0xff, // no checks: the controller does not export ResvStartOp
	}
	for _, g := range k.Groups {
		f.Groups = append(f.Groups, Group{Name: g.Name, Flags: groupFlags(g.ID)})
	}
	isSplit := slices.ContainsFunc(k.Ops, func(op ctrl.Op) bool {
		p, _ := k.policies.Op(uint8(op.ID))
		return op.Flags&genlmsg.OpDo != 0 && op.Flags&genlmsg.OpDump != 0 && p.Do != p.Dump && p.Dump != nil
	})
	for _, op := range k.Ops {
		p, _ := k.policies.Op(uint8(op.ID))
		flags := op.Flags &^ (genlmsg.OpDo | genlmsg.OpDump | genlmsg.OpPolicy)
		full := Op{Cmd: uint8(op.ID), Flags: flags}
		if op.Flags&genlmsg.OpDo != 0 {
			full.Do, full.Policy = noDo, p.Do
		}
		if op.Flags&genlmsg.OpDump != 0 {
			full.Dump = noDump
			if full.Policy == nil {
				full.Policy = p.Dump
			}
			if p.Dump == nil {
				full.Validate = DontValidateDump
			}
		}
		if op.Flags&genlmsg.OpPolicy != 0 && full.Policy == nil {
			full.Policy = k.anyPolicy()
		}
		if isSplit {
			f.SplitOps = append(f.SplitOps, halves(&full, p)...)
		} else {
			f.Ops = append(f.Ops, full)
		}
	}
	return f
}

// anyPolicy returns the policy of an operation without an exported one: it does not apply to
// dumps, and most families have one policy for all operations.
func (k *kernelFamily) anyPolicy() *policy.Policy {
	for _, op := range k.policies.Ops {
		if op.Do != nil {
			return op.Do
		}
	}
	return &policy.Policy{Attrs: make([]policy.Rule, 2)}
}

func noDo(*Info) error   { return errno.EOPNOTSUPP }
func noDump(*Dump) error { return errno.EOPNOTSUPP }

// halves splits an operation. An exported policy without rules is the policy that rejects
// all attributes: the operation has no policy.
func halves(full *Op, p ctrl.OpPolicy) (ops []SplitOp) {
	policy := func(p *policy.Policy) *policy.Policy {
		if p == nil || len(p.Attrs) == 0 {
			return nil
		}
		return p
	}
	if full.Do != nil {
		ops = append(ops, SplitOp{Cmd: full.Cmd, Flags: full.Flags | genlmsg.OpDo, Policy: policy(p.Do), Do: full.Do})
	}
	if full.Dump != nil {
		ops = append(ops, SplitOp{Cmd: full.Cmd, Flags: full.Flags | genlmsg.OpDump, Policy: policy(p.Dump), Dump: full.Dump})
	}
	return ops
}

// adopt registers the twins with the IDs and groups of the kernel's families. The families
// may be in any order.
func (b *Bus) adopt(t *testing.T, all []kernelFamily, twins map[string]*Family) {
	t.Helper()
	for _, k := range all {
		if k.Name == genlmsg.CtrlName {
			continue
		}
		f := twins[k.Name]
		if k.ID >= startAlloc {
			b.ids.next = int(k.ID)
		}
		var hidden []int
		if len(k.Groups) > 0 && !hasOwnNumbers(k.Name) {
			hidden = b.hideGroups(int(k.Groups[0].ID))
		}
		if err := b.Register(f); err != nil {
			t.Fatal(err)
		}
		for _, i := range hidden {
			b.groups.clear(i)
		}
		if f.ID() != k.ID || len(k.Groups) > 0 && f.GroupID(0) != k.Groups[0].ID {
			t.Errorf("%s has id %d and group %d, in the kernel %d and %v", k.Name, f.ID(), f.GroupID(0), k.ID, k.Groups)
		}
	}
}

// hideGroups reserves the free numbers below first and returns them.
func (b *Bus) hideGroups(first int) (hidden []int) {
	for b.groups.len() < first {
		b.groups = append(b.groups, 0)
	}
	for i := b.groups.nextFree(0); i < first; i = b.groups.nextFree(i) {
		b.groups.set(i)
		hidden = append(hidden, i)
	}
	return hidden
}
