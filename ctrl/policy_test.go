package ctrl

import (
	"bytes"
	"errors"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/policywire"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// policyMessage makes a message of a policy dump.
func policyMessage(attrs []byte) nlmsg.Msg {
	b := nlmsg.Begin(nil, genlmsg.IDCtrl, nlmsg.FlagMulti, 1, 0)
	b = nlmsg.End(append(genlmsg.Append(b, genlmsg.CtrlCmdGetPolicy, 2), attrs...), 0)
	msg, _ := nlmsg.Consume(b)
	return msg
}

// example returns policies with every kind of exported rule, in tables that nest each
// other.
func example() *Policies {
	inner := &policy.Policy{Attrs: []policy.Rule{{}, policy.Range(policy.KindU8, 1, 7), {Kind: policy.KindNested}, policy.Range(policy.KindS16, -5, 5)}}
	inner.Attrs[2].Nested = inner
	outer := &policy.Policy{Attrs: []policy.Rule{
		{}, policy.Nest(inner), policy.NestArray(inner), {Kind: policy.KindNULString, Len: 15}, policy.ExactLen(6), {Kind: policy.KindFlag},
		policy.Mask(policy.KindU32, 5), policy.Mask(policy.KindBitfield32, 3), {Kind: policy.KindUint}, {},
		{Kind: policy.KindU64, Check: policy.CheckFunc}, {Kind: policy.KindBinary}, {Kind: policy.KindNested},
	}}
	return &Policies{FamilyID: 30, Ops: []OpPolicy{{Cmd: 1, Do: outer}, {Cmd: 2, Do: inner, Dump: outer}, {Cmd: 3, Dump: inner, Unnamed: true}}}
}

// largeTables returns a few bytes that announce a hundred tables of 2^14 types.
func largeTables() []byte {
	var tables []byte
	for i := range uint32(100) {
		tables = nla.AppendBytes(tables, uint16(i), policywire.AppendNestRule(nil, &policy.Rule{Kind: policy.KindNested}, 1000+i, nla.TypeMask))
	}
	return nla.AppendBytes(nil, genlmsg.CtrlAttrPolicy, nla.AppendBytes(nil, 1, tables))
}

func TestPolicyDumpsAreBounded(t *testing.T) {
	err := newPolicyDecoder(1).add(policyMessage(largeTables()))
	if !errors.Is(err, ErrNotPolicy) {
		t.Errorf("a hundred tables of 2^14 types: %v", err)
	}
	for _, m := range []nlmsg.Msg{nil, policyMessage(nil)[:18], nlmsg.Msg(appendFamily(nil, genlmsg.CtrlCmdNewFamily, Family{Name: "a", ID: 1}))} {
		if err := newPolicyDecoder(1).add(m); !errors.Is(err, ErrNotPolicy) {
			t.Errorf("%v: %v", m, err)
		}
	}
}

func TestPolicies(t *testing.T) { onBoth(t, policiesOfTheController) }

func policiesOfTheController(t *testing.T, w world) {
	c := w.client(t)
	nlctrl, err := c.FamilyByID(t.Context(), genlmsg.IDCtrl)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Policies(t.Context(), &nlctrl)
	if err != nil {
		t.Fatal(err)
	}
	get, ok := p.Op(genlmsg.CtrlCmdGetFamily)
	if !ok || get.Do == nil {
		t.Fatalf("GETFAMILY: %+v", get)
	}
	if name := get.Do.Attrs[genlmsg.CtrlAttrFamilyName]; name.Kind != policy.KindNULString || name.Len != 15 {
		t.Errorf("the name's rule: %+v", name)
	}
	one, err := c.OpPolicy(t.Context(), genlmsg.IDCtrl, genlmsg.CtrlCmdGetPolicy)
	if err != nil || one.Dump == nil || one.Do != nil || one.Cmd != genlmsg.CtrlCmdGetPolicy {
		t.Errorf("GETPOLICY: %+v, %v", one, err)
	}
	if dumpOnly, ok := p.Op(genlmsg.CtrlCmdGetPolicy); !ok || dumpOnly.Dump == nil || dumpOnly.Do != nil {
		t.Errorf("an operation that only dumps: %+v", dumpOnly)
	}
	if _, ok := p.Op(77); ok {
		t.Error("an operation that is not there")
	}
	_, err = c.Policies(t.Context(), &Family{ID: 1000})
	if !errors.Is(err, errno.ENOENT) {
		t.Errorf("no such family: %v", err)
	}
	_, err = c.OpPolicy(t.Context(), genlmsg.IDCtrl, 77)
	if !errors.Is(err, errno.ENOENT) {
		t.Errorf("no such operation: %v", err)
	}
}

// A policy that nests itself is one pointer. devlink and nl80211 have such policies; the
// test makes the tables itself, because the running kernel may lack such families.
func TestRecursionIsKept(t *testing.T) {
	self := &policy.Policy{Attrs: []policy.Rule{{}, {Kind: policy.KindU8}, {Kind: policy.KindNested}}}
	self.Attrs[2].Nested = self
	other := &policy.Policy{Attrs: []policy.Rule{{}, {Kind: policy.KindNestedArray, Nested: self}}}
	want := &Policies{FamilyID: 30, Ops: []OpPolicy{{Cmd: 1, Do: other}, {Cmd: 2, Do: self, Dump: other}}}
	d := newPolicyDecoder(30)
	var sent [][]byte
	for attrs := range want.Messages() {
		b := nlmsg.Begin(nil, genlmsg.IDCtrl, nlmsg.FlagMulti, 1, 0)
		b = nlmsg.End(append(genlmsg.Append(b, genlmsg.CtrlCmdGetPolicy, 2), attrs...), 0)
		if err := d.add(nlmsg.Msg(b)); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, bytes.Clone(attrs))
	}
	got := d.policies
	inner := got.Ops[1].Do
	if len(got.Ops) != 2 || inner.Attrs[2].Nested != inner || got.Ops[0].Do.Attrs[1].Nested != inner || got.Ops[1].Dump != got.Ops[0].Do {
		t.Errorf("%+v", got)
	}
	i := 0
	for attrs := range got.Messages() {
		if !bytes.Equal(attrs, sent[i]) {
			t.Errorf("message %d: % x, was % x", i, attrs, sent[i])
		}
		i++
	}
	soft := lenient(inner, policy.Strict, true)
	if soft == inner || soft.Attrs[2].Nested != soft {
		t.Error("the lenient copy does not nest itself")
	}
}

