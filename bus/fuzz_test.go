package bus

import (
	"testing"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// FuzzDatagram sends arbitrary datagrams to a bus. The bus does not panic, no handler gets
// attributes that its policy rejects, every reply is well formed and addressed to this
// port, the number of replies is limited by the number of messages, and the bus works
// afterwards.
func FuzzDatagram(f *testing.F) {
	sample := &Family{Name: "sample"}
	for _, b := range [][]byte{
		nil,
		message(sample, 0, 0, nil),
		message(&Family{}, 1, nlmsg.FlagAck, nil)[:19],
	} {
		f.Add(b, uint16(0))
	}
	byName := nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "fuzzed")
	b := New()
	for _, flags := range []nlmsg.Flags{0, nlmsg.FlagAck, nlmsg.FlagDump, nlmsg.FlagDump | nlmsg.FlagAck} {
		for cmd := range uint8(12) {
			f.Add(message(b.ctrl, cmd, flags, byName), uint16(flags)<<4)
		}
	}
	f.Add(append(message(b.ctrl, genlmsg.CtrlCmdGetPolicy, nlmsg.FlagDump, byName), message(b.ctrl, genlmsg.CtrlCmdGetFamily, nlmsg.FlagDump, nil)...), uint16(0xffff))
	_ = b.Close()
	f.Fuzz(fuzzDatagram)
}

// fuzzed makes a family whose handlers check the guarantees of their policy.
func fuzzed(t *testing.T) *Family {
	check := func(i *Info) {
		if a := i.Attrs.Get(1); a != nil && len(a.Payload()) != 4 {
			t.Errorf("an u32 of % x", a.Payload())
		}
		if a := i.Attrs.Get(2); a != nil {
			if err := i.ParseNested(&nla.Table{Slots: make([]uint32, 3)}, a, inner); err != nil {
				t.Errorf("a nest of % x: %v", a.Payload(), err)
			}
		}
	}
	f := simple("fuzzed", func(i *Info) error {
		check(i)
		b := i.Begin(1)
		return i.Reply(nla.AppendAttr(b, i.Attrs.Get(1)))
	})
	list := count(100, 76)
	f.Ops[0].Dump = func(d *Dump) error { check(&d.Info); return list(d) }
	f.HdrSize = 4
	return f
}

func fuzzDatagram(t *testing.T, data []byte, options uint16) {
	// The features are a function of the input, because the options need all bits.
	features := presets[len(data)%len(presets)].features
	if options&1 != 0 {
		features ^= 1 << (len(data) / len(presets) % len(featureNames))
	}
	b := New(WithFeatures(features))
	defer b.Close()
	f := fuzzed(t)
	register(t, b, f)
	p := openPort(t, b, WithCaps(Caps(options>>1)&Root))
	for flag := socket.PacketInfo; flag <= socket.StrictCheck; flag++ {
		if options&(8<<flag) != 0 {
			_ = p.SetFlag(flag, true)
		}
	}
	_ = p.SetReceiveBuffer(16 << 20)
	if err := p.Send(data); err != nil {
		return
	}
	messages := 0
	for range nlmsg.All(data) {
		messages++
	}
	acks, dones := 0, 0
	buf := make([]byte, socket.BufferSize)
	for n, info, err := p.TryReceive(buf); err == nil; n, info, err = p.TryReceive(buf) {
		for m, err := range nlmsg.All(buf[:n]) {
			if err != nil || m.PortID() != p.PortID() || info.PortID != 0 {
				t.Fatalf("% x: %v", buf[:n], err)
			}
			switch m.Type() {
			case nlmsg.TypeError:
				if _, err = nlmsg.ParseAck(m); err == nil {
					acks++
				}
			case nlmsg.TypeDone:
				if _, err = nlmsg.ParseDone(m); err == nil {
					dones++
				}
			}
			if err != nil {
				t.Fatalf("% x: %v", []byte(m), err)
			}
		}
	}
	if acks+dones > messages {
		t.Errorf("%d ACKs and %d Dones for %d messages", acks, dones, messages)
	}
	if s := b.Stats(); s.Panics != 0 {
		t.Errorf("%d handlers panicked", s.Panics)
	}
	if list := send(t, openPort(t, b), message(f, 1, nlmsg.FlagAck, nil)); len(list) != 2 {
		t.Errorf("afterwards: %d messages, want a reply and its ACK", len(list))
	}
}
