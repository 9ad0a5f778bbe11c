package ctrl

import (
	"bytes"
	"errors"
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/generate"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// told returns the attributes of the policy messages as the kernel sends them.
func told(t *testing.T, c *Client, id uint16) (messages [][]byte) {
	t.Helper()
	r := c.conn.Request(genlmsg.IDCtrl, nlmsg.Request, genlmsg.Append(nil, genlmsg.CtrlCmdGetPolicy, genlmsg.CtrlVersion))
	r.B = nla.AppendUint16(r.B, genlmsg.CtrlAttrFamilyID, id)
	for m, err := range c.conn.Dump(t.Context(), r) {
		if errors.Is(err, errnoNoData) {
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
		"binary attribute size out of range", "reserved bit set", textRejected, textOdd:
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
func TestAllPolicies(t *testing.T) { onBoth(t, allPolicies) }

func allPolicies(t *testing.T, w world) {
	c, own := w.client(t), New(w.openApart(t))
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
		answer := verdict(t, c, f, cmd, isDump, stream)
		switch {
		case answer == nil || !isValidation(answer):
			s.stricter++
			t.Errorf("%s %d dump %v: %v; the answer: %v\n% x", f.Name, cmd, isDump, refusal, answer, stream)
		case answer.Msg == refusal.Msg && uint32(answer.Errno) == uint32(refusal.Errno) && (!refusal.HasAttr || int(answer.Offset) == refusal.Offset):
			s.same++
		}
	}
}