func TestCheck(t *testing.T) { onBoth(t, checks) }

func checks(t *testing.T, w world) {
	c := w.client(t)
	build := func(cmd uint8, flags nlmsg.Flags, attrs []byte) nlmsg.Msg {
		b := nlmsg.Begin(nil, genlmsg.IDCtrl, nlmsg.FlagRequest|flags, 1, 0)
		return nlmsg.Msg(nlmsg.End(append(genlmsg.Append(b, cmd, 2), attrs...), 0))
	}
	tests := []struct {
		name  string
		msg   nlmsg.Msg
		errno errno.Errno
		text  string
	}{
		{"right", build(genlmsg.CtrlCmdGetFamily, 0, nla.AppendCString(nil, 2, "nlctrl")), 0, ""},
		{"an id of 1 byte", build(genlmsg.CtrlCmdGetFamily, 0, nla.AppendUint8(nil, 1, 1)), errno.ERANGE, "Attribute failed policy validation"},
		{"an id of 1 byte, dump: the mode is not exported", build(genlmsg.CtrlCmdGetPolicy, nlmsg.FlagDump, nla.AppendUint8(nil, 1, 1)), errno.ERANGE, "Attribute failed policy validation"},
		{"an id with the Nested bit, dump", build(genlmsg.CtrlCmdGetPolicy, nlmsg.FlagDump, nla.AppendUint16(nil, 1|nla.Nested, 1)), 0, ""},
		{"the same, do", build(genlmsg.CtrlCmdGetFamily, 0, nla.AppendUint16(nil, 1|nla.Nested, 1)), 0, ""},
		{"no such operation", build(99, 0, nil), 95, ""},
		{"not as a do", build(genlmsg.CtrlCmdGetPolicy, 0, nil), 95, ""},
		{"too short", nlmsg.Msg(build(1, 0, nil)[:18]), errno.EINVAL, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := c.Check(t.Context(), tt.msg)
			var refused *policy.Error
			if errors.As(err, &refused) != (tt.errno != 0) || tt.errno != 0 && (refused.Errno != tt.errno || refused.Msg != tt.text) {
				t.Errorf("%v, want errno %d %q", err, tt.errno, tt.text)
			}
			if refused != nil && refused.HasAttr && refused.Offset != 20 {
				t.Errorf("offset %d", refused.Offset)
			}
		})
	}
	if err := c.Check(t.Context(), nlmsg.Msg(nlmsg.End(genlmsg.Append(beginTo(1000), 1, 1), 0))); !errors.Is(err, ErrUnknown) {
		t.Errorf("no such family: %v", err)
	}
}

