package ctrl

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/policydump"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// Policies are the policies of a family's operations as the controller exports them
// (CTRL_CMD_GETPOLICY). Policies that are identical objects in the kernel are the same
// pointer here; some nest themselves.
//
// The export is lossy: see [Lost]. It omits the highest type of a policy that is not nested
// in another, so types above its last rule may exist.
type Policies struct {
	FamilyID nlmsg.Type
	Ops      []OpPolicy // the operations that have a policy, in the kernel's order
	// Common is the policy of all operations if the kernel exports policies by family
	// (Linux 5.7 to 5.9). Ops then has it for each operation of the family, although some
	// families do not apply it to dumps. It is nil if the kernel exports policies by
	// operation, and for a family without a policy.
	Common *policy.Policy
}

// OpPolicy holds the policies of one operation, nil where it has none.
type OpPolicy struct {
	Cmd  uint32
	Do   *policy.Policy
	Dump *policy.Policy
	// Unnamed reports that the kernel exported the operation as command 0. Many kernels do
	// so for an operation without a do, because ctrl_dumppolicy_put_op uses the command of
	// the do.
	Unnamed bool
}

// Op returns the policies of an operation, and whether it has any.
func (p *Policies) Op(cmd uint8) (OpPolicy, bool) {
	for _, op := range p.Ops {
		if op.Cmd == uint32(cmd) {
			return op, true
		}
	}
	return OpPolicy{}, false
}

// Policies returns the policies of a family. If no operation has a policy, the result is
// empty and there is no error. If the kernel cannot export policies, the error is
// [ErrNotExported] with the *conn.Error of EOPNOTSUPP.
func (c *Client) Policies(ctx context.Context, f *Family) (*Policies, error) {
	p, err := c.policies(ctx, f.ID, nil)
	if err != nil {
		return nil, policyError("policies of family "+quote(f.Name), err)
	}
	p.name(f)
	return p, nil
}

// name assigns operations to policies that the kernel exports without them. Policies
// exported as command 0 have the same order as the family's operations with a policy. A
// common policy applies to every operation.
func (p *Policies) name(f *Family) {
	i := 0
	for _, op := range f.Ops {
		switch {
		case p.Common != nil:
			p.Ops = append(p.Ops, commonOp(p.Common, op))
			continue
		case op.Flags&genlmsg.OpPolicy == 0:
			continue
		case i < len(p.Ops) && p.Ops[i].Unnamed && op.Flags&genlmsg.OpDo == 0:
			p.Ops[i].Cmd = op.ID
		}
		i++
	}
}

// commonOp returns the policies of an operation if its family has a common policy.
func commonOp(common *policy.Policy, op Op) OpPolicy {
	out := OpPolicy{Cmd: op.ID}
	if op.Flags&genlmsg.OpDo != 0 {
		out.Do = common
	}
	if op.Flags&genlmsg.OpDump != 0 {
		out.Dump = common
	}
	return out
}

// OpPolicy returns the policies of one operation of the family with an id. Both are nil if
// it has none; this is not an error. An operation that the family lacks is ENOENT. If the
// kernel cannot export policies, the error is [ErrNotExported]. If it exports them by
// family, Do and Dump of any command have the family's policy.
func (c *Client) OpPolicy(ctx context.Context, id nlmsg.Type, cmd uint8) (OpPolicy, error) {
	op, _, err := c.opPolicy(ctx, id, cmd)
	return op, err
}

// opPolicy is OpPolicy. isCommon reports whether the policy is that of the family.
func (c *Client) opPolicy(ctx context.Context, id nlmsg.Type, cmd uint8) (op OpPolicy, isCommon bool, err error) {
	var attr [8]byte
	p, err := c.policies(ctx, id, nla.AppendUint32(attr[:0], genlmsg.CtrlAttrOp, uint32(cmd)))
	if errno.Is(err, errno.EINVAL) { // kernels that export by family do not know CTRL_ATTR_OP
		p, err = c.policies(ctx, id, nil)
	}
	if err != nil {
		return OpPolicy{}, false, policyError(fmt.Sprintf("policies of operation %d of family with id %d", cmd, id), err)
	}
	op, ok := p.Op(cmd)
	switch {
	case p.Common != nil:
		op.Do, op.Dump = p.Common, p.Common
	case !ok && len(p.Ops) == 1 && p.Ops[0].Unnamed:
		op = p.Ops[0]
	}
	op.Cmd = uint32(cmd)
	return op, p.Common != nil, nil
}

