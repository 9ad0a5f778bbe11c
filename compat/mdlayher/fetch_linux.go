package netlink

import (
	"os"
	"time"

	"github.com/nlwire/nlwire/socket"
)

// fetch receives a datagram, into sp if that has room for it. If none is queued it waits, or
// returns [socket.ErrEmpty]. Other errors are as the original's.
func (k *conn) fetch(sp *space, wait bool) (d datagram, err error) {
	if err := k.mayCall("recvmsg"); err != nil {
		return d, err
	}
	for {
		if k.anySender && k.size == 0 && wait {
			d, err = k.fetchWhole()
		} else {
			d, err = k.fetchInto(k.buffer(sp), wait)
		}
		switch {
		case err == socket.ErrEmpty && wait: // another receiver, of SyscallConn, was faster
		case err == socket.ErrEmpty:
			k.queue.forgetStale()
			return d, err
		case err == socket.ErrSender || d.info.PortID != 0 && !k.anySender:
			// Any process with CAP_NET_ADMIN can send to a port; it is not the kernel.
		default:
			return d, systemError("recvmsg", err)
		}
	}
}

// buffer returns the buffer for a datagram.
func (k *conn) buffer(sp *space) []byte {
	b := sp.replyBuffer()
	switch {
	case k.size == 0:
		return b
	case k.size <= len(b):
		return b[:k.size]
	}
	return make([]byte, nlmsgAlign(k.size))[:k.size]
}

// fetchInto receives into b.
func (k *conn) fetchInto(b []byte, wait bool) (d datagram, err error) {
	if err := k.expired(); err != nil {
		return d, err
	}
	var n int
	if wait {
		n, d.info, err = k.s.Receive(b)
	} else {
		n, d.info, err = k.s.TryReceive(b)
	}
	d.b = padded(b, n)
	return d, err
}

// expired is the error of a receive after the deadline, which TryReceive does not check.
func (k *conn) expired() error {
	if k.hasDeadline.Load() {
		if t := k.s.ReadDeadline(); !t.IsZero() && !time.Now().Before(t) {
			return os.ErrDeadlineExceeded
		}
	}
	return nil
}

// fetchWhole waits for a datagram of any length.
func (k *conn) fetchWhole() (d datagram, err error) {
	size, err := k.s.NextSize()
	if err != nil {
		return d, err
	}
	b := make([]byte, nlmsgAlign(size))
	n, info, err := k.s.TryReceive(b)
	return datagram{padded(b, n), info, true}, err
}

// padded returns the first n bytes of b, and zeros up to a multiple of 4. b has room for
// them after its end.
func padded(b []byte, n int) []byte {
	end := nlmsgAlign(n)
	b = b[:end]
	clear(b[n:])
	return b
}
