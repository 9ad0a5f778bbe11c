package bus

import (
	"strings"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// If the extended ACK does not fit, the Done has only its flag.
func TestDoneWithoutRoomForItsText(t *testing.T) {
	b := newBus(t)
	f := register(t, b, lister(func(d *Dump) error {
		m := d.Begin(nlmsg.FlagMulti, 1)
		if err := d.End(nla.AppendBytes(m, 1, make([]byte, goodSize-24-28))); err != nil {
			return err
		}
		d.SetMsg("a text of more than eight bytes")
		return errno.ENODEV
	}))
	list := send(t, openPort(t, b, WithFlags(socket.ExtAck)), message(f, 1, nlmsg.FlagDump, nil))
	end := list[len(list)-1]
	a, err := nlmsg.ParseDone(end)
	if err != nil || len(end) != doneSize || end.Flags()&nlmsg.FlagAckTLVs == 0 || a.Errno != errno.ENODEV {
		t.Errorf("the end is %v, errno %d, %v", end, a.Errno, err)
	}
}

// Closing a port ends its dump; unregistering the family does not.
func TestDumpsThatAreCutShort(t *testing.T) {
	var done int
	b := newBus(t)
	f := register(t, b, lister(count(100, 76), func(op *Op) { op.Done = func(*Dump) { done++ } }))
	p, other := openPort(t, b), openPort(t, b)
	dump := message(f, 1, nlmsg.FlagDump, nil)
	for _, p := range []*Port{p, other} {
		if err := p.Send(dump); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil || done != 1 {
		t.Errorf("%v; done %d times", err, done)
	}
	if err := b.Unregister(f); err != nil {
		t.Fatal(err)
	}
	if list := received(t, other); len(list) != 101 || done != 2 {
		t.Errorf("%d messages, done %d times", len(list), done)
	}
	if a := answerTo(t, other, dump); a.Errno != errno.ENOENT {
		t.Errorf("a new dump: errno %d", a.Errno)
	}
}

// An ended dump keeps no memory of its request alive, because a port outlives many dumps.
func TestEndedDumpsAreForgotten(t *testing.T) {
	b := newBus(t)
	f := register(t, b, lister(count(3, 8), func(op *Op) {
		op.Start = func(d *Dump) error { d.Ctx = new([1 << 20]byte); return nil }
	}))
	p := openPort(t, b)
	if list := send(t, p, message(f, 1, nlmsg.FlagDump, nla.AppendUint32(nil, 1, 1))); len(list) != 4 {
		t.Fatalf("%d messages", len(list))
	}
	if d := &p.dump; d.Ctx != nil || d.Attrs.Slots != nil || d.Family != nil || d.Msg != nil || d.port != nil {
		t.Errorf("kept: %+v", d)
	}
}

// If a port is closed during the start of its dump, Done releases what Start acquired, and
// nothing is dumped.
func TestCloseWhileADumpStarts(t *testing.T) {
	b := newBus(t)
	p := openPort(t, b)
	closed := make(chan error, 1)
	var calls []string
	f := register(t, b, lister(func(*Dump) error { calls = append(calls, "dump"); return nil }, func(op *Op) {
		op.Start = func(*Dump) error {
			calls = append(calls, "start")
			go func() { closed <- p.Close() }() // Close waits for the end of Start
			<-p.done
			return nil
		}
		op.Done = func(*Dump) { calls = append(calls, "done") }
	}))
	if err := p.Send(message(f, 1, nlmsg.FlagDump, nil)); err != nil {
		t.Fatal(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if got := strings.Join(calls, ", "); got != "start, done" {
		t.Errorf("called: %s", got)
	}
}

// A dump that outlives its family keeps the family's ID to the end, even if another family
// has received the ID meanwhile.
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

// A dump continues after one of its datagrams was lost, and the port stays usable.
func TestADumpContinuesAfterALoss(t *testing.T) {
	b := newBus(t)
	f := register(t, b, lister(count(100, 76)))
	p := openPort(t, b, WithPortFaults(Script(Lose)))
	request := message(f, 1, nlmsg.FlagDump, nil)
	if list := send(t, p, request); len(list) != 64 || list[63].Type() != nlmsg.TypeDone { // 37 messages are lost
		t.Errorf("%d messages", len(list))
	}
	if list := send(t, p, request); len(list) != 101 {
		t.Errorf("the next dump has %d messages", len(list))
	}
}
