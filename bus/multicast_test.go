package bus

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The receivers and contents of a notification, with and without FlagEcho.
func TestNotify(t *testing.T) {
	b := newBus(t)
	f := simple("f", func(i *Info) error {
		b := i.Begin(9)
		return i.Notify(0, nla.AppendUint32(b, 1, 1))
	})
	f.HdrSize, f.Groups = 6, []Group{{Name: "g"}}
	register(t, b, f)
	requester, other, deaf := openPort(t, b, WithFlags(socket.PacketInfo)), openPort(t, b, WithFlags(socket.PacketInfo)), openPort(t, b)
	for _, p := range []*Port{requester, other} {
		if err := p.Join(f.GroupID(0)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 100)
	for _, echo := range []nlmsg.Flags{0, nlmsg.FlagEcho} {
		if err := requester.Send(message(f, 1, echo, nil)); err != nil {
			t.Fatal(err)
		}
		for _, p := range []*Port{requester, other} {
			n, info, err := p.TryReceive(buf)
			m := nlmsg.Msg(buf[:n])
			h, _ := genlmsg.Consume(m.Payload())
			v, _ := nla.Find(genlmsg.Attrs(m, 6), 1).Uint32()
			if err != nil || m.Seq() != 7 || m.PortID() != requester.PortID() || h.Cmd() != 9 || v != 1 ||
				info.Group != f.GroupID(0) || info.Groups != 1<<(f.GroupID(0)-1) || info.PortID != 0 {
				t.Errorf("echo %v: %v, %+v, %v", echo, m, info, err)
			}
			if _, _, err := p.TryReceive(buf); err != socket.ErrEmpty {
				t.Errorf("echo %v: received a second time", echo)
			}
		}
	}
	if _, _, err := deaf.TryReceive(buf); err != socket.ErrEmpty {
		t.Error("received without joining")
	}
}

// A multicast stays in its namespace, except for ports with ListenAllNSID.
func TestMulticast(t *testing.T) {
	b := newBus(t)
	f := register(t, b, &Family{Name: "f", NetNSOK: true, Groups: []Group{{Name: "g"}}})
	home, away, all := openPort(t, b), openPort(t, b, WithNetNS(5)), openPort(t, b, WithNetNS(7), WithFlags(socket.ListenAllNSID))
	m := f.Begin(nil, 0, 0, 0, 1)
	m = nlmsg.End(m, 0)
	if f.HasListeners(0) {
		t.Error("HasListeners without a member")
	}
	isErrno(t, f.Multicast(0, 0, m, 0), errno.ESRCH)
	isErrno(t, f.Multicast(0, 1, m, 0), errno.EINVAL)
	for _, p := range []*Port{home, away, all} {
		if err := p.Join(f.GroupID(0)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 100)
	heard := func(p *Port) (nsid int32, ok bool) {
		_, info, err := p.TryReceive(buf)
		if info.HasNSID {
			return info.NSID, err == nil
		}
		return -1, err == nil
	}
	for _, tt := range []struct {
		send func() error
		want [3]bool
		nsid int32
	}{
		{func() error { return f.Multicast(0, 0, m, 0) }, [3]bool{true, false, true}, 0},
		{func() error { return f.Multicast(5, 0, m, 0) }, [3]bool{false, true, true}, 5},
		{func() error { return f.Multicast(AllNetNS, 0, m, 0) }, [3]bool{true, true, true}, -1},
		{func() error { return f.Multicast(0, 0, m, home.PortID()) }, [3]bool{false, false, true}, 0},
	} {
		if err := tt.send(); err != nil {
			t.Error(err)
		}
		_, first := heard(home)
		_, second := heard(away)
		nsid, third := heard(all)
		if got := [3]bool{first, second, third}; got != tt.want || nsid != tt.nsid {
			t.Errorf("received by %v with namespace %d, want %v with %d", got, nsid, tt.want, tt.nsid)
		}
	}
	if err := home.Leave(f.GroupID(0)); err != nil {
		t.Error(err)
	}
	if err := f.Multicast(0, 0, m, 0); err != nil { // one port has ListenAllNSID
		t.Error(err)
	}
	if _, ok := heard(home); ok {
		t.Error("received after leaving")
	}
	if err := b.Unregister(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Multicast(0, 0, m, 0); err != errNotRegistered {
		t.Errorf("after Unregister: %v", err)
	}
}

// The family is notified of joins and leaves, including a leave without a membership.
func TestBind(t *testing.T) {
	b := newBus(t)
	var calls []string
	f := register(t, b, &Family{
		Name: "f", Groups: []Group{{Name: "a"}, {Name: "b"}},
		Bind: func(g int) { calls = append(calls, fmt.Sprint("+", g)) }, Unbind: func(g int) { calls = append(calls, fmt.Sprint("-", g)) },
	})
	p := openPort(t, b)
	for _, err := range []error{p.Join(f.GroupID(1)), p.Join(f.GroupID(0)), p.Leave(f.GroupID(1)), p.Leave(f.GroupID(1)), p.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(calls, " "); got != "+1 +0 -1 -1 -0" {
		t.Errorf("calls %q", got)
	}
}
