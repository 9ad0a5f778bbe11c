package ctrl

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// A request has the family's id and version, the command, and a family header of zeros,
// padded, regardless of the previous contents of the pooled request.
func TestFamilyRequest(t *testing.T) {
	c := newBus(t).open(t)
	for _, size := range []uint32{0, 1, 3, 4, 6, 24, 63, 64, 65, 1 << 12} {
		f := Family{Name: "802.15.4 MAC", ID: 0x123, Version: 0x1ff, HdrSize: size}
		dirty := c.Request(1, 0, nil)
		dirty.B = append(dirty.B, bytes.Repeat([]byte{0xff}, 1<<13)...)
		dirty.Release()
		r := f.Request(c, 7, nlmsg.FlagRequest|nlmsg.FlagAck)
		m := nlmsg.Msg(r.B)
		want := make([]byte, nlmsg.Align(genlmsg.HeaderLen+int(size)))
		want[0], want[1] = 7, 0xff
		if m.Type() != 0x123 || m.Flags() != nlmsg.FlagRequest|nlmsg.FlagAck || !bytes.Equal(r.B[nlmsg.HeaderLen:], want) || r.Op != f.Name {
			t.Errorf("header of %d bytes: % x, %q", size, r.B, r.Op)
		}
		r.Release()
	}
}

// The family header starts at byte 20, and errors locate the attributes after it.
func TestFamilyRequestWithHeader(t *testing.T) {
	var got []byte
	w := newBus(t, &bus.Family{Name: "headed", Version: 1, HdrSize: 6, Ops: []bus.Op{{
		Cmd: 1, Policy: &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindU8}}},
		Do: func(i *bus.Info) error { got = bytes.Clone(i.UserHeader); return nil },
	}}})
	c := w.client(t)
	f, err := c.Family(t.Context(), "headed")
	if err != nil {
		t.Fatal(err)
	}
	r := f.Request(c.Conn(), 1, nlmsg.FlagRequest|nlmsg.FlagAck)
	defer r.Release()
	copy(r.B[20:20+f.HdrSize], "abcdef")
	r.B = nla.AppendUint8(r.B, 1, 5)
	if _, err := c.Conn().Do(t.Context(), r); err != nil || string(got) != "abcdef" {
		t.Errorf("%q, %v", got, err)
	}
	r.B = nla.AppendUint16(r.B, 1, 5)
	if _, err := c.Conn().Do(t.Context(), r); err == nil || !strings.Contains(err.Error(), "headed") || !strings.Contains(err.Error(), "attribute 1") {
		t.Errorf("error %v", err)
	}
}

func TestFamilyRequestAllocatesNothing(t *testing.T) {
	if guard.Race {
		t.Skip("the race detector makes sync.Pool allocate")
	}
	c := newBus(t).open(t)
	for _, size := range []uint32{0, 6, 64} {
		f := Family{Name: "f", ID: 30, Version: 1, HdrSize: size}
		if n := testing.AllocsPerRun(100, func() {
			r := f.Request(c, 1, nlmsg.FlagRequest)
			r.B = nla.AppendUint32(r.B, 1, 7)
			r.Release()
		}); n != 0 {
			t.Errorf("header of %d bytes: %v allocations, want none", size, n)
		}
	}
}

// Decoding a family takes four allocations: its name, the operations, the groups, their
// names.
func TestParseFamilyAllocations(t *testing.T) {
	f := Family{Name: "f", ID: 30, Version: 1, HdrSize: 4, MaxAttr: 9}
	for i := range uint32(100) {
		f.Ops = append(f.Ops, Op{ID: i, Flags: genlmsg.OpDo})
		f.Groups = append(f.Groups, Group{ID: i, Name: strings.Repeat("g", int(i%16))})
	}
	m := nlmsg.Msg(appendFamily(nil, genlmsg.CtrlCmdNewFamily, f))
	if n := testing.AllocsPerRun(100, func() {
		if _, err := ParseFamily(m); err != nil {
			t.Fatal(err)
		}
	}); n > 4 {
		t.Errorf("%v allocations, want 4", n)
	}
	got, err := ParseFamily(m)
	clear(m)
	if err != nil || len(got.Ops) != 100 || cap(got.Ops) != 100 || got.Groups[99].Name != "ggg" || got.Name != "f" {
		t.Errorf("after the message was overwritten: %+v, %v", got, err)
	}
}

// Names with a space are quoted in all texts.
func TestNamesAreQuoted(t *testing.T) {
	f := Family{Name: "802.15.4 MAC", ID: 30, Groups: []Group{{ID: 5, Name: "a b"}}}
	for cmd, want := range map[uint8]string{
		genlmsg.CtrlCmdNewFamily:         `new family "802.15.4 MAC", id 30`,
		genlmsg.CtrlCmdDelFamily:         `family "802.15.4 MAC", id 30, is gone`,
		genlmsg.CtrlCmdNewMulticastGroup: `new group "a b", id 5, of family "802.15.4 MAC"`,
	} {
		if got := (Event{Cmd: cmd, Family: f}).String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	c := newBus(t).client(t)
	_, byName := c.Family(t.Context(), f.Name)
	_, policies := c.Policies(t.Context(), &f)
	for _, err := range []error{byName, policies} {
		if err == nil || !strings.Contains(err.Error(), `family "802.15.4 MAC"`) {
			t.Errorf("error %v", err)
		}
	}
	if quote("nl80211") != "nl80211" || quote("\x7f") != `"\x7f"` || quote("ü") != `"\u00fc"` {
		t.Error(quote("nl80211"), quote("\x7f"), quote("ü"))
	}
}
