package socket

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

func TestRequestAndAnswer(t *testing.T) {
	s := open(t, Generic)
	if err := s.Send(getFamily(42)); err != nil {
		t.Fatal(err)
	}
	b, info := receive(t, s)
	if msgType(b) != typeCtrl || msgSeq(b) != 42 || !bytes.Contains(b, []byte("nlctrl\x00")) {
		t.Errorf("answer %x", b)
	}
	if info.PortID != 0 || info.Size != len(b) {
		t.Errorf("info %+v of %d bytes", info, len(b))
	}
}

func TestSendErrors(t *testing.T) {
	s := open(t, Generic)
	for _, empty := range [][]byte{nil, {}} {
		is(t, s.Send(empty), unix.ENODATA, "sendto")
	}
	user := open(t, UserSock)
	is(t, user.Send([]byte("x")), unix.ECONNREFUSED, "sendto") // no kernel socket
	is(t, user.SendTo([]byte("x"), Addr{PortID: 1<<31 - 5}), unix.ECONNREFUSED, "sendto")
	const want = "netlink usersock: sendto: connection refused: no socket has that port ID, or the kernel does not listen on this protocol"
	if err := user.SendTo([]byte("x"), Addr{}); err == nil || err.Error() != want {
		t.Errorf("error text\n%v, want\n%s", err, want)
	}
}

func TestReceiveCutsWhatIsTooLong(t *testing.T) {
	s := open(t, Generic)
	if err := s.Send(getFamily(1)); err != nil {
		t.Fatal(err)
	}
	whole, _ := receive(t, s)
	for _, size := range []int{0, 1, 20, len(whole) - 1} {
		if err := s.Send(getFamily(1)); err != nil {
			t.Fatal(err)
		}
		b := bytes.Repeat([]byte{0xee}, size+8)
		n, info, err := s.Receive(b[:size])
		if err != ErrTruncated || n != size || info != (Info{Size: len(whole)}) {
			t.Errorf("%d of %d bytes: n %d, info %+v, error %v", size, len(whole), n, info, err)
		}
		if !bytes.Equal(b[:size], whole[:size]) {
			t.Errorf("%d bytes are not the beginning", size)
		}
		if !bytes.Equal(b[size:], bytes.Repeat([]byte{0xee}, 8)) {
			t.Errorf("%d bytes: written after them", size)
		}
	}
	if err := s.Send(getFamily(2)); err != nil { // the truncated parts are lost
		t.Fatal(err)
	}
	if b, _ := receive(t, s); msgSeq(b) != 2 {
		t.Errorf("number %d, want 2", msgSeq(b))
	}
}

func TestUnicastBetweenSockets(t *testing.T) {
	a, b := open(t, UserSock), open(t, UserSock)
	for _, text := range []string{"hello", "", "x"} { // some kernels refuse an empty datagram
		if err := a.SendTo([]byte(text), Addr{PortID: b.PortID()}); err != nil {
			if text == "" {
				is(t, err, unix.ENODATA, "sendto")
				continue
			}
			t.Fatal(err)
		}
		got, info := receive(t, b)
		if string(got) != text || info != (Info{PortID: a.PortID(), Size: len(text)}) {
			t.Errorf("%q from %+v", got, info)
		}
	}
}

// hearers opens sockets that are members of a group of NETLINK_USERSOCK.
func hearers(t *testing.T, n int, group uint32, opts ...Option) []*Socket {
	t.Helper()
	var all []*Socket
	for range n {
		s := open(t, UserSock, opts...)
		kerneltest.NeedPrivilege(t, s.Join(group))
		all = append(all, s)
	}
	return all
}

func TestMulticastTellsTheGroup(t *testing.T) {
	for _, group := range []uint32{1, 7, 31, 32} {
		all := hearers(t, 2, group, WithFlags(PacketInfo))
		from := open(t, UserSock)
		if err := from.SendTo([]byte("all"), Addr{Groups: 1 << (group - 1)}); err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			b, info := receive(t, s)
			want := Info{PortID: from.PortID(), Groups: 1 << (group - 1), Group: group, Size: 3}
			if string(b) != "all" || info != want {
				t.Errorf("%q, %+v, want %+v", b, info, want)
			}
		}
	}
}

