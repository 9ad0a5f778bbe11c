package ctrl

import (
	"errors"
	"fmt"
	"os"

	"github.com/nlwire/nlwire/errno"
)

// errZero is that of the zero Resolver.
var errZero = fmt.Errorf("ctrl: the zero Resolver is not open: make one with NewResolver: %w", os.ErrClosed)

var (
	// ErrUnknown is in the error for a family that is not registered, besides
	// ENOENT.
	ErrUnknown = errors.New("not registered; its module may not be loaded")

	// ErrNotFamily: the message is not a family message of the controller.
	ErrNotFamily = errors.New("ctrl: not a family message of the controller")
	// ErrNotPolicy: the message is not a policy message of the controller.
	ErrNotPolicy = errors.New("not a policy message of the controller")
	// ErrHeaderSize: a family reports a header that is larger than any family
	// needs.
	ErrHeaderSize = errors.New("ctrl: implausible family header size")

	// ErrNotExported: the kernel cannot export policies, as all before Linux 5.7.
	// It says nothing about a request or a family: the operations may have
	// policies and apply them. Compare a family without policies, which is no
	// error (see [Client.Policies]).
	ErrNotExported = errors.New("this kernel does not export policies (Linux 5.7 and later do)")

	// The names that Client.Family refuses before it sends anything.
	ErrNameEmpty = errors.New("ctrl: a family name has at least one byte")
	ErrNameLong  = errors.New("ctrl: a family name has at most 15 bytes")
	ErrNameNUL   = errors.New("ctrl: a family name has no NUL byte")
)

// lookupError is the error of a failed lookup of a family.
func lookupError(family string, err error) error {
	if errno.Is(err, errno.ENOENT) {
		return fmt.Errorf("ctrl: family %s: %w (%w)", family, ErrUnknown, err)
	}
	return fmt.Errorf("ctrl: family %s: %w", family, err)
}
