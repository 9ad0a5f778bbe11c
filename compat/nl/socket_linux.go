package nl

import (
	"errors"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nlwire/nlwire/socket"
	"golang.org/x/sys/unix"
)

// A NetlinkSocket is a netlink socket with a time limit for each direction.
// [NetlinkRequest.ExecuteIter] locks it. It must not be copied.
type NetlinkSocket struct {
	sync.Mutex
	sock           *socket.Socket
	fd             int
	sendTimeout    atomic.Int64 // nanoseconds; 0 is none
	receiveTimeout atomic.Int64
	isClosed       atomic.Bool
}

// A SocketHandle contains a socket and the sequence number of its last request.
type SocketHandle struct {
	Seq    uint32
	Socket *NetlinkSocket
}

// Close closes the socket, if there is one.
func (sh *SocketHandle) Close() {
	if sh.Socket != nil {
		sh.Socket.Close()
	}
}

// Close closes the socket. A blocked Receive returns EAGAIN.
func (s *NetlinkSocket) Close() {
	s.isClosed.Store(true)
	if s.sock != nil {
		_ = s.sock.Close() // this method returns no error
	}
}

// GetFd returns the file descriptor, which is valid until Close.
func (s *NetlinkSocket) GetFd() int { return s.fd }

// GetPid returns the port ID of the socket, its nl_pid.
func (s *NetlinkSocket) GetPid() (uint32, error) {
	if s.sock == nil {
		return 0, os.ErrClosed
	}
	return s.sock.PortID(), nil
}

// GetTimeouts returns the time limits; 0 is no limit.
func (s *NetlinkSocket) GetTimeouts() (send, receive time.Duration) {
	return time.Duration(s.sendTimeout.Load()), time.Duration(s.receiveTimeout.Load())
}

// SetSendTimeout limits the time that a Send waits; 0 is no limit.
func (s *NetlinkSocket) SetSendTimeout(timeout *unix.Timeval) error {
	s.sendTimeout.Store(timeout.Nano())
	return nil
}

// SetReceiveTimeout limits the time that a Receive waits; 0 is no limit.
func (s *NetlinkSocket) SetReceiveTimeout(timeout *unix.Timeval) error {
	s.receiveTimeout.Store(timeout.Nano())
	return nil
}

// SetReceiveBufferSize requests a receive buffer of size bytes. With force the size may
// exceed net.core.rmem_max, which requires CAP_NET_ADMIN.
func (s *NetlinkSocket) SetReceiveBufferSize(size int, force bool) error {
	switch {
	case s.sock == nil:
		return os.ErrClosed
	case force:
		return plain(s.sock.ForceReceiveBuffer(size))
	}
	return plain(s.sock.Control(func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size)
	}))
}

// SetExtAck sets whether the kernel sends texts with its errors.
func (s *NetlinkSocket) SetExtAck(enable bool) error {
	if s.sock == nil {
		return os.ErrClosed
	}
	return plain(s.sock.SetFlag(socket.ExtAck, enable))
}

// Send sends a request to the kernel. After the send timeout, the error is EAGAIN.
func (s *NetlinkSocket) Send(request *NetlinkRequest) error {
	buf := sendBuffers.Get().(*[]byte)
	defer recycle(buf)
	b, err := request.appendTo((*buf)[:0])
	*buf = b
	if err != nil {
		return err
	}
	return s.send(b)
}

// sendBuffers contains buffers for requests. The kernel copies a request before Send
// returns.
var sendBuffers = sync.Pool{New: func() any { return new([]byte) }}

// recycle keeps a buffer for the next request, unless it is unusually large.
func recycle(buf *[]byte) {
	if cap(*buf) <= math.MaxUint16 {
		sendBuffers.Put(buf)
	}
}

// send sends a datagram to the kernel. It passes the address, as the original does. The
// kernel then checks the capabilities of the sender, but not those of the process that
// opened the socket (see socket.Send).
func (s *NetlinkSocket) send(b []byte) error {
	if s.sock == nil {
		return os.ErrClosed
	}
	err := s.sock.TrySendTo(b, socket.Addr{})
	if err != socket.ErrFull {
		return plain(err)
	}
	if err := s.sock.SetWriteDeadline(after(&s.sendTimeout)); err != nil {
		return plain(err)
	}
	err = s.sock.SendTo(b, socket.Addr{})
	// The deadline would also apply to the next TrySendTo.
	return plain(errors.Join(err, s.sock.SetWriteDeadline(time.Time{})))
}

// after returns the time at which a timeout that starts now ends.
func after(timeout *atomic.Int64) time.Time {
	if d := timeout.Load(); d != 0 {
		return time.Now().Add(time.Duration(d))
	}
	return time.Time{}
}

// plain returns the errno of an error, because callers of this package compare errnos. For
// an expired deadline it returns EAGAIN.
func plain(err error) error {
	var errno syscall.Errno
	switch {
	case err == nil:
		return nil
	case errors.As(err, &errno):
		return errno
	case errors.Is(err, os.ErrDeadlineExceeded):
		return unix.EAGAIN
	}
	return err
}
