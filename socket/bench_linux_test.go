package socket

import (
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/kerneltest"
)

// bare is the yardstick: the same datagrams by the fewest instructions, on a
// descriptor without poller, locks or checks.
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
	if err := bind(fd, 0); err != nil {
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

// benchSocket opens without deadlines, and so outside the poller.
func benchSocket(b *testing.B, opts ...Option) *Socket {
	s, err := Open(Generic, opts...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// BenchmarkRoundTrip resolves a family: one send, one receive. "polled" is the
// same on a socket that had to wait before and is in the poller since. "timers"
// has something else going on in the program, so that threads idle in epoll. "raw"
// is WithRawSyscalls, "one" Socket.RoundTrip.
func BenchmarkRoundTrip(b *testing.B) {
	for _, row := range []struct {
		name           string
		polled, timers bool
		ask            func(s *Socket, req, buf []byte) error
		opts           []Option
	}{
		{"raw/one", false, false, oneCall, []Option{WithRawSyscalls()}},
		{"raw", false, false, sendReceive, []Option{WithRawSyscalls()}},
		{"direct", false, false, sendReceive, nil},
		{"direct/timers", false, true, sendReceive, nil},
		{"polled", true, false, sendReceive, nil},
		{"polled/timers", true, true, sendReceive, nil},
	} {
		b.Run(row.name, func(b *testing.B) {
			s := benchSocket(b, row.opts...)
			if row.polled {
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

// sendReceive is a round trip in two calls, oneCall in one.
func sendReceive(s *Socket, req, buf []byte) error {
	if err := s.Send(req); err != nil {
		return err
	}
	_, _, err := s.Receive(buf)
	return err
}

func oneCall(s *Socket, req, buf []byte) error {
	_, _, err := s.RoundTrip(req, buf)
	return err
}

// tick runs a goroutine with a timer until stop.
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

// BenchmarkBatch receives and sends 16 datagrams a call.
func BenchmarkBatch(b *testing.B) {
	s, floor := benchSocket(b), newBare(b)
	req, buf := getFamily(1), make([]byte, BufferSize)
	batch := MakeBatch(16, 4096)
	reqs := make([][]byte, len(batch))
	for i := range reqs {
		reqs[i] = req
	}
	kerneltest.Interleave(b, 50, "x/bare", func() {
		if n, err := s.SendBatch(reqs); err != nil || n != len(reqs) {
			b.Fatal(n, err)
		}
		if n, err := s.ReceiveBatch(batch); err != nil || n != len(batch) {
			b.Fatal(n, err)
		}
	}, func() {
		for range reqs {
			floor.send(b, req)
		}
		for range batch {
			floor.receive(b, buf)
		}
	})
}
