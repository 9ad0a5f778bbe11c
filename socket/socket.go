// Package socket owns an AF_NETLINK descriptor and moves datagrams through it. It does not
// interpret messages and allocates nothing per call.
//
//	      your goroutines                         other processes
//	Send | SendTo | Receive | ...                 (for example NETLINK_USERSOCK)
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
// All fields are in host byte order. Port ID 0 is the kernel. The group mask has only
// groups 1 to 32; [Socket.Join] and [Info.Group] support all groups.
//
// # Index by task
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
// Any number of goroutines may call any method at once. Sending never waits for receiving,
// and receiving never waits for sending. Receivers take turns, and senders take turns;
// TryRoundTrip is a receiver.
//
// # Time
//
// The kernel handles a request inside the call that sends it: when [Socket.Send] returns,
// the answer is queued. A receive therefore tries first, and uses the poller of the Go
// runtime only if nothing is queued.
//
// # Systems
//
// Linux 4.12 or newer is required. Options that require a newer kernel document the
// version. On other systems the package builds, and [Open] fails with an error that wraps
// [errors.ErrUnsupported].
package socket

import (
	"github.com/nlwire/nlwire/errno"
	"sync/atomic"
	"syscall"
	"time"
)

// A Socket is an open netlink socket. [Open] makes one. The zero Socket is closed: every
// method that returns an error returns one that matches [os.ErrClosed]. Do not copy a
// Socket.
type Socket struct {
	sys      sysSocket
	protocol Protocol
	portID   atomic.Uint32 // 0: not bound, or unknown
	options  config        // the options of Open, for Sibling
}

var _ syscall.Conn = (*Socket)(nil)

// Open makes a socket of a protocol ([Generic], [Route], ...), sets its options, binds it
// and joins its groups. The descriptor is non-blocking and closed on exec. The first
// receive that has to wait adds it to the poller of the Go runtime: waiting never blocks a
// thread.
//
// The steps have a fixed order, regardless of the order of opts: namespace, flags, buffers,
// filter, port ID, groups. If a step fails, Open closes the descriptor and returns an
// [*OpError] that names the step.
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

// FromFD makes a Socket from the descriptor of a netlink socket: an inherited one, one of
// socket activation, or the only one that a sandbox allows. FromFD reads the protocol,
// makes the descriptor non-blocking and closed on exec, and applies the options. The
// binding of the descriptor does not change: WithPortID, WithGroupMask, WithNetNS and
// WithoutBind return EINVAL. On success the Socket owns the descriptor, on error the caller
// keeps it.
func FromFD(fd int, opts ...Option) (*Socket, error) {
	var c config
	for _, opt := range opts {
		opt(&c)
	}
	if c.portID != 0 || c.groupMask != 0 || c.netNS != nil || c.isUnbound {
		return nil, &OpError{Op: "adopt", Protocol: unknownProtocol, Err: errInvalid,
			Hint: "a descriptor keeps its port ID, groups and namespace: remove WithPortID, WithGroupMask, WithNetNS and WithoutBind"}
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

// errInvalid is the error for conflicting options.
var errInvalid error = errno.EINVAL

// Sibling opens another socket with the same protocol, options and network namespace: with
// the flags, buffers and filter of [Open]. It has a different port ID and no groups.
//
// The namespace is that of this socket, even if the descriptor of [WithNetNS] was closed or
// the thread that called Open has changed its namespace. Sibling never guesses the
// namespace. It compares the cookies of both sockets (SO_NETNS_COOKIE, Linux 5.14), or the
// namespaces (SIOCGSKNS, which requires CAP_NET_ADMIN), or the namespaces of the threads
// that made the sockets (/proc/thread-self/ns/net). If the new socket is in another
// namespace, Sibling enters the namespace of this socket by SIOCGSKNS and makes a new one
// there. If that fails, the error matches [ErrNetNS].
func (s *Socket) Sibling() (*Socket, error) {
	if err := s.sys.control(func(int) error { return nil }); err != nil {
		return nil, s.wrap(opSocket, err)
	}
	c := s.options
	c.portID, c.groupMask, c.groups, c.netNS = 0, 0, nil, nil
	return s.sibling(c)
}

// Close closes the socket and wakes all waiting goroutines. Their errors, those of all
// later calls, and the error of a second Close match [os.ErrClosed]. Close waits for system
// calls in progress. The garbage collector eventually closes a Socket that becomes
// unreachable.
func (s *Socket) Close() error { return s.wrap("close", s.sys.close()) }

// Protocol returns the protocol of the socket.
func (s *Socket) Protocol() Protocol { return s.protocol }

// PortID returns the address of the socket, the nl_pid of struct sockaddr_nl. It is 0
// before the first send of a socket that was not bound. It is unique per protocol and
// network namespace. Without [WithPortID], the first socket of a process has the process ID
// as its port ID; the others have one above 2^31 (netlink_autobind of af_netlink.c).
func (s *Socket) PortID() uint32 {
	id := s.portID.Load()
	if id == 0 {
		id, _ = s.sys.boundPort() // 0 if it is closed
		s.portID.Store(id)
	}
	return id
}

// RepliesLate reports whether the protocol replies after Send has returned, or does not
// answer requests in their order. This is the case for protocols between processes, for
// auditing, which replies from a thread (audit_send_reply), and for the connector.
func (s *Socket) RepliesLate() bool {
	return s.protocol == Audit || s.protocol == Connector || s.protocol == UserSock
}

// Control calls f with the descriptor, for options that this package does not support. The
// descriptor is not closed meanwhile. Unlike SyscallConn, Control does not add it to the
// poller. f must not use the Socket, and must not enable options that add control messages:
// use [Socket.SetFlag] for these.
func (s *Socket) Control(f func(fd int) error) error {
	return s.wrap("control", s.sys.control(f))
}

// ReadDeadline returns the current deadline for receiving.
func (s *Socket) ReadDeadline() time.Time { return s.sys.readDeadline() }

// SetDeadline is SetReadDeadline and SetWriteDeadline in one call.
func (s *Socket) SetDeadline(t time.Time) error {
	return s.wrap("set deadline", s.sys.setDeadline(t))
}

// SetReadDeadline makes receiving fail from time t on. It affects receivers that already
// wait. The error matches [os.ErrDeadlineExceeded]. After t, queued datagrams are not
// received either. The zero time means no deadline.
func (s *Socket) SetReadDeadline(t time.Time) error {
	return s.wrap("set read deadline", s.sys.setReadDeadline(t))
}

// SetWriteDeadline does the same for sending. A sender that waits for a full peer fails
// within 5 ms after t. A sender for which the kernel is working is not interrupted.
func (s *Socket) SetWriteDeadline(t time.Time) error {
	return s.wrap("set write deadline", s.sys.setWriteDeadline(t))
}

// SyscallConn returns access to the descriptor, for options that this package does not
// support. It adds the descriptor to the poller. The callbacks of its Read and Write must
// not call methods that receive or send, respectively: this would be a deadlock.
func (s *Socket) SyscallConn() (syscall.RawConn, error) {
	rc, err := s.sys.rawConn()
	return rc, s.wrap("syscallconn", err)
}
