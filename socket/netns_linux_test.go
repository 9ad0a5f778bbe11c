package socket

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// links counts the links in the namespace of a socket.
func links(t *testing.T, s *Socket) (count int) {
	t.Helper()
	if err := s.Send(message(unix.RTM_GETLINK, flagRequest|flagDump, 1, make([]byte, 16))); err != nil {
		t.Fatal(err)
	}
	for done := false; !done; {
		b, _ := receive(t, s)
		each(t, b, func(m []byte) {
			if msgType(m) == unix.RTM_NEWLINK {
				count++
			}
		})
		done = ends(b)
	}
	return count
}

// addLink makes a link in a separate namespace.
func addLink(t *testing.T, s *Socket, kind string) {
	t.Helper()
	const linkInfo, infoKind = 18, 1 // IFLA_LINKINFO, IFLA_INFO_KIND
	err := request(t, s, message(unix.RTM_NEWLINK, flagRequest|flagAck|flagCreate, 2, make([]byte, 16),
		attr(linkInfo, attr(infoKind, []byte(kind)))))
	if err != nil {
		t.Fatal(err)
	}
}

func TestSocketInAnotherNamespace(t *testing.T) {
	ns := kerneltest.NewNetNS(t)
	here, there := open(t, Route), open(t, Route, WithNetNS(ns))
	before, fresh := links(t, here), links(t, there)
	addLink(t, there, "bridge")
	if n := links(t, there); n != fresh+1 {
		t.Errorf("%d links there, want %d", n, fresh+1)
	}
	if n := links(t, here); n != before {
		t.Errorf("%d links here, had %d", n, before)
	}
}

// No thread remains in the other namespace: each has returned, or has ended.
func TestThreadsStayAtHome(t *testing.T) {
	ns := kerneltest.NewNetNS(t)
	var want unix.Stat_t
	if err := unix.Fstat(ns, &want); err != nil {
		t.Fatal(err)
	}
	before := descriptors(t)
	for range 10 {
		s := open(t, Generic, WithNetNS(ns))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	eventually(t, "no thread in the namespace", func() bool {
		tasks, err := filepath.Glob("/proc/self/task/*/ns/net")
		if err != nil || len(tasks) == 0 {
			t.Fatal(tasks, err)
		}
		for _, task := range tasks {
			var st unix.Stat_t
			if err := unix.Stat(task, &st); err == nil && st.Ino == want.Ino {
				return false
			}
		}
		return true
	})
}

func TestNamespaceErrors(t *testing.T) {
	_, err := Open(Generic, WithNetNS(-1))
	is(t, err, unix.EBADF, "setns")
	file, err := os.Open("/proc/self/ns/uts") // a namespace, but not a network namespace
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, err = Open(Generic, WithNetNS(int(file.Fd())))
	is(t, err, unix.EINVAL, "setns")
	if err.Error() != "netlink generic: setns: invalid argument: the descriptor does not refer to a network namespace" {
		t.Errorf("error text %q", err)
	}
	_, err = Open(3, WithNetNS(kerneltest.NewNetNS(t))) // fails inside the namespace
	is(t, err, unix.EPROTONOSUPPORT, "socket")
}

// Groups above 32 do not fit into nl_groups. RTNLGRP_BRVLAN is 33 and reports the VLANs of
// bridges.
func TestEventsOfHighGroups(t *testing.T) {
	const (
		groupLink, groupNexthop = 1, 32
		newNexthop              = 104
	)
	ns := kerneltest.NewNetNS(t)
	s := open(t, Route, WithNetNS(ns))
	linkUp(t, s, 1)
	hearer := open(t, Route, WithNetNS(ns), WithFlags(PacketInfo), WithGroups(groupLink, groupNexthop))
	// A nexthop that drops all packets: NHA_ID 1, NHA_BLACKHOLE.
	err := request(t, s, message(newNexthop, flagRequest|flagAck|flagCreate, 3,
		[]byte{unix.AF_INET, 0, 0, 0, 0, 0, 0, 0}, attr(1, u32(1)), attr(4, nil)))
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Skip("this kernel has no nexthop objects")
	}
	if err != nil {
		t.Fatal(err)
	}
	b, info := receive(t, hearer)
	want := Info{Groups: 1 << 31, Group: groupNexthop, Size: len(b)}
	if msgType(b) != newNexthop || info != want {
		t.Errorf("type %d, %+v, want %+v", msgType(b), info, want)
	}
}

