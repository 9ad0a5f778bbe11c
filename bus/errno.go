package bus

import (
	"errors"
	"strconv"
	"syscall"

	"github.com/nlwire/nlwire/nla"
)

// Errno is an error number as Linux has them, on any system: what a handler
// returns and what an Error message carries. On Linux errors.Is finds it as a
// syscall.Errno, as in errors.Is(err, unix.ENOENT).
type Errno uint32

// The errnos that the bus itself gives.
const (
	EPERM        Errno = 1
	ENOENT       Errno = 2
	ESRCH        Errno = 3
	EINTR        Errno = 4
	EIO          Errno = 5
	EAGAIN       Errno = 11
	EBUSY        Errno = 16
	EEXIST       Errno = 17
	ENODEV       Errno = 19
	EINVAL       Errno = 22
	ENOSPC       Errno = 28
	ERANGE       Errno = 34
	ENODATA      Errno = 61
	EMSGSIZE     Errno = 90
	EOPNOTSUPP   Errno = 95
	EADDRINUSE   Errno = 98
	ENOBUFS      Errno = 105
	ECONNREFUSED Errno = 111
)

var errnoNames = map[Errno]string{
	EPERM: "EPERM", ENOENT: "ENOENT", ESRCH: "ESRCH", EINTR: "EINTR", EIO: "EIO", EAGAIN: "EAGAIN", EBUSY: "EBUSY", EEXIST: "EEXIST",
	ENODEV: "ENODEV", EINVAL: "EINVAL", ENOSPC: "ENOSPC", ERANGE: "ERANGE", ENODATA: "ENODATA", EMSGSIZE: "EMSGSIZE",
	EOPNOTSUPP: "EOPNOTSUPP", EADDRINUSE: "EADDRINUSE", ENOBUFS: "ENOBUFS", ECONNREFUSED: "ECONNREFUSED",
}

// Error returns the name, or the number of one that this package has no name for.
func (e Errno) Error() string {
	if name, ok := errnoNames[e]; ok {
		return name
	}
	return "errno " + strconv.Itoa(int(e))
}

// Is reports whether target is the same number as a syscall.Errno.
func (e Errno) Is(target error) bool {
	other, ok := target.(syscall.Errno)
	return ok && uint64(other) == uint64(e)
}

// numberOf returns the errno that err stands for, and whether it is one. More is
// none.
func numberOf(err error) (errno Errno, ok bool) {
	switch e := err.(type) {
	case Errno:
		return e, true
	case syscall.Errno:
		return Errno(e), true
	case *nla.PolicyError:
		return Errno(e.Errno), true
	}
	var own Errno
	var system syscall.Errno
	switch {
	case errors.As(err, &own):
		return own, true
	case errors.As(err, &system):
		return Errno(system), true
	}
	return EIO, false
}
