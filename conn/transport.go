package conn

import (
	"time"

	"github.com/nlwire/nlwire/socket"
)

// Transport moves datagrams. [*socket.Socket] is one; so is a port of a
// userspace bus, and a test's double.
//
// Sending, receiving and setting the deadline may happen at the same time, in
// different goroutines; a Conn has at most one of them in a receiving method.
// Errors are compared with errors.Is: [syscall.ENOBUFS], [syscall.EINTR],
// [syscall.EAGAIN], [os.ErrClosed], [os.ErrDeadlineExceeded]; errors that are
// [socket.ErrTruncated], [socket.ErrSender] or [socket.ErrEmpty] come as they are.
type Transport interface {
	// Send sends one datagram; it does not keep b.
	Send(b []byte) error
	// Receive waits for a datagram, copies it into b and returns how many
	// bytes of b it fills. Info.Size is its length before it was cut.
	Receive(b []byte) (n int, info socket.Info, err error)
	// TryReceive is Receive without waiting: [socket.ErrEmpty] when nothing is
	// queued. It must not say so while an answer to a finished Send is queued.
	TryReceive(b []byte) (n int, info socket.Info, err error)
	// SetReadDeadline makes Receive fail from t on, also where it waits now.
	SetReadDeadline(t time.Time) error
	// PortID is the transport's own address, which replies carry.
	PortID() uint32
	// Close wakes a Receive that waits, with os.ErrClosed.
	Close() error
}

// A Dialer opens another Transport to the same place, without groups.
type Dialer func() (Transport, error)

// What a Transport may have besides.
type (
	joiner interface {
		Join(group uint32) error
	}
	// bufferer has a receive buffer that can grow. ReceiveBuffer returns twice
	// of what was asked for, as Linux does, or more.
	bufferer interface {
		ReceiveBuffer() (bytes int, err error)
		SetReceiveBuffer(bytes int) error
	}
)

// maxReceiveBuffer is where growing ends, in bytes as asked for.
const maxReceiveBuffer = 32 << 20

// growReceiveBuffer makes the receive buffer of t at least as large as asked
// for, or doubles it when that is 0. That is the best that can be done about a
// loss; where the system allows no more, nothing changes.
func growReceiveBuffer(t Transport, least int) {
	b, ok := t.(bufferer)
	if !ok {
		return
	}
	size, err := b.ReceiveBuffer()
	if err != nil || least != 0 && size >= 2*least {
		return
	}
	if least == 0 {
		least = size // asking for the size as reported doubles it
	}
	_ = b.SetReceiveBuffer(min(least, maxReceiveBuffer))
}
