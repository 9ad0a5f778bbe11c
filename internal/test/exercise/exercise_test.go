package exercise_test

import (
	"testing"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/exercise"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/internal/test/moduletest"
	"github.com/nlwire/nlwire/nlmsg"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// against compares the family on two buses, as TestModule compares a module with a bus.
func against(t *testing.T, requests int, left, right bus.Features) *moduletest.Comparison {
	t.Helper()
	var ports [2]*bus.Port
	var id nlmsg.Type
	g, n := generate.New(1), &moduletest.Comparison{}
	p := exercise.Policy(left)
	var buses [2]*bus.Bus
	for i, f := range []bus.Features{left, right} {
		b := bus.New(bus.WithFeatures(f))
		defer b.Close()
		family := exercise.New(b)
		moduletest.Adopt(t, b, family, 40, 21)
		buses[i], id = b, family.ID()
	}
	for n.Requests < requests {
		caps := bus.Root
		if g.IntN(4) == 0 {
			caps = 0
		}
		flags := moduletest.Options(g)
		for i, b := range buses {
			var err error
			if ports[i], err = b.Open(bus.WithPortID(77), bus.WithNetNS(1), bus.WithCaps(caps), bus.WithFlags(flags...)); err != nil {
				t.Fatal(err)
			}
			if err := ports[i].Join(21); err != nil {
				t.Fatal(err)
			}
		}
		for range 40 {
			request, wait := exercise.Request(g, p, id, uint32(n.Requests))
			n.Compare(t, ports[0], ports[1], request, wait)
		}
		for _, p := range ports {
			_ = p.Close()
		}
	}
	return n
}

// Two buses with equal features send equal replies, and the requests detect every feature
// that a family can show.
func TestAgainstItself(t *testing.T) {
	if n := against(t, 2000, bus.Linux618, bus.Linux618); n.Different != 0 || n.Datagrams < n.Requests {
		t.Errorf("%d of %d datagrams differ\n  %s", n.Different, n.Datagrams, n.First)
	}
	for _, f := range []bus.Features{
		bus.FeatureResvStartOp, bus.FeatureMissing, bus.FeatureSplitOps, bus.FeatureDoneExtAck, bus.FeatureStartExtAck,
		bus.FeatureUintPolicy, bus.FeatureFuncPolicy,
	} {
		if n := against(t, 2000, bus.Linux618, bus.Linux618&^f); n.Different == 0 {
			t.Errorf("no request detects %v", f)
		}
	}
}

// Every operation sends the messages and the errno that its comment describes.
func TestOperations(t *testing.T) {
	b := bus.New()
	defer b.Close()
	f := exercise.New(b)
	if err := b.Register(f); err != nil {
		t.Fatal(err)
	}
	p, err := b.Open(bus.WithCaps(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Join(f.GroupID(0)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		cmd       uint8
		flags     nlmsg.Flags
		messages  int
		bytes     int         // of the largest message, at least
		errno     errno.Errno // of the Error or Done
		interrupt bool
		wait      time.Duration
	}{
		{cmd: exercise.CmdEcho, messages: 1, bytes: 28},
		{cmd: exercise.CmdEcho, flags: nlmsg.FlagDump, messages: 1, bytes: 28},
		{cmd: exercise.CmdLoose, flags: nlmsg.FlagDump, messages: 300, bytes: 36},
		{cmd: exercise.CmdAdmin, errno: errno.EPERM},
		{cmd: exercise.CmdNSAdmin, errno: errno.EPERM},
		{cmd: exercise.CmdInterrupted, flags: nlmsg.FlagDump, messages: 300, interrupt: true},
		{cmd: exercise.CmdBroken, flags: nlmsg.FlagDump, messages: 150, errno: errno.EIO},
		{cmd: exercise.CmdRefused, flags: nlmsg.FlagDump, errno: errno.EBUSY},
		{cmd: exercise.CmdLate, messages: 1, wait: 50 * exercise.Delay},
		{cmd: exercise.CmdLarge, messages: 1, bytes: 100_000},
		{cmd: exercise.CmdLarge, flags: nlmsg.FlagDump, errno: errno.EMSGSIZE},
		{cmd: exercise.CmdNotify, messages: 1},
		{cmd: exercise.CmdFail, errno: errno.EINVAL},
	} {
		m := nlmsg.Begin(nil, f.ID(), nlmsg.FlagRequest|nlmsg.FlagAck|tt.flags, 7, 0)
		m = append(append(m, tt.cmd, exercise.Version, 0, 0), "userhead"...)
		if err := p.Send(nlmsg.End(m, 0)); err != nil {
			t.Fatal(err)
		}
		messages, largest, code, interrupt, ended := 0, 0, errno.Errno(0), false, false
		buf := make([]byte, 256<<10)
		if tt.wait > 0 {
			_ = p.SetReadDeadline(time.Now().Add(tt.wait))
		}
		for !ended || messages < tt.messages {
			receive := p.TryReceive
			if tt.wait > 0 {
				receive = p.Receive
			}
			n, _, err := receive(buf)
			if err != nil {
				t.Errorf("command %d: %v", tt.cmd, err)
				break
			}
			for m := range nlmsg.All(buf[:n]) {
				interrupt = interrupt || m.Flags()&nlmsg.FlagDumpIntr != 0 && m.Type() >= nlmsg.MinType
				switch m.Type() {
				case nlmsg.TypeError, nlmsg.TypeDone:
					a, err := nlmsg.ParseAck(m)
					if m.Type() == nlmsg.TypeDone {
						a, err = nlmsg.ParseDone(m)
					}
					if err != nil {
						t.Fatal(err)
					}
					code, ended = a.Errno, true
				default:
					messages, largest = messages+1, max(largest, len(m))
					if string(m[20:28]) != "userhead" {
						t.Errorf("command %d: header %q", tt.cmd, m[20:28])
					}
				}
			}
		}
		if messages != tt.messages || largest < tt.bytes || code != tt.errno || interrupt != tt.interrupt {
			t.Errorf("command %d, flags %v: %d messages of up to %d bytes, errno %v, interrupted %v", tt.cmd, tt.flags, messages, largest, code, interrupt)
		}
	}
}
