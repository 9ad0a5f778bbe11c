package conn

import (
	"encoding/binary"
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

func openConn(tb testing.TB, protocol int, options ...socket.Option) *Conn {
	tb.Helper()
	c, err := Open(protocol, options...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// needPrivilege skips a test for whoever may not do it, and only then.
func needPrivilege(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, unix.EPERM) {
		tb.Skipf("needs root, or a user namespace of its own: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// onThread runs f on a thread that ends with it.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		f()
	}()
	<-done
}

// newNetNS makes a network namespace and returns a descriptor of it.
func newNetNS(tb testing.TB) (fd int) {
	tb.Helper()
	var err error
	onThread(func() {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		}
	})
	needPrivilege(tb, err)
	tb.Cleanup(func() { unix.Close(fd) })
	return fd
}

// inNetNS runs f in a namespace, if one is given.
func inNetNS(tb testing.TB, f func(), netNS ...int) {
	tb.Helper()
	if len(netNS) == 0 {
		f()
		return
	}
	var err error
	onThread(func() {
		if err = unix.Setns(netNS[0], unix.CLONE_NEWNET); err == nil {
			f()
		}
	})
	needPrivilege(tb, err)
}

// rtmsg is a struct rtmsg of IPv4, with fields to change by index.
func rtmsg(fields ...byte) []byte {
	b := make([]byte, unix.SizeofRtMsg)
	b[0] = unix.AF_INET
	copy(b[1:], fields)
	return b
}

// addRoutes adds routes to hosts of 10.0.0.0/8, in batches, over lo.
func addRoutes(tb testing.TB, c *Conn, n int) {
	tb.Helper()
	const lo = 1
	link := c.Request(unix.RTM_NEWLINK, nlmsg.Request|nlmsg.Ack, ifinfomsg(lo, unix.IFF_UP, unix.IFF_UP))
	defer link.Release()
	if _, err := c.Do(tb.Context(), link); err != nil {
		tb.Fatal(err)
	}
	const perBatch = 500
	for first := 0; first < n; first += perBatch {
		var batch []*Request
		for i := first; i < min(first+perBatch, n); i++ {
			flags := nlmsg.Request | nlmsg.Create
			if i == n-1 {
				flags |= nlmsg.Ack
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

// ifinfomsg is a struct ifinfomsg.
func ifinfomsg(index int32, flags, change uint32) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	binary.NativeEndian.PutUint32(b[8:], flags)
	binary.NativeEndian.PutUint32(b[12:], change)
	return b
}

// countRoutes dumps the IPv4 routes.
func countRoutes(tb testing.TB, c *Conn) (n int) {
	tb.Helper()
	r := c.Request(unix.RTM_GETROUTE, nlmsg.Request, rtmsg())
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
