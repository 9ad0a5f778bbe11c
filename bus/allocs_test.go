package bus

import (
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// echoFamily makes a family that replies with the attribute of the request.
func echoFamily(name string) *Family {
	return simple(name, func(i *Info) error {
		return i.Reply(nla.AppendAttr(i.Begin(1), i.Attrs.Get(1)))
	})
}

// A request, its reply, its ACK or error, an event, and each datagram of a dump allocate
// nothing once the pools are filled.
func TestNoAllocs(t *testing.T) {
	if guard.Race {
		t.Skip("the race detector makes sync.Pool drop elements")
	}
	b := newBus(t)
	echo := register(t, b, echoFamily("echo"))
	refuse := register(t, b, simple("refuse", func(i *Info) error { i.SetAttrMsg(i.Attrs.Get(1), "no"); return errno.ENODEV }))
	events := simple("events", func(i *Info) error {
		return i.Multicast(0, nla.AppendAttr(i.Begin(1), i.Attrs.Get(1)))
	})
	events.Groups = []Group{{Name: "g"}}
	register(t, b, events)
	dump := register(t, b, lister(count(500, 76)))
	p, listener := openPort(t, b), openPort(t, b)
	if err := listener.Join(events.GroupID(0)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	drain := func(p *Port) {
		for {
			if _, _, err := p.TryReceive(buf); err != nil {
				return
			}
		}
	}
	attr := nla.AppendUint32(nil, 1, 1)
	ask := func(f *Family, flags nlmsg.Flags, attrs []byte) func() {
		m := message(f, 1, flags, attrs)
		return func() {
			_ = p.Send(m)
			drain(p)
			drain(listener)
		}
	}
	for name, f := range map[string]func(){
		"echo":                     ask(echo, 0, attr),
		"echo and acknowledgement": ask(echo, nlmsg.FlagAck, attr),
		"refusal":                  ask(refuse, 0, attr),
		"policy":                   ask(echo, 0, nla.AppendUint8(nil, 1, 1)),
		"event":                    ask(events, 0, attr),
		"dump":                     ask(dump, nlmsg.FlagDump, nil),
		"unknown family":           ask(&Family{}, 0, nil),
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}
