package conn

import (
	"time"

	"github.com/nlwire/nlwire/socket"
)

// Transport moves datagrams. [*socket.Socket] is one; so are a port of a userspace
// bus and a double in a test. A Conn owns its Transports: only the exchange that
// holds one receives from it; others set its read deadline to interrupt that.
//
// Send, Receive, SetReadDeadline and Close may be called at the same time from
// different goroutines. Errors are compared with errors.Is, so a Transport may wrap
// those of another: [errno.ENOBUFS], [errno.EINTR], [errno.EAGAIN],
// [errno.EMSGSIZE], also as a syscall.Errno of Linux, [os.ErrClosed], [os.ErrDeadlineExceeded],
// [socket.ErrTruncated], [socket.ErrSender], [socket.ErrEmpty].
//
// A Transport may have more methods of *socket.Socket, which are used if they are there: Join
// (Subscribe needs it), Wait (no buffer is held while All waits), SetFlag,
// ReceiveBuffer and SetReceiveBuffer, SetSendBuffer (a batch grows them), ReadDeadline (kept
// when an exchange sets its own), Groups, Protocol, and RepliesLate (see WithLateReplies).
type Transport interface {
	// Send sends one datagram; it does not keep b.
	Send(b []byte) error
	// Receive waits for a datagram, copies it into b and returns how many
	// bytes of b it fills. Info.Size is its length before it was cut.
	Receive(b []byte) (n int, info socket.Info, err error)
	// TryReceive is Receive without waiting: [socket.ErrEmpty] when nothing is
	// queued. It must not return that while a reply to a finished Send is queued.
	TryReceive(b []byte) (n int, info socket.Info, err error)
	// SetReadDeadline makes Receive fail from t on, also where it waits now.
	SetReadDeadline(t time.Time) error
	// PortID is the Transport's own address, which replies carry. It is asked for
	// after a Send.
	PortID() uint32
	// Close wakes a Receive that waits, with os.ErrClosed.
	Close() error
}

// A Dialer opens another Transport to the same place, without groups.
type Dialer func() (Transport, error)

// What a Transport may have besides. [*socket.Socket] has all of it.
type (
	joiner interface {
		Join(group uint32) error
	}
	// patient waits like Receive, without a buffer and without taking the datagram.
	patient interface {
		Wait() error
	}
	// flagger has boolean options.
	flagger interface {
		SetFlag(f socket.Flag, on bool) error
	}
	// bufferer has a receive buffer that can grow. ReceiveBuffer returns twice
	// the size that was set, as Linux does, or more.
	bufferer interface {
		ReceiveBuffer() (bytes int, err error)
		SetReceiveBuffer(bytes int) error
	}
	// sendBufferer has a send buffer that can grow.
	sendBufferer interface {
		SetSendBuffer(bytes int) error
	}
	// deadliner returns the read deadline that its owner has set.
	deadliner interface {
		ReadDeadline() time.Time
	}
	// grouper lists the multicast groups that were joined.
	grouper interface {
		Groups() ([]uint32, error)
	}
	// protocoler knows its netlink protocol.
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

// hasProtocol reports whether t is known to be of a protocol.
func hasProtocol(t Transport, protocol socket.Protocol) bool {
	p, ok := t.(protocoler)
	return ok && p.Protocol() == protocol
}

// repliesLate reports whether an empty queue after a send does not mean that there
// is no reply.
func repliesLate(t Transport) bool {
	l, ok := t.(latecomer)
	return ok && l.RepliesLate()
}

// readDeadline returns the read deadline that the owner of t has set, if it is known.
func readDeadline(t Transport) time.Time {
	if d, ok := t.(deadliner); ok {
		return d.ReadDeadline()
	}
	return time.Time{}
}

// joined reports whether t may be a member of multicast groups: one that cannot list
// them may have been handed over with some.
func joined(t Transport) bool {
	g, ok := t.(grouper)
	if !ok {
		return true
	}
	groups, err := g.Groups()
	return err != nil || len(groups) > 0
}

// maxSocketBuffer bounds growing, in bytes as set; the kernel doubles them.
const maxSocketBuffer = 32 << 20

// growReceiveBuffer makes the receive buffer of t at least least bytes as set, or
// doubles it when least is 0. Where the system allows no more, nothing changes. It
// returns the size as the kernel counts it, 0 if it is unknown.
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
		least = size // setting the size that was reported doubles it
	}
	if b.SetReceiveBuffer(min(least, maxSocketBuffer)) != nil {
		return size
	}
	if size, err = b.ReceiveBuffer(); err != nil {
		return 0
	}
	return size
}
