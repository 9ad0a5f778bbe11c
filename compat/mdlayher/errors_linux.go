package netlink

import (
	"errors"
	"os"

	"github.com/nlwire/nlwire/socket"
)

// A closedError is the error of calls that were waiting when their socket was closed. Its
// text is the original's, which has no type.
type closedError struct{}

func (closedError) Error() string        { return "use of closed file" }
func (closedError) Is(target error) bool { return target == os.ErrClosed }

// systemError returns an error of package socket as the original has it: an
// *os.SyscallError of call, or [os.ErrDeadlineExceeded]. Without a call it has the error's.
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
