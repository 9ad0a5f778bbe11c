package improvements

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

var ne = binary.NativeEndian

// patience limits the wait for an event that an implementation may never cause. guard limits the wait
// for a required event.
const (
	patience = 300 * time.Millisecond
	guard    = 20 * time.Second
)

// noop requests an acknowledgement.
var noop = netlink.Message{Header: netlink.Header{Type: netlink.Noop, Flags: netlink.Request | netlink.Acknowledge}}

// inNamespace moves the test and its thread to a new network namespace. The thread ends with the test.
func inNamespace(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // never unlocked
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		if errors.Is(err, unix.EPERM) {
			t.Skip("a network namespace requires CAP_SYS_ADMIN")
		}
		t.Fatal(err)
	}
}

func dial(t *testing.T, protocol int, config *netlink.Config) *netlink.Conn {
	t.Helper()
	c, err := netlink.Dial(protocol, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// within sets a read deadline, because the original may wait forever.
func within(t *testing.T, c *netlink.Conn, d time.Duration) {
	t.Helper()
	must(t, c.SetReadDeadline(time.Now().Add(d)))
}

// want returns an error unless ok.
func want(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// getFamily returns a request for the family nlctrl.
func getFamily(flags netlink.HeaderFlags) netlink.Message {
	return netlink.Message{
		Header: netlink.Header{Type: unix.GENL_ID_CTRL, Flags: netlink.Request | flags},
		Data:   append([]byte{unix.CTRL_CMD_GETFAMILY, 1, 0, 0}, attr(unix.CTRL_ATTR_FAMILY_NAME, []byte("nlctrl\x00"))...),
	}
}

// link returns a message about the interface lo.
func link(typ netlink.HeaderType, flags netlink.HeaderFlags, up bool, attrs ...byte) netlink.Message {
	b := make([]byte, unix.SizeofIfInfomsg)
	ne.PutUint32(b[4:], 1)
	ne.PutUint32(b[12:], unix.IFF_UP)
	if up {
		ne.PutUint32(b[8:], unix.IFF_UP)
	}
	return netlink.Message{Header: netlink.Header{Type: typ, Flags: netlink.Request | flags}, Data: append(b, attrs...)}
}

func attr(typ uint16, payload []byte) []byte {
	b := ne.AppendUint16(nil, uint16(4+len(payload)))
	b = append(ne.AppendUint16(b, typ), payload...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// sendTo sends a datagram to a port ID from a new socket.
func sendTo(t *testing.T, protocol int, portID uint32, b []byte) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	must(t, err)
	defer unix.Close(fd)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 16<<20)
	must(t, unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: portID}))
}

// waitBlocked waits until a goroutine is in a function and in one of the given states of
// runtime.Stack.
func waitBlocked(t *testing.T, function string, states ...string) {
	t.Helper()
	buf := make([]byte, 1<<20)
	for end := time.Now().Add(guard); time.Now().Before(end); runtime.Gosched() {
		for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			head, _, _ := strings.Cut(g, "\n")
			if !strings.Contains(g, function) {
				continue
			}
			for _, state := range states {
				if strings.Contains(head, state) {
					return
				}
			}
		}
	}
	t.Fatalf("no goroutine waits in %s", function)
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

func isClosed(err error) bool { return errors.Is(err, os.ErrClosed) }