// A group above 32 has no bit in sockaddr_nl, only the control message. A link that goes up
// joins the group of all hosts, 224.0.0.1, and RTNLGRP_IPV4_MCADDR reports it.
func TestEventsBeyondTheMask(t *testing.T) {
	const (
		groupMulticast = 37
		newMulticast   = 56 // RTM_NEWMULTICAST
	)
	ns := kerneltest.NewNetNS(t)
	s := open(t, Route, WithNetNS(ns))
	hearer := open(t, Route, WithNetNS(ns), WithFlags(PacketInfo))
	if err := hearer.Join(groupMulticast); errors.Is(err, unix.EINVAL) {
		t.Skip("RTNLGRP_IPV4_MCADDR needs Linux 6.14")
	} else if err != nil {
		t.Fatal(err)
	}
	addLink(t, s, "veth")
	for i := range uint32(links(t, s)) {
		linkUp(t, s, i+1)
	}
	b, info := receive(t, hearer)
	if msgType(b) != newMulticast || info != (Info{Group: groupMulticast, Size: len(b)}) {
		t.Errorf("type %d, %+v", msgType(b), info)
	}
}

// With ListenAllNSID a socket receives from namespaces that have an nsid in its own.
func TestEventsOfOtherNamespaces(t *testing.T) {
	const (
		groupLink = 1
		newNSID   = 88 // RTM_NEWNSID
		attrNSID  = 1  // NETNSA_NSID
		attrFD    = 3  // NETNSA_FD
		nsid      = 77
	)
	home, other := kerneltest.NewNetNS(t), kerneltest.NewNetNS(t)
	s := open(t, Route, WithNetNS(home))
	err := request(t, s, message(newNSID, flagRequest|flagAck, 5, []byte{0},
		attr(attrNSID, u32(nsid)), attr(attrFD, u32(uint32(other)))))
	if err != nil {
		t.Fatal(err)
	}
	hearer := open(t, Route, WithNetNS(home), WithFlags(ListenAllNSID, PacketInfo), WithGroups(groupLink))
	deaf := open(t, Route, WithNetNS(home), WithGroups(groupLink))
	linkUp(t, open(t, Route, WithNetNS(other)), 1)
	b, info := receive(t, hearer)
	want := Info{Groups: 1, Group: groupLink, NSID: nsid, HasNSID: true, Size: len(b)}
	if msgType(b) != unix.RTM_NEWLINK || info != want {
		t.Errorf("type %d, %+v, want %+v", msgType(b), info, want)
	}
	nothing(t, deaf)

	linkUp(t, s, 1) // in the socket's own namespace: no nsid
	b, info = receive(t, hearer)
	if want := (Info{Groups: 1, Group: groupLink, Size: len(b)}); info != want {
		t.Errorf("%+v, want %+v", info, want)
	}
}

// A sibling is in the namespace of its socket.
func TestSibling(t *testing.T) {
	dup := func(fd int) int {
		again, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	ns := kerneltest.NewNetNS(t)
	tests := map[string]func() *Socket{
		"here": func() *Socket { return open(t, Route, WithFlags(ExtAck), WithGroups(1)) },
		"there, by a descriptor that is closed since": func() *Socket {
			fd := dup(ns)
			s := open(t, Route, WithNetNS(fd), WithFlags(ExtAck), WithGroups(1))
			unix.Close(fd)
			return s
		},
		"there, by a thread that had gone there": func() *Socket {
			opened := make(chan *Socket)
			go func() {
				runtime.LockOSThread() // the thread ends with the goroutine
				if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
					t.Error(err)
				}
				s, err := Open(Route, WithFlags(ExtAck), WithGroups(1))
				if err != nil {
					t.Error(err)
				}
				opened <- s
			}()
			s := <-opened
			t.Cleanup(func() { s.Close() })
			return s
		},
	}
	for name, open := range tests {
		t.Run(name, func(t *testing.T) {
			s := open()
			sibling, err := s.Sibling()
			if err != nil {
				t.Fatal(err)
			}
			defer sibling.Close()
			if s.sys.origin != sibling.sys.origin {
				t.Error("in another namespace")
			}
			if own, its := links(t, s), links(t, sibling); own != its {
				t.Errorf("%d links, its sibling sees %d", own, its)
			}
			if on, err := sibling.Flag(ExtAck); !on || err != nil {
				t.Errorf("NETLINK_EXT_ACK of the sibling: %v, %v", on, err)
			}
			if groups, err := sibling.Groups(); len(groups) != 0 || err != nil {
				t.Errorf("groups of the sibling: %v, %v", groups, err)
			}
			if sibling.PortID() == s.PortID() || sibling.Protocol() != Route {
				t.Errorf("port %d of %d, protocol %d", sibling.PortID(), s.PortID(), sibling.Protocol())
			}
			s.Close()
			if _, err := s.Sibling(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("sibling of a closed socket: %v", err)
			}
		})
	}
}
