package conn

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// bare is the reference: raw system calls on a blocking descriptor, which check the sender
// and nothing else.
type bare struct {
	fd   int
	buf  []byte
	from unix.RawSockaddrNetlink
	size uint32
}

func newBare(tb testing.TB, protocol socket.Protocol, netNS ...int) *bare {
	tb.Helper()
	var fd int
	var err error
	open := func() { fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(protocol)) }
	if len(netNS) == 0 {
		open()
	} else {
		kerneltest.InNetNS(tb, netNS[0], open)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { unix.Close(fd) })
	return setUpBare(tb, fd, make([]byte, socket.BufferSize))
}

// setUpBare binds a descriptor and sets the options of a Conn.
func setUpBare(tb testing.TB, fd int, buf []byte) *bare {
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		tb.Fatal(err)
	}
	for _, option := range []int{unix.NETLINK_EXT_ACK, unix.NETLINK_CAP_ACK} {
		if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, option, 1); err != nil {
			tb.Fatal(err)
		}
	}
	return &bare{fd: fd, buf: buf}
}

func (s *bare) send(tb testing.TB, b []byte) {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
	if errno != 0 {
		tb.Fatal(errno)
	}
}

func (s *bare) receive(tb testing.TB) []byte {
	s.size = unix.SizeofSockaddrNetlink
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&s.buf[0])), uintptr(len(s.buf)), 0,
		uintptr(unsafe.Pointer(&s.from)), uintptr(unsafe.Pointer(&s.size)))
	if errno != 0 || s.from.Pid != 0 {
		tb.Fatal(errno, s.from.Pid)
	}
	return s.buf[:n]
}

// appendGetFamily appends a request for the controller's own family.
func appendGetFamily(b []byte) []byte {
	m := len(b)
	b = nlmsg.Begin(b, genlmsg.IDCtrl, nlmsg.FlagRequest, 1, 0)
	b = genlmsg.Append(b, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
	return nlmsg.End(b, m)
}

// BenchmarkDo resolves a family with a context that can end, compared with a bare send and
// receive of the same bytes.
func BenchmarkDo(b *testing.B) {
	c := openConn(b, socket.Generic)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	s := newBare(b, socket.Generic)
	var request []byte
	kerneltest.Interleave(b, 50, "x/bare", func() { resolve(ctx, b, c) }, func() {
		request = appendGetFamily(request[:0])
		s.send(b, request)
		m, _ := nlmsg.Consume(s.receive(b))
		familyID(b, m)
	})
}

// BenchmarkOpenResolveClose makes a Conn for one request, compared with the necessary
// system calls.
func BenchmarkOpenResolveClose(b *testing.B) {
	var request []byte
	buf := make([]byte, socket.BufferSize)
	kerneltest.Interleave(b, 50, "x/bare", func() {
		c, err := Open(socket.Generic)
		if err != nil {
			b.Fatal(err)
		}
		resolve(b.Context(), b, c)
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	}, func() {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_GENERIC)
		if err != nil {
			b.Fatal(err)
		}
		s := setUpBare(b, fd, buf)
		request = appendGetFamily(request[:0])
		s.send(b, request)
		m, _ := nlmsg.Consume(s.receive(b))
		familyID(b, m)
		unix.Close(fd)
	})
}

// BenchmarkBatch resolves a family 64 times with one datagram, compared with a bare send of
// the same bytes and one receive per reply.
func BenchmarkBatch(b *testing.B) {
	const requests = 64
	for name, flags := range map[string]nlmsg.Flags{"replies": 0, "acks": nlmsg.FlagAck} {
		b.Run(name, func(b *testing.B) {
			c := openConn(b, socket.Generic)
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			s := newBare(b, socket.Generic)
			if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 1<<20); err != nil {
				b.Fatal(err)
			}
			batch := make([]*Request, requests)
			var datagram []byte
			kerneltest.Interleave(b, 5, "x/bare", func() {
				for i := range batch {
					batch[i] = ctrlRequest(c, flags, genlmsg.CtrlCmdGetFamily)
					batch[i].B = nla.AppendCString(batch[i].B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
				}
				if err := c.Batch(ctx, batch...); err != nil {
					b.Fatal(err)
				}
				for _, r := range batch {
					familyID(b, r.Reply())
					r.Release()
				}
			}, func() {
				datagram = datagram[:0]
				for range batch {
					from := len(datagram)
					datagram = pad(appendGetFamily(datagram))
					m := nlmsg.Msg(datagram[from:])
					m.SetFlags(m.Flags() | flags)
				}
				s.send(b, datagram)
				for range batch {
					m, _ := nlmsg.Consume(s.receive(b))
					familyID(b, m)
					if flags&nlmsg.FlagAck != 0 {
						s.receive(b)
					}
				}
			})
		})
	}
}

