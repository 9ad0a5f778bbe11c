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
	byCmd  bool         // operations without a do are exported under their command, not 0
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
	s := &policyDump{
		id: uint16(f.ID()), byCmd: b.features.Has(FeatureDumpOpCmd),
		tables: policydump.Tables{SkipEmpty: !b.features.Has(FeatureRejectSplit), Change: b.features.exported},
	}
	ops := f.on.Load().ops
	if op := d.Attrs.Get(genlmsg.CtrlAttrOp); op != nil {
		c := ops.byNumber(d.Attrs.Uint32(genlmsg.CtrlAttrOp))
		if c == nil {
			d.SetAttr(op)
			return errno.ENOENT
		}
		s.add(c)
	} else {
		for i := range ops.list {
			s.add(&ops.list[i])
		}
	}
	if len(s.tables.List) == 0 {
		return errno.ENODATA
	}
	d.Ctx = s
	return nil
}

// byNumber returns the operation that handles requests for a command, or nil
// (genl_get_cmd_both).
func (t *opTable) byNumber(cmd uint32) *command {
	if cmd > 0xff || t.do[cmd] == nil && t.dump[cmd] == nil {
		return nil
	}
	c := &command{}
	if op := t.do[cmd]; op != nil {
		c.do = *op
	}
	if op := t.dump[cmd]; op != nil {
		c.dump = *op
	}
	for i := range t.list {
		if t.list[i].cmd() == uint8(cmd) {
			c.unused = t.list[i].unused
		}
	}
	return c
}

// add adds the policies of an operation (ctrl_dumppolicy_put_op).
func (s *policyDump) add(c *command) {
	s.tables.Add(c.do.policy)
	s.tables.Add(c.dump.policy)
	s.tables.Add(c.unused)
	if c.do.policy == nil && c.dump.policy == nil {
		return
	}
	cmd := c.do.cmd
	if s.byCmd {
		cmd = c.cmd()
	}
	s.ops = append(s.ops, opPolicies{cmd, c.do.policy, c.dump.policy})
}

// exported returns the rule that the controller and extended ACKs describe instead of r
// (__netlink_policy_dump_write_attr).
func (s Features) exported(r policy.Rule) policy.Rule {
	if r.Kind == policy.KindMsecs && !s.Has(FeatureUintPolicy) {
		r.Kind = policy.KindU64
	}
	if r.Check == policy.CheckFunc && !s.Has(FeatureFuncPolicy) {
		r.Check = policy.CheckNone
	}
	return r
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
