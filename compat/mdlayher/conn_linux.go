package netlink

import (
	"iter"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/nlwire/nlwire/socket"
	"golang.org/x/sys/unix"
)

var _ Socket = (*conn)(nil)

// A conn is the socket of [Dial].
type conn struct {
	s    *socket.Socket
	pid  uint32
	size int // MessageBufferSize, 0 by default

	// anySender is set for protocols on which processes send to each other. Their datagrams have any
	// sender and any length.
	anySender bool
	isLate    bool // replies may arrive after the send

	isClosed    atomic.Bool
	hasDeadline atomic.Bool // a read deadline is set

	queue backlog
}

// dial opens the socket for Dial.
func dial(family int, config *Config) (*conn, uint32, error) {
	opts := []socket.Option{socket.WithPortID(config.PID), socket.WithGroupMask(config.Groups)}
	if config.NetNS != 0 {
		opts = append(opts, socket.WithNetNS(config.NetNS))
	}
	if config.Strict {
		opts = append(opts, socket.WithFlags(socket.ExtAck, socket.StrictCheck))
	}
	s, err := socket.Open(socket.Protocol(family), opts...)
	if err != nil {
		return nil, 0, systemError("", err)
	}
	k := &conn{s: s, pid: s.PortID(), size: max(config.MessageBufferSize, 0), isLate: s.RepliesLate()}
	k.anySender = s.Protocol() == socket.UserSock || s.Protocol() == socket.KObjectUevent
	return k, k.pid, nil
}

// Close closes the socket. A second call has no effect.
func (k *conn) Close() error {
	if k.isClosed.Swap(true) {
		return nil
	}
	return systemError("close", k.s.Close())
}

// mayCall returns an error if the socket is closed.
func (k *conn) mayCall(call string) error {
	if k.isClosed.Load() {
		return os.NewSyscallError(call, unix.EBADF)
	}
	return nil
}

// Send sends a message as a datagram.
func (k *conn) Send(m Message) error {
	if err := m.checkLength(); err != nil {
		return err
	}
	k.queue.renew(m.Header.Sequence)
	return k.sendWith(func(b []byte) []byte { return m.append(b) })
}

// SendMessages sends messages in one datagram.
func (k *conn) SendMessages(msgs []Message) error {
	for i := range msgs {
		if err := msgs[i].checkLength(); err != nil {
			return err
		}
		k.queue.renew(msgs[i].Header.Sequence)
	}
	return k.sendWith(func(b []byte) []byte {
		for i := range msgs {
			b = msgs[i].append(b)
		}
		return b
	})
}

// sendWith sends the bytes that write appends.
func (k *conn) sendWith(write func([]byte) []byte) error {
	if err := k.mayCall("sendmsg"); err != nil {
		return err
	}
	sp := getSpace()
	defer sp.put()
	sp.request = write(sp.request[:0])
	return systemError("sendmsg", k.s.Send(sp.request))
}

// Receive and ReceiveIter are required by Socket. A Conn calls receive and each instead.
func (k *conn) Receive() ([]Message, error) { return k.receive() }

func (k *conn) ReceiveIter() iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		err := k.each(func(m Message) bool { return yield(m, nil) })
		if err != nil && err != errStopped {
			yield(Message{}, err)
		}
	}
}

// newError returns the error for an errno in a message.
func newError(errno int) error { return syscall.Errno(errno) }

// sysToHeader converts h, which has the same memory layout.
func sysToHeader(h syscall.NlMsghdr) Header { return *(*Header)(unsafe.Pointer(&h)) }
