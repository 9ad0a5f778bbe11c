package bus

import (
	"fmt"
	"testing"
	"time"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// transport is a Port or a Socket.
type transport interface {
	Send(b []byte) error
	TryReceive(b []byte) (int, socket.Info, error)
}

// exchange sends a request, receives one datagram, and checks its sender and type.
func exchange(tb testing.TB, t transport, request, buf []byte) {
	if err := t.Send(request); err != nil {
		tb.Fatal(err)
	}
	n, info, err := t.TryReceive(buf)
	if m := nlmsg.Msg(buf[:n]); err != nil || info.PortID != 0 || m.Type() == nlmsg.TypeError {
		tb.Fatalf("%v, %v", m, err)
	}
}

// BenchmarkEcho measures an echo over a port. x/kernel is the ratio to a GETFAMILY request
// over a socket of package socket.
func BenchmarkEcho(b *testing.B) {
	bus := newBus(b)
	echo := register(b, bus, echoFamily("echo"))
	p := openPort(b, bus)
	s, err := socket.Open(socket.Generic)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	mine := message(echo, 1, 0, nla.AppendUint32(nil, 1, 1))
	theirs := message(bus.ctrl, genlmsg.CtrlCmdGetFamily, 0, nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName))
	buf := make([]byte, socket.BufferSize)
	kerneltest.Interleave(b, 100, "x/kernel",
		func() { exchange(b, p, mine, buf) },
		func() { exchange(b, s, theirs, buf) })
}

// BenchmarkLookup measures the same GETFAMILY request to the bus and to the kernel.
func BenchmarkLookup(b *testing.B) {
	bus := newBus(b)
	p := openPort(b, bus)
	s, err := socket.Open(socket.Generic)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	request := message(bus.ctrl, genlmsg.CtrlCmdGetFamily, 0, nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName))
	buf := make([]byte, socket.BufferSize)
	kerneltest.Interleave(b, 100, "x/kernel",
		func() { exchange(b, p, request, buf) },
		func() { exchange(b, s, request, buf) })
}

// crowd contains two requests: one to a bus with 1,000 families and 10,000 ports, and the
// same request to a bus with one of each.
type crowd struct {
	name        string
	full, alone *Port
	inFull      []byte
	inAlone     []byte
}

func crowds(tb testing.TB) []crowd {
	full, alone := newBus(tb), newBus(tb)
	for i := range 1000 {
		register(tb, full, echoFamily(fmt.Sprint("family", i)))
	}
	for range 10_000 {
		if err := openPort(tb, full).Join(genlmsg.IDCtrl); err != nil {
			tb.Fatal(err)
		}
	}
	echo := register(tb, alone, echoFamily("family999"))
	attr, byName := nla.AppendUint32(nil, 1, 1), nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "family999")
	p, q := openPort(tb, full), openPort(tb, alone)
	return []crowd{
		{"echo", p, q, message(full.names["family999"], 1, 0, attr), message(echo, 1, 0, attr)},
		{"lookup", p, q, message(full.ctrl, genlmsg.CtrlCmdGetFamily, 0, byName), message(alone.ctrl, genlmsg.CtrlCmdGetFamily, 0, byName)},
	}
}

// BenchmarkCrowd measures both requests alternately; x/alone is the ratio.
func BenchmarkCrowd(b *testing.B) {
	buf := make([]byte, socket.BufferSize)
	for _, c := range crowds(b) {
		b.Run(c.name, func(b *testing.B) {
			kerneltest.Interleave(b, 100, "x/alone",
				func() { exchange(b, c.full, c.inFull, buf) },
				func() { exchange(b, c.alone, c.inAlone, buf) })
		})
	}
}

// The number of families and ports does not affect the time of a request. The test takes
// the ratio of BenchmarkCrowd from the fastest rounds and allows for noise. A search
// through families or ports would multiply the time.
func TestACrowdSlowsNothing(t *testing.T) {
	buf := make([]byte, socket.BufferSize)
	for _, c := range crowds(t) {
		fastest := [2]time.Duration{time.Hour, time.Hour}
		for range 200 {
			for i, f := range []func(){
				func() { exchange(t, c.full, c.inFull, buf) },
				func() { exchange(t, c.alone, c.inAlone, buf) },
			} {
				start := time.Now()
				for range 20 {
					f()
				}
				fastest[i] = min(fastest[i], time.Since(start))
			}
		}
		ratio := float64(fastest[0]) / float64(fastest[1])
		t.Logf("%s: %.2f", c.name, ratio)
		if ratio > 2 {
			t.Errorf("%s: takes %.2f times as long with 1,000 families and 10,000 ports", c.name, ratio)
		}
	}
}

// BenchmarkDump measures a dump of 10,000 messages. Each datagram is read in place.
func BenchmarkDump(b *testing.B) {
	bus := newBus(b)
	f := register(b, bus, lister(count(10_000, 76)))
	p := openPort(b, bus)
	request := message(f, 1, nlmsg.FlagDump, nil)
	buf := make([]byte, 32<<10)
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Send(request); err != nil {
			b.Fatal(err)
		}
		messages := 0
		for n, _, err := p.TryReceive(buf); err == nil; n, _, err = p.TryReceive(buf) {
			for range nlmsg.All(buf[:n]) {
				messages++
			}
		}
		if messages != 10_001 {
			b.Fatalf("%d messages", messages)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_001, "ns/message")
}

// BenchmarkMulticast measures an event for 1,000 ports.
func BenchmarkMulticast(b *testing.B) {
	bus := newBus(b)
	f := register(b, bus, &Family{Name: "f", Groups: []Group{{Name: "g"}}})
	var ports []*Port
	for range 1000 {
		p := openPort(b, bus)
		if err := p.Join(f.GroupID(0)); err != nil {
			b.Fatal(err)
		}
		ports = append(ports, p)
	}
	m := f.Begin(nil, 0, 0, 0, 1)
	m = nlmsg.End(nla.AppendUint32(m, 1, 1), 0)
	buf := make([]byte, 100)
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Multicast(0, 0, m, 0); err != nil {
			b.Fatal(err)
		}
		for _, p := range ports {
			if _, _, err := p.TryReceive(buf); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/port")
}
