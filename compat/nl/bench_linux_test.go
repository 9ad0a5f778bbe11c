package nl

import (
	"fmt"
	"testing"

	original "github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
)

// The benchmarks alternate between this package and the original; a ratio below 1 means
// that this package is faster. A turn takes milliseconds, so that each implementation
// collects its own garbage.

// BenchmarkNoop measures a request that the kernel only acknowledges, on a shared socket
// and on a socket that is opened for the request.
func BenchmarkNoop(b *testing.B) {
	s, err := getNetlinkSocket(unix.NETLINK_ROUTE)
	check(b, err)
	b.Cleanup(s.Close)
	o, err := original.GetNetlinkSocketAt(-1, -1, unix.NETLINK_ROUTE)
	check(b, err)
	b.Cleanup(o.Close)
	kept := map[int]*SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
	keptOriginal := map[int]*original.SocketHandle{unix.NETLINK_ROUTE: {Socket: o}}
	b.Run("kept-socket", func(b *testing.B) { compareNoop(b, kept, keptOriginal) })
	b.Run("socket-per-request", func(b *testing.B) { compareNoop(b, nil, nil) })
}

func compareNoop(b *testing.B, ours map[int]*SocketHandle, theirs map[int]*original.SocketHandle) {
	kerneltest.Interleave(b, 500, "ratio", func() {
		r := NewNetlinkRequest(unix.NLMSG_NOOP, unix.NLM_F_ACK)
		r.Sockets = ours
		_, err := r.Execute(unix.NETLINK_ROUTE, 0)
		check(b, err)
	}, func() {
		r := original.NewNetlinkRequest(unix.NLMSG_NOOP, unix.NLM_F_ACK)
		r.Sockets = theirs
		_, err := r.Execute(unix.NETLINK_ROUTE, 0)
		check(b, err)
	})
}

// BenchmarkDumpLinks lists the links of the network namespace.
func BenchmarkDumpLinks(b *testing.B) {
	kerneltest.Interleave(b, 100, "ratio", func() {
		r := NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
		r.AddData(original.NewIfInfomsg(unix.AF_UNSPEC))
		_, err := r.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
		check(b, err)
	}, func() {
		r := original.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
		r.AddData(original.NewIfInfomsg(unix.AF_UNSPEC))
		_, err := r.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
		check(b, err)
	})
}

// BenchmarkParseRouteAttr parses 1 to 32 attributes of 1 to 16 bytes. An address has about
// 8 attributes, a route 12, and a link more than 32.
func BenchmarkParseRouteAttr(b *testing.B) {
	for _, attrs := range []int{1, 4, 8, 12, 32} {
		var body []byte
		for i := range attrs {
			body = nla.AppendBytes(body, uint16(i), make([]byte, []int{4, 4, 16, 8, 1, 6}[i%6]))
		}
		b.Run(fmt.Sprint(attrs), func(b *testing.B) {
			kerneltest.Interleave(b, 2000, "ratio", func() {
				_, err := ParseRouteAttr(body)
				check(b, err)
			}, func() {
				_, err := original.ParseRouteAttr(body)
				check(b, err)
			})
		})
	}
}

// BenchmarkSerialize writes a request with a nest in a nest.
func BenchmarkSerialize(b *testing.B) {
	kerneltest.Interleave(b, 500, "ratio", func() {
		r := NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
		r.AddData(NewRtAttr(unix.IFLA_IFNAME, []byte("eth0.7\x00")))
		info := NewRtAttr(unix.IFLA_LINKINFO, nil)
		info.AddRtAttr(unix.IFLA_INFO_KIND, []byte("vlan"))
		info.AddRtAttr(unix.IFLA_INFO_DATA, nil).AddRtAttr(1, []byte{7, 0})
		r.AddData(info)
		r.Serialize()
	}, func() {
		r := original.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
		r.AddData(original.NewRtAttr(unix.IFLA_IFNAME, []byte("eth0.7\x00")))
		info := original.NewRtAttr(unix.IFLA_LINKINFO, nil)
		info.AddRtAttr(unix.IFLA_INFO_KIND, []byte("vlan"))
		info.AddRtAttr(unix.IFLA_INFO_DATA, nil).AddRtAttr(1, []byte{7, 0})
		r.AddData(info)
		r.Serialize()
	})
}
