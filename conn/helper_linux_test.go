package conn

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

func openConn(tb testing.TB, protocol socket.Protocol, options ...socket.Option) *Conn {
	tb.Helper()
	c, err := Open(protocol, WithSocket(options...))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// rtmsg makes a struct rtmsg of IPv4. fields are the bytes after the family.
func rtmsg(fields ...byte) []byte {
	b := make([]byte, unix.SizeofRtMsg)
	b[0] = unix.AF_INET
	copy(b[1:], fields)
	return b
}

// addRoutes adds host routes of 10.0.0.0/8 over lo, in batches.
func addRoutes(tb testing.TB, c *Conn, n int) {
	tb.Helper()
	const lo = 1
	link := c.Request(unix.RTM_NEWLINK, nlmsg.FlagRequest|nlmsg.FlagAck, ifinfomsg(lo, unix.IFF_UP, unix.IFF_UP))
	defer link.Release()
	if _, err := c.Do(tb.Context(), link); err != nil {
		tb.Fatal(err)
	}
	const perBatch = 500
	for first := 0; first < n; first += perBatch {
		var batch []*Request
		for i := first; i < min(first+perBatch, n); i++ {
			flags := nlmsg.FlagRequest | nlmsg.FlagCreate
			if i == n-1 {
				flags |= nlmsg.FlagAck
			}
			batch = append(batch, routeRequest(c, flags, i))
		}
		if err := c.Batch(tb.Context(), batch...); err != nil {
			tb.Fatal(err)
		}
		for _, r := range batch {
			r.Release()
		}
	}
}

// routeRequest adds the route to 10.0.0.0 + i.
func routeRequest(c *Conn, flags nlmsg.Flags, i int) *Request {
	r := c.Request(unix.RTM_NEWROUTE, flags, rtmsg(32, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_BOOT, unix.RT_SCOPE_LINK, unix.RTN_UNICAST))
	r.B = nla.AppendBE32(r.B, unix.RTA_DST, 10<<24+uint32(i))
	r.B = nla.AppendUint32(r.B, unix.RTA_OIF, 1)
	return r
}

// ifinfomsg makes a struct ifinfomsg.
func ifinfomsg(index int32, flags, change uint32) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	binary.NativeEndian.PutUint32(b[8:], flags)
	binary.NativeEndian.PutUint32(b[12:], change)
	return b
}

// countRoutes dumps the IPv4 routes and counts them.
func countRoutes(tb testing.TB, c *Conn) (n int) {
	tb.Helper()
	r := c.Request(unix.RTM_GETROUTE, nlmsg.FlagRequest, rtmsg())
	defer r.Release()
	for m, err := range c.Dump(tb.Context(), r) {
		if err != nil {
			tb.Fatal(err)
		}
		if m.Type() == unix.RTM_NEWROUTE {
			n++
		}
	}
	return n
}
