package nl

import (
	"fmt"
	"slices"
	"testing"
	"time"

	original "github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/nla"
)

// BenchmarkAgainstOriginal runs both implementations in turns and reports the median of
// the ratios of their rounds: below 1 this package is faster. A round takes milliseconds,
// so that each has its share of collecting the garbage that it makes.
func BenchmarkAgainstOriginal(b *testing.B) {
	for _, c := range comparisons(b) {
		b.Run(c.name, func(b *testing.B) {
			var ratios []float64
			var ours, theirs time.Duration
			n := max(1, c.round)
			c.ours(n) // warm up
			c.theirs(n)
			for i := 0; b.Loop(); i++ {
				var d, o time.Duration
				if i%2 == 0 { // neither always has the cache that the other left
					d, o = timed(c.ours, n), timed(c.theirs, n)
				} else {
					o, d = timed(c.theirs, n), timed(c.ours, n)
				}
				ours, theirs = ours+d, theirs+o
				ratios = append(ratios, float64(d)/float64(o))
			}
			slices.Sort(ratios)
			total := float64(len(ratios) * n)
			b.ReportMetric(0, "ns/op") // of a round of both, which says nothing
			b.ReportMetric(float64(ours)/total, "nlwire-ns")
			b.ReportMetric(float64(theirs)/total, "original-ns")
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
			b.ReportMetric(testing.AllocsPerRun(100, func() { c.ours(1) }), "nlwire-allocs")
			b.ReportMetric(testing.AllocsPerRun(100, func() { c.theirs(1) }), "original-allocs")
		})
	}
}

func timed(f func(n int), n int) time.Duration {
	start := time.Now()
	f(n)
	return time.Since(start)
}

// A comparison does the same work with both implementations, n times.
type comparison struct {
	name         string
	round        int
	ours, theirs func(n int)
}

func comparisons(b *testing.B) []comparison {
	list := []comparison{noop(b, true), noop(b, false), links(b)}
	for _, n := range []int{1, 4, 12, 32} {
		list = append(list, parse(b, n))
	}
	return append(list, serialize())
}

// noop is a request that the kernel only acknowledges, on a kept socket or on one that is
// opened for it.
func noop(b *testing.B, isKept bool) comparison {
	name := "NOOP+ACK/socket-per-request"
	var ours map[int]*SocketHandle
	var theirs map[int]*original.SocketHandle
	if isKept {
		name = "NOOP+ACK/kept-socket"
		s, err := getNetlinkSocket(unix.NETLINK_ROUTE)
		check(b, err)
		b.Cleanup(s.Close)
		o, err := original.GetNetlinkSocketAt(-1, -1, unix.NETLINK_ROUTE)
		check(b, err)
		b.Cleanup(o.Close)
		ours = map[int]*SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
		theirs = map[int]*original.SocketHandle{unix.NETLINK_ROUTE: {Socket: o}}
	}
	return comparison{name, 500, func(n int) {
		for range n {
			r := NewNetlinkRequest(unix.NLMSG_NOOP, unix.NLM_F_ACK)
			r.Sockets = ours
			_, err := r.Execute(unix.NETLINK_ROUTE, 0)
			check(b, err)
		}
	}, func(n int) {
		for range n {
			r := original.NewNetlinkRequest(unix.NLMSG_NOOP, unix.NLM_F_ACK)
			r.Sockets = theirs
			_, err := r.Execute(unix.NETLINK_ROUTE, 0)
			check(b, err)
		}
	}}
}

// links dumps the links of the network namespace.
func links(b *testing.B) comparison {
	return comparison{"dump-links", 100, func(n int) {
		for range n {
			r := NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
			r.AddData(original.NewIfInfomsg(unix.AF_UNSPEC))
			_, err := r.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
			check(b, err)
		}
	}, func(n int) {
		for range n {
			r := original.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
			r.AddData(original.NewIfInfomsg(unix.AF_UNSPEC))
			_, err := r.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
			check(b, err)
		}
	}}
}

// parse cuts a body of attributes of 4 to 16 bytes.
func parse(b *testing.B, attrs int) comparison {
	var body []byte
	for i := range attrs {
		body = nla.AppendBytes(body, uint16(i), make([]byte, []int{4, 4, 16, 8, 1, 6}[i%6]))
	}
	return comparison{fmt.Sprintf("ParseRouteAttr/%d", attrs), 2000, func(n int) {
		for range n {
			_, err := ParseRouteAttr(body)
			check(b, err)
		}
	}, func(n int) {
		for range n {
			_, err := original.ParseRouteAttr(body)
			check(b, err)
		}
	}}
}

// serialize makes a request with a nest in a nest.
func serialize() comparison {
	return comparison{"Serialize/vlan", 500, func(n int) {
		for range n {
			r := NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
			r.AddData(NewRtAttr(unix.IFLA_IFNAME, []byte("eth0.7\x00")))
			info := NewRtAttr(unix.IFLA_LINKINFO, nil)
			info.AddRtAttr(unix.IFLA_INFO_KIND, []byte("vlan"))
			data := info.AddRtAttr(unix.IFLA_INFO_DATA, nil)
			data.AddRtAttr(1, []byte{7, 0})
			r.AddData(info)
			r.Serialize()
		}
	}, func(n int) {
		for range n {
			r := original.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
			r.AddData(original.NewRtAttr(unix.IFLA_IFNAME, []byte("eth0.7\x00")))
			info := original.NewRtAttr(unix.IFLA_LINKINFO, nil)
			info.AddRtAttr(unix.IFLA_INFO_KIND, []byte("vlan"))
			data := info.AddRtAttr(unix.IFLA_INFO_DATA, nil)
			data.AddRtAttr(1, []byte{7, 0})
			r.AddData(info)
			r.Serialize()
		}
	}}
}

func check(tb testing.TB, err error) {
	if err != nil {
		tb.Helper()
		tb.Fatal(err)
	}
}
