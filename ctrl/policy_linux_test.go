package ctrl

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/generate"
	"github.com/nlwire/nlwire/internal/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// told returns the attributes of the policy messages as the kernel sends them.
func told(t *testing.T, c *Client, id uint16) (messages [][]byte) {
	t.Helper()
	r := c.conn.Request(genlmsg.IDCtrl, nlmsg.Request, genlmsg.Append(nil, genlmsg.CtrlCmdGetPolicy, genlmsg.CtrlVersion))
	r.B = nla.AppendUint16(r.B, genlmsg.CtrlAttrFamilyID, id)
	for m, err := range c.conn.Dump(t.Context(), r) {
		if errors.Is(err, unix.ENODATA) {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, bytes.Clone(genlmsg.Attrs(m, 0)))
	}
	return messages
}

// verdict sends attributes to an operation and returns the kernel's answer, nil
// for success.
func verdict(t *testing.T, c *Client, f *Family, cmd uint8, isDump bool, attrs []byte) *conn.Error {
	t.Helper()
	r := c.conn.Request(nlmsg.Type(f.ID), nlmsg.Request|nlmsg.Ack, genlmsg.Append(nil, cmd, uint8(f.Version)))
	defer r.Release()
	r.B = append(append(r.B, make([]byte, nlmsg.Align(int(f.HdrSize)))...), attrs...)
	var err error
	if isDump {
		for _, err = range c.conn.Dump(t.Context(), r) {
			if err == nil {
				break
			}
		}
	} else {
		_, err = c.conn.Do(t.Context(), r)
	}
	var answer *conn.Error
	if err != nil && !errors.As(err, &answer) {
		t.Fatal(err)
	}
	return answer
}

// isValidation tells a refusal by policy from the operation's own.
func isValidation(e *conn.Error) bool {
	switch e.Msg {
	case "Attribute failed policy validation", "Unknown attribute type", "bytes leftover after parsing attributes",
		"invalid attribute length", "NLA_F_NESTED is missing", "NLA_F_NESTED not expected", "Unsupported attribute",
		"allowed policy recursion depth exceeded", "Array element too short", "integer out of range",
		"binary attribute size out of range", "reserved bit set":
		return true
	}
	return false
}

// survey is what TestAllPolicies counts.
type survey struct {
	families, tables, attrs, ops int // told
	refused, same, stricter      int // requests that a Checker refuses, as the kernel or not
}

