// Package socket owns an AF_NETLINK descriptor and moves datagrams through it.
// It knows no message format and allocates nothing per call.
//
//	      your goroutines                         other processes
//	Send | SendTo | Receive | ...                 (NETLINK_USERSOCK and such)
//	             |                                          |
//	      +------+-------+                           +------+------+
//	      |    Socket    | port ID 4711, groups 1,36 |   socket    | port ID 4712
//	      +------+-------+                           +------+------+
//	=============|==========================================|======== kernel
//	      +------+------------------------------------------+------+
//	      |  protocol (NETLINK_ROUTE, NETLINK_GENERIC, ...)        | port ID 0
//	      +--------------------------------------------------------+
//
// An address is a struct sockaddr_nl of linux/netlink.h:
//
//	 0         2         4                   8                  12
//	+---------+---------+-------------------+-------------------+
//	| family  |  zero   |  port ID (nl_pid) | groups (nl_groups)|
//	+---------+---------+-------------------+-------------------+
//
// All of it is in host byte order. Port ID 0 is the kernel. The group mask
// reaches groups 1 to 32 only; [Socket.Join] and [Info.Group] know them all.
//
// # Index by job
//
//	open      Open, FromFD, WithPortID, WithoutBind, WithGroups, WithGroupMask,
//	          WithReceiveBuffer, WithSendBuffer, WithNetNS, WithFilter, WithFlags,
//	          WithPreferredFlags; Sibling
//	move      Send, SendVec, SendTo, TrySendTo, Receive, TryReceive, TryRoundTrip,
//	          NextSize, BufferSize
//	batches   ReceiveBatch, MakeBatch
//	wait      Wait, SetDeadline, SetReadDeadline, SetWriteDeadline, ReadDeadline,
//	          Close
//	groups    Join, Leave, Groups
//	options   SetFlag, Flag, SetReceiveBuffer, SetSendBuffer, ForceReceiveBuffer,
//	          ForceSendBuffer, ReceiveBuffer, SendBuffer, AttachFilter,
//	          DetachFilter, SyscallConn, Control
//	inspect   PortID, Protocol, RepliesLate, Drops
//	errors    OpError, ErrTruncated, ErrSender, ErrEmpty, ErrFull, ErrNetNS
//
// # Concurrency
//
// Every method may be called from any number of goroutines at once. Sending
// never waits for receiving, nor the other way round. Receivers take turns, and so do
// senders; TryRoundTrip is a receiver.
//
// # Time
//
// The kernel handles a request inside the call that sends it: when [Socket.Send]
// returns, the answer is queued. Receiving therefore tries first and goes to
// the poller of the Go runtime only when nothing is there.
//
// # Systems
//
// Linux 4.12 or newer is needed; options that need a newer kernel name it.
// On other systems the package builds, and [Open] fails with an error that
// wraps [errors.ErrUnsupported].
package socket

import (
	"github.com/nlwire/nlwire/errno"
	"sync/atomic"
	"syscall"
	"time"
)

// A Socket is an open netlink socket. [Open] makes one. The zero Socket is closed: every
// method that returns an error returns one that matches [os.ErrClosed]. A Socket must not
// be copied.
type Socket struct {
	sys      sysSocket
	protocol Protocol
	portID   atomic.Uint32 // 0: not bound, or not known to be
	options  config        // as Open had them, for Sibling
}

var _ syscall.Conn = (*Socket)(nil)

// Open makes a socket of a protocol ([Generic], [Route], ...), sets its options,
// binds it and joins its groups. The descriptor is non-blocking and closed on
// exec. It enters the poller of the Go runtime with the first receive that has
// to wait: no thread is ever held by waiting.
//
// The order is fixed, whatever the order of opts: namespace, flags, buffers,
// filter, port ID, groups. When a step fails, the descriptor is closed again
// and the error is an [*OpError] that names the step.
func Open(protocol Protocol, opts ...Option) (*Socket, error) {
	var c config
	for _, opt := range opts {
		opt(&c)
	}
	return openWith(protocol, c)
}

func openWith(protocol Protocol, c config) (*Socket, error) {
	s := &Socket{protocol: protocol, options: c}
	portID, err := s.sys.open(protocol, &c)
	if err != nil {
		return nil, err
	}
	s.portID.Store(portID)
	return s, nil
}

