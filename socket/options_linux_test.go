package socket

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// This package defines the numbers itself, so that they exist on every system. This test
// compares them with those of the kernel's headers.
func TestNumbersAreTheKernels(t *testing.T) {
	for _, row := range []struct {
		name       string
		ours, want int
	}{
		{"PacketInfo", int(PacketInfo), unix.NETLINK_PKTINFO},
		{"BroadcastError", int(BroadcastError), unix.NETLINK_BROADCAST_ERROR},
		{"NoENOBUFS", int(NoENOBUFS), unix.NETLINK_NO_ENOBUFS},
		{"ListenAllNSID", int(ListenAllNSID), unix.NETLINK_LISTEN_ALL_NSID},
		{"CapAck", int(CapAck), unix.NETLINK_CAP_ACK},
		{"ExtAck", int(ExtAck), unix.NETLINK_EXT_ACK},
		{"StrictCheck", int(StrictCheck), unix.NETLINK_GET_STRICT_CHK},
		{"optAddMembership", optAddMembership, unix.NETLINK_ADD_MEMBERSHIP},
		{"optDropMembership", optDropMembership, unix.NETLINK_DROP_MEMBERSHIP},
		{"optListMemberships", optListMemberships, unix.NETLINK_LIST_MEMBERSHIPS},
		{"Route", int(Route), unix.NETLINK_ROUTE},
		{"UserSock", int(UserSock), unix.NETLINK_USERSOCK},
		{"SockDiag", int(SockDiag), unix.NETLINK_SOCK_DIAG},
		{"NFLog", int(NFLog), unix.NETLINK_NFLOG},
		{"XFRM", int(XFRM), unix.NETLINK_XFRM},
		{"SELinux", int(SELinux), unix.NETLINK_SELINUX},
		{"ISCSI", int(ISCSI), unix.NETLINK_ISCSI},
		{"Audit", int(Audit), unix.NETLINK_AUDIT},
		{"FIBLookup", int(FIBLookup), unix.NETLINK_FIB_LOOKUP},
		{"Connector", int(Connector), unix.NETLINK_CONNECTOR},
		{"Netfilter", int(Netfilter), unix.NETLINK_NETFILTER},
		{"KObjectUevent", int(KObjectUevent), unix.NETLINK_KOBJECT_UEVENT},
		{"Generic", int(Generic), unix.NETLINK_GENERIC},
		{"SCSITransport", int(SCSITransport), unix.NETLINK_SCSITRANSPORT},
		{"RDMA", int(RDMA), unix.NETLINK_RDMA},
		{"Crypto", int(Crypto), unix.NETLINK_CRYPTO},
		{"SMC", int(SMC), unix.NETLINK_SMC},
	} {
		if row.ours != row.want {
			t.Errorf("%s = %d, the kernel has %d", row.name, row.ours, row.want)
		}
	}
}

var allFlags = []Flag{PacketInfo, BroadcastError, NoENOBUFS, ListenAllNSID, CapAck, ExtAck, StrictCheck}

func TestFlagsSetAndReadBack(t *testing.T) {
	for _, f := range allFlags {
		t.Run(f.String(), func(t *testing.T) {
			s := open(t, Generic)
			for _, want := range []bool{true, true, false, true} {
				if err := s.SetFlag(f, want); f == ListenAllNSID {
					kerneltest.NeedPrivilege(t, err)
				} else if err != nil {
					t.Fatal(err)
				}
				got, err := s.Flag(f)
				if f == ListenAllNSID && errors.Is(err, unix.ENOPROTOOPT) {
					t.Skip("this kernel can set the option but not report it")
				}
				if err != nil || got != want {
					t.Fatalf("%v, %v, want %v", got, err, want)
				}
			}
		})
	}
}

func TestOpenWithFlags(t *testing.T) {
	s := open(t, Generic, WithFlags(ExtAck), WithFlags(CapAck, PacketInfo))
	for _, f := range allFlags {
		if f == ListenAllNSID {
			continue // see TestFlagsSetAndReadBack
		}
		got, err := s.Flag(f)
		if want := f == ExtAck || f == CapAck || f == PacketInfo; err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", f, got, err, want)
		}
	}
}

// A number that is not a boolean option must not reach the kernel: 1 would join group 1.
func TestUnknownFlagsAreRefused(t *testing.T) {
	s := open(t, Route)
	for _, f := range []Flag{-1, 0, 1, 2, 6, 7, 9, 13, 99} {
		is(t, s.SetFlag(f, true), unix.ENOPROTOOPT, "setsockopt "+f.String())
		_, err := s.Flag(f)
		is(t, err, unix.ENOPROTOOPT, "getsockopt "+f.String())
	}
	if groups, err := s.Groups(); len(groups) != 0 || err != nil {
		t.Errorf("groups %v, %v", groups, err)
	}
}

