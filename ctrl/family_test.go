package ctrl

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/golden"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// appendFamily appends the attributes that ParseFamily reads, like ctrl_fill_info of the
// kernel.
func appendFamily(b []byte, cmd uint8, f Family) []byte {
	m := len(b)
	b = nlmsg.Begin(b, genlmsg.IDCtrl, 0, 0, 0)
	b = genlmsg.Append(b, cmd, genlmsg.CtrlVersion)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, f.Name)
	b = nla.AppendUint16(b, genlmsg.CtrlAttrFamilyID, uint16(f.ID))
	b = nla.AppendUint32(b, genlmsg.CtrlAttrVersion, f.Version)
	b = nla.AppendUint32(b, genlmsg.CtrlAttrHdrSize, f.HdrSize)
	b = nla.AppendUint32(b, genlmsg.CtrlAttrMaxAttr, f.MaxAttr)
	if len(f.Ops) > 0 {
		var array, entry int
		array = len(b)
		b = nla.BeginNoFlag(b, genlmsg.CtrlAttrOps)
		for i, op := range f.Ops {
			entry = len(b)
			b = nla.BeginNoFlag(b, uint16(i+1))
			b = nla.AppendUint32(b, genlmsg.CtrlAttrOpID, op.ID)
			b = nla.AppendUint32(b, genlmsg.CtrlAttrOpFlags, uint32(op.Flags))
			b = nla.End(b, entry)
		}
		b = nla.End(b, array)
	}
	if len(f.Groups) > 0 {
		var array, entry int
		array = len(b)
		b = nla.BeginNoFlag(b, genlmsg.CtrlAttrMulticastGroups)
		for i, g := range f.Groups {
			entry = len(b)
			b = nla.BeginNoFlag(b, uint16(i+1))
			b = nla.AppendUint32(b, genlmsg.CtrlAttrMulticastGroupID, g.ID)
			b = nla.AppendCString(b, genlmsg.CtrlAttrMulticastGroupName, g.Name)
			b = nla.End(b, entry)
		}
		b = nla.End(b, array)
	}
	return nlmsg.End(b, m)
}

// The recorded dump, decoded and encoded again, has the same bytes except for header fields
// of a dump.
func TestParseFamilyRecorded(t *testing.T) {
	var names []string
	for _, d := range golden.Datagrams(t, "families") {
		for m, err := range nlmsg.All(d) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Type() == nlmsg.TypeDone {
				continue
			}
			f, err := ParseFamily(m)
			if err != nil {
				t.Fatal(err)
			}
			again := nlmsg.Msg(appendFamily(nil, genlmsg.CtrlCmdNewFamily, f))
			if !bytes.Equal(again.Payload(), m.Payload()) {
				t.Errorf("%s:\n% x\nwant\n% x", f.Name, again.Payload(), m.Payload())
			}
			names = append(names, f.Name)
		}
	}
	want := "nlctrl VFS_DQUOT thermal netdev ethtool NLBL_MGMT NLBL_CIPSOv4 NLBL_CALIPSO NLBL_UNLBL acpi_event tcp_metrics mptcp_pm SEG6 IOAM6 TASKSTATS"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("families %s\nwant     %s", got, want)
	}
}

func TestParseFamilyMalformed(t *testing.T) {
	good := nlmsg.Msg(appendFamily(nil, genlmsg.CtrlCmdNewFamily, Family{Name: "x", ID: 31}))
	message := func(typ nlmsg.Type, cmd uint8, attrs ...[]byte) nlmsg.Msg {
		b := nlmsg.Begin(nil, typ, 0, 0, 0)
		b = genlmsg.Append(b, cmd, 2)
		for _, a := range attrs {
			b = append(b, a...)
		}
		return nlmsg.End(b, 0)
	}
	name, id := nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "x"), nla.AppendUint16(nil, genlmsg.CtrlAttrFamilyID, 31)
	badOps := nla.BeginNoFlag(nil, genlmsg.CtrlAttrOps)
	badOps = nla.End(nla.AppendBytes(badOps, 1, nla.AppendUint8(nil, genlmsg.CtrlAttrOpID, 1)), 0)
	tests := []struct {
		name string
		m    nlmsg.Msg
		err  error
	}{
		{"good", good, nil},
		{"deleted", message(genlmsg.IDCtrl, genlmsg.CtrlCmdDelFamily, name, id), nil},
		{"an attribute of the future", message(genlmsg.IDCtrl, 1, name, id, nla.AppendUint32(nil, 99, 1)), nil},
		{"nothing", nil, ErrNotFamily},
		{"no Generic Netlink header", good[:nlmsg.HeaderLen], ErrNotFamily},
		{"another family", message(0x20, 1, name, id), ErrNotFamily},
		{"another command", message(genlmsg.IDCtrl, genlmsg.CtrlCmdGetPolicy, name, id), ErrNotFamily},
		{"no name", message(genlmsg.IDCtrl, 1, id), ErrNotFamily},
		{"no id", message(genlmsg.IDCtrl, 1, name), ErrNotFamily},
		{"id of 4 bytes", message(genlmsg.IDCtrl, 1, name, nla.AppendUint32(nil, genlmsg.CtrlAttrFamilyID, 1)), nla.ErrSize},
		{"name without NUL", message(genlmsg.IDCtrl, 1, nla.AppendText(nil, genlmsg.CtrlAttrFamilyName, "x"), id), nla.ErrUnterminated},
		{"version of 1 byte", message(genlmsg.IDCtrl, 1, name, id, nla.AppendUint8(nil, genlmsg.CtrlAttrVersion, 1)), nla.ErrSize},
		{"operation with an id of 1 byte", message(genlmsg.IDCtrl, 1, name, id, badOps), nla.ErrSize},
		{"operations of 2 bytes", message(genlmsg.IDCtrl, 1, name, id, nla.AppendUint16(nil, genlmsg.CtrlAttrOps, 1)), nla.ErrTruncated},
		{"2 bytes after the attributes", message(genlmsg.IDCtrl, 1, name, id, []byte{1, 2})[:len(name)+len(id)+22], nla.ErrTruncated},
	}
	for _, tt := range tests {
		if _, err := ParseFamily(tt.m); !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.err)
		}
	}
}

func TestOpAndGroup(t *testing.T) {
	f := Family{Ops: []Op{{ID: 3, Flags: genlmsg.OpDo}}, Groups: []Group{{ID: 36, Name: "g"}}}
	if op, ok := f.Op(3); !ok || op.Flags != genlmsg.OpDo {
		t.Errorf("Op(3) = %+v, %v", op, ok)
	}
	if _, ok := f.Op(4); ok {
		t.Error("Op(4) is not there")
	}
	if id, ok := f.Group("g"); !ok || id != 36 {
		t.Errorf("Group(g) = %d, %v", id, ok)
	}
	if _, ok := f.Group("h"); ok {
		t.Error("Group(h) is not there")
	}
}
