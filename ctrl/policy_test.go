package ctrl

import (
	"bytes"
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

// FuzzPolicies decodes any attributes as a message of a policy dump: within
// bounds, and what is understood is understood again when it is written.
func FuzzPolicies(f *testing.F) {
	var all []byte
	for attrs := range example().Messages() {
		f.Add(bytes.Clone(attrs))
		all = append(all, attrs...)
	}
	f.Add(all)
	hostile := nla.AppendNestRule(nil, &nla.Rule{Kind: nla.KindNested}, 9, 1<<32-1)
	f.Add(nla.AppendBytes(nil, genlmsg.CtrlAttrPolicy, nla.AppendBytes(nil, 1, nla.AppendBytes(nil, 1, hostile))))
	f.Fuzz(func(t *testing.T, attrs []byte) {
		if len(attrs) > 1<<15 {
			return
		}
		d := newPolicyDecoder(30)
		err := d.add(policyMessage(attrs))
		if d.types > maxTypes+nla.TypeMask+1 {
			t.Fatalf("%d types", d.types)
		}
		if err != nil {
			return
		}
		again := newPolicyDecoder(30)
		var first [][]byte
		for b := range d.policies.Messages() {
			if err := again.add(policyMessage(b)); err != nil {
				t.Fatalf("% x: %v", b, err)
			}
			first = append(first, bytes.Clone(b))
		}
		i := 0
		for b := range again.policies.Messages() {
			if i >= len(first) || !bytes.Equal(b, first[i]) {
				t.Fatalf("message %d: % x, was % x", i, b, first[min(i, len(first)-1)])
			}
			i++
		}
		for _, table := range again.tables {
			lenient(table, nla.Strict)
		}
	})
}

func TestPolicyDumpsAreBounded(t *testing.T) {
	var tables []byte
	for i := range uint32(100) {
		tables = nla.AppendBytes(tables, uint16(i), nla.AppendNestRule(nil, &nla.Rule{Kind: nla.KindNested}, 1000+i, nla.TypeMask))
	}
	err := newPolicyDecoder(1).add(policyMessage(nla.AppendBytes(nil, genlmsg.CtrlAttrPolicy, nla.AppendBytes(nil, 1, tables))))
	if !errors.Is(err, ErrNotPolicy) {
		t.Errorf("a hundred tables of 2^14 types: %v", err)
	}
	for _, m := range []nlmsg.Msg{nil, policyMessage(nil)[:18], nlmsg.Msg(familyMessage(genlmsg.CtrlCmdNewFamily, 1, 0, Family{Name: "a", ID: 1}))} {
		if err := newPolicyDecoder(1).add(m); !errors.Is(err, ErrNotPolicy) {
			t.Errorf("%v: %v", m, err)
		}
	}
}
