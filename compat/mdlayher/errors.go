package netlink

import (
	"errors"
	"fmt"
	"net"
	"os"
)

// What can be wrong with messages and attributes. The texts are the original's.
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

// IsNotExist is [os.IsNotExist] for errors that may be an [OpError].
//
// Deprecated: errors.Is(err, os.ErrNotExist) does it for every error.
func IsNotExist(err error) bool {
	if e, ok := err.(*OpError); ok {
		err = e.Err
	}
	return os.IsNotExist(err)
}

// An OpError says which operation of a Conn failed, and why.
type OpError struct {
	Op string // such as "send", "receive", "join-group"

	// Err is the reason: an *os.SyscallError if a system call failed, the bare errno if the
	// kernel reported it in a message. errors.Is finds both.
	Err error

	// Message and Offset are what an extended ACK adds: a text, and the place of the bad
	// attribute in the request. They need the option ExtendedAcknowledge.
	Message string
	Offset  int

	// Sequence is the sequence number of the message with the error, 0 if there was none.
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

// Error returns one line: the operation, the reason, and what an extended ACK added.
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

// Timeout reports whether a deadline has passed.
func (e *OpError) Timeout() bool {
	t, ok := e.cause().(interface{ Timeout() bool })
	return ok && t.Timeout()
}

// Temporary reports whether the operation may succeed if it is repeated.
func (e *OpError) Temporary() bool {
	t, ok := e.cause().(interface{ Temporary() bool })
	return ok && t.Temporary()
}

// cause is Err, or what it has inside if it is of a system call.
func (e *OpError) cause() error {
	var call *os.SyscallError
	if errors.As(e.Err, &call) {
		return call.Err
	}
	return e.Err
}

// panicf is fmt.Printf for a panic.
func panicf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }
