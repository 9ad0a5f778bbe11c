package bus

import (
	"bytes"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// One message from Begin can be sent as a reply, a notification and an event, in any order.
// Only Multicast sends it without the sequence number and port ID of the request.
func TestOneMessageManyWays(t *testing.T) {
	b := newBus(t)
	f := simple("f", func(i *Info) error {
		m := append(nla.AppendUint32(i.Begin(3), 1, 7), 1, 2, 3) // unaligned, with room for padding or not
		for _, send := range []func() error{
			func() error { return i.Multicast(0, m) },
			func() error { return i.Reply(m) },
			func() error { return i.Notify(0, m) },
			func() error { return i.Multicast(0, m) },
			func() error { return i.Reply(m) },
		} {
			if err := send(); err != nil {
				return err
			}
		}
		return nil
	})
	f.Groups = []Group{{Name: "g"}}
	register(t, b, f)
	p := openPort(t, b)
	if err := p.Join(f.GroupID(0)); err != nil {
		t.Fatal(err)
	}
	list := send(t, p, message(f, 1, 0, nil))
	if len(list) != 5 {
		t.Fatalf("%d messages, want 5: %v", len(list), list)
	}
	for k, m := range list {
		seq, portID := uint32(7), p.PortID()
		if k == 0 || k == 3 {
			seq, portID = 0, 0
		}
		if m.Seq() != seq || m.PortID() != portID || len(m) != 31 || m.Type() != nlmsg.Type(f.ID()) || !bytes.Equal(m.Payload(), list[0].Payload()) {
			t.Errorf("message %d: %v, want sequence number %d and port ID %d", k, m, seq, portID)
		}
	}
}

// A message in another buffer is rejected, and nothing is sent.
func TestMessageOfAnotherBuffer(t *testing.T) {
	b := newBus(t)
	f := simple("f", func(i *Info) error {
		other := nlmsg.End(i.Family.Begin(nil, 0, 1, 2, 3), 0)
		isErrno(t, i.Reply(other), errno.EINVAL)
		isErrno(t, i.Notify(0, other), errno.EINVAL)
		isErrno(t, i.Multicast(0, other), errno.EINVAL)
		isErrno(t, i.Reply(nil), errno.EINVAL)
		isErrno(t, i.Reply(i.Begin(1)[:15]), errno.EINVAL)
		return nil
	})
	f.Groups = []Group{{Name: "g"}}
	f.Ops[0].Dump = func(d *Dump) error {
		m := d.Begin(nlmsg.FlagMulti, 1)
		isErrno(t, d.Reply(m), errno.EINVAL)
		isErrno(t, d.End(nil), errno.EINVAL)
		if err := d.End(m); err != nil {
			t.Error(err)
		}
		isErrno(t, d.End(m), errno.EINVAL)
		if err := d.Reply(d.Info.Begin(2)); err != nil {
			t.Error(err)
		}
		return nil
	}
	register(t, b, f)
	p := openPort(t, b)
	if err := p.Join(f.GroupID(0)); err != nil {
		t.Fatal(err)
	}
	if list := send(t, p, message(f, 1, 0, nil)); len(list) != 0 {
		t.Errorf("sent %v", list)
	}
	if list := send(t, p, message(f, 1, nlmsg.FlagDump, nil)); len(list) != 3 || len(list[1]) != 20 {
		t.Errorf("sent %v, want a reply, a message and a Done", list)
	}
	unfinished := f.Begin(nil, 0, 0, 0, 1)
	for _, m := range [][]byte{nil, unfinished, unfinished[:7], append(nlmsg.End(f.Begin(nil, 0, 0, 0, 1), 0), unfinished...)} {
		isErrno(t, f.Multicast(0, 0, m, 0), errno.EINVAL)
	}
}