// BenchmarkParallelDo resolves a family in goroutines over one Conn, compared with the same
// number of goroutines and a lock around one socket. 1 x/locked is the ratio of the request
// rates.
func BenchmarkParallelDo(b *testing.B) {
	const goroutines, each = 8, 200
	c := openConn(b, socket.Generic)
	s, err := socket.Open(socket.Generic)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var mu sync.Mutex
	buf := make([]byte, socket.BufferSize)
	locked := func() {
		mu.Lock()
		defer mu.Unlock()
		if err := s.Send(appendGetFamily(buf[:0])); err != nil {
			b.Error(err)
		}
		n, _, err := s.Receive(buf)
		if err != nil {
			b.Error(err)
		}
		m, _ := nlmsg.Consume(buf[:n])
		familyID(b, m)
	}
	run := func(f func()) time.Duration {
		var wg sync.WaitGroup
		start := time.Now()
		for range goroutines {
			wg.Go(func() {
				for range each {
					f()
				}
			})
		}
		wg.Wait()
		return time.Since(start)
	}
	ctx := b.Context()
	var own, base time.Duration
	b.ReportAllocs()
	for b.Loop() {
		own += run(func() { resolve(ctx, b, c) })
		base += run(locked)
	}
	requests := float64(b.N * goroutines * each)
	b.ReportMetric(requests/own.Seconds(), "req/s")
	b.ReportMetric(requests/base.Seconds(), "locked-req/s")
	b.ReportMetric(float64(base)/float64(own), "x/locked")
}

// BenchmarkDump ranges over a list, compared with a loop of bare receives that walks the
// messages too. receives/op is the number of datagrams in the list.
func BenchmarkDump(b *testing.B) {
	for name, routes := range map[string]int{"routes100": 100, "routes10k": 10_000} {
		b.Run(name, func(b *testing.B) {
			netNS := kerneltest.NewNetNS(b)
			c := openConn(b, socket.Route, socket.WithNetNS(netNS))
			addRoutes(b, c, routes)
			s := newBare(b, socket.Route, netNS)
			receives := 0
			var request []byte
			kerneltest.Interleave(b, 2, "x/bare", func() {
				if n := countRoutes(b, c); n < routes {
					b.Fatal(n)
				}
			}, func() {
				n := 0
				request = appendGetRoutes(request[:0])
				s.send(b, request)
				for done := false; !done; receives++ {
					for m := range nlmsg.All(s.receive(b)) {
						done = m.Type() == nlmsg.TypeDone
						n++
					}
				}
				if n < routes {
					b.Fatal(n)
				}
			})
			b.ReportMetric(float64(receives)/float64(2*b.N+1), "receives/op")
		})
	}
}

// appendGetRoutes appends a request for the IPv4 routes.
func appendGetRoutes(b []byte) []byte {
	m := len(b)
	b = nlmsg.Begin(b, unix.RTM_GETROUTE, nlmsg.FlagRequest|nlmsg.FlagDump, 1, 0)
	return nlmsg.End(append(b, rtmsg()...), m)
}

// BenchmarkParallelDump dumps the same routes in several goroutines: on one socket, where
// the dumps wait for each other, and on one socket per goroutine. A value above 1 x/queued
// means that separate sockets are faster.
func BenchmarkParallelDump(b *testing.B) {
	const goroutines, each = 4, 4
	netNS := kerneltest.NewNetNS(b)
	c := openConn(b, socket.Route, socket.WithNetNS(netNS))
	addRoutes(b, c, 2000)
	s, err := socket.Open(socket.Route, socket.WithNetNS(netNS))
	if err != nil {
		b.Fatal(err)
	}
	shared := New(s)
	defer shared.Close()
	run := func(c *Conn) time.Duration {
		var wg sync.WaitGroup
		start := time.Now()
		for range goroutines {
			wg.Go(func() {
				for range each {
					if n := countRoutes(b, c); n < 2000 {
						b.Error(n)
					}
				}
			})
		}
		wg.Wait()
		return time.Since(start)
	}
	var own, queued time.Duration
	for b.Loop() {
		own += run(c)
		queued += run(shared)
	}
	b.ReportMetric(float64(queued)/float64(own), "x/queued")
}

// BenchmarkBarrier makes a change that has no reply, with and without an acknowledgement.
// In the second case, Do requests the acknowledgement of an empty message.
func BenchmarkBarrier(b *testing.B) {
	c := openConn(b, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(b)))
	ask := func(flags nlmsg.Flags) {
		var header [unix.SizeofIfInfomsg]byte
		binary.NativeEndian.PutUint32(header[4:], 1) // the loopback link; no change
		r := c.Request(unix.RTM_SETLINK, flags, header[:])
		if _, err := c.Do(b.Context(), r); err != nil {
			b.Fatal(err)
		}
		r.Release()
	}
	kerneltest.Interleave(b, 50, "x/ack", func() { ask(0) }, func() { ask(nlmsg.FlagAck) })
}
