package socket

import (
	"errors"
	"os"
	"strings"

	"github.com/nlwire/nlwire/errno"
)

// ErrTruncated says that a datagram was longer than the buffer offered. The
// buffer holds its beginning, [Info.Size] its length, and the rest is gone:
// netlink has no way to ask for it again. Compare with ==; it is never wrapped.
var ErrTruncated = errors.New("netlink: datagram truncated: the buffer was too small and the rest is lost")

// ErrSender says that a datagram came without the address of a netlink sender.
// Its PortID of 0 must not be read as the kernel's: do not trust the bytes.
// Compare with ==; it is never wrapped.
var ErrSender = errors.New("netlink: datagram without a netlink sender: not to be trusted")

// ErrEmpty says that [Socket.TryReceive] found no datagram. Compare with ==; it
// is never wrapped.
var ErrEmpty = errors.New("netlink: no datagram is queued")

// ErrFull says that [Socket.TrySendTo] found the receive buffer of the peer full.
// Compare with ==; it is never wrapped.
var ErrFull = errors.New("netlink: the receive buffer of the peer is full")

// ErrNetNS says that [Socket.Sibling] made no socket, because it could not verify that it
// would be in the network namespace of the first one.
var ErrNetNS = errors.New("netlink: the network namespace of the socket cannot be found")

// An OpError says which call failed, on a socket of which protocol, and why.
type OpError struct {
	Op       string   // the system call: "bind", "setsockopt"; "receive" for all that receive
	Option   string   // the option of a call that has one: "NETLINK_EXT_ACK"
	Protocol Protocol // of the socket; -1 if unknown
	Err      error    // a syscall.Errno, os.ErrClosed, os.ErrDeadlineExceeded or errors.ErrUnsupported
	Hint     string   // what it means here and what to do about it; may be empty
}

// os.IsTimeout, errors.Is and errors.As use these methods.
var _ interface {
	error
	Timeout() bool
	Unwrap() error
} = (*OpError)(nil)

// Error returns one line: protocol if known, call, reason, hint.
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

// Unwrap returns Err, so that errors.Is(err, syscall.ENOBUFS) and the like work.
func (e *OpError) Unwrap() error { return e.Err }

// Is makes errors.Is find the errno also as an errno.Errno.
func (e *OpError) Is(target error) bool { return errno.Is(e.Err, target) }

// Timeout reports whether a deadline passed, as [os.IsTimeout] asks for it.
func (e *OpError) Timeout() bool { return errors.Is(e.Err, os.ErrDeadlineExceeded) }

// wrap makes an [*OpError] of err, or nil of nil. A call that has an option is named with
// it: "setsockopt SO_RCVBUF". It stays small enough to be inlined; the allocation is in
// opError, off the path that matters.
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

// wrapReceive lets the static errors pass as they are.
func (s *Socket) wrapReceive(op string, err error) error {
	if err == nil || err == ErrEmpty || err == ErrTruncated || err == ErrSender {
		return err
	}
	return s.opError(op, err)
}
