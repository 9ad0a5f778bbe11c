package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// init reserves the first thread for TestMain. Goroutines that enter a namespace end
// together with their thread, but the runtime cannot end the first one.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) { kerneltest.Main(m) }

// guardTime ends a test that waits for an event that never occurs.
const guardTime = 20 * time.Second

var ne = binary.NativeEndian

// open makes a socket that is closed at the end of the test. Its deadline prevents a
// hanging test.
func open(t testing.TB, protocol Protocol, opts ...Option) *Socket {
	t.Helper()
	s, err := Open(protocol, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.SetDeadline(time.Now().Add(guardTime)); err != nil {
		t.Fatal(err)
	}
	return s
}

// Constants of linux/netlink.h, linux/rtnetlink.h and linux/genetlink.h.
const (
	flagRequest = 0x1
	flagAck     = 0x4
	flagDump    = 0x300
	flagCreate  = 0x400

	typeError = 2
	typeDone  = 3
	typeCtrl  = 16 // nlctrl
)

// message makes a netlink message by hand. The codec packages are not used, so that their
// errors cannot hide errors of this package.
func message(typ, flags uint16, seq uint32, payload ...[]byte) []byte {
	b := make([]byte, 16)
	for _, p := range payload {
		b = append(b, p...)
		b = append(b, make([]byte, -len(b)&3)...)
	}
	ne.PutUint32(b[0:], uint32(len(b)))
	ne.PutUint16(b[4:], typ)
	ne.PutUint16(b[6:], flags)
	ne.PutUint32(b[8:], seq)
	return b
}

// attr makes one attribute, without padding.
func attr(typ uint16, payload []byte) []byte {
	b := ne.AppendUint16(nil, uint16(4+len(payload)))
	b = ne.AppendUint16(b, typ)
	return append(b, payload...)
}

func u32(v uint32) []byte { return ne.AppendUint32(nil, v) }

// getFamily requests the controller's own family (CTRL_CMD_GETFAMILY by name).
func getFamily(seq uint32) []byte {
	return message(typeCtrl, flagRequest, seq, []byte{3, 1, 0, 0}, attr(2, []byte("nlctrl\x00")))
}

// dumpFamilies requests all families.
func dumpFamilies(seq uint32) []byte {
	return message(typeCtrl, flagRequest|flagDump, seq, []byte{3, 1, 0, 0})
}

func msgType(b []byte) uint16 { return ne.Uint16(b[4:]) }
func msgSeq(b []byte) uint32  { return ne.Uint32(b[8:]) }

// each calls f for each message of a datagram.
func each(t testing.TB, b []byte, f func(msg []byte)) {
	t.Helper()
	for len(b) >= 16 {
		n := int(ne.Uint32(b))
		if n < 16 || n > len(b) {
			t.Fatalf("message of %d bytes in a rest of %d", n, len(b))
		}
		f(b[:n])
		b = b[min((n+3)&^3, len(b)):]
	}
}

// receive takes one datagram.
func receive(t testing.TB, s *Socket) ([]byte, Info) {
	t.Helper()
	b := make([]byte, BufferSize)
	n, info, err := s.Receive(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n], info
}

// request sends a message with NLM_F_ACK and returns the errno of the answer.
func request(t testing.TB, s *Socket, msg []byte) error {
	t.Helper()
	if err := s.Send(msg); err != nil {
		t.Fatal(err)
	}
	return ackOf(t, s, msgSeq(msg))
}

func ackOf(t testing.TB, s *Socket, seq uint32) error {
	t.Helper()
	for {
		b, _ := receive(t, s)
		if msgType(b) != typeError || msgSeq(b) != seq {
			continue
		}
		if errno := -int32(ne.Uint32(b[16:])); errno != 0 {
			return unix.Errno(errno)
		}
		return nil
	}
}

// linkUp sets a link up. Index 1, the first link of a namespace, is lo.
func linkUp(t testing.TB, s *Socket, index uint32) {
	t.Helper()
	const up = unix.IFF_UP
	ifinfo := append(append([]byte{0, 0, 0, 0}, u32(index)...), append(u32(up), u32(up)...)...)
	if err := request(t, s, message(unix.RTM_NEWLINK, flagRequest|flagAck, 7, ifinfo)); err != nil {
		t.Fatal(err)
	}
}

// eventually repeats a condition that depends on other threads until it holds. It yields
// instead of sleeping.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(guardTime); !holds(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// blocked waits until n goroutines are in the state ("IO wait", "select") and inside the
// function. The runtime reports both in its goroutine dump.
func blocked(t testing.TB, n int, state, function string) {
	t.Helper()
	b := make([]byte, 1<<20)
	eventually(t, fmt.Sprintf("%d goroutines in %s [%s]", n, function, state), func() bool {
		count := 0
		for _, g := range strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n") {
			if strings.Contains(g, "["+state) && strings.Contains(g, function) {
				count++
			}
		}
		return count >= n
	})
}

// descriptors returns the number of open descriptors.
func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// is fails unless err matches target and names the call, like every error of a Socket.
func is(t testing.TB, err, target error, op string) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error %v, want %v", err, target)
	}
	var e *OpError
	if !errors.As(err, &e) || e.call() != op {
		t.Fatalf("error %v is not of %s", err, op)
	}
}

// call returns the system call with its option.
func (e *OpError) call() string { return strings.TrimSpace(e.Op + " " + e.Option) }
