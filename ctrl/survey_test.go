package ctrl

import (
	"bytes"
	"errors"
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// exportOf returns the attributes of the policy messages that the kernel sends.
func exportOf(t *testing.T, c *Client, id nlmsg.Type) (messages [][]byte) {
	t.Helper()
	r := c.request(genlmsg.CtrlCmdGetPolicy)
	defer r.Release()
	r.B = nla.AppendUint16(r.B, genlmsg.CtrlAttrFamilyID, uint16(id))
	for m, err := range c.conn.Dump(t.Context(), r) {
		if errors.Is(err, errno.ENODATA) {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, bytes.Clone(genlmsg.Attrs(m, 0)))
	}
	return messages
}

// operation is an operation to which TestAllPolicies sends requests.
type operation struct {
	client *Client
	family *Family
	cmd    uint8
	isDump bool
	policy *policy.Policy
}

// verdict sends attributes to the operation and returns the kernel's answer, nil for
// success.
func (o *operation) verdict(t *testing.T, attrs []byte) *conn.Error {
	t.Helper()
	r := o.family.Request(o.client.conn, o.cmd, nlmsg.FlagRequest|nlmsg.FlagAck)
	defer r.Release()
	r.B = append(r.B, attrs...)
	var err error
	if o.isDump {
		for _, err = range o.client.conn.Dump(t.Context(), r) {
			if err == nil {
				break
			}
		}
	} else {
		_, err = o.client.conn.Do(t.Context(), r)
	}
	var answer *conn.Error
	if err != nil && !errors.As(err, &answer) {
		t.Fatal(err)
	}
	return answer
}

// message makes the request of verdict.
func (o *operation) message(attrs []byte) nlmsg.Msg {
	b := nlmsg.Begin(nil, nlmsg.Type(o.family.ID), nlmsg.FlagRequest, 1, 0)
	b = append(genlmsg.Append(b, o.cmd, 1), make([]byte, nlmsg.Align(int(o.family.HdrSize)))...)
	return nlmsg.Msg(nlmsg.End(append(b, attrs...), 0))
}

// isValidation distinguishes a refusal by policy from a refusal by the operation.
func isValidation(e *conn.Error) bool {
	switch string(e.Msg) {
	case "Attribute failed policy validation", "Unknown attribute type", "bytes leftover after parsing attributes",
		"invalid attribute length", "NLA_F_NESTED is missing", "NLA_F_NESTED not expected", "Unsupported attribute",
		"allowed policy recursion depth exceeded", "Array element too short", "integer out of range",
		"binary attribute size out of range", "reserved bit set", textRejected:
		return true
	}
	return false
}

// mayCall reports whether a rule may call a check function. At most, the export shows it by
// a missing range (nl80211 has many such rules).
func mayCall(r *policy.Rule, seen map[*policy.Policy]bool) bool {
	switch r.Kind {
	case policy.KindBinary, policy.KindString, policy.KindNULString:
		return true
	}
	if r.Check == policy.CheckFunc {
		return true
	}
	if p := r.Nested; p != nil && !seen[p] {
		seen[p] = true
		for typ := range p.Attrs {
			if mayCall(&p.Attrs[typ], seen) {
				return true
			}
		}
	}
	return false
}

// isStricter reports whether the kernel accepts an attribute that the Checker refuses. An
// answer that is not a validation error may come from a check function; in this case the
// refused attribute is sent alone.
func (o *operation) isStricter(t *testing.T, refusal *policy.Error, stream []byte, answer *conn.Error) bool {
	t.Helper()
	if answer == nil || isValidation(answer) || !refusal.HasAttr {
		return answer == nil || !isValidation(answer)
	}
	at := refusal.Offset - nlmsg.HeaderLen - genlmsg.HeaderLen - nlmsg.Align(int(o.family.HdrSize))
	for b := stream; len(b) > 0; {
		a, n := nla.Consume(b)
		if n < 0 {
			break
		}
		if at < n {
			answer = o.verdict(t, b[:n])
			isOwn := answer != nil && mayCall(generate.RuleOf(o.policy, int(a.Type())), map[*policy.Policy]bool{})
			return answer == nil || !isValidation(answer) && !isOwn
		}
		b, at = b[n:], at-n
	}
	return true
}

// isEarlier reports whether the kernel refused an attribute that a Checker must accept,
// because its type is not exported, before the attribute that the Checker refuses.
func isEarlier(p *policy.Policy, refusal *policy.Error, answer *conn.Error) bool {
	if refusal.HasAttr && int(answer.Offset) >= refusal.Offset || len(answer.Path) == 0 {
		return false
	}
	for _, typ := range answer.Path[:len(answer.Path)-1] { // the entries of arrays have no rule
		if r := generate.RuleOf(p, int(typ)); r.Nested != nil {
			p = r.Nested
		}
	}
	return generate.RuleOf(p, int(answer.Path[len(answer.Path)-1])).Kind == policy.KindUnspec
}

// isByMode reports whether the kernel refused the same attribute, or an earlier one, with an
// error that only strict validation has. Strict validation from a type on is not exported.
func isByMode(refusal *policy.Error, answer *conn.Error) bool {
	if refusal.HasAttr && int(answer.Offset) > refusal.Offset {
		return false
	}
	switch string(answer.Msg) {
	case "invalid attribute length", "NLA_F_NESTED not expected", "NLA_F_NESTED is missing":
		return true
	}
	return false
}

// survey has the counters of TestAllPolicies.
type survey struct {
	families, tables, attrs, ops int // numbers exported
	strictOps                    int // operations that were found to validate strictly
	refused, same, stricter      int // refused by a Checker; with the kernel's error; accepted by the kernel
	earlier                      int // refused by the kernel for an attribute that is not exported
	byMode                       int // refused by strict validation
}

// Tests all policies of all families. Encoded again, they are the bytes of the kernel.
// Requests that a Checker refuses are refused by the kernel, with the same error if the
// mode is known. Only such requests are sent. Those to operations that change something are
// sent only in a private namespace.
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
			there, harmless = c, true // the family exists in the first namespace only
		}
		for _, op := range p.Ops {
			if flags, _ := f.Op(uint8(op.Cmd)); harmless && flags.Flags&(genlmsg.OpAdmin|genlmsg.OpUnsAdmin) != 0 {
				continue
			}
			if op.Do != nil {
				s.compare(t, g, &operation{there, &f, uint8(op.Cmd), false, op.Do})
			}
			if op.Dump != nil {
				s.compare(t, g, &operation{there, &f, uint8(op.Cmd), true, op.Dump})
			}
		}
	}
	t.Logf("policies: families=%d tables=%d attrs=%d ops=%d strict=%d stricter=%d", s.families, s.tables, s.attrs, s.ops, s.strictOps, s.stricter)
	t.Logf("%d requests refused, %d of them with the kernel's error, %d after an attribute that is not exported, %d by strict validation",
		s.refused+s.earlier+s.byMode, s.same, s.earlier, s.byMode)
	if s.families == 0 || s.refused < 1000 {
		t.Error("this kernel exports no policies, or they refuse nothing: nothing was tested")
	}
	if s.same*100 < s.refused*97 {
		t.Errorf("%d of %d refusals have another error than the kernel's", s.refused-s.same, s.refused)
	}
}