// FromFD makes a Socket of a netlink socket's descriptor: an inherited one, one of
// socket activation, or the only one that a sandbox allows. The protocol is asked for,
// the descriptor is made non-blocking and closed on exec, and the options are applied.
// It stays where it is, bound or not: WithPortID, WithGroupMask, WithNetNS and WithoutBind
// are EINVAL.
// On success the descriptor is the Socket's, on an error it stays the caller's.
func FromFD(fd int, opts ...Option) (*Socket, error) {
	var c config
	for _, opt := range opts {
		opt(&c)
	}
	if c.portID != 0 || c.groupMask != 0 || c.netNS != nil || c.isUnbound {
		return nil, &OpError{Op: "adopt", Protocol: unknownProtocol, Err: errInvalid,
			Hint: "a descriptor keeps its port ID, groups and namespace: no WithPortID, WithGroupMask, WithNetNS or WithoutBind"}
	}
	s := &Socket{options: c}
	protocol, portID, err := s.sys.fromFD(fd, &c)
	if err != nil {
		return nil, err
	}
	s.protocol = protocol
	s.portID.Store(portID)
	return s, nil
}

// errInvalid is the error for options that do not go together.
var errInvalid error = errno.EINVAL

// Sibling opens another socket of the same protocol, options and network namespace:
// with the flags, buffers and filter that [Open] was given. It has a separate port ID
// and no groups.
//
// The namespace is that of this socket, even if the descriptor of [WithNetNS] is closed
// or the thread that called Open has moved. It is never guessed: the cookies of
// both sockets are compared (SO_NETNS_COOKIE, Linux 5.14), or the namespaces
// (SIOCGSKNS, which needs CAP_NET_ADMIN), or those of the threads that made them
// (/proc/thread-self/ns/net). If the new socket is in another one, it is made again in the
// namespace of this socket, entered by SIOCGSKNS. If that fails, the error matches
// [ErrNetNS].
func (s *Socket) Sibling() (*Socket, error) {
	if err := s.sys.control(func(int) error { return nil }); err != nil {
		return nil, s.wrap(opSocket, err)
	}
	c := s.options
	c.portID, c.groupMask, c.groups, c.netNS = 0, 0, nil, nil
	return s.sibling(c)
}

// Close closes the socket and wakes every goroutine that waits on it; their
// errors, and those of all later calls, match [os.ErrClosed], and so does the
// error of a second Close. It waits for a system call that is under way. A
// socket that is dropped is closed by the garbage collector, at some time.
func (s *Socket) Close() error { return s.wrap("close", s.sys.close()) }

// Protocol returns the number that [Open] was given.
func (s *Socket) Protocol() Protocol { return s.protocol }

// PortID returns the socket's own address, the nl_pid of struct sockaddr_nl. It is 0
// before the first send of a socket that was not bound.
// It is unique per protocol and network namespace. Unless chosen with
// [WithPortID] it is the process ID for the first socket of a process, and
// above 2^31 for the others (netlink_autobind of af_netlink.c).
func (s *Socket) PortID() uint32 {
	id := s.portID.Load()
	if id == 0 {
		id, _ = s.sys.boundPort() // 0 if it is closed
		s.portID.Store(id)
	}
	return id
}

// RepliesLate reports whether the protocol replies after Send has returned, or does not
// answer requests in their order: those between processes, auditing, whose replies come
// from a thread (audit_send_reply), and the connector.
func (s *Socket) RepliesLate() bool {
	return s.protocol == Audit || s.protocol == Connector || s.protocol == UserSock
}

// Control calls f with the descriptor, which is not closed meanwhile, for options that
// this package does not have. Unlike SyscallConn it does not put the descriptor into the
// poller. f must not use the Socket. What makes the kernel add control messages is
// [Socket.SetFlag]'s.
func (s *Socket) Control(f func(fd int) error) error {
	return s.wrap("control", s.sys.control(f))
}

// ReadDeadline returns the deadline for receiving that was set last.
func (s *Socket) ReadDeadline() time.Time { return s.sys.readDeadline() }

// SetDeadline is SetReadDeadline and SetWriteDeadline in one.
func (s *Socket) SetDeadline(t time.Time) error {
	return s.wrap("set deadline", s.sys.setDeadline(t))
}

// SetReadDeadline makes receiving fail from time t on, also where it is waiting
// now. The error matches [os.ErrDeadlineExceeded]. Once t has passed, queued
// datagrams are not received either. The zero time means no deadline.
func (s *Socket) SetReadDeadline(t time.Time) error {
	return s.wrap("set read deadline", s.sys.setReadDeadline(t))
}

// SetWriteDeadline does the same for sending. A sender that waits for a full
// peer notices within 5 ms; one that the kernel works for is not interrupted.
func (s *Socket) SetWriteDeadline(t time.Time) error {
	return s.wrap("set write deadline", s.sys.setWriteDeadline(t))
}

// SyscallConn gives access to the descriptor, for options that this package
// does not have. It puts the descriptor into the poller. The callbacks of its
// Read and Write must not call methods that receive and send, respectively:
// these would wait for each other.
func (s *Socket) SyscallConn() (syscall.RawConn, error) {
	rc, err := s.sys.rawConn()
	return rc, s.wrap("syscallconn", err)
}