// All policies of all families: written again they are the bytes of the kernel,
// and what a Checker refuses by them the kernel refuses too, with the same error.
// Only what is refused is sent, to operations that change something only in a
// namespace of its own.
func TestAllPolicies(t *testing.T) {
	c, own := open(t), New(openIn(t, kerneltest.NewNetNS(t)))
	families, err := c.Families(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var s survey
	g := generate.New(1)
	for _, f := range families {
		p := s.rewrite(t, c, &f)
		there, harmless := own, false
		if _, err := own.FamilyByID(t.Context(), f.ID); errors.Is(err, ErrUnknown) {
			there, harmless = c, true // it is not for namespaces
		}
		for _, op := range p.Ops {
			if flags, _ := f.Op(uint8(op.Cmd)); harmless && flags.Flags&(genlmsg.OpAdmin|genlmsg.OpUnsAdmin) != 0 {
				continue
			}
			if op.Do != nil {
				s.compare(t, there, g, &f, uint8(op.Cmd), false, op.Do)
			}
			if op.Dump != nil {
				s.compare(t, there, g, &f, uint8(op.Cmd), true, op.Dump)
			}
		}
	}
	t.Logf("policies: families=%d tables=%d attrs=%d ops=%d stricter=%d", s.families, s.tables, s.attrs, s.ops, s.stricter)
	t.Logf("%d requests refused, %d of them with the kernel's very error", s.refused, s.same)
	if s.families == 0 || s.refused < 1000 {
		t.Error("this kernel tells no policies, or they refuse nothing: nothing was tested")
	}
	if s.same*100 < s.refused*98 {
		t.Errorf("%d of %d refusals have another error than the kernel's", s.refused-s.same, s.refused)
	}
}

// rewrite reads a family's policies and compares what is written again.
func (s *survey) rewrite(t *testing.T, c *Client, f *Family) *Policies {
	t.Helper()
	want := told(t, c, f.ID)
	p, err := c.Policies(t.Context(), f)
	if err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	i := 0
	for got := range p.Messages() {
		if i >= len(want) || !bytes.Equal(got, want[i]) {
			t.Fatalf("%s: message %d written again is % x\nthe kernel's: % x", f.Name, i, got, want[min(i, len(want)-1)])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%s: %d messages written again, %d from the kernel", f.Name, i, len(want))
	}
	if len(p.Ops) > 0 {
		s.families++
	}
	tables := p.Tables()
	s.tables, s.attrs, s.ops = s.tables+len(tables), s.attrs+len(want)-len(p.Ops), s.ops+len(p.Ops)
	for _, op := range p.Ops {
		if _, ok := f.Op(uint8(op.Cmd)); !ok {
			t.Errorf("%s: a policy of operation %d, which it does not have", f.Name, op.Cmd)
		}
	}
	return p
}

// compare sends what a Checker refuses.
func (s *survey) compare(t *testing.T, c *Client, g generate.Generator, f *Family, cmd uint8, isDump bool, p *nla.Policy) {
	t.Helper()
	k, err := c.Checker(t.Context(), f, cmd, isDump)
	if err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	for range 400 {
		b, m := nlmsg.Begin(nil, nlmsg.Type(f.ID), nlmsg.Request, 1, 0)
		b = append(genlmsg.Append(b, cmd, 1), make([]byte, nlmsg.Align(int(f.HdrSize)))...)
		stream := g.Stream(p)
		var refusal *nla.PolicyError
		if !errors.As(k.Check(nlmsg.Msg(nlmsg.End(append(b, stream...), m))), &refusal) {
			continue
		}
		s.refused++
		kernel := verdict(t, c, f, cmd, isDump, stream)
		switch {
		case kernel == nil || !isValidation(kernel):
			s.stricter++
			t.Errorf("%s %d dump %v: %v; the kernel: %v\n% x", f.Name, cmd, isDump, refusal, kernel, stream)
		case kernel.Msg == refusal.Msg && uint32(kernel.Errno) == uint32(refusal.Errno) && (!refusal.HasAttr || int(kernel.Offset) == refusal.Offset):
			s.same++
		}
	}
}

func TestPolicies(t *testing.T) {
	c := open(t)
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
	if name := get.Do.Attrs[genlmsg.CtrlAttrFamilyName]; name.Kind != nla.KindNULString || name.Len != 15 {
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
	if !errors.Is(err, unix.ENOENT) {
		t.Errorf("no such family: %v", err)
	}
	_, err = c.OpPolicy(t.Context(), genlmsg.IDCtrl, 77)
	if !errors.Is(err, unix.ENOENT) {
		t.Errorf("no such operation: %v", err)
	}
}

// A policy that nests itself is one pointer (devlink's, nl80211's; here nothing
// may have one, so that the tables are made by hand).
func TestRecursionIsKept(t *testing.T) {
	self := &nla.Policy{Attrs: []nla.Rule{{}, {Kind: nla.KindU8}, {Kind: nla.KindNested}}}
	self.Attrs[2].Nested = self
	other := &nla.Policy{Attrs: []nla.Rule{{}, {Kind: nla.KindNestedArray, Nested: self}}}
	want := &Policies{FamilyID: 30, Ops: []OpPolicy{{Cmd: 1, Do: other}, {Cmd: 2, Do: self, Dump: other}}}
	d := newPolicyDecoder(30)
	var sent [][]byte
	for attrs := range want.Messages() {
		b, m := nlmsg.Begin(nil, genlmsg.IDCtrl, nlmsg.Multi, 1, 0)
		b = nlmsg.End(append(genlmsg.Append(b, genlmsg.CtrlCmdGetPolicy, 2), attrs...), m)
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
	soft := lenient(inner, nla.Strict)
	if soft == inner || soft.Attrs[2].Nested != soft {
		t.Error("the lenient copy does not nest itself")
	}
}

func TestCheck(t *testing.T) {
	c := open(t)
	build := func(cmd uint8, flags nlmsg.Flags, attrs []byte) nlmsg.Msg {
		b, m := nlmsg.Begin(nil, genlmsg.IDCtrl, nlmsg.Request|flags, 1, 0)
		return nlmsg.Msg(nlmsg.End(append(genlmsg.Append(b, cmd, 2), attrs...), m))
	}
	tests := []struct {
		name  string
		msg   nlmsg.Msg
		errno nla.Errno
		text  string
	}{
		{"right", build(genlmsg.CtrlCmdGetFamily, 0, nla.AppendCString(nil, 2, "nlctrl")), 0, ""},
		{"an id of 1 byte", build(genlmsg.CtrlCmdGetFamily, 0, nla.AppendUint8(nil, 1, 1)), nla.ERANGE, "Attribute failed policy validation"},
		{"an id of 1 byte, dump", build(genlmsg.CtrlCmdGetPolicy, nlmsg.Dump, nla.AppendUint8(nil, 1, 1)), nla.EINVAL, "invalid attribute length"},
		{"an id with the Nested bit, dump", build(genlmsg.CtrlCmdGetPolicy, nlmsg.Dump, nla.AppendUint16(nil, 1|nla.Nested, 1)), nla.EINVAL, "NLA_F_NESTED not expected"},
		{"the same, do: liberal", build(genlmsg.CtrlCmdGetFamily, 0, nla.AppendUint16(nil, 1|nla.Nested, 1)), 0, ""},
		{"no such operation", build(99, 0, nil), 95, ""},
		{"not as a do", build(genlmsg.CtrlCmdGetPolicy, 0, nil), 95, ""},
		{"too short", nlmsg.Msg(build(1, 0, nil)[:18]), nla.EINVAL, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := c.Check(t.Context(), tt.msg)
			var refused *nla.PolicyError
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

func beginTo(id nlmsg.Type) []byte {
	b, _ := nlmsg.Begin(nil, id, nlmsg.Request, 1, 0)
	return b
}

func TestLost(t *testing.T) {
	tests := []struct {
		rule nla.Rule
		want Lost
		name string
	}{
		{nla.Rule{}, LostRule, "rule"},
		{nla.Rule{Kind: nla.KindU32}, LostNothing, ""},
		{nla.Rule{Kind: nla.KindU32, Check: nla.CheckFunc}, LostFunc, "function"},
		{nla.Rule{Kind: nla.KindUint}, LostKind, "kind"},
		{nla.Mask(nla.KindUint, 3), LostNothing, ""},
		{nla.Rule{Kind: nla.KindBinary}, LostLength, "length"},
		{nla.Rule{Kind: nla.KindBinary, Len: 4}, LostNothing, ""},
		{nla.ExactLen(4), LostNothing, ""},
		{nla.Rule{Kind: nla.KindNULString}, LostLength, "length"},
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
