package ctrl

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/policydump"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// Policies are the policies of a family's operations as the controller tells
// them (CTRL_CMD_GETPOLICY). Policies that are the same in the kernel are the same
// pointer here; some nest themselves.
//
// The kernel does not tell all: see Lost for what a rule may lack. A policy is as
// long as it is told to be: the highest type of one that is not nested in another
// is not told, so types above its last rule may exist.
type Policies struct {
	FamilyID uint16
	Ops      []OpPolicy // of those operations that have one, in the kernel's order
}

// OpPolicy are the policies of one operation, nil where it has none.
type OpPolicy struct {
	Cmd  uint32
	Do   *nla.Policy
	Dump *nla.Policy
	// Unnamed says that the kernel told it as command 0, as it does with an
	// operation that has no do (ctrl_dumppolicy_put_op takes the do's number).
	Unnamed bool
}

// Op returns the policies of an operation.
func (p *Policies) Op(cmd uint8) (OpPolicy, bool) {
	for _, op := range p.Ops {
		if op.Cmd == uint32(cmd) {
			return op, true
		}
	}
	return OpPolicy{}, false
}

// Policies returns the policies of a family. A family without any has none, and
// that is no error.
func (c *Client) Policies(ctx context.Context, f *Family) (*Policies, error) {
	p, err := c.policies(ctx, f.ID, "policies of family "+f.Name, func(b []byte) []byte { return b })
	if err != nil {
		return nil, err
	}
	p.name(f)
	return p, nil
}

// name gives the operations that the kernel did not name their command: they
// are told in the order of the family's operations with a policy.
func (p *Policies) name(f *Family) {
	i := 0
	for _, op := range f.Ops {
		if op.Flags&genlmsg.OpPolicy == 0 {
			continue
		}
		if i < len(p.Ops) && p.Ops[i].Unnamed && op.Flags&genlmsg.OpDo == 0 {
			p.Ops[i].Cmd = op.ID
		}
		i++
	}
}

// OpPolicy returns the policies of one operation. Both are nil where it has none.
// An operation that the family does not have is ENOENT.
func (c *Client) OpPolicy(ctx context.Context, id uint16, cmd uint8) (OpPolicy, error) {
	op := "policies of operation " + strconv.Itoa(int(cmd)) + " of family " + strconv.Itoa(int(id))
	p, err := c.policies(ctx, id, op, func(b []byte) []byte { return nla.AppendUint32(b, genlmsg.CtrlAttrOp, uint32(cmd)) })
	if err != nil {
		return OpPolicy{}, err
	}
	found := OpPolicy{}
	if len(p.Ops) > 0 {
		found = p.Ops[0]
	}
	found.Cmd = uint32(cmd)
	return found, nil
}

func (c *Client) policies(ctx context.Context, id uint16, op string, attrs func([]byte) []byte) (*Policies, error) {
	var header [genlmsg.HeaderLen]byte
	r := c.conn.Request(genlmsg.IDCtrl, nlmsg.Request,
		genlmsg.Append(header[:0], genlmsg.CtrlCmdGetPolicy, genlmsg.CtrlVersion))
	defer r.Release()
	r.Op = op
	r.B = attrs(nla.AppendUint16(r.B, genlmsg.CtrlAttrFamilyID, id))
	d := newPolicyDecoder(id)
	for m, err := range c.conn.Dump(ctx, r, conn.Retry(retries, func() { d = newPolicyDecoder(id) })) {
		if errors.Is(err, errnoNoData) {
			break
		}
		if err == nil {
			err = d.add(m)
		}
		if err != nil {
			return nil, fmt.Errorf("ctrl: %s: %w", op, err)
		}
	}
	return d.policies, nil
}

// ErrNotPolicy: the message is not a GETPOLICY of the controller.
var ErrNotPolicy = errors.New("not a policy message of the controller")

// policyDecoder joins the tables of a dump: the kernel sends one message for each
// operation and then one for each rule, and nests refer to tables by index.
type policyDecoder struct {
	policies *Policies
	tables   map[uint32]*nla.Policy
	types    int // in all tables
}

