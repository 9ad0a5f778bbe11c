package conn

import (
	"time"

	"github.com/nlwire/nlwire/socket"
)

// Transport moves datagrams. A [*socket.Socket] is a Transport; a port of a userspace bus
// and a test double can be others. A Conn owns its Transports. Only the exchange that holds
// a Transport receives from it; others set its read deadline to interrupt that.
//
// Send, Receive, SetReadDeadline and Close may be called concurrently. Errors are compared
// with errors.Is, so a Transport may wrap those of another: [errno.ENOBUFS], [errno.EINTR],
// [errno.EAGAIN] and [errno.EMSGSIZE], also as a syscall.Errno of Linux, [os.ErrClosed],
// [os.ErrDeadlineExceeded], [socket.ErrTruncated], [socket.ErrSender] and
// [socket.ErrEmpty].
//
// A Transport may implement further methods of *socket.Socket. A Conn uses those that it
// finds:
//
//	Join                              needed by Subscribe
//	Wait                              All waits without holding a buffer
//	SetFlag                           Conn.SetFlag
//	ReceiveBuffer, SetReceiveBuffer   grown for batches and after a loss
//	SetSendBuffer                     grown for batches
//	ReadDeadline                      restored after an exchange has set its own
//	Groups, Protocol                  inspected
//	RepliesLate                       see WithLateReplies
type Transport interface {
	// Send sends one datagram. It does not keep b.
	Send(b []byte) error
	// Receive waits for a datagram, copies it into b and returns the number of bytes
	// filled. Info.Size is the length of the datagram before truncation.
	Receive(b []byte) (n int, info socket.Info, err error)
	// TryReceive is Receive without waiting. It returns [socket.ErrEmpty] if nothing is
	// queued. It must not return that error while a reply to a finished Send is queued.
	TryReceive(b []byte) (n int, info socket.Info, err error)
	// SetReadDeadline makes Receive fail from t on. It affects a Receive that already
	// waits.
	SetReadDeadline(t time.Time) error
	// PortID returns the address of the Transport, which replies carry. It is called after
	// a Send.
	PortID() uint32
	// Close wakes a waiting Receive, which returns os.ErrClosed.
	Close() error
}

// A Dialer opens another Transport to the same peer, without groups.
type Dialer func() (Transport, error)

// The optional methods of a Transport. [*socket.Socket] implements all of them.
type (
	joiner interface {
		Join(group uint32) error
	}
	// patient waits like Receive, but needs no buffer and leaves the datagram queued.
	patient interface {
		Wait() error
	}
	// flagger sets boolean options.
	flagger interface {
		SetFlag(f socket.Flag, on bool) error
	}
	// bufferer has a receive buffer that can grow. ReceiveBuffer returns at least twice the
	// size that was set, as on Linux.
	bufferer interface {
		ReceiveBuffer() (bytes int, err error)
		SetReceiveBuffer(bytes int) error
	}
	// sendBufferer has a send buffer that can grow.
	sendBufferer interface {
		SetSendBuffer(bytes int) error
	}
	// deadliner returns the read deadline that the owner has set.
	deadliner interface {
		ReadDeadline() time.Time
	}
	// grouper lists the joined multicast groups.
	grouper interface {
		Groups() ([]uint32, error)
	}
	// protocoler returns the netlink protocol.
	protocoler interface {
		Protocol() socket.Protocol
	}
	// latecomer reports whether replies can arrive after Send has returned.
	latecomer interface {
		RepliesLate() bool
	}
)

var (
	_ Transport    = (*socket.Socket)(nil)
	_ joiner       = (*socket.Socket)(nil)
	_ patient      = (*socket.Socket)(nil)
	_ flagger      = (*socket.Socket)(nil)
	_ bufferer     = (*socket.Socket)(nil)
	_ sendBufferer = (*socket.Socket)(nil)
	_ deadliner    = (*socket.Socket)(nil)
	_ grouper      = (*socket.Socket)(nil)
	_ protocoler   = (*socket.Socket)(nil)
	_ latecomer    = (*socket.Socket)(nil)
)

// hasProtocol reports whether t is known to use a protocol.
func hasProtocol(t Transport, protocol socket.Protocol) bool {
	p, ok := t.(protocoler)
	return ok && p.Protocol() == protocol
}

// repliesLate reports whether replies can arrive after a send has returned, so that an
// empty queue does not mean that there is no reply.
func repliesLate(t Transport) bool {
	l, ok := t.(latecomer)
	return ok && l.RepliesLate()
}

// readDeadline returns the read deadline that the owner of t has set, the zero time if it
// is unknown.
func readDeadline(t Transport) time.Time {
	if d, ok := t.(deadliner); ok {
		return d.ReadDeadline()
	}
	return time.Time{}
}

// joined reports whether t may be a member of multicast groups. If t cannot list its
// groups, the answer is true, because its owner may have joined some.
func joined(t Transport) bool {
	g, ok := t.(grouper)
	if !ok {
		return true
	}
	groups, err := g.Groups()
	return err != nil || len(groups) > 0
}

// maxSocketBuffer limits growth, in bytes as passed to the kernel, which doubles them.
const maxSocketBuffer = 32 << 20

// growReceiveBuffer grows the receive buffer of t to at least least bytes as passed to the
// kernel. If least is 0 it doubles the buffer. If the system does not allow more, the size
// stays the same. It returns the size as the kernel counts it, 0 if it is unknown.
func growReceiveBuffer(t Transport, least int) int {
	b, ok := t.(bufferer)
	if !ok {
		return 0
	}
	size, err := b.ReceiveBuffer()
	if err != nil || least != 0 && size >= 2*least {
		return size
	}
	if least == 0 {
		least = size // the kernel doubles the size that is passed to it
	}
	if b.SetReceiveBuffer(min(least, maxSocketBuffer)) != nil {
		return size
	}
	if size, err = b.ReceiveBuffer(); err != nil {
		return 0
	}
	return size
}