// The answer shows the effect of CapAck: an error repeats only the header of the request.
func TestCapAckCutsTheRequest(t *testing.T) {
	for _, on := range []bool{false, true} {
		s := open(t, Generic)
		if err := s.SetFlag(CapAck, on); err != nil {
			t.Fatal(err)
		}
		bad := message(typeCtrl, flagRequest|flagAck, 3, []byte{99, 1, 0, 0}, attr(2, []byte("x\x00"))) // unknown command
		if err := s.Send(bad); err != nil {
			t.Fatal(err)
		}
		want := 20 + len(bad)
		if on {
			want = 36
		}
		if b, _ := receive(t, s); len(b) != want {
			t.Errorf("CapAck %v: %d bytes, want %d", on, len(b), want)
		}
	}
}

func TestBuffers(t *testing.T) {
	s := open(t, Generic, WithReceiveBuffer(10000), WithSendBuffer(20000))
	check := func(what string, f func() (int, error), want int) {
		t.Helper()
		if got, err := f(); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", what, got, err, want)
		}
	}
	check("receive buffer", s.ReceiveBuffer, 20000) // the kernel doubles the size
	check("send buffer", s.SendBuffer, 40000)
	if err := errors.Join(s.SetReceiveBuffer(15000), s.SetSendBuffer(5000)); err != nil {
		t.Fatal(err)
	}
	check("receive buffer", s.ReceiveBuffer, 30000)
	check("send buffer", s.SendBuffer, 10000)
}

func TestBufferBeyondTheLimitOfTheSystem(t *testing.T) {
	const huge = 64 << 20
	s := open(t, Generic)
	if err := s.SetReceiveBuffer(huge); err != nil {
		t.Fatal(err)
	}
	got, err := s.ReceiveBuffer()
	if err != nil {
		t.Fatal(err)
	}
	forced := s.sys.control(func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, huge)
	})
	switch {
	case forced == nil && got != 2*huge:
		t.Errorf("%d bytes, want %d by force", got, 2*huge)
	case forced != nil && got <= 0:
		t.Errorf("%d bytes", got)
	}
}

func TestSendBufferLimitsADatagram(t *testing.T) {
	s := open(t, Generic, WithSendBuffer(5000))
	err := s.Send(make([]byte, 20000))
	is(t, err, unix.EMSGSIZE, "sendto")
	const want = "netlink generic: sendto: message too long: the datagram does not fit into the send buffer: see SetSendBuffer"
	if err.Error() != want {
		t.Errorf("error text\n%s, want\n%s", err, want)
	}
}

func TestJoinListLeave(t *testing.T) {
	s := open(t, Route, WithGroups(29, 1), WithGroups(32))
	for _, g := range []uint32{33, 7, 1} { // joining 1 again is not an error
		if err := s.Join(g); err != nil {
			t.Fatal(err)
		}
	}
	list := func(want ...uint32) {
		t.Helper()
		got, err := s.Groups()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("groups (-want +got):\n%s", diff)
		}
	}
	list(1, 7, 29, 32, 33)
	for _, g := range []uint32{29, 7, 2} { // 2 was not joined
		if err := s.Leave(g); err != nil {
			t.Fatal(err)
		}
	}
	list(1, 32, 33)
	for _, g := range []uint32{0, 1 << 20, 1<<32 - 1} {
		is(t, s.Join(g), unix.EINVAL, "setsockopt NETLINK_ADD_MEMBERSHIP")
	}
	list(1, 32, 33)
}

// Some groups of NETLINK_ROUTE require a capability (rtnetlink_bind), and all groups of
// NETLINK_USERSOCK do.
func TestJoinWithoutTheCapability(t *testing.T) {
	s := open(t, UserSock)
	err := s.Join(1)
	if err == nil {
		t.Skip("this user has CAP_NET_ADMIN")
	}
	is(t, err, unix.EPERM, "setsockopt NETLINK_ADD_MEMBERSHIP")
}

// Generic Netlink initially has room for 64 groups, and allows a socket to join groups that
// belong to no family.
func TestJoinHighGenericGroups(t *testing.T) {
	s := open(t, Generic, WithGroups(31, 32, 33, 36, 63))
	got, err := s.Groups()
	if diff := cmp.Diff([]uint32{31, 32, 33, 36, 63}, got); diff != "" || err != nil {
		t.Errorf("error %v, groups (-want +got):\n%s", err, diff)
	}
}

