package netlink

import (
	"syscall"
	"time"

	"golang.org/x/net/bpf"
)

// A ConnOption is a boolean option of a netlink socket.
type ConnOption int

// Options of a Conn and their names in linux/netlink.h.
const (
	PacketInfo          ConnOption = iota // NETLINK_PKTINFO
	BroadcastError                        // NETLINK_BROADCAST_ERROR
	NoENOBUFS                             // NETLINK_NO_ENOBUFS
	ListenAllNSID                         // NETLINK_LISTEN_ALL_NSID
	CapAcknowledge                        // NETLINK_CAP_ACK
	ExtendedAcknowledge                   // NETLINK_EXT_ACK
	GetStrictCheck                        // NETLINK_GET_STRICT_CHK
)

// with calls f with the Socket of c. If the Socket lacks the methods of T, it returns an error.
func with[T any](c *Conn, op string, f func(T) error) error {
	s, ok := c.sock.(T)
	if !ok {
		return notSupported(op)
	}
	return newOpError(op, f(s))
}

// Optional methods of a Socket.
type (
	groupSocket interface {
		JoinGroup(group uint32) error
		LeaveGroup(group uint32) error
	}
	filterSocket interface {
		bpf.Setter
		RemoveBPF() error
	}
	deadlineSocket interface {
		SetDeadline(t time.Time) error
		SetReadDeadline(t time.Time) error
		SetWriteDeadline(t time.Time) error
	}
	optionSocket interface {
		SetOption(option ConnOption, enable bool) error
	}
	bufferSocket interface {
		SetReadBuffer(bytes int) error
		SetWriteBuffer(bytes int) error
		ReadBuffer() (int, error)
		WriteBuffer() (int, error)
	}
)

// JoinGroup adds c to the multicast group with that number.
func (c *Conn) JoinGroup(group uint32) error {
	return with(c, "join-group", func(s groupSocket) error { return s.JoinGroup(group) })
}

// LeaveGroup removes c from a multicast group.
func (c *Conn) LeaveGroup(group uint32) error {
	return with(c, "leave-group", func(s groupSocket) error { return s.LeaveGroup(group) })
}

// SetBPF attaches a BPF program that filters the received messages.
func (c *Conn) SetBPF(filter []bpf.RawInstruction) error {
	return with(c, "set-bpf", func(s filterSocket) error { return s.SetBPF(filter) })
}

// RemoveBPF removes the program of SetBPF.
func (c *Conn) RemoveBPF() error { return with(c, "remove-bpf", filterSocket.RemoveBPF) }

// SetDeadline sets the deadlines for receiving and sending. The zero time removes them.
func (c *Conn) SetDeadline(t time.Time) error {
	return with(c, "set-deadline", func(s deadlineSocket) error { return s.SetDeadline(t) })
}

// SetReadDeadline sets the deadline for receiving.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return with(c, "set-read-deadline", func(s deadlineSocket) error { return s.SetReadDeadline(t) })
}

// SetWriteDeadline sets the deadline for sending.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return with(c, "set-write-deadline", func(s deadlineSocket) error { return s.SetWriteDeadline(t) })
}

// SetOption turns an option on or off.
func (c *Conn) SetOption(option ConnOption, enable bool) error {
	return with(c, "set-option", func(s optionSocket) error { return s.SetOption(option, enable) })
}

// SetReadBuffer sets the size of the kernel's receive buffer in bytes. It exceeds the system's limit
// if the process has the privilege.
func (c *Conn) SetReadBuffer(bytes int) error {
	return with(c, "set-read-buffer", func(s bufferSocket) error { return s.SetReadBuffer(bytes) })
}

// SetWriteBuffer sets the size of the kernel's send buffer in bytes. It exceeds the system's limit if
// the process has the privilege.
func (c *Conn) SetWriteBuffer(bytes int) error {
	return with(c, "set-write-buffer", func(s bufferSocket) error { return s.SetWriteBuffer(bytes) })
}

// ReadBuffer returns the size of the kernel's receive buffer.
func (c *Conn) ReadBuffer() (n int, err error) {
	err = with(c, "get-read-buffer", func(s bufferSocket) (err error) { n, err = s.ReadBuffer(); return err })
	return n, err
}

// WriteBuffer returns the size of the kernel's send buffer.
func (c *Conn) WriteBuffer() (n int, err error) {
	err = with(c, "get-write-buffer", func(s bufferSocket) (err error) { n, err = s.WriteBuffer(); return err })
	return n, err
}

var _ syscall.Conn = (*Conn)(nil)

// SyscallConn returns access to the file descriptor, for options without a method. c does not see
// datagrams that are sent or received through it.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	s, ok := c.sock.(syscall.Conn)
	if !ok {
		return nil, notSupported("syscall-conn")
	}
	return s.SyscallConn()
}
