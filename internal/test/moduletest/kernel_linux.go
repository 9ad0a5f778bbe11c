package moduletest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// RequestFunc makes a request for a family with the given ID. wait is not 0 if the reply may be
// late.
type RequestFunc func(g generate.Generator, id nlmsg.Type, seq uint32) (request []byte, wait time.Duration)

// Kernel compares a module of the running kernel with its bus version. It skips the test if
// the module is not loaded. NLWIRE_SEED selects the random stream, NLWIRE_REQUESTS the number
// of requests.
func Kernel(t *testing.T, name string, family func(*bus.Bus) *bus.Family, request RequestFunc) {
	kerneltest.EnterNetNS(t)
	c, err := ctrl.Open()
	if errors.Is(err, errno.EPROTONOSUPPORT) {
		t.Skip("needs NETLINK_GENERIC, which qemu-user does not have")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	module, err := c.Family(t.Context(), name)
	if errors.Is(err, ctrl.ErrUnknown) {
		t.Skipf("needs the family %s: load its module, see internal/test/module", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := bus.New(bus.WithFeatures(Features(t)))
	defer b.Close()
	f, group := family(b), uint32(0)
	if len(module.Groups) > 0 {
		group = module.Groups[0].ID
	}
	Adopt(t, b, f, uint16(module.ID), group)
	g := generate.New(uint64(kerneltest.Environment(t, "NLWIRE_SEED", 1)))
	n := &Comparison{}
	for want := kerneltest.Environment(t, "NLWIRE_REQUESTS", 20_000); n.Requests < want; {
		session(t, n, g, b, f, request)
	}
	fmt.Printf("module: family=%s requests=%d datagrams=%d different=%d\n", name, n.Requests, n.Datagrams, n.Different)
	if n.Different != 0 {
		t.Errorf("%d of %d datagrams differ, by command %v; the first:\n  %s", n.Different, n.Datagrams, n.ByCmd, n.First)
	}
}

// session sends 40 requests over a new socket and a new port.
func session(t *testing.T, n *Comparison, g generate.Generator, b *bus.Bus, f *bus.Family, request RequestFunc) {
	t.Helper()
	flags, caps := Options(g), bus.Root
	s, err := socket.Open(socket.Generic, socket.WithFlags(flags...))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if g.IntN(4) == 0 {
		caps = 0
		kerneltest.DropCaps(t)
		defer kerneltest.RestoreCaps(t)
	}
	p, err := b.Open(bus.WithNetNS(1), bus.WithPortID(s.PortID()), bus.WithCaps(caps), bus.WithFlags(flags...))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if group := f.GroupID(0); group != 0 && g.IntN(2) == 0 {
		if err := errors.Join(s.Join(group), p.Join(group)); err != nil {
			t.Fatal(err)
		}
	}
	for range 40 {
		datagram, wait := request(g, f.ID(), uint32(n.Requests))
		n.Compare(t, s, p, datagram, wait)
	}
}

// Features returns the features of the running kernel.
func Features(t *testing.T) bus.Features {
	t.Helper()
	s, err := socket.Open(socket.Generic)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := bus.Probe(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