func TestGroupsOfMask(t *testing.T) {
	for _, row := range []struct {
		words []uint32
		want  []uint32
	}{
		{nil, nil},
		{[]uint32{0, 0}, nil},
		{[]uint32{1}, []uint32{1}},
		{[]uint32{1 << 31, 1}, []uint32{32, 33}},
		{[]uint32{0, 1 << 3, 0, 0, 0, 0, 1 << 7}, []uint32{36, 200}},
	} {
		if diff := cmp.Diff(row.want, groupsOf(row.words)); diff != "" {
			t.Errorf("%x (-want +got):\n%s", row.words, diff)
		}
	}
}

// Programs for filters. They compare nlmsg_type, at offset 4.
var (
	keepAll = Instruction{Op: unix.BPF_RET | unix.BPF_K, K: 1<<32 - 1}
	dropAll = Instruction{Op: unix.BPF_RET | unix.BPF_K}
)

func keepType(typ uint16) []Instruction {
	big := typ<<8 | typ>>8 // loads are big-endian, the field is not
	if ne.Uint16([]byte{0, 1}) == 1 {
		big = typ
	}
	return []Instruction{
		{Op: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 4},
		{Op: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: uint32(big)},
		keepAll,
		dropAll,
	}
}

// nothing fails if a datagram is queued.
func nothing(t testing.TB, s *Socket) {
	t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, info, err := s.Receive(make([]byte, BufferSize))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("received %+v, error %v", info, err)
	}
	if err := s.SetReadDeadline(time.Now().Add(guardTime)); err != nil {
		t.Fatal(err)
	}
}

func TestFilterHoldsBack(t *testing.T) {
	s := open(t, Generic, WithFilter(keepType(typeError)...))
	ask := func() {
		t.Helper()
		if err := s.Send(getFamily(5)); err != nil { // its answer has type 16
			t.Fatal(err)
		}
	}
	ask()
	bad := message(typeCtrl, flagRequest, 6, []byte{99, 1, 0, 0})
	if err := s.Send(bad); err != nil {
		t.Fatal(err)
	}
	if b, _ := receive(t, s); msgType(b) != typeError || msgSeq(b) != 6 {
		t.Errorf("type %d, number %d", msgType(b), msgSeq(b))
	}
	nothing(t, s)

	if err := s.AttachFilter(keepType(typeCtrl)); err != nil { // replaces the first
		t.Fatal(err)
	}
	ask()
	if b, _ := receive(t, s); msgType(b) != typeCtrl {
		t.Errorf("type %d", msgType(b))
	}
	if drops, err := s.Drops(); drops != 0 || err != nil {
		t.Errorf("a filter's refusals count as %d drops, %v", drops, err)
	}
}

func TestFilterCanBeDetached(t *testing.T) {
	s := open(t, Generic, WithFilter(dropAll))
	if err := s.Send(getFamily(1)); err != nil {
		t.Fatal(err)
	}
	nothing(t, s)
	if err := s.DetachFilter(); err != nil {
		t.Fatal(err)
	}
	is(t, s.DetachFilter(), unix.ENOENT, "setsockopt SO_DETACH_FILTER")
	if err := s.Send(getFamily(2)); err != nil {
		t.Fatal(err)
	}
	if b, _ := receive(t, s); msgSeq(b) != 2 {
		t.Errorf("number %d", msgSeq(b))
	}
}

func TestFilterCanCut(t *testing.T) {
	s := open(t, Generic, WithFilter(Instruction{Op: unix.BPF_RET | unix.BPF_K, K: 20}))
	if err := s.Send(getFamily(1)); err != nil {
		t.Fatal(err)
	}
	if b, info := receive(t, s); len(b) != 20 || info.Size != 20 {
		t.Errorf("%d bytes, size %d", len(b), info.Size)
	}
}

func TestBadFiltersAreRefused(t *testing.T) {
	s := open(t, Generic)
	for name, program := range map[string][]Instruction{
		"empty":       {},
		"nil":         nil,
		"no return":   {{Op: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 4}},
		"jump beyond": {{Op: unix.BPF_JMP | unix.BPF_JA, K: 9}, keepAll},
		"too long":    make([]Instruction, unix.BPF_MAXINSNS+1),
		"65537 long":  make([]Instruction, 1<<16+1),
	} {
		t.Run(name, func(t *testing.T) {
			is(t, s.AttachFilter(program), unix.EINVAL, "setsockopt SO_ATTACH_FILTER")
		})
	}
}
