package fuzz

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nlmsg"
)

// family converts the result of the oracle to ctrl's type.
func (f *slowFamily) family() ctrl.Family {
	if f == nil {
		return ctrl.Family{}
	}
	out := ctrl.Family{
		Name: f.name, ID: nlmsg.Type(f.numbers[1]),
		Version: uint32(f.numbers[3]), HdrSize: uint32(f.numbers[4]), MaxAttr: uint32(f.numbers[5]),
	}
	for _, op := range f.ops {
		out.Ops = append(out.Ops, ctrl.Op{ID: uint32(op[0]), Flags: genlmsg.OpFlags(op[1])})
	}
	for _, g := range f.groups {
		out.Groups = append(out.Groups, ctrl.Group{ID: uint32(g.id), Name: g.name})
	}
	return out
}

// agreeOnFamily compares ParseFamily and ParseEvent with the oracle. It reports whether the
// message is a family or an event.
func agreeOnFamily(t *testing.T, m nlmsg.Msg) bool {
	t.Helper()
	want := parseFamily(bytesAt(m), 1, 2)
	got, err := ctrl.ParseFamily(m)
	if (err == nil) != (want != nil) || err == nil && cmp.Diff(want.family(), got) != "" {
		t.Fatalf("%+v, %v, the oracle: %+v\n% x", got, err, want, []byte(m))
	}
	event := parseFamily(bytesAt(m), 1, 2, 7, 8)
	e, err := ctrl.ParseEvent(m)
	if (err == nil) != (event != nil) || err == nil && (cmp.Diff(event.family(), e.Family) != "" || e.Cmd != m[16] || e.String() == "") {
		t.Fatalf("%+v, %v, the oracle: %+v\n% x", e, err, event, []byte(m))
	}
	// An entry of an array takes 4 bytes of the message and 24 of memory, and the
	// slice grows by doubling.
	guard.Memory(t, m, 1024+32*len(m), func() { _, _ = ctrl.ParseFamily(m) })
	return event != nil
}

// FuzzFamilies compares families and events of the controller with the oracle.
func FuzzFamilies(f *testing.F) {
	g := generate.New(1)
	list := seeds.Datagrams()
	for range 64 {
		list = append(list, seeds.Seed{Name: "generated", B: g.Family()})
	}
	seeds.Fuzz(f, list, func(t *testing.T, b []byte) {
		for m, err := range nlmsg.All(b) {
			if err != nil {
				break
			}
			agreeOnFamily(t, m)
		}
	})
}

// TestFamiliesAgreeWithTheOracle runs the check of FuzzFamilies on nearly valid messages.
func TestFamiliesAgreeWithTheOracle(t *testing.T) {
	g := generate.New(2)
	messages, good := 100_000, 0
	if testing.Short() {
		messages = 10_000
	}
	for i := range messages {
		b := g.Family()
		if i%3 == 0 {
			b = g.Spoil(b)
		}
		if m, n := nlmsg.Consume(b); n > 0 && agreeOnFamily(t, m) {
			good++
		}
	}
	if good < messages/5 || good > messages*4/5 {
		t.Errorf("%d of %d messages are a family", good, messages)
	}
}
