package nl

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	original "github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// getLinks requests the list of links over the given sockets, and returns the payloads.
func getLinks(t *testing.T, sockets map[int]*SocketHandle) [][]byte {
	t.Helper()
	req := NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
	req.AddData(original.NewIfInfomsg(unix.AF_UNSPEC))
	req.Sockets = sockets
	links, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
	if errors.Is(err, ErrDumpInterrupted) {
		return getLinks(t, sockets) // other processes make links as well
	}
	check(t, err)
	return links
}

// newLink makes a request that adds a link of a kind.
func newLink(name, kind string) *NetlinkRequest {
	req := NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL)
	req.AddData(original.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(NewRtAttr(unix.IFLA_IFNAME, original.ZeroTerminated(name)))
	info := NewRtAttr(unix.IFLA_LINKINFO, nil)
	NewRtAttrChild(info, unix.IFLA_INFO_KIND, []byte(kind))
	req.AddData(info)
	return req
}

func TestKernelErrorText(t *testing.T) {
	kerneltest.EnterNetNS(t)
	_, err := newLink("x0", "nosuchkind").Execute(unix.NETLINK_ROUTE, 0)
	if err != unix.EOPNOTSUPP {
		t.Errorf("error %v, want EOPNOTSUPP itself", err)
	}
	EnableErrorMessageReporting = true
	defer func() { EnableErrorMessageReporting = false }()
	_, err = newLink("x0", "nosuchkind").Execute(unix.NETLINK_ROUTE, 0)
	if !errors.Is(err, unix.EOPNOTSUPP) || !strings.Contains(err.Error(), ": Unknown device type") {
		t.Errorf("error %v, want the kernel's text", err)
	}
}

func TestSocketsInNamespace(t *testing.T) {
	fd := kerneltest.NewNetNS(t)
	ns := netns.NsHandle(fd)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := netns.Get()
	check(t, err)
	defer home.Close()
	s, err := GetNetlinkSocketAt(ns, netns.None(), unix.NETLINK_ROUTE)
	check(t, err)
	there := map[int]*SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
	defer there[unix.NETLINK_ROUTE].Close()
	news, err := SubscribeAt(ns, netns.None(), unix.NETLINK_ROUTE, unix.RTNLGRP_LINK)
	check(t, err)
	defer news.Close()
	check(t, news.SetReceiveTimeout(&unix.Timeval{Sec: 10}))
	if now, err := netns.Get(); err != nil || !now.Equal(home) {
		t.Errorf("the thread is in %v (%v), want %v", now, err, home)
	} else {
		now.Close()
	}
	var want uint64
	kerneltest.InNetNS(t, fd, func() {
		inside, err := getNetlinkSocket(unix.NETLINK_ROUTE)
		if err != nil {
			t.Error(err)
			return
		}
		want = cookie(t, inside)
		inside.Close()
	})
	if a, b := cookie(t, s), cookie(t, news); a != want || b != want {
		t.Errorf("namespaces of the sockets %d and %d, want %d", a, b, want)
	}
	set := NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	up := original.NewIfInfomsg(unix.AF_UNSPEC)
	up.Index, up.Flags, up.Change = 1, unix.IFF_UP, unix.IFF_UP
	set.AddData(up)
	set.Sockets = there
	_, err = set.Execute(unix.NETLINK_ROUTE, 0)
	check(t, err)
	messages, from, err := news.Receive()
	check(t, err)
	if from.Pid != PidKernel || len(messages) == 0 || messages[0].Header.Type != unix.RTM_NEWLINK {
		t.Errorf("from %v: %v", from, messages)
	}
}

