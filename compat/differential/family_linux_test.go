package differential

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/genlmsg"
)

// controller is the library's form of the family nlctrl. All Linux versions have the same.
var controller = genetlink.Family{
	ID: 16, Version: 2, Name: "nlctrl",
	Groups: []genetlink.MulticastGroup{{ID: 16, Name: "notify"}},
}

// silent is an operation without a reply. It always succeeds.
var silent = []bus.Op{{Cmd: 1, Do: func(*bus.Info) error { return nil }}}

func TestControllerIsResolved(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		f, err := dial(t, p).GetFamily("nlctrl")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(controller, f); diff != "" {
			t.Errorf("family (-want +got):\n%s", diff)
		}
	})
}

func TestControllerIsListedFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		families, err := c.ListFamilies()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(controller, families[0]); diff != "" {
			t.Errorf("family (-want +got):\n%s", diff)
		}
		for _, f := range families {
			again, err := c.GetFamily(f.Name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(f, again); diff != "" {
				t.Errorf("ListFamilies and GetFamily differ (-list +get):\n%s", diff)
			}
		}
	})
}

func TestUnknownFamily(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		for _, name := range []string{"NOTEXISTS", "", "nlctr", "NLCTRL", "fifteen-letters"} {
			f, err := dial(t, p).GetFamily(name)
			if !errors.Is(err, os.ErrNotExist) || !errors.Is(err, unix.ENOENT) {
				t.Errorf("%q: %+v, %v", name, f, err)
			}
		}
	})
}

func TestFamilyWithManyGroups(t *testing.T) {
	b := newBus(t)
	f := &bus.Family{Name: "many groups", Version: 255, Ops: silent}
	want := genetlink.Family{Name: f.Name, Version: f.Version}
	for i := range 40 {
		f.Groups = append(f.Groups, bus.Group{Name: fmt.Sprintf("group %d", i)})
	}
	register(t, b, f)
	want.ID = uint16(f.ID())
	for i, g := range f.Groups {
		want.Groups = append(want.Groups, genetlink.MulticastGroup{ID: f.GroupID(i), Name: g.Name})
	}
	got, err := dial(t, b).GetFamily(f.Name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("family (-want +got):\n%s", diff)
	}
}

func TestListOfManyFamilies(t *testing.T) {
	b := newBus(t)
	c := dialWith(t, b, smallBuffer)
	want := []string{"nlctrl", docexmpl.Name}
	for i := range 200 {
		f := &bus.Family{Name: fmt.Sprintf("family %d", i), Ops: silent}
		register(t, b, f)
		want = append(want, f.Name)
	}
	families, err := c.ListFamilies()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(families, func(a, b genetlink.Family) int { return int(a.ID) - int(b.ID) }) {
		t.Error("families are not in the order of their IDs")
	}
	if n := c.sock.datagrams.Load(); n < 4 {
		t.Errorf("the list arrived in %d datagrams, want several", n)
	}
}

// TestFamiliesComeAndGo receives the events of the controller while a family is registered, used and
// unregistered.
func TestFamiliesComeAndGo(t *testing.T) {
	b := newBus(t)
	c := dialWith(t, b, netlink.Config{Groups: 1 << (controller.Groups[0].ID - 1)})
	other := dial(t, b)
	f := &bus.Family{Name: "visitor", Version: 3, Ops: silent, Groups: []bus.Group{{Name: "first"}, {Name: "second"}}}
	register(t, b, f)
	visitor, err := other.GetFamily(f.Name)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Unregister(f); err != nil {
		t.Fatal(err)
	}
	want := []event{
		{genlmsg.CtrlCmdNewFamily, visitor.ID, visitor.Groups},
		{genlmsg.CtrlCmdNewMulticastGroup, visitor.ID, visitor.Groups[:1]},
		{genlmsg.CtrlCmdNewMulticastGroup, visitor.ID, visitor.Groups[1:]},
		{genlmsg.CtrlCmdDelMulticastGroup, visitor.ID, visitor.Groups[:1]},
		{genlmsg.CtrlCmdDelMulticastGroup, visitor.ID, visitor.Groups[1:]},
		{genlmsg.CtrlCmdDelFamily, visitor.ID, visitor.Groups},
	}
	var got []event
	for range want {
		got = append(got, nextEvent(t, c))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	answersNow(t, c)
	if _, err := other.GetFamily(f.Name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("GetFamily after Unregister: %v", err)
	}
	if _, err := other.Execute(genetlink.Message{Header: genetlink.Header{Command: 1}}, visitor.ID, netlink.Request|netlink.Acknowledge); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Execute after Unregister: %v", err)
	}
}

