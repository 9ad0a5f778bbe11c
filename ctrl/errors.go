package ctrl

import (
	"errors"
	"fmt"
	"os"

	"github.com/nlwire/nlwire/errno"
)

// errZero is the error of the zero Resolver.
var errZero = fmt.Errorf("ctrl: the zero Resolver is not open: make one with NewResolver: %w", os.ErrClosed)

var (
	// ErrUnknown: the family is not registered. The error also matches ENOENT.
	ErrUnknown = errors.New("not registered; its module may not be loaded")

	// ErrNotFamily: the message is not a family message of the controller.
	ErrNotFamily = errors.New("ctrl: not a family message of the controller")
	// ErrNotPolicy: the message is not a policy message of the controller.
	ErrNotPolicy = errors.New("not a policy message of the controller")
	// ErrHeaderSize: a family reports an implausibly large header.
	ErrHeaderSize = errors.New("ctrl: implausible family header size")

	// ErrNotExported: the kernel cannot export policies (Linux before 5.7). It does not
	// refer to a request or a family: the operations may have policies that the kernel
	// applies. A family without policies is not an error (see [Client.Policies]).
	ErrNotExported = errors.New("this kernel does not export policies (Linux 5.7 and later do)")

	// The names that Client.Family refuses without sending a request.
	ErrNameEmpty = errors.New("ctrl: a family name has at least one byte")
	ErrNameLong  = errors.New("ctrl: a family name has at most 15 bytes")
	ErrNameNUL   = errors.New("ctrl: a family name has no NUL byte")
)

// lookupError returns the error of a failed lookup of a family.
func lookupError(family string, err error) error {
	if errno.Is(err, errno.ENOENT) {
		return fmt.Errorf("ctrl: family %s: %w (%w)", family, ErrUnknown, err)
	}
	return fmt.Errorf("ctrl: family %s: %w", family, err)
}
