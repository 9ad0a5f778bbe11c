package ctrl

import (
	"errors"
	"testing"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// policyMessage is a message of a policy dump.
func policyMessage(attrs []byte) nlmsg.Msg {
	b, m := nlmsg.Begin(nil, genlmsg.IDCtrl, nlmsg.Multi, 1, 0)
	b = nlmsg.End(append(genlmsg.Append(b, genlmsg.CtrlCmdGetPolicy, 2), attrs...), m)
	msg, _ := nlmsg.Consume(b)
	return msg
}

// example has every kind of rule that is told, in tables that nest each other.
func example() *Policies {
	inner := &nla.Policy{Attrs: []nla.Rule{{}, nla.Range(nla.KindU8, 1, 7), {Kind: nla.KindNested}, nla.Range(nla.KindS16, -5, 5)}}
	inner.Attrs[2].Nested = inner
	outer := &nla.Policy{Attrs: []nla.Rule{
		{}, nla.Nest(inner), nla.NestArray(inner), {Kind: nla.KindNULString, Len: 15}, nla.ExactLen(6), {Kind: nla.KindFlag},
		nla.Mask(nla.KindU32, 5), nla.Mask(nla.KindBitfield32, 3), {Kind: nla.KindUint}, {},
		{Kind: nla.KindU64, Check: nla.CheckFunc}, {Kind: nla.KindBinary}, {Kind: nla.KindNested},
	}}
	return &Policies{FamilyID: 30, Ops: []OpPolicy{{Cmd: 1, Do: outer}, {Cmd: 2, Do: inner, Dump: outer}, {Cmd: 3, Dump: inner, Unnamed: true}}}
}

// largeTables are a few bytes that announce a hundred tables of 2^14 types.
func largeTables() []byte {
	var tables []byte
	for i := range uint32(100) {
		tables = nla.AppendBytes(tables, uint16(i), nla.AppendNestRule(nil, &nla.Rule{Kind: nla.KindNested}, 1000+i, nla.TypeMask))
	}
	return nla.AppendBytes(nil, genlmsg.CtrlAttrPolicy, nla.AppendBytes(nil, 1, tables))
}

func TestPolicyDumpsAreBounded(t *testing.T) {
	err := newPolicyDecoder(1).add(policyMessage(largeTables()))
	if !errors.Is(err, ErrNotPolicy) {
		t.Errorf("a hundred tables of 2^14 types: %v", err)
	}
	for _, m := range []nlmsg.Msg{nil, policyMessage(nil)[:18], nlmsg.Msg(familyMessage(genlmsg.CtrlCmdNewFamily, 1, 0, Family{Name: "a", ID: 1}))} {
		if err := newPolicyDecoder(1).add(m); !errors.Is(err, ErrNotPolicy) {
			t.Errorf("%v: %v", m, err)
		}
	}
}

// A newer kernel may tell more of an operation, in another size.
func TestPoliciesSkipWhatIsNotKnown(t *testing.T) {
	op := nla.AppendUint32(nla.AppendUint64(nil, 9, 1), genlmsg.CtrlAttrPolicyDo, 3)
	attrs := nla.AppendBytes(nil, genlmsg.CtrlAttrOpPolicy, nla.AppendBytes(nil, 5, op))
	d := newPolicyDecoder(30)
	if err := d.add(policyMessage(attrs)); err != nil || len(d.policies.Ops) != 1 || d.policies.Ops[0].Do != d.tables[3] || d.tables[3] == nil {
		t.Errorf("%+v, %v", d.policies.Ops, err)
	}
}
