package bus

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The order of the checks is the kernel's: each request has the fault of its row and of all
// rows below it.
func TestOrderOfChecks(t *testing.T) {
	b := newBus(t)
	f := register(t, b, &Family{
		Name: "f", HdrSize: 4, ResvStartOp: 0,
		Ops: []Op{{Cmd: 1, Flags: genlmsg.OpAdmin, Do: nothing, Policy: anyPolicy}},
	})
	p := openPort(t, b, WithCaps(0), WithFlags(socket.ExtAck))
	bad := nla.AppendUint8(nil, 1, 1)
	request := func(change func(m nlmsg.Msg)) []byte {
		m := message(f, 1, 0, bad)
		change(m)
		return m
	}
	reserve := func(m nlmsg.Msg) { m[18] = 1 }
	other := func(m nlmsg.Msg) { m[16] = 9 }
	tests := []struct {
		name  string
		b     []byte
		errno errno.Errno
		msg   string
	}{
		{"unknown family", request(func(m nlmsg.Msg) { setType(m, 500); reserve(m); other(m) }), errno.ENOENT, ""},
		{"short header", request(func(m nlmsg.Msg) { reserve(m); other(m) })[:22], errno.EINVAL, ""},
		{"reserved field", request(func(m nlmsg.Msg) { reserve(m); other(m); m.SetFlags(0x801) }), errno.EINVAL, msgReserved},
		{"flags", request(func(m nlmsg.Msg) { other(m); m.SetFlags(0x801) }), errno.EINVAL, msgFlags},
		{"one bit of dump", request(func(m nlmsg.Msg) { other(m); m.SetFlags(0x101) }), errno.EINVAL, msgFlags},
		{"unknown command", request(other), errno.EOPNOTSUPP, ""},
		{"dump that is not there", request(func(m nlmsg.Msg) { m.SetFlags(0x301) }), errno.EOPNOTSUPP, ""},
		{"privilege", request(func(nlmsg.Msg) {}), errno.EPERM, ""},
	}
	for _, tt := range tests {
		tt.b = nlmsg.End(tt.b, 0)
		if a := answerTo(t, p, tt.b); a.Errno != tt.errno || string(a.Msg) != tt.msg {
			t.Errorf("%s: errno %d, %q; want %v, %q", tt.name, a.Errno, a.Msg, tt.errno, tt.msg)
		}
	}
	root := openPort(t, b, WithFlags(socket.ExtAck))
	if a := answerTo(t, root, request(func(nlmsg.Msg) {})); a.Errno != errno.EINVAL || string(a.Msg) != "invalid attribute length" || a.Offset != 24 {
		t.Errorf("policy: errno %d, %q at %d", a.Errno, a.Msg, a.Offset)
	}
}

// The capabilities required to send to an operation and to join a group.
func TestCaps(t *testing.T) {
	b := newBus(t)
	f := register(t, b, &Family{
		Name: "f", NetNSOK: true,
		Ops:    []Op{{Cmd: 1, Do: nothing}, {Cmd: 2, Do: nothing, Flags: genlmsg.OpAdmin}, {Cmd: 3, Do: nothing, Flags: genlmsg.OpUnsAdmin}},
		Groups: []Group{{Name: "any"}, {Name: "net", Flags: GroupNetAdmin}, {Name: "sys", Flags: GroupSysAdmin}},
	})
	for caps, want := range map[Caps][6]bool{
		0:                             {true, false, false, true, false, false},
		CapNetAdmin:                   {true, true, false, true, false, false},
		CapNetAdminNS:                 {true, false, true, true, true, false},
		CapNetAdminNS | CapSysAdminNS: {true, false, true, true, true, true},
		Root:                          {true, true, true, true, true, true},
	} {
		p := openPort(t, b, WithCaps(caps), WithNetNS(1))
		var got [6]bool
		for i := range 3 {
			a := answerTo(t, p, message(f, uint8(i+1), nlmsg.FlagAck, nil))
			got[i] = a.Errno == 0
			if a.Errno != 0 && a.Errno != errno.EPERM {
				t.Errorf("caps %d: errno %d", caps, a.Errno)
			}
			err := p.Join(f.GroupID(i))
			if got[3+i] = err == nil; err != nil {
				isErrno(t, err, errno.EPERM)
			}
		}
		if got != want {
			t.Errorf("caps %d: allowed %v, want %v", caps, got, want)
		}
	}
}

