package nl

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// sendTo sends a datagram to a socket of a protocol from another socket.
func sendTo(t *testing.T, protocol socket.Protocol, s *NetlinkSocket, b []byte) (from uint32) {
	t.Helper()
	other, err := socket.Open(protocol, socket.WithSendBuffer(1<<20))
	check(t, err)
	defer other.Close()
	pid, err := s.GetPid()
	check(t, err)
	kerneltest.NeedPrivilege(t, other.SendTo(b, socket.Addr{PortID: pid}))
	return other.PortID()
}

// TestReceiveSizes checks that a datagram is received whole or reported as too long, too
// short or malformed.
func TestReceiveSizes(t *testing.T) {
	s, err := getNetlinkSocket(unix.NETLINK_USERSOCK)
	check(t, err)
	defer s.Close()
	whole := message(nil, testType, 0, testSeq, make([]byte, RECEIVE_BUFFER_SIZE-nlmsg.HeaderLen)...)
	from := sendTo(t, socket.UserSock, s, whole)
	messages, sender, err := s.Receive()
	check(t, err)
	if sender.Pid != from || len(messages) != 1 || len(messages[0].Data) != len(whole)-nlmsg.HeaderLen {
		t.Errorf("%d messages from %d, want 1 from %d", len(messages), sender.Pid, from)
	}
	sendTo(t, socket.UserSock, s, append(whole, 0, 0, 0, 0))
	if _, _, err := s.Receive(); !errors.Is(err, unix.EMSGSIZE) || !strings.Contains(err.Error(), "65540 bytes") {
		t.Errorf("too long: %v", err)
	}
	sendTo(t, socket.UserSock, s, make([]byte, nlmsg.HeaderLen-1))
	if _, _, err := s.Receive(); err == nil || !strings.Contains(err.Error(), "15 bytes") {
		t.Errorf("too short: %v", err)
	}
	sendTo(t, socket.UserSock, s, make([]byte, nlmsg.HeaderLen)) // a length of 0
	if _, _, err := s.Receive(); err != unix.EINVAL {
		t.Errorf("malformed: %v, want EINVAL", err)
	}
}

// TestForgedAnswer checks that replies of other processes are refused.
func TestForgedAnswer(t *testing.T) {
	s, err := getNetlinkSocket(unix.NETLINK_ROUTE)
	check(t, err)
	defer s.Close()
	pid, err := s.GetPid()
	check(t, err)
	forged := nlmsg.AppendAck(nil, &nlmsg.ExtAck{Request: nlmsg.Begin(nil, nlmsg.TypeNoop, nlmsg.FlagAck, 1, pid)},
		nlmsg.AckOptions{PortID: pid})
	sendTo(t, socket.Route, s, forged)
	req := NewNetlinkRequest(unix.NLMSG_NOOP, unix.NLM_F_ACK)
	req.Sockets = map[int]*SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err == nil || !strings.Contains(err.Error(), "datagram from port") {
		t.Errorf("a forged acknowledgement is accepted: %v", err)
	}
}
