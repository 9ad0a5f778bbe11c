package nl

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"golang.org/x/sys/unix"
)

// RECEIVE_BUFFER_SIZE is the length of the longest datagram that can be received. Datagrams
// of the kernel have up to 32 KiB, except single messages that are longer.
const RECEIVE_BUFFER_SIZE = 65536

// receiveBuffers contains buffers for datagrams. Callers never get them: messages are
// copied out of them.
var receiveBuffers = sync.Pool{New: func() any { return new([RECEIVE_BUFFER_SIZE]byte) }}

// Receive waits for a datagram and returns its messages and its sender. The caller owns the
// memory. After the receive timeout, the error is EAGAIN.
func (s *NetlinkSocket) Receive() ([]syscall.NetlinkMessage, *unix.SockaddrNetlink, error) {
	buf := receiveBuffers.Get().(*[RECEIVE_BUFFER_SIZE]byte)
	defer receiveBuffers.Put(buf)
	b, info, err := s.receive(buf)
	if err != nil {
		return nil, nil, err
	}
	messages, err := cut(append([]byte(nil), b...))
	if err != nil {
		return nil, nil, err
	}
	return messages, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: info.PortID, Groups: info.Groups}, nil
}

// cut returns the messages of a datagram, which alias it. Their data has the capacity of
// the datagram: see routeAttr.
func cut(b []byte) (messages []syscall.NetlinkMessage, err error) {
	for len(b) > 0 {
		m, n := nlmsg.Consume(b)
		if n < 0 {
			_, err := badEnd(n)
			return messages, err
		}
		h := m.Header()
		messages = append(messages, syscall.NetlinkMessage{
			Header: syscall.NlMsghdr{Len: h.Len, Type: uint16(h.Type), Flags: uint16(h.Flags), Seq: h.Seq, Pid: h.PortID},
			Data:   b[nlmsg.HeaderLen:len(m)],
		})
		b = b[n:]
	}
	return messages, nil
}

// receive waits for a datagram and stores it in buf. The first attempt does not wait,
// because the kernel queues the reply to a request before the send returns.
func (s *NetlinkSocket) receive(buf *[RECEIVE_BUFFER_SIZE]byte) (b []byte, info socket.Info, err error) {
	if s.sock == nil || s.isClosed.Load() {
		return nil, info, os.ErrClosed
	}
	n, info, err := s.sock.TryReceive(buf[:])
	if err == socket.ErrEmpty {
		if err := s.sock.SetReadDeadline(after(&s.receiveTimeout)); err != nil {
			return nil, info, plain(err)
		}
		n, info, err = s.sock.Receive(buf[:])
	}
	switch {
	case err == socket.ErrTruncated:
		return nil, info, fmt.Errorf("netlink: datagram of %d bytes exceeds the receive buffer of %d bytes: %w",
			info.Size, RECEIVE_BUFFER_SIZE, unix.EMSGSIZE)
	case errors.Is(err, os.ErrClosed):
		// The socket was closed during the wait or just before it: the original returns
		// EAGAIN. The next call returns the error of a closed file.
		return nil, info, unix.EAGAIN
	case err != nil:
		return nil, info, plain(err)
	case n < nlmsg.HeaderLen:
		return nil, info, fmt.Errorf("netlink: datagram of %d bytes is too short for a message", n)
	}
	return buf[:n], info, nil
}