// cookie returns the cookie that identifies the network namespace of a socket.
func cookie(t *testing.T, s *NetlinkSocket) uint64 {
	t.Helper()
	v, err := unix.GetsockoptUint64(s.GetFd(), unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if errors.Is(err, unix.ENOPROTOOPT) {
		t.Skip("needs SO_NETNS_COOKIE, of Linux 5.14")
	}
	if err != nil {
		t.Error(err)
	}
	return v
}

// TestThreadGoesToCurNs checks that the thread is in the second namespace if both handles
// are open, as after the original function.
func TestThreadGoesToCurNs(t *testing.T) {
	there, cur := kerneltest.NewNetNS(t), kerneltest.NewNetNS(t)
	kerneltest.InNetNS(t, there, func() {
		s, err := GetNetlinkSocketAt(netns.NsHandle(there), netns.NsHandle(cur), unix.NETLINK_ROUTE)
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		now, err := netns.Get()
		if err != nil || !now.Equal(netns.NsHandle(cur)) {
			t.Errorf("the thread is in %v (%v)", now, err)
		}
		now.Close()
	})
}

func TestBadNamespace(t *testing.T) {
	r, w, err := os.Pipe()
	check(t, err)
	defer r.Close()
	defer w.Close()
	if _, err := GetNetlinkSocketAt(netns.NsHandle(r.Fd()), netns.None(), unix.NETLINK_ROUTE); err != unix.EINVAL {
		t.Errorf("error %v, want EINVAL", err)
	}
}

func TestCloseEndsReceive(t *testing.T) {
	s, err := Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_NOTIFY)
	check(t, err)
	ended := make(chan error)
	go func() {
		var err error
		for err == nil { // other tests may make links
			_, _, err = s.Receive()
		}
		ended <- err
	}()
	s.Close()
	// EAGAIN if Receive was waiting; the error of a closed file if it was called too late.
	if err := <-ended; err != unix.EAGAIN && !errors.Is(err, os.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if _, _, err := s.Receive(); !errors.Is(err, os.ErrClosed) || errors.Is(err, unix.EAGAIN) {
		t.Errorf("after Close: %v, want the error of a closed file", err)
	}
	if err := s.Send(NewNetlinkRequest(unix.NLMSG_NOOP, 0)); err == nil {
		t.Error("a closed socket sends")
	}
	s.Close()
	(&SocketHandle{}).Close()
}

func TestReceiveTimesOut(t *testing.T) {
	s, err := getNetlinkSocket(unix.NETLINK_ROUTE)
	check(t, err)
	defer s.Close()
	check(t, s.SetReceiveTimeout(&unix.Timeval{Usec: 2000}))
	check(t, s.SetSendTimeout(&unix.Timeval{Sec: 3}))
	if send, receive := s.GetTimeouts(); send != 3*time.Second || receive != 2*time.Millisecond {
		t.Errorf("timeouts %v, %v", send, receive)
	}
	for range 2 { // the second does not inherit the deadline of the first
		start := time.Now()
		if _, _, err := s.Receive(); err != unix.EAGAIN || time.Since(start) < 2*time.Millisecond {
			t.Errorf("error %v after %v", err, time.Since(start))
		}
	}
	getLinks(t, map[int]*SocketHandle{unix.NETLINK_ROUTE: {Socket: s}})
}

func TestSubscribeGroups(t *testing.T) {
	const above32 = unix.RTNLGRP_NEXTHOP // 32; a mask cannot express higher ones
	s, err := Subscribe(unix.NETLINK_ROUTE, 0, 1, above32, above32+1)
	check(t, err)
	defer s.Close()
	groups, err := s.sock.Groups()
	check(t, err)
	if len(groups) != 3 || groups[0] != 1 || groups[1] != above32 || groups[2] != above32+1 {
		t.Errorf("groups %v", groups)
	}
	if _, err := Subscribe(unix.NETLINK_ROUTE, 5000); err != unix.EINVAL {
		t.Errorf("unknown group: %v, want EINVAL", err)
	}
	if ^uint(0) > 1<<32-1 {
		if _, err := Subscribe(unix.NETLINK_ROUTE, ^uint(0)); err != unix.EINVAL {
			t.Errorf("group of 64 bits: %v, want EINVAL", err)
		}
	}
	if _, err := Subscribe(300); err != unix.EPROTONOSUPPORT {
		t.Errorf("unknown protocol: %v, want EPROTONOSUPPORT", err)
	}
}

func TestSocketOptions(t *testing.T) {
	s, err := getNetlinkSocket(unix.NETLINK_ROUTE)
	check(t, err)
	defer s.Close()
	check(t, s.SetReceiveBufferSize(10_000, false))
	if n, err := unix.GetsockoptInt(s.GetFd(), unix.SOL_SOCKET, unix.SO_RCVBUF); err != nil || n != 20_000 {
		t.Errorf("receive buffer of %d, %v, want 20000", n, err)
	}
	if err := s.SetReceiveBufferSize(1<<26, true); err != nil && err != unix.EPERM {
		t.Error(err)
	}
	check(t, s.SetExtAck(true))
	if on, err := unix.GetsockoptInt(s.GetFd(), unix.SOL_NETLINK, unix.NETLINK_EXT_ACK); err != nil || on != 1 {
		t.Errorf("NETLINK_EXT_ACK %d, %v", on, err)
	}
	pid, err := s.GetPid()
	check(t, err)
	if name, err := unix.Getsockname(s.GetFd()); err != nil || name.(*unix.SockaddrNetlink).Pid != pid {
		t.Errorf("port %d, want %v, %v", pid, name, err)
	}
}

// TestZeroSocket checks that the zero NetlinkSocket behaves as a closed one.
func TestZeroSocket(t *testing.T) {
	var s NetlinkSocket
	_, pidErr := s.GetPid()
	_, _, receiveErr := s.Receive()
	for i, err := range []error{pidErr, receiveErr, s.Send(NewNetlinkRequest(1, 0)), s.SetExtAck(true), s.SetReceiveBufferSize(1, true)} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%d: %v", i, err)
		}
	}
	s.Close()
}

// TestSharedSocket checks that requests of many goroutines on one socket take turns and
// return separate memory.
func TestSharedSocket(t *testing.T) {
	s, err := getNetlinkSocket(unix.NETLINK_ROUTE)
	check(t, err)
	sockets := map[int]*SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
	defer sockets[unix.NETLINK_ROUTE].Close()
	kept := getLinks(t, sockets)
	copies := make([][]byte, len(kept))
	for i := range kept {
		copies[i] = bytes.Clone(kept[i])
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				req := NewNetlinkRequest(unix.NLMSG_NOOP, unix.NLM_F_ACK)
				req.Sockets = sockets
				if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if seq := sockets[unix.NETLINK_ROUTE].Seq; seq != 401 {
		t.Errorf("sequence number %d, want 401", seq)
	}
	for i := range kept {
		if !bytes.Equal(kept[i], copies[i]) {
			t.Errorf("payload %d has changed", i)
		}
	}
}

// TestExecuteLikeOriginal compares the lists of links of a quiet namespace.
func TestExecuteLikeOriginal(t *testing.T) {
	kerneltest.EnterNetNS(t)
	req := original.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
	req.AddData(original.NewIfInfomsg(unix.AF_UNSPEC))
	want, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
	check(t, err)
	if got := getLinks(t, nil); !equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}
