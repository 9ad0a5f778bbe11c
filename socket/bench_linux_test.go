package socket

import (
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// bare is the reference: the same datagrams with the fewest instructions, on a descriptor
// without poller, locks or checks.
type bare struct {
	fd   int
	from unix.RawSockaddrNetlink
	size uint32
}

func newBare(b *testing.B) *bare {
	fd, _, err := newDescriptor(Generic)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { unix.Close(fd) })
	if err := bind(fd, 0, 0); err != nil {
		b.Fatal(err)
	}
	return &bare{fd: fd}
}

func (s *bare) send(b *testing.B, p []byte) {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd),
		uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), 0, 0, 0)
	check(b, errno)
}

func (s *bare) receive(b *testing.B, p []byte) []byte {
	s.size = unix.SizeofSockaddrNetlink
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		unix.MSG_TRUNC, uintptr(unsafe.Pointer(&s.from)), uintptr(unsafe.Pointer(&s.size)))
	check(b, errno)
	return p[:n]
}

func check(b *testing.B, errno syscall.Errno) {
	if errno != 0 {
		b.Fatal(errno)
	}
}

// benchSocket opens a socket without deadlines, so that it is not in the poller.
func benchSocket(b *testing.B, opts ...Option) *Socket {
	s, err := Open(Generic, opts...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// BenchmarkRoundTrip resolves a family: one send, one receive. "one" is
// Socket.TryRoundTrip. "waited" uses a socket that had to wait before. "kept" uses a socket
// that a user of SyscallConn keeps in the poller. "timers" runs timers in the program, so
// that threads idle in epoll.
func BenchmarkRoundTrip(b *testing.B) {
	for _, row := range []struct {
		name                 string
		waited, kept, timers bool
		ask                  func(s *Socket, req, buf []byte) error
	}{
		{"one", false, false, false, oneCall},
		{"two", false, false, false, sendReceive},
		{"two/timers", false, false, true, sendReceive},
		{"two/waited", true, false, false, sendReceive},
		{"two/waited/timers", true, false, true, sendReceive},
		{"two/kept", false, true, false, sendReceive},
	} {
		b.Run(row.name, func(b *testing.B) {
			s := benchSocket(b)
			if row.waited {
				if err := s.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
					b.Fatal(err)
				}
				if err := s.Wait(); err == nil {
					b.Fatal("nothing to wait for")
				}
				if err := s.SetReadDeadline(time.Time{}); err != nil {
					b.Fatal(err)
				}
			}
			if row.kept {
				if _, err := s.SyscallConn(); err != nil {
					b.Fatal(err)
				}
			}
			if row.timers {
				defer tick()()
			}
			roundTrip(b, s, row.ask)
		})
	}
}

// sendReceive is a round trip in two calls, oneCall one in a single call.
func sendReceive(s *Socket, req, buf []byte) error {
	if err := s.Send(req); err != nil {
		return err
	}
	_, _, err := s.Receive(buf)
	return err
}

func oneCall(s *Socket, req, buf []byte) error {
	_, _, _, err := s.TryRoundTrip(req, buf)
	return err
}

// BenchmarkOpen opens and closes a socket, compared with the bare system calls.
func BenchmarkOpen(b *testing.B) {
	kerneltest.Interleave(b, 50, "x/bare", func() {
		s, err := Open(Generic, WithFlags(ExtAck, CapAck))
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}, func() {
		fd, _, err := newDescriptor(Generic)
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range []Flag{ExtAck, CapAck} {
			if err := setFlag(fd, f, true); err != nil {
				b.Fatal(err)
			}
		}
		if err := bind(fd, 0, 0); err != nil {
			b.Fatal(err)
		}
		if _, err := boundPort(fd); err != nil {
			b.Fatal(err)
		}
		unix.Close(fd)
	})
}

// tick runs a goroutine with a timer until stop is called.
func tick() (stop func()) {
	ticker, done := time.NewTicker(time.Millisecond), make(chan struct{})
	go func() {
		for {
			select {
			case <-ticker.C:
			case <-done:
				close(done)
				return
			}
		}
	}()
	return func() { done <- struct{}{}; <-done; ticker.Stop() }
}

func roundTrip(b *testing.B, s *Socket, ask func(s *Socket, req, buf []byte) error) {
	floor := newBare(b)
	req, buf := getFamily(1), make([]byte, BufferSize)
	kerneltest.Interleave(b, 50, "x/bare", func() {
		if err := ask(s, req, buf); err != nil {
			b.Fatal(err)
		}
	}, func() {
		floor.send(b, req)
		floor.receive(b, buf)
	})
}

// BenchmarkDump dumps all families, to the end.
func BenchmarkDump(b *testing.B) {
	s, floor := benchSocket(b), newBare(b)
	req, buf := dumpFamilies(1), make([]byte, BufferSize)
	kerneltest.Interleave(b, 50, "x/bare", func() {
		if err := s.Send(req); err != nil {
			b.Fatal(err)
		}
		for done := false; !done; {
			n, _, err := s.Receive(buf)
			if err != nil {
				b.Fatal(err)
			}
			done = ends(buf[:n])
		}
	}, func() {
		floor.send(b, req)
		for !ends(floor.receive(b, buf)) {
		}
	})
}

// ends reports whether a datagram holds the DONE of a dump.
func ends(b []byte) bool {
	for len(b) >= 16 {
		if msgType(b) == typeDone {
			return true
		}
		b = b[min((int(ne.Uint32(b))+3)&^3, len(b)):]
	}
	return false
}

// BenchmarkBatch receives 16 datagrams per call.
func BenchmarkBatch(b *testing.B) {
	s, floor := benchSocket(b), newBare(b)
	req, buf := getFamily(1), make([]byte, BufferSize)
	batch := MakeBatch(16, 4096)
	kerneltest.Interleave(b, 50, "x/bare", func() {
		for range batch {
			if err := s.Send(req); err != nil {
				b.Fatal(err)
			}
		}
		if n, err := s.ReceiveBatch(batch); err != nil || n != len(batch) {
			b.Fatal(n, err)
		}
	}, func() {
		for range batch {
			floor.send(b, req)
		}
		for range batch {
			floor.receive(b, buf)
		}
	})
}

// BenchmarkPacketInfo receives events that carry their group number, compared with the same
// events without it. Only receiving is timed.
func BenchmarkPacketInfo(b *testing.B) {
	const group, events = 9, 100
	from := benchUser(b)
	with, without := benchUser(b, WithFlags(PacketInfo), WithGroups(group)), benchUser(b, WithGroups(group))
	payload, buf := make([]byte, 200), make([]byte, BufferSize)
	receive := func(s *Socket) time.Duration {
		start := time.Now()
		for range events {
			if _, _, err := s.Receive(buf); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
	var own, base time.Duration
	b.ReportAllocs()
	for b.Loop() {
		for range events {
			if err := from.SendTo(payload, Addr{Groups: 1 << (group - 1)}); err != nil {
				b.Fatal(err)
			}
		}
		own += receive(with)
		base += receive(without)
	}
	b.ReportMetric(float64(own)/float64(b.N*events), "own-ns")
	b.ReportMetric(float64(own)/float64(base), "x/without")
}

func benchUser(b *testing.B, opts ...Option) *Socket {
	s, err := Open(UserSock, append(opts, WithReceiveBuffer(1<<20))...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}
