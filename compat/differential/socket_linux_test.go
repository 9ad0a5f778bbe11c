package differential

import (
	"encoding/binary"
	"errors"
	"iter"
	"os"
	"sync/atomic"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// portSocket adapts a port of the bus to the Socket of a netlink.Conn. It has all optional methods
// except filters and a file descriptor. Its errors have the form of the library's own socket.
type portSocket struct {
	port      *bus.Port
	size      int                       // of the receive buffer
	sendUntil atomic.Pointer[time.Time] // nil: no deadline
	datagrams atomic.Int64              // received
}

func (s *portSocket) Send(m netlink.Message) error {
	return s.SendMessages([]netlink.Message{m})
}

func (s *portSocket) SendMessages(messages []netlink.Message) error {
	var datagram []byte
	for _, m := range messages {
		b, err := m.MarshalBinary()
		if err != nil {
			return err
		}
		datagram = append(datagram, b...)
	}
	if until := s.sendUntil.Load(); until != nil && !time.Now().Before(*until) {
		return os.ErrDeadlineExceeded
	}
	return asOfSocket("sendmsg", s.port.Send(datagram))
}

func (s *portSocket) Receive() (messages []netlink.Message, err error) {
	for m, err := range s.ReceiveIter() {
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
	}
	return messages, nil
}

// ReceiveIter iterates over the messages of one datagram.
func (s *portSocket) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		b, err := s.receive()
		if err != nil {
			yield(netlink.Message{}, asOfSocket("recvmsg", err))
			return
		}
		for len(b) >= nlmsg.HeaderLen { // the library ignores shorter trailing bytes
			var m netlink.Message
			n := messageLen(b)
			if err := m.UnmarshalBinary(b[:n]); err != nil {
				yield(netlink.Message{}, err)
				return
			}
			if b = b[n:]; !yield(m, nil) {
				return
			}
		}
	}
}

// receive returns a padded datagram. The caller owns it. Like the library's socket, receive retries
// after EINTR.
func (s *portSocket) receive() ([]byte, error) {
	b := make([]byte, s.size)
	for {
		n, _, err := s.port.Receive(b)
		switch {
		case err == nil:
			s.datagrams.Add(1)
			return b[:nlmsg.Align(n)], nil
		case !errors.Is(err, unix.EINTR):
			return nil, err
		}
	}
}

// messageLen returns the length of the first message of b, padding included.
func messageLen(b []byte) int {
	return min(nlmsg.Align(int(binary.NativeEndian.Uint32(b))), len(b))
}

func (s *portSocket) Close() error {
	if err := s.port.Close(); !errors.Is(err, os.ErrClosed) {
		return asOfSocket("close", err)
	}
	return nil // the library's socket can be closed twice
}

func (s *portSocket) JoinGroup(group uint32) error {
	return asOfSocket("setsockopt", s.port.Join(group))
}

func (s *portSocket) LeaveGroup(group uint32) error {
	return asOfSocket("setsockopt", s.port.Leave(group))
}

var flagOf = map[netlink.ConnOption]socket.Flag{
	netlink.PacketInfo: socket.PacketInfo, netlink.BroadcastError: socket.BroadcastError,
	netlink.NoENOBUFS: socket.NoENOBUFS, netlink.ListenAllNSID: socket.ListenAllNSID,
	netlink.CapAcknowledge: socket.CapAck, netlink.ExtendedAcknowledge: socket.ExtAck,
	netlink.GetStrictCheck: socket.StrictCheck,
}

func (s *portSocket) SetOption(option netlink.ConnOption, on bool) error {
	f, ok := flagOf[option]
	if !ok {
		return os.NewSyscallError("setsockopt", unix.ENOPROTOOPT)
	}
	return asOfSocket("setsockopt", s.port.SetFlag(f, on))
}

func (s *portSocket) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

func (s *portSocket) SetReadDeadline(t time.Time) error {
	return asOfSocket("set deadline", s.port.SetReadDeadline(t))
}

// SetWriteDeadline only stores the deadline: sending to the bus never waits.
func (s *portSocket) SetWriteDeadline(t time.Time) error {
	until := &t
	if t.IsZero() {
		until = nil
	}
	s.sendUntil.Store(until)
	return nil
}

func (s *portSocket) SetReadBuffer(bytes int) error {
	return asOfSocket("setsockopt", s.port.SetReceiveBuffer(bytes))
}

func (s *portSocket) ReadBuffer() (int, error) {
	n, err := s.port.ReceiveBuffer()
	return n, asOfSocket("getsockopt", err)
}

// A port has no send buffer.
func (s *portSocket) SetWriteBuffer(int) error  { return errors.ErrUnsupported }
func (s *portSocket) WriteBuffer() (int, error) { return 0, errors.ErrUnsupported }

// asOfSocket converts an error of the bus to the form of a system call error.
func asOfSocket(call string, err error) error {
	var errno errno.Errno
	var system unix.Errno
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded // this value has a method Timeout
	case errors.Is(err, os.ErrClosed):
		system = unix.EBADF
	case errors.As(err, &errno):
		system = unix.Errno(errno)
	case !errors.As(err, &system):
		return err
	}
	return os.NewSyscallError(call, system)
}
