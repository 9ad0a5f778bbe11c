package conn

import (
	"encoding/binary"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// BenchmarkSubscription receives the notifications of added and removed routes, compared
// with bare receives of the same messages and with ReceiveBatch. Only receiving is timed.
func BenchmarkSubscription(b *testing.B) {
	const events, group = 1000, unix.RTNLGRP_IPV4_ROUTE
	netNS := kerneltest.NewNetNS(b)
	c := openConn(b, socket.Route, socket.WithNetNS(netNS))
	addRoutes(b, c, 1) // sets the link up
	sub, err := c.Subscribe(group)
	if err != nil {
		b.Fatal(err)
	}
	many, err := socket.Open(socket.Route, socket.WithNetNS(netNS), socket.WithGroups(group), socket.WithReceiveBuffer(8<<20))
	if err != nil {
		b.Fatal(err)
	}
	defer many.Close()
	s := newBare(b, socket.Route, netNS)
	for _, err := range []error{
		sub.Transport().(bufferer).SetReceiveBuffer(8 << 20),
		unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20),
		unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, group),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	var flood []byte
	for i := range events {
		r := routeRequest(c, nlmsg.FlagRequest|nlmsg.FlagCreate, 1+i/2)
		if r.B = nlmsg.End(r.B, 0); i%2 == 1 {
			binary.NativeEndian.PutUint16(r.B[4:], unix.RTM_DELROUTE)
		}
		flood = append(flood, r.B...)
		r.Release()
	}
	batch := socket.MakeBatch(64, 2048)
	ways := []func(){
		func() {
			left := events
			for m, err := range sub.All(b.Context()) {
				if err != nil {
					b.Fatal(err)
				}
				isRoute(b, m)
				if left--; left == 0 {
					break
				}
			}
		},
		func() {
			for range events {
				m, _ := nlmsg.Consume(s.receive(b))
				isRoute(b, m)
			}
		},
		func() {
			for left := events; left > 0; {
				n, err := many.ReceiveBatch(batch)
				if err != nil {
					b.Fatal(err)
				}
				for i := range batch[:n] {
					m, _ := nlmsg.Consume(batch[i].Bytes())
					isRoute(b, m)
				}
				left -= n
			}
		},
	}
	var took [3]time.Duration
	for round := 0; b.Loop(); round++ {
		if _, err := unix.Write(s.fd, flood); err != nil {
			b.Fatal(err)
		}
		for i := range ways {
			way := (round + i) % len(ways)
			start := time.Now()
			ways[way]()
			took[way] += time.Since(start)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[0])/float64(b.N*events), "own-ns")
	b.ReportMetric(float64(took[0])/float64(took[1]), "x/bare")
	b.ReportMetric(float64(took[0])/float64(took[2]), "x/batch")
}

func isRoute(tb testing.TB, m nlmsg.Msg) {
	if m.Type() != unix.RTM_NEWROUTE && m.Type() != unix.RTM_DELROUTE {
		tb.Fatal(m)
	}
}
