package bus

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/nlwire/nlwire/errno"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Texts of any length do no harm: they are cut, also at a NUL.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for name, tt := range map[string]struct {
		do   DoFunc
		want string
	}{
		"an error":   {func(*Info) error { return errors.New(long) }, long[:maxText]},
		"a panic":    {func(*Info) error { panic(long) }, ""},
		"a text":     {func(i *Info) error { i.SetMsg(long); return nil }, long[:maxText]},
		"with a NUL": {func(i *Info) error { i.SetMsg("be\x00hind"); return nil }, "be"},
	} {
		b := newBus(t)
		f := simple("f", tt.do)
		f.Ops = append(f.Ops, Op{Cmd: 2, Policy: anyPolicy, Dump: func(d *Dump) error { return tt.do(&d.Info) }})
		register(t, b, f)
		p := openPort(t, b, WithFlags(socket.ExtAck))
		if a := answerTo(t, p, message(f, 1, nlmsg.FlagAck, nil)); len(a.Msg) > maxText || tt.want != "" && string(a.Msg) != tt.want {
			t.Errorf("%s: a text of %d bytes", name, len(a.Msg))
		}
		if list := send(t, p, message(f, 2, nlmsg.FlagDump, nil)); len(list) != 1 {
			t.Errorf("%s: a dump of %d messages", name, len(list))
		}
	}
}

// A dump that outlives its family has its id to the end, whoever has it then.
func TestADumpKeepsItsID(t *testing.T) {
	b := newBus(t)
	f := register(t, b, lister(count(100, 76)))
	id := nlmsg.Type(f.ID())
	p := openPort(t, b)
	if err := p.Send(message(f, 1, nlmsg.FlagDump, nil)); err != nil {
		t.Fatal(err)
	}
	if err := b.Unregister(f); err != nil {
		t.Fatal(err)
	}
	other := newBus(t)
	register(t, other, &Family{Name: "first"})
	register(t, other, f)
	for _, m := range received(t, p) {
		if m.Type() != id && m.Type() != nlmsg.TypeDone {
			t.Fatalf("a message of type %v, want %v", m.Type(), id)
		}
	}
}

// Families that come, go and change their bus at once: each call has one outcome.
func TestRegistersAtOnce(t *testing.T) {
	for range 200 {
		b, other := New(), New()
		f := simple("f", nothing)
		f.Groups = []Group{{Name: "g"}}
		var mu sync.Mutex
		registered, unregistered := 0, 0
		tally := func(n *int, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				*n++
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() { // who reads meanwhile sees all of it, or nothing
			if id, group := f.ID(), f.GroupID(0); id == 0 && group != 0 && f.ID() == 0 {
				t.Errorf("id %d, group %d", id, group)
			}
		})
		for _, on := range []*Bus{b, other, b} {
			wg.Go(func() { tally(&registered, on.Register(f)) })
		}
		wg.Wait()
		for range 3 {
			wg.Go(func() { tally(&unregistered, b.Unregister(f)) })
			wg.Go(func() { tally(&unregistered, other.Unregister(f)) })
		}
		wg.Go(func() { _ = b.Register(simple("late", nothing)) })
		wg.Go(func() { _ = b.Close() })
		wg.Wait()
		_ = other.Close()
		if registered != 1 || unregistered > 1 {
			t.Fatalf("registered %d times, unregistered %d times", registered, unregistered)
		}
	}
}

// post_doit runs behind a panic, too: it gives back what pre_doit took.
func TestPostDoBehindAPanic(t *testing.T) {
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

// Sizes that no family has are refused, and one that is too large to tell is an
// error for who asks.
func TestSizesOfFamilies(t *testing.T) {
	const maxInt = int(^uint(0) >> 1)
	b := newBus(t)
	for name, f := range map[string]*Family{
		"header":                  {Name: "f", HdrSize: maxInt},
		"maximum":                 {Name: "f", MaxAttr: maxInt},
		"another maximum":         {Name: "f", MaxAttr: 9, Policy: anyPolicy},
		"a maximum below the top": {Name: "f", MaxAttr: 1, Policy: anyPolicy},
	} {
		if err := b.Register(f); !errors.Is(err, errno.EINVAL) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := &Family{Name: "large"}
	for i := range 5000 {
		f.Groups = append(f.Groups, Group{Name: fmt.Sprint("group", i)})
	}
	register(t, b, f)
	p := openPort(t, b)
	name := nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "large")
	if a := answerTo(t, p, message(b.ctrl, genlmsg.CtrlCmdGetFamily, 0, name)); a.Errno != errno.EMSGSIZE {
		t.Errorf("errno %d", a.Errno)
	}
	list := send(t, p, message(b.ctrl, genlmsg.CtrlCmdGetFamily, nlmsg.FlagDump, nil))
	if a, err := nlmsg.ParseDone(list[len(list)-1]); err != nil || a.Errno != errno.EMSGSIZE || b.Stats().Panics != 0 {
		t.Errorf("the list ends with errno %d, %v", a.Errno, err)
	}
}

// A dump whose datagram is lost goes on, and leaves the port usable.
func TestADumpGoesOnBehindALoss(t *testing.T) {
	b := newBus(t)
	f := register(t, b, lister(count(100, 76)))
	p := openPort(t, b, WithPortFaults(Script(Lose)))
	request := message(f, 1, nlmsg.FlagDump, nil)
	if list := send(t, p, request); len(list) != 64 || list[63].Type() != nlmsg.TypeDone { // 37 are lost
		t.Errorf("%d messages", len(list))
	}
	if list := send(t, p, request); len(list) != 101 {
		t.Errorf("%d messages in the next", len(list))
	}
}

func TestOptionsThatAreNone(t *testing.T) {
	b := newBus(t)
	if _, err := b.Open(WithFlags(99)); err == nil {
		t.Error("there is no such flag")
	}
	if _, err := b.Open(WithNetNS(-1)); !errors.Is(err, errno.EINVAL) {
		t.Errorf("namespace -1: %v", err)
	}
	p := openPort(t, b)
	isErrno(t, p.SendTo(p.PortID(), nil), errno.ENODATA)
	if err := p.SetReceiveBuffer(1 << 62 >> (32 - 32*(^uint(0)>>63))); err != nil {
		t.Error(err)
	}
	if n, _ := p.ReceiveBuffer(); n < 1<<20 {
		t.Errorf("a receive buffer of %d bytes", n)
	}
}