// A strict Checker for the dump of policies agrees with the kernel.
func TestCheckStrictly(t *testing.T) { onBoth(t, checksStrictly) }

func checksStrictly(t *testing.T, w world) {
	c := w.client(t)
	f, err := c.FamilyByID(t.Context(), genlmsg.IDCtrl)
	if err != nil {
		t.Fatal(err)
	}
	k, err := c.Checker(t.Context(), &f, genlmsg.CtrlCmdGetPolicy, true)
	if err != nil {
		t.Fatal(err)
	}
	k = k.Strict()
	for _, attrs := range [][]byte{
		nla.AppendUint8(nil, 1, 1), nla.AppendUint16(nil, 1|nla.Nested, 1), append(nla.AppendUint16(nil, 1, 16), 1, 2),
		nla.AppendText(nil, 2, "nlctrl"), nla.AppendUint16(nil, 1, 16),
	} {
		r := f.Request(c.conn, genlmsg.CtrlCmdGetPolicy, nlmsg.FlagRequest|nlmsg.FlagDump)
		r.B = append(r.B, attrs...)
		var verdict error
		for _, verdict = range c.conn.Dump(t.Context(), r) {
		}
		switch err := k.Check(nlmsg.Msg(r.B)); {
		case (err == nil) != (verdict == nil):
			t.Errorf("% x: the Checker: %v; the answer: %v", attrs, err, verdict)
		case err != nil:
			sameRefusal(t, "policy dump", err, verdict)
		}
		r.Release()
	}
}

func beginTo(id nlmsg.Type) []byte {
	b := nlmsg.Begin(nil, id, nlmsg.FlagRequest, 1, 0)
	return b
}

func TestLost(t *testing.T) {
	tests := []struct {
		rule policy.Rule
		want Lost
		name string
	}{
		{policy.Rule{}, LostRule, "rule"},
		{policy.Rule{Kind: policy.KindU32}, LostNothing, ""},
		{policy.Rule{Kind: policy.KindU32, Check: policy.CheckFunc}, LostFunc, "function"},
		{policy.Rule{Kind: policy.KindUint}, LostKind, "kind"},
		{policy.Mask(policy.KindUint, 3), LostNothing, ""},
		{policy.Rule{Kind: policy.KindBinary}, LostLength, "length"},
		{policy.Rule{Kind: policy.KindBinary, Len: 4}, LostNothing, ""},
		{policy.ExactLen(4), LostNothing, ""},
		{policy.Rule{Kind: policy.KindNULString}, LostLength, "length"},
	}
	for _, tt := range tests {
		if got := LostOf(&tt.rule); got != tt.want || got.String() != tt.name {
			t.Errorf("%+v: %v, want %v", tt.rule, got, tt.want)
		}
	}
	if Lost(9).String() != "lost?" {
		t.Error(Lost(9))
	}
}

// A newer kernel may export further attributes of an operation, of any size.
func TestPoliciesSkipWhatIsNotKnown(t *testing.T) {
	op := nla.AppendUint32(nla.AppendUint64(nil, 9, 1), genlmsg.CtrlAttrPolicyDo, 3)
	attrs := nla.AppendBytes(nil, genlmsg.CtrlAttrOpPolicy, nla.AppendBytes(nil, 5, op))
	d := newPolicyDecoder(30)
	if err := d.add(policyMessage(attrs)); err != nil || len(d.policies.Ops) != 1 || d.policies.Ops[0].Do != d.tables[3] || d.tables[3] == nil {
		t.Errorf("%+v, %v", d.policies.Ops, err)
	}
}
