package socket

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

func TestFlagsThatAKernelLacksCanBePreferred(t *testing.T) {
	const noFlag = Flag(99) // ENOPROTOOPT
	s := open(t, Generic, WithPreferredFlags(noFlag, ExtAck))
	if on, err := s.Flag(ExtAck); !on || err != nil {
		t.Errorf("NETLINK_EXT_ACK is %v, %v", on, err)
	}
	sibling, err := s.Sibling()
	if err != nil {
		t.Fatal(err)
	}
	sibling.Close()
	if _, err := Open(Generic, WithFlags(noFlag)); !errors.Is(err, unix.ENOPROTOOPT) {
		t.Errorf("without WithPreferredFlags: %v", err)
	}
	for err, want := range map[error]bool{
		unix.ENOPROTOOPT: true, unix.EINVAL: true, unix.EOPNOTSUPP: true, unix.ENOSYS: true, unix.EPERM: false, unix.EBADF: false,
	} {
		if isUnknown(err) != want {
			t.Errorf("%v stands for an unknown option: %v", err, !want)
		}
	}
}

// The kernel binds an unbound socket at the first send.
func TestUnboundSocket(t *testing.T) {
	s := open(t, Generic, WithoutBind())
	if id := s.PortID(); id != 0 {
		t.Errorf("port ID %d before the first send", id)
	}
	if err := s.Send(getFamily(1)); err != nil {
		t.Fatal(err)
	}
	b, _ := receive(t, s)
	if id := s.PortID(); id == 0 || id != ne.Uint32(b[12:]) {
		t.Errorf("port ID %d, the reply is for %d", id, ne.Uint32(b[12:]))
	}
}

func TestGroupMaskIsTakenAtBind(t *testing.T) {
	s := open(t, Route, WithGroupMask(1<<0|1<<4))
	groups, err := s.Groups()
	if len(groups) != 2 || groups[0] != 1 || groups[1] != 5 || err != nil {
		t.Errorf("groups %v, %v", groups, err)
	}
	s, err = Open(Route, WithGroupMask(0xffffffff)) // for numbers that rtnetlink lacks, Join returns an error
	kerneltest.NeedPrivilege(t, err)                // RTNLGRP_IPV4_MROUTE_R needs CAP_NET_ADMIN: rtnetlink_bind
	defer s.Close()
	if groups, err := s.Groups(); len(groups) < 30 || err != nil {
		t.Errorf("groups %v, %v", groups, err)
	}
}

func TestADescriptorIsAdopted(t *testing.T) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_GENERIC) // blocking, not closed on exec
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range []Option{WithPortID(1), WithNetNS(-1), WithGroupMask(1), WithoutBind()} {
		if _, err := FromFD(fd, option); !errors.Is(err, unix.EINVAL) {
			t.Errorf("an option that has no effect: %v", err)
		}
	}
	s, err := FromFD(fd, WithFlags(ExtAck))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Protocol() != Generic || s.PortID() != 0 {
		t.Errorf("protocol %d, port ID %d", s.Protocol(), s.PortID())
	}
	b := make([]byte, BufferSize)
	if _, _, sent, err := s.TryRoundTrip(getFamily(7), b); !sent || err != nil || msgSeq(b) != 7 {
		t.Errorf("reply to %d, %v", msgSeq(b), err)
	}
	if on, err := s.Flag(ExtAck); !on || err != nil {
		t.Errorf("NETLINK_EXT_ACK is %v, %v", on, err)
	}
	if _, _, err := s.TryReceive(b); err != ErrEmpty {
		t.Errorf("a descriptor that blocked: %v", err)
	}
	if s.PortID() == 0 {
		t.Error("no port ID after a send")
	}
	err = s.Control(func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if flags&unix.FD_CLOEXEC == 0 {
			t.Error("it is not closed on exec")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	sibling, err := s.Sibling()
	if err != nil {
		t.Fatal(err)
	}
	sibling.Close()
}

func TestADescriptorOfAnotherKindStaysTheCallers(t *testing.T) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Close(fd); err != nil {
			t.Errorf("it was closed: %v", err)
		}
	}()
	s, err := FromFD(fd)
	var e *OpError
	if s != nil || !errors.As(err, &e) || !strings.Contains(e.Hint, "netlink") {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := FromFD(-1); !errors.Is(err, unix.EBADF) {
		t.Errorf("no descriptor: %v", err)
	}
}