// policyError returns the error of a failed policy dump. A controller without the command
// refuses it with EOPNOTSUPP.
func policyError(what string, err error) error {
	if errors.Is(err, errno.EOPNOTSUPP) {
		return fmt.Errorf("ctrl: %s: %w (%w)", what, ErrNotExported, err)
	}
	return fmt.Errorf("ctrl: %s: %w", what, err)
}

// policies dumps policies. The kernel refuses the dump with ENODATA if the family has none.
func (c *Client) policies(ctx context.Context, id nlmsg.Type, attrs []byte) (*Policies, error) {
	r := c.request(genlmsg.CtrlCmdGetPolicy)
	defer r.Release()
	r.B = append(nla.AppendUint16(r.B, genlmsg.CtrlAttrFamilyID, uint16(id)), attrs...)
	d := newPolicyDecoder(id)
	for m, err := range c.conn.Dump(ctx, r, conn.Retry(retries, func() { d = newPolicyDecoder(id) })) {
		if errors.Is(err, errno.ENODATA) {
			break
		}
		if err == nil {
			err = d.add(m)
		}
		if err != nil {
			return nil, err
		}
	}
	return d.finish(), nil
}

// Messages ranges over the attributes of the messages with which the kernel exports these
// policies (ctrl_dumppolicy): first the operations, then one message per rule. Tables are
// numbered breadth-first. Each step reuses the slice of the preceding one.
func (p *Policies) Messages() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		t := p.tables()
		b := nla.AppendUint16(nil, genlmsg.CtrlAttrFamilyID, uint16(p.FamilyID))
		head := len(b)
		for _, op := range p.Ops {
			if p.Common != nil {
				break // a common policy is exported without operations
			}
			cmd := uint16(op.Cmd)
			if op.Unnamed {
				cmd = 0
			}
			b = t.AppendOp(b[:head], cmd, op.Do, op.Dump)
			if !yield(b) {
				return
			}
		}
		for table, typ, ok := t.Next(0, 0); ok; table, typ, ok = t.Next(table, typ+1) {
			b = t.AppendRule(b[:head], table, typ)
			if !yield(b) {
				return
			}
		}
	}
}

// Tables returns every policy once, in the kernel's numbering.
func (p *Policies) Tables() []*policy.Policy { return p.tables().List }

func (p *Policies) tables() *policydump.Tables {
	t := &policydump.Tables{}
	t.Add(p.Common)
	for _, op := range p.Ops {
		t.Add(op.Do)
		t.Add(op.Dump)
	}
	return t
}

// Lost names the part of a rule that the export may omit.
type Lost uint8

const (
	// LostNothing: the rule is complete.
	LostNothing Lost = iota
	// LostRule: the type is not exported. It may be NLA_UNSPEC, REJECT, BE16 or BE32, or
	// unused.
	LostRule
	// LostLength: a string or binary without an exported length may have one, by MIN_LEN or
	// MAX_LEN, or a check function.
	LostLength
	// LostKind: a rule exported as UINT may be MSECS.
	LostKind
	// LostFunc: a function validates the value.
	LostFunc
)

// LostOf returns the part that may be missing from a rule of Policies.
func LostOf(r *policy.Rule) Lost {
	switch {
	case r.Kind == policy.KindUnspec:
		return LostRule
	case r.Check == policy.CheckFunc:
		return LostFunc
	case r.Kind == policy.KindUint && r.Check != policy.CheckMask:
		return LostKind
	case r.Check == policy.CheckNone && r.Len == 0 && (r.Kind == policy.KindBinary || r.Kind == policy.KindString || r.Kind == policy.KindNULString):
		return LostLength
	}
	return LostNothing
}

var lostNames = [...]string{"", "rule", "length", "kind", "function"}

// String returns one word, "rule", "length", "kind" or "function"; "" for LostNothing.
func (l Lost) String() string {
	if int(l) < len(lostNames) {
		return lostNames[l]
	}
	return "lost?"
}
