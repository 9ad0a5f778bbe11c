package conn

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// kernel implements world on the running kernel: IPv4 routes and links of a network
// namespace, which is created on demand.
type kernel struct {
	t     *testing.T
	netNS int
}

func newKernel(t *testing.T) world { return &kernel{t: t, netNS: -1} }

func (k *kernel) inNetNS() socket.Option {
	if k.netNS < 0 {
		k.netNS = kerneltest.NewNetNS(k.t)
	}
	return socket.WithNetNS(k.netNS)
}

func (k *kernel) generic(tb testing.TB) *Conn { return openConn(tb, socket.Generic) }

func (k *kernel) open(tb testing.TB, receiveBuffer int, flags ...socket.Flag) *Conn {
	tb.Helper()
	options := []socket.Option{k.inNetNS(), socket.WithFlags(flags...)}
	if receiveBuffer != 0 {
		options = append(options, socket.WithReceiveBuffer(receiveBuffer))
	}
	return openConn(tb, socket.Route, options...)
}

func (k *kernel) dial() (wire, error) {
	s, err := socket.Open(socket.Route, k.inNetNS(), socket.WithFlags(socket.ExtAck))
	if err != nil {
		return nil, err // a nil interface, not a wire that holds a nil *Socket
	}
	return s, nil
}

func (k *kernel) victim(tb testing.TB) (Transport, func([]byte) error) {
	tb.Helper()
	s, err := socket.Open(socket.Generic)
	if err != nil {
		tb.Fatal(err)
	}
	liar, err := socket.Open(socket.Generic)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { liar.Close() })
	return s, func(b []byte) error {
		err := liar.SendTo(b, socket.Addr{PortID: s.PortID()})
		if err != nil {
			kerneltest.NeedPrivilege(tb, err)
		}
		return err
	}
}

func (k *kernel) nothing(c *Conn) *Request {
	return c.Request(unix.RTM_NEWLINK, nlmsg.FlagRequest|nlmsg.FlagAck, ifinfomsg(1, unix.IFF_UP, unix.IFF_UP))
}

func (k *kernel) add(c *Conn, flags nlmsg.Flags, i int) *Request {
	return routeRequest(c, nlmsg.FlagRequest|flags, i)
}

func (k *kernel) remove(c *Conn, flags nlmsg.Flags, i int) *Request {
	r := routeRequest(c, nlmsg.FlagRequest|flags, i)
	binary.NativeEndian.PutUint16(r.B[4:], unix.RTM_DELROUTE)
	return r
}

func (k *kernel) list(c *Conn) *Request {
	return c.Request(unix.RTM_GETROUTE, nlmsg.FlagRequest, rtmsg())
}

// entry distinguishes the routes of routeRequest from those that the kernel adds.
func (k *kernel) entry(m nlmsg.Msg) (i uint32, isThere, ok bool) {
	p := m.Payload()
	isRoute := m.Type() == unix.RTM_NEWROUTE || m.Type() == unix.RTM_DELROUTE
	if !isRoute || len(p) < unix.SizeofRtMsg || p[4] != unix.RT_TABLE_MAIN {
		return 0, false, false
	}
	dst, err := nla.Find(m.Attrs(unix.SizeofRtMsg), unix.RTA_DST).BE32()
	return dst - 10<<24, m.Type() == unix.RTM_NEWROUTE, err == nil
}

func (k *kernel) addLink(c *Conn, name string) *Request {
	r := c.Request(unix.RTM_NEWLINK, nlmsg.FlagRequest|nlmsg.FlagAck|nlmsg.FlagCreate, ifinfomsg(0, 0, 0))
	r.B = nla.AppendCString(r.B, unix.IFLA_IFNAME, name)
	n := len(r.B)
	b := nla.Begin(r.B, unix.IFLA_LINKINFO)
	r.B = nla.End(nla.AppendCString(b, 1, "bridge"), n)
	return r
}

func (k *kernel) listLinks(c *Conn) *Request {
	return c.Request(unix.RTM_GETLINK, 0, ifinfomsg(0, 0, 0))
}

func (k *kernel) isLink(m nlmsg.Msg) bool { return m.Type() == unix.RTM_NEWLINK }

func (k *kernel) groups() (entries, links uint32) {
	return unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_LINK
}

// peakRSS returns the maximum resident memory of the process, in KiB.
func peakRSS(tb testing.TB) int64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return int64(usage.Maxrss)
}