// In a namespace without the family, requests, lookups and lists do not find it.
func TestNamespaces(t *testing.T) {
	b := newBus(t)
	f := register(t, b, simple("f", nothing))
	outside := openPort(t, b, WithNetNS(1))
	if a := answerTo(t, outside, message(f, 1, 0, nil)); a.Errno != errno.ENOENT {
		t.Errorf("request: errno %d", a.Errno)
	}
	byName := nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "f")
	if a := answerTo(t, outside, message(b.ctrl, genlmsg.CtrlCmdGetFamily, 0, byName)); a.Errno != errno.ENOENT {
		t.Errorf("lookup: errno %d", a.Errno)
	}
	if list := send(t, outside, message(b.ctrl, genlmsg.CtrlCmdGetFamily, nlmsg.FlagDump, nil)); len(list) != 2 {
		t.Errorf("list: %d messages, want nlctrl and the Done", len(list))
	}
	// Its policies are still exported, as by the kernel.
	if list := send(t, outside, message(b.ctrl, genlmsg.CtrlCmdGetPolicy, nlmsg.FlagDump, byName)); len(list) < 3 {
		t.Errorf("policies: %d messages", len(list))
	}
}

// The order of pre_doit, doit and post_doit, and the Info of each.
func TestAroundADo(t *testing.T) {
	var calls []string
	var preErr, doErr error
	f := simple("f", func(i *Info) error { calls = append(calls, fmt.Sprint("do ", i.Ctx)); return doErr })
	f.PreDo = func(i *Info) error { i.Ctx = "held"; calls = append(calls, "pre"); return preErr }
	f.PostDo = func(i *Info) { calls = append(calls, fmt.Sprint("post ", i.Ctx)) }
	f.SplitOps = []SplitOp{{Cmd: 2, Flags: genlmsg.OpDo, Do: nothing, Policy: anyPolicy, PostDo: func(*Info) { calls = append(calls, "split post") }}}
	b := newBus(t)
	register(t, b, f)
	p := openPort(t, b)
	for _, tt := range []struct {
		cmd      uint8
		pre, err error
		errno    errno.Errno
		want     string
	}{
		{1, nil, nil, 0, "pre|do held|post held"},
		{1, nil, errno.ENOENT, errno.ENOENT, "pre|do held|post held"},
		{1, errno.EBUSY, nil, errno.EBUSY, "pre"},
		{2, errno.EBUSY, nil, 0, "split post"},
	} {
		calls, preErr, doErr = nil, tt.pre, tt.err
		a := answerTo(t, p, message(f, tt.cmd, nlmsg.FlagAck, nil))
		if a.Errno != tt.errno || strings.Join(calls, "|") != tt.want {
			t.Errorf("pre %v, do %v: errno %d, calls %q", tt.pre, tt.err, a.Errno, calls)
		}
	}
}

// If a handler panics, its requester gets EIO, and other requesters are not affected.
func TestPanics(t *testing.T) {
	var panics []*Panic
	b := newBus(t, WithPanics(func(p *Panic) { panics = append(panics, p) }))
	var doPanic bool
	f := simple("f", func(*Info) error {
		if doPanic {
			panic("broken")
		}
		return nil
	})
	f.Ops = append(f.Ops, Op{Cmd: 2, Policy: anyPolicy, Dump: func(*Dump) error { panic("dump") }, Done: func(*Dump) { panic("done") }})
	register(t, b, f)
	p := openPort(t, b, WithFlags(socket.ExtAck))
	doPanic = true
	a := answerTo(t, p, message(f, 1, nlmsg.FlagAck, nil))
	if a.Errno != errno.EIO || !strings.Contains(string(a.Msg), `command 1 of family "f" panicked: broken`) {
		t.Errorf("errno %d, %q", a.Errno, a.Msg)
	}
	list := send(t, p, message(f, 2, nlmsg.FlagDump, nil))
	if len(list) != 1 {
		t.Fatalf("%d messages", len(list))
	}
	if a, err := nlmsg.ParseDone(list[0]); err != nil || a.Errno != errno.EIO {
		t.Errorf("dump: errno %d, %v", a.Errno, err)
	}
	doPanic = false
	if a := answerTo(t, p, message(f, 1, nlmsg.FlagAck, nil)); a.Errno != 0 {
		t.Errorf("after the panics: errno %d", a.Errno)
	}
	if len(panics) != 3 || b.Stats().Panics != 3 || !strings.Contains(string(panics[0].Stack), "TestPanics") {
		t.Errorf("%d panics reported, stats %+v", len(panics), b.Stats())
	}
}

