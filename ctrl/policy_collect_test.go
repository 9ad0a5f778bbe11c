package ctrl

import (
	"bytes"
	"testing"

	"github.com/nlwire/nlwire/nla"
)

// A collector has the policies of the messages so far, which it shares with no caller.
func TestPolicyCollector(t *testing.T) {
	want := example()
	family := &Family{ID: 30, Ops: []Op{{ID: 1, Flags: 0x18}, {ID: 2, Flags: 0x18}, {ID: 9, Flags: 0x18}}}
	c := NewPolicyCollector(30)
	if p := c.Policies(nil); len(p.Ops) != 0 || p.FamilyID != 30 {
		t.Errorf("before the first message: %+v", p)
	}
	count := 0
	for b := range want.Messages() {
		m := policyMessage(b)
		if err := c.Add(m); err != nil {
			t.Fatal(err)
		}
		clear(m) // it is not retained
		if count++; count <= len(want.Ops) && len(c.Policies(nil).Ops) != count {
			t.Errorf("%d operations after %d messages", len(c.Policies(nil).Ops), count)
		}
	}
	p := c.Policies(family)
	if op, ok := p.Op(9); !ok || op.Dump == nil {
		t.Errorf("the operation without a name: %+v", p.Ops)
	}
	if again := c.Policies(nil); !again.Ops[2].Unnamed || again.Ops[2].Cmd == 9 {
		t.Errorf("the names of a family stay in the collector: %+v", again.Ops)
	}
	var got [][]byte
	for b := range c.Policies(nil).Messages() {
		got = append(got, bytes.Clone(b))
	}
	i := 0
	for b := range want.Messages() {
		if i < len(got) && !bytes.Equal(got[i], b) {
			t.Errorf("message %d: % x, want % x", i, got[i], b)
		}
		i++
	}
	if i != len(got) {
		t.Errorf("%d messages, want %d", len(got), i)
	}
}

// After an error there are no policies, because some would be missing.
func TestPolicyCollectorFails(t *testing.T) {
	c := NewPolicyCollector(30)
	if err := c.Add(policyMessage(nla.AppendUint32(nil, 1, 1))); err != nil {
		t.Fatal(err)
	}
	if err := c.Add(policyMessage(largeTables())); err == nil {
		t.Error("no error")
	}
	if p := c.Policies(nil); p != nil {
		t.Errorf("%+v", p)
	}
}
