package ctrl

import (
	"fmt"
	"syscall"

	"github.com/nlwire/nlwire/nlmsg"
)

// Error is the controller's refusal of a request. errors.Is finds its errno,
// as in errors.Is(err, unix.ENOENT).
type Error struct {
	Op    string        // what was asked for: `family "foo"`
	Errno syscall.Errno // as Linux numbers them
	Msg   string        // the kernel's own words, if it had any
}

// Error returns what was asked, the errno, the kernel's words and what may help.
func (e *Error) Error() string {
	s := "ctrl: " + e.Op + ": " + e.Errno.Error()
	if e.Msg != "" {
		s += ": " + e.Msg
	}
	if e.Errno == syscall.ENOENT {
		s += ": the kernel has no such family; is its module loaded?"
	}
	return s
}

// Unwrap returns the errno.
func (e *Error) Unwrap() error { return e.Errno }

// answerError turns the content of an Error or Done message into an error, nil
// for success.
func answerError(op string, a nlmsg.Answer, err error) error {
	if a.Errno != 0 {
		return &Error{op, syscall.Errno(a.Errno), string(a.Msg)}
	}
	if err != nil {
		return fmt.Errorf("ctrl: %s: %w", op, err)
	}
	return nil
}