func newPolicyDecoder(id uint16) *policyDecoder {
	return &policyDecoder{policies: &Policies{FamilyID: id}, tables: map[uint32]*nla.Policy{}}
}

// maxTypes bounds what a dump can make the decoder allocate, since a few bytes
// can announce a table of 2^14 types. The largest family, nl80211, has some
// thousand in all.
const maxTypes = 1 << 16

func (d *policyDecoder) table(index uint32) *nla.Policy {
	p := d.tables[index]
	if p == nil {
		p = &nla.Policy{}
		d.tables[index] = p
	}
	return p
}

// tableOf returns the table whose index the attribute holds.
func (d *policyDecoder) tableOf(a nla.Attr) (*nla.Policy, error) {
	index, err := a.Uint32()
	if err != nil {
		return nil, err
	}
	return d.table(index), nil
}

// add takes one message.
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
		r, ref, err := nla.ParseRule(described.Payload())
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

// extend makes typ a type of the policy, if that is within bounds.
func (d *policyDecoder) extend(p *nla.Policy, typ uint32) error {
	d.types += max(0, int(min(typ, nla.TypeMask))+1-len(p.Attrs))
	if typ > nla.TypeMask || d.types > maxTypes {
		return fmt.Errorf("%w: %d types", ErrNotPolicy, max(d.types, int(min(typ, maxTypes))))
	}
	extend(p, int(typ))
	return nil
}

// extend makes typ a type of the policy.
func extend(p *nla.Policy, typ int) {
	if missing := typ + 1 - len(p.Attrs); missing > 0 {
		p.Attrs = append(p.Attrs, make([]nla.Rule, missing)...)
	}
}

// Messages ranges over the attributes of the messages with which the kernel tells
// these policies (ctrl_dumppolicy): the operations, then each rule by itself, the
// tables numbered as they are met, in breadth. A step reuses the slice of the one
// before it.
func (p *Policies) Messages() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		t := p.tables()
		b := nla.AppendUint16(nil, genlmsg.CtrlAttrFamilyID, p.FamilyID)
		head := len(b)
		for _, op := range p.Ops {
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

// Tables returns every policy once, in the order in which the kernel numbers them.
func (p *Policies) Tables() []*nla.Policy { return p.tables().List }

func (p *Policies) tables() *policydump.Tables {
	t := &policydump.Tables{}
	for _, op := range p.Ops {
		t.Add(op.Do)
		t.Add(op.Dump)
	}
	return t
}

// Lost is what the kernel may not have told of a rule.
type Lost uint8

const (
	// LostNothing: the rule is all there is.
	LostNothing Lost = iota
	// LostRule: nothing was told. The attribute may be of NLA_UNSPEC, REJECT,
	// BE16 or BE32, or there is no such attribute.
	LostRule
	// LostLength: a string or binary without a length may have one, by MIN_LEN or
	// MAX_LEN, or a function that checks it.
	LostLength
	// LostKind: what is told as UINT may be MSECS.
	LostKind
	// LostFunc: a function checks the number.
	LostFunc
)

// LostOf returns what may be missing in a rule of Policies.
func LostOf(r *nla.Rule) Lost {
	switch {
	case r.Kind == nla.KindUnspec:
		return LostRule
	case r.Check == nla.CheckFunc:
		return LostFunc
	case r.Kind == nla.KindUint && r.Check != nla.CheckMask:
		return LostKind
	case r.Check == nla.CheckNone && r.Len == 0 && (r.Kind == nla.KindBinary || r.Kind == nla.KindString || r.Kind == nla.KindNULString):
		return LostLength
	}
	return LostNothing
}

var lostNames = [...]string{"", "rule", "length", "kind", "function"}

// String returns what is lost in a word: "rule", "length", "kind", "function".
func (l Lost) String() string {
	if int(l) < len(lostNames) {
		return lostNames[l]
	}
	return "lost?"
}
