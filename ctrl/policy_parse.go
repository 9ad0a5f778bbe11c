package ctrl

import (
	"fmt"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// policyDecoder combines the messages of a dump: the kernel sends one message per
// operation, then one per rule. Nests refer to tables by index.
type policyDecoder struct {
	policies *Policies
	tables   map[uint32]*policy.Policy
	types    int // in all tables
}

func newPolicyDecoder(id nlmsg.Type) *policyDecoder {
	return &policyDecoder{policies: &Policies{FamilyID: id}, tables: map[uint32]*policy.Policy{}}
}

// maxTypes limits the memory that a dump can make the decoder allocate, because a few bytes
// can announce a table of 2^14 types. The largest family, nl80211, has a few thousand types
// in all.
const maxTypes = 1 << 16

func (d *policyDecoder) table(index uint32) *policy.Policy {
	p := d.tables[index]
	if p == nil {
		p = &policy.Policy{}
		d.tables[index] = p
	}
	return p
}

// tableOf returns the table that the index in the attribute selects.
func (d *policyDecoder) tableOf(a nla.Attr) (*policy.Policy, error) {
	index, err := a.Uint32()
	if err != nil {
		return nil, err
	}
	return d.table(index), nil
}

// finish returns the policies. Kernels that export by family send rules without operations;
// the family's policy is the first table.
func (d *policyDecoder) finish() *Policies {
	if len(d.policies.Ops) == 0 {
		d.policies.Common = d.tables[0]
	}
	return d.policies
}

// add decodes one message.
func (d *policyDecoder) add(m nlmsg.Msg) error {
	h, n := genlmsg.Consume(m.Payload())
	if n < 0 || m.Type() != genlmsg.IDCtrl || h.Cmd() != genlmsg.CtrlCmdGetPolicy {
		return ErrNotPolicy
	}
	for a, err := range nla.All(genlmsg.Attrs(m, 0)) {
		if err == nil {
			switch a.Type() {
			case genlmsg.CtrlAttrOpPolicy:
				err = each(a.Payload(), d.addOp)
			case genlmsg.CtrlAttrPolicy:
				err = each(a.Payload(), d.addTable)
			}
		}
		if err != nil {
			return fmt.Errorf("attribute %d: %w", a.Type(), err)
		}
	}
	return nil
}

// each calls f for each attribute of b.
func each(b []byte, f func(nla.Attr) error) error {
	for a, err := range nla.All(b) {
		if err == nil {
			err = f(a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *policyDecoder) addOp(a nla.Attr) error {
	op := OpPolicy{Cmd: uint32(a.Type()), Unnamed: a.Type() == 0}
	err := each(a.Payload(), func(which nla.Attr) (err error) {
		switch which.Type() {
		case genlmsg.CtrlAttrPolicyDo:
			op.Do, err = d.tableOf(which)
		case genlmsg.CtrlAttrPolicyDump:
			op.Dump, err = d.tableOf(which)
		}
		return err
	})
	d.policies.Ops = append(d.policies.Ops, op)
	return err
}

func (d *policyDecoder) addTable(a nla.Attr) error {
	p := d.table(uint32(a.Type()))
	return each(a.Payload(), func(described nla.Attr) error {
		r, ref, err := policywire.ParseRule(described.Payload())
		if err != nil {
			return fmt.Errorf("table %d, attribute %d: %w", a.Type(), described.Type(), err)
		}
		if ref.Known {
			r.Nested = d.table(ref.Index)
			if err := d.extend(r.Nested, ref.MaxType); err != nil {
				return err
			}
		}
		if err := d.extend(p, uint32(described.Type())); err != nil {
			return err
		}
		p.Attrs[described.Type()] = r
		return nil
	})
}

// extend adds typ to the types of the policy. It returns an error if a limit is exceeded.
func (d *policyDecoder) extend(p *policy.Policy, typ uint32) error {
	d.types += max(0, int(min(typ, nla.TypeMask))+1-len(p.Attrs))
	if typ > nla.TypeMask || d.types > maxTypes {
		return fmt.Errorf("%w: %d types", ErrNotPolicy, max(d.types, int(min(typ, maxTypes))))
	}
	extend(p, int(typ))
	return nil
}

// extend adds typ to the types of the policy.
func extend(p *policy.Policy, typ int) {
	if missing := typ + 1 - len(p.Attrs); missing > 0 {
		p.Attrs = append(p.Attrs, make([]policy.Rule, missing)...)
	}
}
