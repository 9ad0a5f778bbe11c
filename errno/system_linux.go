package errno

import (
	"errors"
	"math"
	"syscall"
)

// As sets a target of type *syscall.Errno to the same number; errors.As calls it.
func (e Errno) As(target any) bool {
	system, ok := target.(*syscall.Errno)
	if ok {
		*system = syscall.Errno(e)
	}
	return ok
}

func (e Errno) isSystem(target error) bool {
	system, ok := target.(syscall.Errno)
	return ok && uint64(system) == uint64(e)
}

func ofSystem(err error) (Errno, bool) {
	var system syscall.Errno
	if errors.As(err, &system) && uint64(system) <= math.MaxUint32 { // larger numbers are not errnos
		return Errno(system), true
	}
	return 0, false
}
