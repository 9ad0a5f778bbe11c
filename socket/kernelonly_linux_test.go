package socket

import (
	"bytes"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/kerneltest"
)

func TestKernelOnlyRefusesOthers(t *testing.T) {
	rawOrNot(t, func(t *testing.T, opts ...Option) {
		s := open(t, UserSock, append(opts, WithKernelOnly())...)
		twin, err := s.Twin()
		if err != nil {
			t.Fatal(err)
		}
		defer twin.Close()
		chosen := open(t, UserSock, append(opts, WithKernelOnly(), WithPortID(1<<31+4713))...)
		other, plain := open(t, UserSock), open(t, UserSock)
		for name, s := range map[string]*Socket{"opened": s, "twin": twin, "of a chosen port ID": chosen} {
			is(t, other.SendTo([]byte("let me in"), Addr{PortID: s.PortID()}), unix.ECONNREFUSED, "sendto")
			if n, _, err := s.TryReceive(make([]byte, 64)); err != ErrEmpty {
				t.Errorf("%s: %d bytes, %v", name, n, err)
			}
		}
		if err := other.SendTo([]byte("hello"), Addr{PortID: plain.PortID()}); err != nil {
			t.Fatal(err)
		}
	})
}

// A socket that was bound and not yet connected has heard others, and lost some.
func TestConnectEmptiesTheQueue(t *testing.T) {
	const group = 30
	fd, _, err := newDescriptor(Generic)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := bind(fd, 0); err != nil {
		t.Fatal(err)
	}
	portID, err := boundPort(fd)
	if err != nil {
		t.Fatal(err)
	}
	if err := setMembership(fd, optAddMembership, group); err != nil {
		t.Fatal(err)
	}
	if err := setReceiveBuffer(fd, 4096); err != nil {
		t.Fatal(err)
	}
	other := open(t, Generic)
	kerneltest.NeedPrivilege(t, other.SendTo([]byte("hello"), Addr{PortID: portID}))
	for range 100 {
		if err := other.SendTo(make([]byte, 1000), Addr{Groups: 1 << (group - 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := connect(fd); err != nil {
		t.Fatal(err)
	}
	if n, _, err := unix.Recvfrom(fd, make([]byte, 64), unix.MSG_DONTWAIT); err != unix.EAGAIN {
		t.Errorf("still queued: %d bytes, %v", n, err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, optDropMembership, group); err != nil {
		t.Fatal(err)
	}
	is(t, other.SendTo([]byte("again"), Addr{PortID: portID}), unix.ECONNREFUSED, "sendto")
}

// A group lets in others, who must not pass for the kernel.
func TestKernelOnlyAsksMembers(t *testing.T) {
	const group = 30
	for name, join := range map[string]func(t *testing.T) *Socket{
		"at once": func(t *testing.T) *Socket {
			return open(t, Generic, WithRawSyscalls(), WithKernelOnly(), WithGroups(group))
		},
		"later": func(t *testing.T) *Socket {
			s := open(t, Generic, WithRawSyscalls(), WithKernelOnly())
			if _, info, err := s.RoundTrip(getFamily(1), make([]byte, BufferSize)); err != nil || info.PortID != 0 {
				t.Fatal(info, err)
			}
			if err := s.Join(group); err != nil {
				t.Fatal(err)
			}
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, other := join(t), open(t, Generic)
			kerneltest.NeedPrivilege(t, other.SendTo([]byte("forged"), Addr{Groups: 1 << (group - 1)}))
			b := make([]byte, BufferSize)
			n, info, err := s.RoundTrip(getFamily(2), b)
			if err != nil || !bytes.Equal(b[:n], []byte("forged")) || info.PortID != other.PortID() {
				t.Errorf("%q from port ID %d, want %d; %v", b[:n], info.PortID, other.PortID(), err)
			}
			if n, info, err = s.Receive(b); err != nil || msgSeq(b[:n]) != 2 || info.PortID != 0 {
				t.Errorf("%x from port ID %d, %v", b[:n], info.PortID, err)
			}
		})
	}
}

// Whoever joins while RoundTrip is in the kernel is told that nobody asked.
func TestKernelOnlyJoinedMeanwhile(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("on one processor nothing runs while RoundTrip is in the kernel")
	}
	s := open(t, Generic, WithRawSyscalls(), WithKernelOnly())
	end := make(chan struct{})
	done := start(func() error {
		for {
			select {
			case <-end:
				return nil
			default: // as Join and as before it
				s.sys.member.Store(true)
				s.sys.member.Store(false)
			}
		}
	})
	t.Cleanup(func() {
		close(end)
		<-done
	})
	b := make([]byte, BufferSize)
	eventually(t, "a sender that nobody asked for", func() bool {
		n, info, err := s.RoundTrip(getFamily(7), b)
		if n < 16 || msgSeq(b) != 7 || info.PortID != 0 || err != nil && err != ErrSender {
			t.Fatalf("%x, %+v, %v", b[:n], info, err)
		}
		return err == ErrSender
	})
}
