package bus

import (
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/policydump"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// policyDump is the state of a GETPOLICY dump (struct ctrl_dump_policy_ctx).
type policyDump struct {
	id     uint16
	ops    []opPolicies // not yet sent
	tables policydump.Tables
	table  int // table and typ: the next rule
	typ    int
}

// opPolicies contains the policies of an operation, and the command that is sent with them.
type opPolicies struct {
	cmd      uint8
	do, dump *policy.Policy
}

// startPolicies finds the family and its policies (ctrl_dumppolicy_start). If the request
// contains both a name and an ID, the ID selects the family. The family need not exist in
// the requester's namespace.
func (b *Bus) startPolicies(d *Dump) error {
	var f *Family
	switch {
	case d.Attrs.Has(genlmsg.CtrlAttrFamilyID):
		f = b.byID(d.Attrs.Uint16(genlmsg.CtrlAttrFamilyID))
	case d.Attrs.Has(genlmsg.CtrlAttrFamilyName):
		f = b.byName(&d.Attrs)
	default:
		return errno.EINVAL
	}
	if f == nil {
		return errno.ENOENT
	}
	// Linux 7.2 also numbers nested policies without types (add_policy).
	s := &policyDump{id: uint16(f.ID()), tables: policydump.Tables{SkipEmpty: b.profile == Linux618}}
	ops := f.on.Load().ops
	if op := d.Attrs.Get(genlmsg.CtrlAttrOp); op != nil {
		do, dump := ops.byNumber(d.Attrs.Uint32(genlmsg.CtrlAttrOp))
		if do == nil && dump == nil {
			d.SetAttr(op)
			return errno.ENOENT
		}
		s.add(b.profile, do, dump)
	} else {
		for i := range ops.list {
			s.add(b.profile, &ops.list[i].do, &ops.list[i].dump)
		}
	}
	if len(s.tables.List) == 0 {
		return errno.ENODATA
	}
	d.Ctx = s
	return nil
}

// byNumber returns both halves of an operation (genl_get_cmd_both).
func (t *opTable) byNumber(cmd uint32) (do, dump *operation) {
	if cmd > 0xff {
		return nil, nil
	}
	return t.do[cmd], t.dump[cmd]
}

// add adds the policies of an operation. Either half may be nil.
func (s *policyDump) add(p Profile, do, dump *operation) {
	if do == nil {
		do = &operation{}
	}
	if dump == nil {
		dump = &operation{}
	}
	s.tables.Add(do.policy)
	s.tables.Add(dump.policy)
	if do.policy == nil && dump.policy == nil {
		return
	}
	cmd := do.cmd
	if p == Linux72 {
		cmd |= dump.cmd
	}
	s.ops = append(s.ops, opPolicies{cmd, do.policy, dump.policy})
}

// dumpPolicies sends the operations, then one message per rule (ctrl_dumppolicy). It always
// returns ErrMore, so that the Done is sent in a separate datagram.
func dumpPolicies(d *Dump) error {
	s := d.Ctx.(*policyDump)
	for len(s.ops) > 0 {
		m, ok := s.begin(d)
		if !ok {
			return ErrMore
		}
		op := s.ops[0]
		if d.End(s.tables.AppendOp(m, uint16(op.cmd), op.do, op.dump)) != nil {
			return ErrMore
		}
		s.ops = s.ops[1:]
	}
	for {
		table, typ, more := s.tables.Next(s.table, s.typ)
		if !more {
			return ErrMore
		}
		m, ok := s.begin(d)
		if !ok {
			return ErrMore
		}
		if d.End(s.tables.AppendRule(m, table, typ)) != nil {
			return ErrMore
		}
		s.table, s.typ = table, typ+1
	}
}

// begin starts a message with the family's ID. If the headers fit but the ID does not, the
// kernel leaves the headers in the datagram as a message without attributes
// (ctrl_dumppolicy_prep), and so does the bus.
func (s *policyDump) begin(d *Dump) (m []byte, ok bool) {
	m = d.Begin(nlmsg.FlagMulti, genlmsg.CtrlCmdGetPolicy)
	headers := len(m)
	m = nla.AppendUint16(m, genlmsg.CtrlAttrFamilyID, s.id)
	if len(m) > d.room {
		if headers <= d.room {
			d.out = nlmsg.End(m[:headers], len(d.out))
		}
		return nil, false
	}
	return m, true
}
