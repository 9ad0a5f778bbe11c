package socket

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The methods on which other packages may build interfaces.
var _ interface {
	Send(b []byte) error
	SendTo(b []byte, to Addr) error
	TrySendTo(b []byte, to Addr) error
	Receive(b []byte) (n int, info Info, err error)
	SendVec(bufs ...[]byte) error
	ReceiveBatch(batch []Datagram) (n int, err error)
	Close() error
	SetDeadline(t time.Time) error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
} = (*Socket)(nil)

func TestOpenGivesPortIDAndProtocol(t *testing.T) {
	for _, protocol := range []Protocol{Generic, Route, UserSock} {
		s := open(t, protocol)
		if s.PortID() == 0 {
			t.Errorf("protocol %d: port ID 0, which is the kernel's", protocol)
		}
		if s.Protocol() != protocol {
			t.Errorf("Protocol() = %v, want %v", s.Protocol(), protocol)
		}
	}
}

func TestOpenRefusesUnknownProtocols(t *testing.T) {
	for _, protocol := range []Protocol{3, 31, 32, 1000, -1} { // 3 is NETLINK_UNUSED, 32 is MAX_LINKS
		_, err := Open(protocol)
		is(t, err, unix.EPROTONOSUPPORT, "socket")
	}
	_, err := Open(3)
	const want = "netlink protocol 3: socket: protocol not supported: this kernel does not have the protocol, or its module is not loaded"
	if err.Error() != want {
		t.Errorf("error text\n%s, want\n%s", err, want)
	}
}

func TestOpenWithPortID(t *testing.T) {
	const id = 1<<31 + 4711
	s := open(t, Generic, WithPortID(id))
	if s.PortID() != id {
		t.Errorf("port ID %d, want %d", s.PortID(), uint32(id))
	}
	_, err := Open(Generic, WithPortID(id))
	is(t, err, unix.EADDRINUSE, "bind")
	const want = "netlink generic: bind: address already in use: port ID 2147488359 is taken"
	if err.Error() != want {
		t.Errorf("error text\n%s, want\n%s", err, want)
	}
	open(t, UserSock, WithPortID(id)) // port IDs of another protocol are independent
}

// Only one socket has the process ID. netlink_autobind assigns the others a port ID in the
// upper half, which does not fit into an int32.
func TestSecondSocketHasHighPortID(t *testing.T) {
	a, b := open(t, Generic), open(t, Generic)
	if a.PortID() == b.PortID() {
		t.Fatalf("both have port ID %d", a.PortID())
	}
	if b.PortID() <= 1<<31 {
		t.Errorf("port ID %d, want one above 2^31", b.PortID())
	}
}

func TestPortIDIsWhereAnswersGo(t *testing.T) {
	s := open(t, Generic)
	if err := s.Send(getFamily(1)); err != nil {
		t.Fatal(err)
	}
	b, info := receive(t, s)
	if got := ne.Uint32(b[12:]); got != s.PortID() {
		t.Errorf("answer to port ID %d, ours is %d", got, s.PortID())
	}
	if info != (Info{Size: len(b)}) {
		t.Errorf("info %+v, want all from the kernel", info)
	}
}

