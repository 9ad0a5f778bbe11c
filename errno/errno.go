// Package errno defines the kernel's error numbers on every system.
//
//	if errors.Is(err, errno.ENOENT) { ... } // with the error types of nlwire
//	e, ok := errno.Of(err)                  // with any error, including those of system calls
//
// An [Errno] has Linux's number, name and text on other systems, too, where nlwire decodes
// captures and runs a bus. On Linux the numbers are those of the architecture (MIPS has different
// ones), and errors.Is and errors.As treat an Errno like the syscall.Errno of the same number.
package errno

import (
	"errors"
	"io/fs"
	"strconv"
)

// Errno is an error number of Linux; 0 is success. A netlink message contains the negative number
// (struct nlmsgerr).
type Errno uint32

// Second names of numbers.
const (
	EWOULDBLOCK = EAGAIN
	ENOTSUP     = EOPNOTSUPP
)

// The kernel-internal errnos (include/linux/errno.h), which strerror(3) does not define. Some
// subsystems return them to user space, most often ENOTSUPP.
const (
	ERESTARTSYS           Errno = 512
	ERESTARTNOINTR        Errno = 513
	ERESTARTNOHAND        Errno = 514
	ENOIOCTLCMD           Errno = 515
	ERESTART_RESTARTBLOCK Errno = 516
	EPROBE_DEFER          Errno = 517
	EOPENSTALE            Errno = 518
	ENOPARAM              Errno = 519
	EBADHANDLE            Errno = 521
	ENOTSYNC              Errno = 522
	EBADCOOKIE            Errno = 523
	ENOTSUPP              Errno = 524
	ETOOSMALL             Errno = 525
	ESERVERFAULT          Errno = 526
	EBADTYPE              Errno = 527
	EJUKEBOX              Errno = 528
	EIOCBQUEUED           Errno = 529
	ERECALLCONFLICT       Errno = 530
	ENOGRACE              Errno = 531
)

// Error returns the text: "no such file or directory". An unknown number returns "errno 4000".
func (e Errno) Error() string {
	for i := range table {
		if table[i].errno == e {
			return table[i].text
		}
	}
	if e == 0 {
		return "success"
	}
	return "errno " + strconv.FormatUint(uint64(e), 10)
}

// Name returns the name: "ENOENT". It returns "" for 0 and for an unknown number.
func (e Errno) Name() string {
	for i := range table {
		if table[i].errno == e {
			return table[i].name
		}
	}
	return ""
}

// Is reports whether target represents the same error: on Linux the syscall.Errno of that number,
// and on every system fs.ErrPermission, fs.ErrExist, fs.ErrNotExist and errors.ErrUnsupported, as
// for a syscall.Errno.
func (e Errno) Is(target error) bool {
	switch target {
	case fs.ErrPermission:
		return e == EPERM || e == EACCES
	case fs.ErrExist:
		return e == EEXIST || e == ENOTEMPTY
	case fs.ErrNotExist:
		return e == ENOENT
	case errors.ErrUnsupported:
		return e == ENOSYS || e == EOPNOTSUPP || e == ENOTSUPP
	}
	return e.isSystem(target)
}

// Is reports whether target is an Errno and err contains the same number, as an Errno or on Linux
// as a syscall.Errno. It is for the Is method of errors that wrap errors of system calls.
func Is(err, target error) bool {
	want, ok := target.(Errno)
	if !ok {
		return false
	}
	got, ok := Of(err)
	return ok && got == want
}

// Of returns the errno in the tree of err, an Errno or on Linux a syscall.Errno, and reports
// whether there is one.
func Of(err error) (e Errno, ok bool) {
	if e, ok = err.(Errno); ok || err == nil {
		return e, ok
	}
	return find(err)
}

// find is Of for an error that may wrap one. It allocates.
func find(err error) (Errno, bool) {
	var e Errno
	if errors.As(err, &e) {
		return e, true
	}
	return ofSystem(err)
}
