package socket

import (
	"errors"
	"os"
	"strings"

	"github.com/nlwire/nlwire/errno"
)

// ErrTruncated reports that a datagram was longer than the buffer. The buffer holds its
// beginning, [Info.Size] is its length, and the rest is lost: netlink cannot repeat it.
// Compare with ==; it is never wrapped.
var ErrTruncated = errors.New("netlink: datagram truncated: the buffer is too small, the rest is lost")

// ErrSender reports that a datagram has no netlink sender address. Its PortID of 0 does not
// mean the kernel: do not trust the bytes. Compare with ==; it is never wrapped.
var ErrSender = errors.New("netlink: datagram without a netlink sender address: do not trust it")

// ErrEmpty reports that [Socket.TryReceive] found no datagram. Compare with ==; it is never
// wrapped.
var ErrEmpty = errors.New("netlink: no datagram is queued")

// ErrFull reports that the receive buffer of the peer of [Socket.TrySendTo] is full.
// Compare with ==; it is never wrapped.
var ErrFull = errors.New("netlink: the receive buffer of the peer is full")

// ErrNetNS reports that [Socket.Sibling] made no socket, because it could not verify that
// the socket would be in the same network namespace.
var ErrNetNS = errors.New("netlink: the network namespace of the socket cannot be verified")

// An OpError describes a failed call: the call, the protocol of the socket, and the reason.
type OpError struct {
	Op       string   // the system call: "bind", "setsockopt"; "receive" for all calls that receive
	Option   string   // the option of a call that sets one: "NETLINK_EXT_ACK"
	Protocol Protocol // of the socket; -1 if unknown
	Err      error    // a syscall.Errno, os.ErrClosed, os.ErrDeadlineExceeded or errors.ErrUnsupported
	Hint     string   // explanation and remedy; may be empty
}

// os.IsTimeout, errors.Is and errors.As use these methods.
var _ interface {
	error
	Timeout() bool
	Unwrap() error
} = (*OpError)(nil)

// Error returns one line: the protocol if known, the call, the reason, and the hint.
func (e *OpError) Error() string {
	text := "netlink"
	if e.Protocol != unknownProtocol {
		text += " " + e.Protocol.String()
	}
	text += ": " + e.Op
	if e.Option != "" {
		text += " " + e.Option
	}
	text += ": " + e.Err.Error()
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	return text
}

// Unwrap returns Err, so that for example errors.Is(err, syscall.ENOBUFS) works.
func (e *OpError) Unwrap() error { return e.Err }

// Is makes errors.Is match the errno also as an errno.Errno.
func (e *OpError) Is(target error) bool { return errno.Is(e.Err, target) }

// Timeout reports whether a deadline passed. [os.IsTimeout] calls it.
func (e *OpError) Timeout() bool { return errors.Is(e.Err, os.ErrDeadlineExceeded) }

// wrap returns err as an [*OpError], nil for nil. If the call sets an option, op includes
// its name: "setsockopt SO_RCVBUF". wrap is small enough to be inlined; opError allocates,
// and only on errors.
func (s *Socket) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return s.opError(op, err)
}

//go:noinline
func (s *Socket) opError(op string, err error) *OpError {
	if !s.sys.isZero() {
		return newOpError(op, s.protocol, err)
	}
	e := newOpError(op, unknownProtocol, err)
	if errors.Is(err, os.ErrClosed) {
		e.Hint = "the zero Socket is not open: make one with Open or FromFD"
	}
	return e
}

func newOpError(op string, protocol Protocol, err error) *OpError {
	e := &OpError{Op: op, Protocol: protocol, Err: err, Hint: hint(op, err)}
	for _, call := range []string{"setsockopt ", "getsockopt ", "ioctl ", "fcntl "} {
		if option, ok := strings.CutPrefix(op, call); ok {
			e.Op, e.Option = strings.TrimSpace(call), option
		}
	}
	return e
}

// wrapReceive returns the static errors unchanged.
func (s *Socket) wrapReceive(op string, err error) error {
	if err == nil || err == ErrEmpty || err == ErrTruncated || err == ErrSender {
		return err
	}
	return s.opError(op, err)
}