// rewrite reads a family's policies and compares their encoding with the kernel's messages.
func (s *survey) rewrite(t *testing.T, c *Client, f *Family) *Policies {
	t.Helper()
	want := exportOf(t, c, f.ID)
	p, err := c.Policies(t.Context(), f)
	if err != nil {
		t.Fatalf("%q: %v", f.Name, err)
	}
	i := 0
	for got := range p.Messages() {
		if i >= len(want) || !bytes.Equal(got, want[i]) {
			t.Fatalf("%q: message %d written again is % x\nthe kernel's: % x", f.Name, i, got, want[min(i, len(want)-1)])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%q: %d messages written again, %d from the kernel", f.Name, i, len(want))
	}
	if len(p.Ops) > 0 {
		s.families++
	}
	tables := p.Tables()
	s.tables, s.attrs, s.ops = s.tables+len(tables), s.attrs+len(want)-len(p.Ops), s.ops+len(p.Ops)
	for _, op := range p.Ops {
		if _, ok := f.Op(uint8(op.Cmd)); !ok {
			t.Errorf("%q: a policy of operation %d, which it does not have", f.Name, op.Cmd)
		}
	}
	return p
}

// compare sends the requests that a Checker refuses. An operation that refuses an unknown
// type validates strictly: from then on its Checker is strict, and the errors of earlier
// requests are not compared.
func (s *survey) compare(t *testing.T, g generate.Generator, o *operation) {
	t.Helper()
	k, err := o.client.Checker(t.Context(), o.family, o.cmd, o.isDump)
	if err != nil {
		t.Fatalf("%q: %v", o.family.Name, err)
	}
	isStrict, refused, same := false, 0, 0
	for range 400 {
		stream := g.Stream(o.policy)
		var refusal *policy.Error
		if !errors.As(k.Check(o.message(stream)), &refusal) {
			continue
		}
		refused++
		answer := o.verdict(t, stream)
		switch {
		case o.isStricter(t, refusal, stream, answer):
			s.stricter++
			t.Errorf("%q %d dump %v: %v; the answer: %v\n% x", o.family.Name, o.cmd, o.isDump, refusal, answer, stream)
		case string(answer.Msg) == refusal.Msg && answer.Errno == refusal.Errno && (!refusal.HasAttr || int(answer.Offset) == refusal.Offset):
			same++
		case !isStrict && string(answer.Msg) == "Unknown attribute type" && len(answer.Path) == 1:
			k, isStrict, refused, same = k.Strict(), true, 0, 0
			s.strictOps++
		case isEarlier(o.policy, refusal, answer):
			refused--
			s.earlier++
		case !isStrict && isByMode(refusal, answer):
			refused--
			s.byMode++
		}
	}
	s.refused, s.same = s.refused+refused, s.same+same
}
