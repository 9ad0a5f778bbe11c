package netlink

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// Errors of messages and attributes. The texts are those of the original.
var (
	errIncorrectMessageLength = errors.New("netlink message header length incorrect")
	errShortMessage           = errors.New("not enough data to create a netlink message")
	errUnalignedMessage       = errors.New("input data is not properly aligned for netlink message")
	errInvalidAttribute       = errors.New("invalid attribute; length too short or too large")
	errShortErrorMessage      = errors.New("not enough data for netlink error code")
	errMismatchedSequence     = errors.New("mismatched sequence in netlink reply")
	errMismatchedPID          = errors.New("mismatched PID in netlink reply")
	errMessageTruncated       = errors.New("message truncated")
	errNotSupported           = errors.New("operation not supported")
)

// IsNotExist is [os.IsNotExist] with support for [OpError].
//
// Deprecated: use errors.Is(err, os.ErrNotExist).
func IsNotExist(err error) bool {
	if e, ok := err.(*OpError); ok {
		err = e.Err
	}
	return os.IsNotExist(err)
}

// An OpError is the error of an operation of a Conn.
type OpError struct {
	Op string // such as "send", "receive", "join-group"

	// Err is the cause: an *os.SyscallError if a system call failed, or the errno itself if a
	// message of the kernel contained it. errors.Is matches both.
	Err error

	// Message and Offset are from the extended ACK: a text, and the offset of the rejected
	// attribute in the request in bytes. They require the option ExtendedAcknowledge.
	Message string
	Offset  int

	// Sequence is the sequence number of the message that contained the errno, or 0.
	Sequence uint32
}

var _ net.Error = (*OpError)(nil)

// newOpError returns nil for no error.
func newOpError(op string, err error) error {
	if err == nil {
		return nil
	}
	return &OpError{Op: op, Err: err}
}

func notSupported(op string) error { return newOpError(op, errNotSupported) }

// Error returns one line with the operation, the cause and the extended ACK.
func (e *OpError) Error() string {
	if e == nil {
		return "<nil>"
	}
	text := fmt.Sprintf("netlink %s: %v", e.Op, e.Err)
	if e.Message != "" || e.Offset != 0 {
		text += fmt.Sprintf(", offset: %d, message: %q", e.Offset, e.Message)
	}
	return text
}

// Unwrap returns Err.
func (e *OpError) Unwrap() error { return e.Err }

// Timeout reports whether the operation failed because of a deadline.
func (e *OpError) Timeout() bool {
	t, ok := e.cause().(interface{ Timeout() bool })
	return ok && t.Timeout()
}

// Temporary reports whether a repeated operation may succeed.
func (e *OpError) Temporary() bool {
	t, ok := e.cause().(interface{ Temporary() bool })
	return ok && t.Temporary()
}

// cause returns Err, or the errno in it if Err is an *os.SyscallError.
func (e *OpError) cause() error {
	var call *os.SyscallError
	if errors.As(e.Err, &call) {
		return call.Err
	}
	return e.Err
}

// panicf panics with a formatted message.
func panicf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }
