package netlink

import (
	"errors"
	"os"

	"github.com/nlwire/nlwire/socket"
)

// A closedError is the error of calls that wait while their socket is closed. The text is that of the
// original, where the error has no exported type.
type closedError struct{}

func (closedError) Error() string        { return "use of closed file" }
func (closedError) Is(target error) bool { return target == os.ErrClosed }

// systemError converts an error of package socket to the original's form: an *os.SyscallError for call
// or [os.ErrDeadlineExceeded]. If call is empty, it is taken from the error.
func systemError(call string, err error) error {
	var e *socket.OpError
	switch {
	case err == nil:
		return nil
	case err == socket.ErrTruncated:
		return errMessageTruncated
	case errors.Is(err, os.ErrClosed):
		return closedError{}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case !errors.As(err, &e):
		return err
	}
	if call == "" {
		call = e.Op
	}
	return os.NewSyscallError(call, e.Err)
}