func TestMulticastAndUnicastInOne(t *testing.T) {
	hearer := hearers(t, 1, 3)[0]
	from, to := open(t, UserSock), open(t, UserSock)
	if err := from.SendTo([]byte("both"), Addr{PortID: to.PortID(), Groups: 1 << 2}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Socket{hearer, to} {
		if b, _ := receive(t, s); string(b) != "both" {
			t.Errorf("%q", b)
		}
	}
	// An unused port ID is an error, although the group has received the datagram.
	err := from.SendTo([]byte("half"), Addr{PortID: 1<<31 - 5, Groups: 1 << 2})
	is(t, err, unix.ECONNREFUSED, "sendto")
	if b, _ := receive(t, hearer); string(b) != "half" {
		t.Errorf("%q", b)
	}
}

// The multicast part is sent once, regardless of the attempts for the unicast part.
func TestRetryDoesNotRepeatTheMulticast(t *testing.T) {
	hearer := hearers(t, 1, 4)[0]
	from, to, _, done := fill(t)
	once := make([]byte, 512) // not smaller than the datagrams that fill the peer
	both := start(func() error {
		return from.SendTo(once, Addr{PortID: to.PortID(), Groups: 1 << 3})
	})
	blocked(t, 2, onSelect, inPause)
	if b, _ := receive(t, hearer); len(b) != len(once) {
		t.Errorf("%q", b)
	}
	if err := to.Close(); err != nil { // ends both, after some attempts
		t.Fatal(err)
	}
	is(t, <-both, unix.ECONNREFUSED, "sendto")
	<-done
	nothing(t, hearer)
}

func TestOverrunIsReportedAndCounted(t *testing.T) {
	const sent = 100
	for _, quiet := range []bool{false, true} {
		hearer := hearers(t, 1, 5, WithReceiveBuffer(1))[0]
		if err := hearer.SetFlag(NoENOBUFS, quiet); err != nil {
			t.Fatal(err)
		}
		from := open(t, UserSock)
		for range sent {
			if err := from.SendTo(make([]byte, 200), Addr{Groups: 1 << 4}); err != nil {
				t.Fatal(err)
			}
		}
		if !quiet {
			_, _, err := hearer.Receive(make([]byte, 200))
			is(t, err, unix.ENOBUFS, "receive")
			const want = "netlink usersock: receive: no buffer space available: the receive buffer was full and messages are lost: continue to receive, and resynchronize with a dump"
			if err.Error() != want {
				t.Errorf("error text\n%s, want\n%s", err, want)
			}
		}
		drops, err := hearer.Drops()
		if err != nil || drops == 0 || drops >= sent {
			t.Fatalf("%d drops, %v", drops, err)
		}
		for range sent - drops { // the others are queued
			receive(t, hearer)
		}
		nothing(t, hearer)
	}
}

func TestOverrunInABatch(t *testing.T) {
	hearer := hearers(t, 1, 9, WithReceiveBuffer(1))[0]
	from := open(t, UserSock)
	for range 50 {
		if err := from.SendTo(make([]byte, 200), Addr{Groups: 1 << 8}); err != nil {
			t.Fatal(err)
		}
	}
	batch := MakeBatch(50, 200)
	n, err := hearer.ReceiveBatch(batch)
	is(t, err, unix.ENOBUFS, "recvmmsg")
	if n != 0 {
		t.Errorf("%d datagrams with the error", n)
	}
	drops, err := hearer.Drops()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := hearer.ReceiveBatch(batch); n != 50-int(drops) || err != nil {
		t.Errorf("%d of 50 datagrams, %d drops, %v", n, drops, err)
	}
}

func TestOverrunEndsWaiting(t *testing.T) {
	hearer := hearers(t, 1, 6, WithReceiveBuffer(1))[0]
	done := start(func() error {
		for {
			if _, _, err := hearer.Receive(make([]byte, 200)); err != nil {
				return err
			}
		}
	})
	blocked(t, 1, onPoller, inReceive)
	from := open(t, UserSock)
	var err error
	eventually(t, "ENOBUFS", func() bool {
		for range 200 {
			if err := from.SendTo(make([]byte, 200), Addr{Groups: 1 << 5}); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case err = <-done:
			return true
		default:
			return false
		}
	})
	is(t, err, unix.ENOBUFS, "receive")
}

// The kernel makes dump datagrams as large as the largest buffer offered.
func TestLargeBuffersMakeDumpsShort(t *testing.T) {
	count := func(size int) (datagrams, families int) {
		s := open(t, Generic)
		if err := s.Send(dumpFamilies(9)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, size)
		for done := false; !done; datagrams++ {
			n, _, err := s.Receive(b)
			if err != nil {
				t.Fatal(err)
			}
			each(t, b[:n], func(m []byte) {
				if msgType(m) == typeCtrl {
					families++
				}
			})
			done = ends(b[:n])
		}
		return datagrams, families
	}
	small, families := count(4096)
	large, again := count(BufferSize)
	if families == 0 || families != again || large > small {
		t.Errorf("%d families in %d datagrams, %d in %d", families, small, again, large)
	}
}

// asUnprivileged opens a socket on a thread that has temporarily dropped CAP_NET_ADMIN. It
// runs on the thread of the caller, which must be locked.
func asUnprivileged(protocol Protocol) (*Socket, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var before [2]unix.CapUserData
	if err := unix.Capget(&header, &before[0]); err != nil {
		return nil, err
	}
	without := before
	without[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	if err := unix.Capset(&header, &without[0]); err != nil {
		return nil, err
	}
	s, err := Open(protocol)
	return s, errors.Join(err, unix.Capset(&header, &before[0]))
}

// With an explicit address the kernel does not check whether the opener of the socket had
// the capability. Send therefore passes no address.
func TestSendAsksForTheOpenersCapability(t *testing.T) {
	up := message(unix.RTM_NEWLINK, flagRequest|flagAck, 1,
		append(append([]byte{0, 0, 0, 0}, u32(1)...), append(u32(unix.IFF_UP), u32(unix.IFF_UP)...)...))
	type result struct {
		plain, addressed, err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // the thread ends, because it is in another namespace
		var r result
		defer func() { done <- r }()
		if r.err = unix.Unshare(unix.CLONE_NEWNET); r.err != nil {
			return
		}
		var s *Socket
		if s, r.err = asUnprivileged(Route); r.err != nil {
			return
		}
		defer s.Close()
		b := make([]byte, BufferSize)
		ask := func(sendErr error) error {
			n, _, err := s.Receive(b)
			if err = errors.Join(sendErr, err); err != nil || n < 20 {
				return errors.Join(err, errors.New("no answer"))
			}
			return unix.Errno(-int32(ne.Uint32(b[16:])))
		}
		r.plain = ask(s.Send(up))
		r.addressed = ask(s.SendTo(up, Addr{}))
	}()
	r := <-done
	kerneltest.NeedPrivilege(t, r.err)
	if r.plain != unix.EPERM || r.addressed != unix.Errno(0) {
		t.Errorf("Send: %v, want %v. SendTo the kernel: %v, want success", r.plain, unix.EPERM, r.addressed)
	}
}

// pair makes a Socket from a descriptor that is not a netlink socket: its datagrams have no
// address.
func pair(t *testing.T) (s *Socket, peer int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	s = &Socket{protocol: Generic}
	s.sys.adopt(fds[0])
	t.Cleanup(func() { s.Close(); unix.Close(fds[1]) })
	return s, fds[1]
}

func TestSenderThatIsNotNetlink(t *testing.T) {
	s, peer := pair(t)
	for range 3 {
		if _, err := unix.Write(peer, []byte("forged")); err != nil {
			t.Fatal(err)
		}
	}
	b := make([]byte, 10)
	n, info, err := s.Receive(b)
	if n != 6 || info != (Info{Size: 6}) || err != ErrSender {
		t.Errorf("n %d, info %+v, error %v", n, info, err)
	}
	if _, _, err = s.Receive(b[:3]); err != ErrSender { // ErrSender takes precedence over ErrTruncated
		t.Errorf("error %v", err)
	}
	batch := MakeBatch(2, 10)
	if n, err := s.ReceiveBatch(batch); n != 1 || err != nil || batch[0].Err != ErrSender {
		t.Errorf("batch %d, %v, %+v", n, err, batch[0])
	}
}

// A netlink send is never short, but a send on another descriptor can be.
func TestShortSendIsAnError(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &Socket{protocol: Generic}
	s.sys.adopt(fds[0])
	defer s.Close()
	defer unix.Close(fds[1])
	is(t, s.Send(make([]byte, 8<<20)), unix.EMSGSIZE, "sendto")
}
