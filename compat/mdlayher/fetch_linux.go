package netlink

import (
	"os"
	"time"

	"github.com/nlwire/nlwire/socket"
)

// fetch receives a datagram, into sp if sp is large enough. If no datagram is queued, it waits, or
// returns [socket.ErrEmpty] if wait is false. Other errors are those of the original.
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
		case err == socket.ErrEmpty && wait: // a receiver that uses SyscallConn was faster
		case err == socket.ErrEmpty:
			k.queue.forgetStale()
			return d, err
		case err == socket.ErrSender || d.info.PortID != 0 && !k.anySender:
			// Dropped: the sender is another process. Any process with CAP_NET_ADMIN can send.
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

// fetchInto receives a datagram into b.
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

// expired returns an error after the read deadline. TryReceive does not check the deadline.
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

// padded returns the first n bytes of b, padded with zeros to a multiple of 4. The capacity of b must
// allow this.
func padded(b []byte, n int) []byte {
	end := nlmsgAlign(n)
	b = b[:end]
	clear(b[n:])
	return b
}