func TestSendVec(t *testing.T) {
	s := open(t, Generic)
	whole := getFamily(9)
	for _, cuts := range [][]int{{}, {4, 16}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20}} {
		var parts [][]byte
		last := 0
		for _, at := range cuts {
			parts, last = append(parts, whole[last:at]), at
		}
		if err := s.SendVec(append(parts, whole[last:])...); err != nil {
			t.Fatal(err)
		}
		if b, _ := receive(t, s); msgSeq(b) != 9 || msgType(b) != typeCtrl {
			t.Errorf("in %d parts: reply %x", len(parts)+1, b)
		}
	}
	is(t, s.SendVec(), unix.ENODATA, "sendmsg")
	many := make([][]byte, 1024) // UIO_MAXIOV
	many[1023] = whole
	if err := s.SendVec(many...); err != nil {
		t.Fatal(err)
	}
	if b, _ := receive(t, s); msgSeq(b) != 9 {
		t.Errorf("in 1024 parts: reply %x", b)
	}
	is(t, s.SendVec(append(many, nil)...), unix.EMSGSIZE, "sendmsg")
}

// Wait takes nothing: neither a datagram nor an error.
func TestWaitTakesNothing(t *testing.T) {
	s := open(t, Generic)
	done := start(s.Wait)
	blocked(t, 1, "IO wait", "wait")
	if err := s.Send(getFamily(1)); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if b, _ := receive(t, s); msgSeq(b) != 1 {
		t.Errorf("reply %x", b)
	}
	if err := s.SetReceiveBuffer(1); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if err := s.Send(getFamily(2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.TryReceive(make([]byte, BufferSize))
	is(t, err, unix.ENOBUFS, "receive")
}

func TestWaitEndsAsReceiveDoes(t *testing.T) {
	s := open(t, Generic)
	deadline := time.Now().Add(time.Millisecond)
	if err := s.SetReadDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	if !s.ReadDeadline().Equal(deadline) {
		t.Errorf("deadline %v, want %v", s.ReadDeadline(), deadline)
	}
	is(t, s.Wait(), os.ErrDeadlineExceeded, "poll")
	if err := s.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	done := start(s.Wait)
	blocked(t, 1, "IO wait", "wait")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	is(t, <-done, os.ErrClosed, "poll")
}

// A socket that had to wait leaves the poller after receives that did not wait, and closes
// its duplicate descriptor.
func TestSocketLeavesThePoller(t *testing.T) {
	before := descriptors(t)
	s, b := open(t, Generic), make([]byte, BufferSize)
	for range 3 {
		done := start(s.Wait)
		blocked(t, 1, "IO wait", "wait")
		if s.sys.poll.Load() == nil {
			t.Fatal("it waits outside the poller")
		}
		if err := s.Send(getFamily(1)); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		receive(t, s)
		for range manyReady {
			if _, _, _, err := s.TryRoundTrip(getFamily(1), b); err != nil {
				t.Fatal(err)
			}
		}
		if s.sys.poll.Load() != nil {
			t.Fatal("it is still in the poller")
		}
	}
	if after := descriptors(t); after != before+1 {
		t.Errorf("%d descriptors before, %d with the socket", before, after)
	}
}

func TestForcedBuffers(t *testing.T) {
	s := open(t, Generic)
	errs := []error{s.ForceReceiveBuffer(8 << 20), s.ForceSendBuffer(8 << 20)}
	if os.Geteuid() != 0 {
		for _, err := range errs {
			if !errors.Is(err, unix.EPERM) {
				t.Errorf("without privilege: %v", err)
			}
		}
		return
	}
	received, err := s.ReceiveBuffer()
	sent, sendErr := s.SendBuffer()
	if err := errors.Join(append(errs, err, sendErr)...); err != nil || received != 16<<20 || sent != 16<<20 {
		t.Errorf("buffers of %d and %d bytes, %v", received, sent, err)
	}
}