func TestDescriptorIsNonBlockingAndCloseOnExec(t *testing.T) {
	s := open(t, Generic)
	err := s.sys.control(func(fd int) error {
		status, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil {
			return err
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if status&unix.O_NONBLOCK == 0 || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("status %#x, flags %#x", status, flags)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFailedOpenLeavesNoDescriptor(t *testing.T) {
	taken := open(t, Generic)
	before := descriptors(t)
	for op, opts := range map[string][]Option{
		"setsockopt Flag(99)":                {WithFlags(Flag(99))},
		"setsockopt SO_ATTACH_FILTER":        {WithFilter(Instruction{Op: 0xffff})},
		"bind":                               {WithPortID(taken.PortID())},
		"setsockopt NETLINK_ADD_MEMBERSHIP":  {WithGroups(1 << 30)},
		"setns":                              {WithNetNS(-1)},
		"setsockopt NETLINK_ADD_MEMBERSHIP ": {WithGroups(0)},
	} {
		s, err := Open(Generic, opts...)
		var e *OpError
		if s != nil || !errors.As(err, &e) || e.call() != strings.TrimSpace(op) {
			t.Errorf("want an error of %s: socket %v, error %v", op, s, err)
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestCloseReleasesTheDescriptor(t *testing.T) {
	open(t, Generic, WithPortID(77)).Close()
	before := descriptors(t)
	for range 20 {
		s := open(t, Generic, WithPortID(77)) // is free again after each Close
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// The garbage collector closes a socket that is dropped without Close, in the poller or
// outside.
func TestForgottenSocketIsClosed(t *testing.T) {
	for _, polled := range []bool{false, true} {
		forget := func() {
			s, err := Open(Generic, WithPortID(78))
			if err != nil {
				t.Fatal(err)
			}
			if polled {
				if _, err := s.SyscallConn(); err != nil {
					t.Fatal(err)
				}
			}
		}
		forget()
		eventually(t, "port ID is free again", func() bool {
			runtime.GC()
			s, err := Open(Generic, WithPortID(78))
			if err != nil {
				return false
			}
			return s.Close() == nil
		})
	}
}

func TestEveryMethodOfAClosedSocket(t *testing.T) {
	for _, polled := range []bool{false, true} {
		s, err := Open(Generic)
		if err != nil {
			t.Fatal(err)
		}
		if polled {
			if _, err := s.SyscallConn(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for op, f := range map[string]func() error{
			"close":              s.Close,
			"set deadline":       func() error { return s.SetDeadline(time.Now()) },
			"set read deadline":  func() error { return s.SetReadDeadline(time.Time{}) },
			"set write deadline": func() error { return s.SetWriteDeadline(time.Now()) },
			"syscallconn":        func() error { _, err := s.SyscallConn(); return err },
			"sendto":             func() error { return s.Send(getFamily(1)) },
			"receive":            func() error { _, _, err := s.Receive(make([]byte, 9)); return err },
			"recvmmsg":           func() error { _, err := s.ReceiveBatch(MakeBatch(1, 9)); return err },
			"sendmsg":            func() error { return s.SendVec(getFamily(1)) },

			"setsockopt NETLINK_ADD_MEMBERSHIP":   func() error { return s.Join(1) },
			"setsockopt NETLINK_DROP_MEMBERSHIP":  func() error { return s.Leave(1) },
			"getsockopt NETLINK_LIST_MEMBERSHIPS": func() error { _, err := s.Groups(); return err },
			"setsockopt NETLINK_EXT_ACK":          func() error { return s.SetFlag(ExtAck, true) },
			"getsockopt NETLINK_EXT_ACK":          func() error { _, err := s.Flag(ExtAck); return err },
			"setsockopt SO_RCVBUF":                func() error { return s.SetReceiveBuffer(1) },
			"setsockopt SO_SNDBUF":                func() error { return s.SetSendBuffer(1) },
			"getsockopt SO_RCVBUF":                func() error { _, err := s.ReceiveBuffer(); return err },
			"getsockopt SO_SNDBUF":                func() error { _, err := s.SendBuffer(); return err },
			"getsockopt SO_MEMINFO":               func() error { _, err := s.Drops(); return err },
			"setsockopt SO_ATTACH_FILTER":         func() error { return s.AttachFilter([]Instruction{keepAll}) },
			"setsockopt SO_DETACH_FILTER":         s.DetachFilter,
		} {
			t.Run(op, func(t *testing.T) { is(t, f(), os.ErrClosed, op) })
		}
		if s.PortID() == 0 || s.Protocol() != Generic {
			t.Error("port ID and protocol are gone")
		}
	}
}

func TestSyscallConnReachesTheDescriptor(t *testing.T) {
	s := open(t, Generic)
	rc, err := s.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var domain int
	var failed error
	err = rc.Control(func(fd uintptr) {
		domain, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
	})
	if again, err := s.SyscallConn(); again != rc || err != nil {
		t.Errorf("the second time it is another, or %v", err)
	}
	if err != nil || failed != nil || domain != unix.AF_NETLINK {
		t.Errorf("domain %d, errors %v, %v", domain, err, failed)
	}
}
