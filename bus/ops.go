package bus

import (
	"cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla/policy"
)

// operation is one half of an operation, resolved from an Op or a SplitOp. The zero value
// stands for a missing half (struct genl_split_ops).
type operation struct {
	cmd      uint8
	flags    genlmsg.OpFlags
	validate Validate
	policy   *policy.Policy
	maxAttr  int

	preDo  DoFunc
	do     DoFunc
	postDo PostDoFunc

	start DumpFunc
	dump  DumpFunc
	done  DoneFunc
}

// command is an operation as the controller exports it (struct genl_op_iter).
type command struct {
	do, dump operation
	// unused is a policy that validates nothing, but is exported without FeatureSplitOps.
	unused *policy.Policy
}

// cmd returns the command of the halves. In a missing half it is 0.
func (c *command) cmd() uint8 { return c.do.cmd | c.dump.cmd }

func (c *command) flags() genlmsg.OpFlags {
	flags := c.do.flags | c.dump.flags
	if c.do.policy != nil || c.dump.policy != nil || c.unused != nil {
		flags |= genlmsg.OpPolicy
	}
	return flags
}

// opTable contains the operations of a family, resolved for a set of features.
type opTable struct {
	list []command // in the controller's order

	// The halves that handle requests, by command. Without FeatureRejectSplit, split
	// operations without a policy have no policy here, but rejectAll618 in the list.
	do, dump [256]*operation
}

// newOpTable validates and resolves the operations of a family (genl_validate_ops).
func newOpTable(f *Family, s Features) (*opTable, error) {
	t := &opTable{}
	for i := range f.Ops {
		t.list = append(t.list, legacy(f, &f.Ops[i], s))
	}
	numLegacy := len(t.list)
	for rest := f.SplitOps; len(rest) > 0; {
		c, n := split(rest, s)
		if n == 0 {
			return nil, errno.EINVAL
		}
		t.list, rest = append(t.list, c), rest[n:]
	}
	if !isOrdered(f.SplitOps) || !t.isValid(f, s) {
		return nil, errno.EINVAL
	}
	for i := range t.list {
		c := &t.list[i]
		t.add(c, i >= numLegacy && !s.Has(FeatureRejectSplit))
	}
	return t, nil
}

// add enters both halves of a command into the tables for requests. If acceptsWithout is
// set, a half without a policy accepts any attributes.
func (t *opTable) add(c *command, acceptsWithout bool) {
	halves := [...]struct {
		op   *operation
		flag genlmsg.OpFlags
		at   *[256]*operation
	}{{&c.do, genlmsg.OpDo, &t.do}, {&c.dump, genlmsg.OpDump, &t.dump}}
	for _, half := range halves {
		if half.op.flags&half.flag == 0 {
			continue
		}
		op := half.op
		if acceptsWithout && op.policy == rejectAll618 {
			own := *op
			own.policy, own.maxAttr = nil, 0
			op = &own
		}
		half.at[op.cmd] = op
	}
}

// legacy resolves an Op into its two halves (genl_op_from_full, genl_cmd_full_to_split).
func legacy(f *Family, full *Op, s Features) (c command) {
	base := operation{cmd: full.Cmd, flags: full.Flags &^ (genlmsg.OpDo | genlmsg.OpDump), validate: full.Validate}
	base.policy, base.maxAttr = f.Policy, f.maxAttr()
	if full.Policy != nil {
		base.policy, base.maxAttr = full.Policy, cmp.Or(full.Policy.MaxType(), f.maxAttr())
	}
	if base.policy == nil && f.isResv(full.Cmd, s) {
		base.policy, base.maxAttr = s.rejectAll(), s.rejectAll().MaxType()
	}
	if full.Do != nil {
		c.do = base
		c.do.flags |= genlmsg.OpDo
		c.do.preDo, c.do.do, c.do.postDo = f.PreDo, full.Do, f.PostDo
	}
	if full.Dump != nil {
		c.dump = base
		c.dump.flags |= genlmsg.OpDump
		c.dump.start, c.dump.dump, c.dump.done = full.Start, full.Dump, full.Done
		if full.Validate&DontValidateDump != 0 {
			if full.Do == nil && !s.Has(FeatureSplitOps) {
				c.unused = c.dump.policy
			}
			c.dump.policy, c.dump.maxAttr = nil, 0
		}
	}
	return c
}

