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
//	open      Open, WithPortID, WithGroups, WithReceiveBuffer, WithSendBuffer,
//	          WithNetNS, WithFilter, WithRawSyscalls, With; Twin
//	move      Send, SendTo, TrySendTo, Receive, TryReceive, RoundTrip, BufferSize
//	batches   SendBatch, SendBatchTo, ReceiveBatch, MakeBatch
//	wait      SetDeadline, SetReadDeadline, SetWriteDeadline, Close
//	groups    Join, Leave, Groups
//	options   SetFlag, Flag, SetReceiveBuffer, SetSendBuffer, ReceiveBuffer,
//	          SendBuffer, AttachFilter, DetachFilter, SyscallConn
//	inspect   PortID, Protocol, ProtocolName, Drops
//	errors    OpError, ErrTruncated, ErrSender, ErrEmpty, ErrFull
//
// # Concurrency
//
// Every method may be called from any number of goroutines at once. Sending
// never waits for receiving, nor the other way round, but for RoundTrip, which is
// a receiver all the time. Receivers queue up behind each other, and so do senders.
//
// # Time
//
// The kernel handles a request inside the call that sends it: when [Socket.Send]
// returns, the answer is queued. Receiving therefore tries first and goes to
// the poller of the Go runtime only when nothing is there. A socket that never
// had to wait is not in the poller and is faster for it: where requests and
// notifications are both wanted, use a socket for each.
//
// # Systems
//
// Linux 4.3 or newer is needed; some options need newer kernels and say so.
// On other systems the package builds, and [Open] fails with an error that
// wraps [errors.ErrUnsupported].
package socket

import (
	"syscall"
	"time"
)

// A Socket is an open netlink socket. [Open] makes one; the zero value is of
// no use. A Socket must not be copied.
type Socket struct {
	sys      sysSocket
	protocol int
	portID   uint32
	options  config // as Open had them, for Twin
}

// Open makes a socket of a protocol ([Generic], [Route], ...), sets its options,
// binds it and joins its groups. The descriptor is non-blocking and closed on
// exec. It enters the poller of the Go runtime with the first receive that has
// to wait: no thread is ever held by waiting.
//
// The order is fixed, whatever the order of opts: namespace, flags, buffers,
// filter, port ID, groups. When a step fails, the descriptor is closed again
// and the error is an [*OpError] that names the step.
func Open(protocol int, opts ...Option) (*Socket, error) {
	var c config
	for _, opt := range opts {
		opt(&c)
	}
	return openWith(protocol, c)
}

func openWith(protocol int, c config) (*Socket, error) {
	s := &Socket{protocol: protocol, options: c}
	portID, err := s.sys.open(protocol, &c)
	if err != nil {
		return nil, err
	}
	s.portID = portID
	return s, nil
}

// Twin opens another socket of the same protocol in the same network namespace,
// with the flags, buffers and filter that [Open] was given. It has a port ID of
// its own and no groups.
//
// The namespace is that of this socket, whatever became of the descriptor of
// [WithNetNS] or of the thread that called Open. Where it is not the calling
// thread's, the kernel is asked for it (SIOCGSKNS), which needs CAP_NET_ADMIN.
func (s *Socket) Twin() (*Socket, error) {
	c := s.options
	c.portID, c.groups = 0, nil
	if c.netNS == nil {
		twin, err := openWith(s.protocol, c)
		if err != nil || s.sys.sharesNetNS(&twin.sys) {
			return twin, err
		}
		_ = twin.Close() // it was made in the wrong place
	}
	fd, err := s.sys.netNS()
	if err != nil {
		return nil, s.wrap("ioctl SIOCGSKNS", err)
	}
	defer closeFD(fd)
	c.netNS = &fd
	return openWith(s.protocol, c)
}

// Close closes the socket and wakes every goroutine that waits on it; their
// errors, and those of all later calls, match [os.ErrClosed], and so does the
// error of a second Close. It waits for a system call that is under way. A
// socket that is dropped is closed by the garbage collector, at some time.
func (s *Socket) Close() error { return s.wrap("close", s.sys.close()) }

// Protocol returns the number that [Open] was given.
func (s *Socket) Protocol() int { return s.protocol }

// PortID returns the socket's own address, the nl_pid of struct sockaddr_nl.
// It is unique per protocol and network namespace. Unless chosen with
// [WithPortID] it is the process ID for the first socket of a process, and
// above 2^31 for the others (netlink_autobind of af_netlink.c).
func (s *Socket) PortID() uint32 { return s.portID }

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