// A handler gets the family's own header, and replies contain room for it.
func TestUserHeader(t *testing.T) {
	b := newBus(t)
	f := simple("f", func(i *Info) error {
		b := i.Begin(1)
		copy(b[len(b)-8:], i.UserHeader)
		return i.Reply(nla.AppendUint32(b, 1, i.Attrs.Uint32(1)))
	})
	f.HdrSize = 6
	register(t, b, f)
	m := nlmsg.Msg(message(f, 1, 0, nla.AppendUint32(nil, 1, 42)))
	copy(m[20:], "header")
	list := send(t, openPort(t, b), m)
	if len(list) != 1 || string(genlmsg.UserHeader(list[0], 6)) != "header" {
		t.Fatalf("%v", list)
	}
	if v, err := nla.Find(genlmsg.Attrs(list[0], 6), 1).Uint32(); v != 42 || err != nil {
		t.Errorf("attribute %d, %v", v, err)
	}
}

// The messages of a datagram are handled in order. A message that is not a request is
// acknowledged, and a malformed message ends the datagram silently.
func TestDatagrams(t *testing.T) {
	b := newBus(t)
	var calls []uint32
	f := register(t, b, simple("f", func(i *Info) error { calls = append(calls, i.Seq); return nil }))
	one := func(seq uint32, flags nlmsg.Flags) []byte {
		m := nlmsg.Msg(message(f, 1, 0, nil))
		m.SetSeq(seq)
		m.SetFlags(flags)
		return m
	}
	tests := []struct {
		name  string
		b     []byte
		calls int
		acks  int
	}{
		{"one", one(1, 1), 1, 0},
		{"three, two with ACK", slices.Concat(one(1, 5), one(2, 1), one(3, 5)), 3, 2},
		{"no request", one(1, 0), 0, 0},
		{"no request, but ACK", one(1, 4), 0, 1},
		{"a control message", func() []byte { m := one(1, 5); setType(m, 3); return m }(), 0, 1},
		{"an error between", func() []byte {
			bad := one(2, 1)
			bad[16] = 99
			return slices.Concat(one(1, 1), bad, one(3, 1))
		}(), 2, 1},
		{"15 bytes at the end", append(one(1, 1), make([]byte, 15)...), 1, 0},
		{"a length of 0 at the end", append(one(1, 5), make([]byte, 16)...), 1, 1},
		{"a length past the end", slices.Concat(one(1, 5), length(200), make([]byte, 20)), 1, 1},
		{"15 bytes", make([]byte, 15), 0, 0},
		{"last one unpadded", append(one(1, 5), func() []byte { m := one(2, 5); m = append(m, 1); copy(m, length(21)); return m }()...), 1, 2},
	}
	for _, tt := range tests {
		calls = nil
		if list := send(t, openPort(t, b), tt.b); len(calls) != tt.calls || len(list) != tt.acks {
			t.Errorf("%s: %d calls, %d answers; want %d, %d", tt.name, len(calls), len(list), tt.calls, tt.acks)
		}
		if !slices.IsSorted(calls) {
			t.Errorf("%s: handled in the order %v", tt.name, calls)
		}
	}
}

// post_doit also runs after a panic: it releases what pre_doit acquired.
func TestPostDoAfterAPanic(t *testing.T) {
	held := 0
	f := simple("f", func(*Info) error { panic("broken") })
	f.PreDo = func(*Info) error { held++; return nil }
	f.PostDo = func(*Info) { held-- }
	b := newBus(t)
	register(t, b, f)
	if a := answerTo(t, openPort(t, b), message(f, 1, 0, nil)); a.Errno != errno.EIO || held != 0 {
		t.Errorf("errno %d, held %d", a.Errno, held)
	}
}