// split joins the first halves of the list to one command (genl_op_from_split). It returns
// the number of halves used, or 0 if the flags of the first contain neither or both of OpDo
// and OpDump.
func split(ops []SplitOp, s Features) (c command, n int) {
	const both = genlmsg.OpDo | genlmsg.OpDump
	if ops[0].Flags&both == genlmsg.OpDo {
		c.do, n = ops[0].resolve(s), 1
	}
	if n < len(ops) && ops[n].Flags&both == genlmsg.OpDump && (n == 0 || ops[n].Cmd == c.do.cmd) {
		c.dump, n = ops[n].resolve(s), n+1
	}
	return c, n
}

func (o *SplitOp) resolve(s Features) operation {
	op := operation{
		cmd: o.Cmd, flags: o.Flags, validate: o.Validate, policy: o.Policy,
		preDo: o.PreDo, do: o.Do, postDo: o.PostDo, start: o.Start, dump: o.Dump, done: o.Done,
	}
	if op.policy == nil {
		op.policy = s.rejectAll()
	}
	op.maxAttr = op.policy.MaxType()
	return op
}

// isOrdered reports whether the halves are sorted by command, the do before the dump, and
// whether both halves of a command have equal flags.
func isOrdered(ops []SplitOp) bool {
	const both = genlmsg.OpDo | genlmsg.OpDump
	for i := 1; i < len(ops); i++ {
		a, b := &ops[i-1], &ops[i]
		switch {
		case a.Cmd < b.Cmd:
		case a.Cmd > b.Cmd, (a.Flags^b.Flags)&^both != 0, a.Flags&genlmsg.OpDo == 0, b.Flags&genlmsg.OpDump == 0:
			return false
		}
	}
	return true
}

// isResv reports whether a command has the checks for new families.
func (f *Family) isResv(cmd uint8, s Features) bool {
	return s.Has(FeatureResvStartOp) && cmd >= f.ResvStartOp
}

// isValid reports whether every operation has a handler and a unique command, and whether
// the commands with the checks for new families have no Validate flags.
func (t *opTable) isValid(f *Family, s Features) bool {
	var seen [256]bool
	for i := range t.list {
		c := &t.list[i]
		cmd := c.cmd()
		isLoose := f.isResv(cmd, s) && (c.do.validate|c.dump.validate) != 0
		isWhole := (c.do.do != nil) == (c.do.flags&genlmsg.OpDo != 0) &&
			(c.dump.dump != nil) == (c.dump.flags&genlmsg.OpDump != 0)
		isNothing := c.do.do == nil && c.dump.dump == nil
		if isLoose || !isWhole || isNothing || seen[cmd] {
			return false
		}
		seen[cmd] = true
	}
	return true
}

// The policies that reject every attribute (genl_policy_reject_all). The policy of 7.1 has
// one entry less. Therefore the error text for an attribute of type 1 and the exported
// highest type differ.
var (
	rejectAll618 = &policy.Policy{Attrs: []policy.Rule{{Kind: policy.KindReject}, {Kind: policy.KindReject}}}
	rejectAll71  = &policy.Policy{Attrs: []policy.Rule{{Kind: policy.KindReject}}}
)

func (s Features) rejectAll() *policy.Policy {
	if s.Has(FeatureRejectSplit) {
		return rejectAll71
	}
	return rejectAll618
}

// parses reports whether the attributes of an operation are validated
// (genl_family_rcv_msg_attrs_parse).
func (s Features) parses(op *operation) bool {
	if s.Has(FeatureRejectSplit) {
		return op.policy != nil
	}
	return op.maxAttr != 0
}