// event is a notification of the controller.
type event struct {
	Cmd    uint8
	ID     uint16
	Groups []genetlink.MulticastGroup
}

// nextEvent decodes a notification with the library's decoder.
func nextEvent(t *testing.T, c *client) event {
	t.Helper()
	messages, _, err := c.Receive()
	if err != nil || len(messages) != 1 {
		t.Fatalf("%+v, %v", messages, err)
	}
	d, err := netlink.NewAttributeDecoder(messages[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	e := event{Cmd: messages[0].Header.Command}
	for d.Next() {
		switch d.Type() {
		case genlmsg.CtrlAttrFamilyID:
			e.ID = d.Uint16()
		case genlmsg.CtrlAttrMulticastGroups:
			d.Nested(func(list *netlink.AttributeDecoder) error {
				for list.Next() {
					list.Nested(func(d *netlink.AttributeDecoder) error {
						var g genetlink.MulticastGroup
						for d.Next() {
							switch d.Type() {
							case genlmsg.CtrlAttrMulticastGroupID:
								g.ID = d.Uint32()
							case genlmsg.CtrlAttrMulticastGroupName:
								g.Name = d.String()
							}
						}
						e.Groups = append(e.Groups, g)
						return nil
					})
				}
				return nil
			})
		}
	}
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	return e
}

// A new family may reuse group numbers of an unregistered one. The members of the old group are not
// members of the new group.
func TestMembershipEndsWithTheFamily(t *testing.T) {
	b := newBus(t)
	listener, sender := dial(t, b), dial(t, b)
	before := docFamily(t, listener)
	if err := listener.JoinGroup(before.Groups[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := b.Unregister(b.docexmpl); err != nil {
		t.Fatal(err)
	}
	register(t, b, b.docexmpl)
	after := docFamily(t, sender)
	if after.ID == before.ID || after.Groups[0].ID != before.Groups[0].ID {
		t.Fatalf("before %+v, after %+v", before, after)
	}
	if _, err := sender.Execute(echoOf(t, "hello"), after.ID, netlink.Request); err != nil {
		t.Fatal(err)
	}
	answersNow(t, listener)
}

func TestWhoMayDoWhat(t *testing.T) {
	b := newBus(t)
	f := &bus.Family{
		Name:   "guarded",
		Ops:    []bus.Op{{Cmd: 1, Flags: genlmsg.OpAdmin, Do: silent[0].Do}, {Cmd: 2, Flags: genlmsg.OpUnsAdmin, Do: silent[0].Do}},
		Groups: []bus.Group{{Name: "open"}, {Name: "net", Flags: bus.GroupNetAdmin}, {Name: "sys", Flags: bus.GroupSysAdmin}},
	}
	register(t, b, f)
	tests := []struct {
		caps bus.Caps
		may  [5]bool // commands 1 and 2, then the groups
	}{
		{0, [5]bool{false, false, true, false, false}},
		{bus.CapNetAdmin, [5]bool{true, false, true, false, false}},
		{bus.CapNetAdminNS, [5]bool{false, true, true, true, false}},
		{bus.CapSysAdminNS, [5]bool{false, false, true, false, true}},
		{bus.Root, [5]bool{true, true, true, true, true}},
	}
	for _, test := range tests {
		c, err := b.dialPort(t, netlink.Config{}, bus.WithCaps(test.caps))
		if err != nil {
			t.Fatal(err)
		}
		var may [5]bool
		for i := range may {
			if i < 2 {
				_, err = c.Execute(genetlink.Message{Header: genetlink.Header{Command: uint8(i + 1)}}, uint16(f.ID()), netlink.Request|netlink.Acknowledge)
			} else {
				err = c.JoinGroup(f.GroupID(i - 2))
			}
			if may[i] = err == nil; err != nil && !errors.Is(err, os.ErrPermission) {
				t.Errorf("caps %b, %d: %v", test.caps, i, err)
			}
		}
		if may != test.may {
			t.Errorf("caps %b: %v, want %v", test.caps, may, test.may)
		}
	}
}
