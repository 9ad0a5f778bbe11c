package conn

import (
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

func init() { stressTargets = append(stressTargets, routeTargets, familyTarget) }

// routeTargets look up routes in network namespaces.
func routeTargets(t *testing.T) (targets []*stressTarget) {
	if os.Geteuid() != 0 && os.Getenv("CI") == "" {
		t.Log("the part with network namespaces needs root")
		return nil
	}
	for range 2 {
		targets = append(targets, routeTarget(t, kerneltest.NewNetNS(t)))
	}
	return targets
}

// routeTarget looks up the route to an address in 11.0.0.0/8; the host part is the value.
// Its dump lists the routes to addresses in 10.0.0.0/8.
func routeTarget(t *testing.T, netNS int) *stressTarget {
	const routes, prefix = 700, 11
	c := openConn(t, socket.Route, socket.WithNetNS(netNS))
	addRoutes(t, c, routes)
	r := c.Request(unix.RTM_NEWROUTE, nlmsg.FlagCreate|nlmsg.FlagAck,
		rtmsg(8, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_BOOT, unix.RT_SCOPE_LINK, unix.RTN_UNICAST))
	r.B = nla.AppendBE32(r.B, unix.RTA_DST, prefix<<24)
	r.B = nla.AppendUint32(r.B, unix.RTA_OIF, 1)
	if _, err := c.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	target := &stressTarget{name: "routes", listed: countRoutes(t, c), faults: faultBusInterrupt}
	target.dialer = func() Dialer { return siblings(socket.Route, socket.WithNetNS(netNS)) }
	target.ask = func(c *Conn, flags nlmsg.Flags, value uint32) *Request {
		r := c.Request(unix.RTM_GETROUTE, flags, rtmsg(32))
		r.B = nla.AppendBE32(r.B, unix.RTA_DST, prefix<<24|value)
		return r
	}
	target.value = func(m nlmsg.Msg) (uint32, bool) {
		p := m.Payload()
		if typ := m.Type(); typ != unix.RTM_GETROUTE && typ != unix.RTM_NEWROUTE || len(p) < unix.SizeofRtMsg || p[1] != 32 {
			return 0, false
		}
		dst, err := nla.Find(m.Attrs(unix.SizeofRtMsg), unix.RTA_DST).BE32()
		return dst & (1<<24 - 1), err == nil && dst>>24 == prefix
	}
	target.answer = func(m nlmsg.Msg, value uint32) bool {
		v, ok := target.value(m)
		return ok && v == value
	}
	target.list = func(c *Conn, _ uint32) *Request { return c.Request(unix.RTM_GETROUTE, 0, rtmsg()) }
	target.inList = func(m nlmsg.Msg, _ uint32) bool { return m.Type() == unix.RTM_NEWROUTE }
	return target
}

// familyTarget looks up families by their names.
func familyTarget(t *testing.T) []*stressTarget {
	var names []string
	c := openConn(t, socket.Generic)
	for m, err := range c.Dump(t.Context(), ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, familyName(m))
	}
	slices.Sort(names)
	target := &stressTarget{name: "families", dialer: func() Dialer { return siblings(socket.Generic) }}
	target.ask = func(c *Conn, flags nlmsg.Flags, value uint32) *Request {
		r := ctrlRequest(c, flags, genlmsg.CtrlCmdGetFamily)
		r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, names[int(value)%len(names)])
		return r
	}
	target.value = func(nlmsg.Msg) (uint32, bool) { return 0, false }
	target.answer = func(m nlmsg.Msg, value uint32) bool {
		return familyName(m) == names[int(value)%len(names)]
	}
	return []*stressTarget{target}
}

// familyName returns the name of a family that the controller reports, "" if there is none.
func familyName(m nlmsg.Msg) string {
	name, _ := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyName).Text() // "" on error
	return string(name)
}

// siblings dials like Open.
func siblings(protocol socket.Protocol, options ...socket.Option) Dialer {
	var first *socket.Socket
	return func() (Transport, error) {
		dial := first.Sibling
		if first == nil {
			options = append(options, socket.WithFlags(socket.ExtAck, socket.CapAck))
			dial = func() (*socket.Socket, error) { return socket.Open(protocol, options...) }
		}
		s, err := dial()
		if err != nil {
			return nil, err // a nil interface, not a Transport that holds a nil *Socket
		}
		if first == nil {
			first = s
		}
		return s, nil
	}
}
