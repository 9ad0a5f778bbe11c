//go:build !plan9 && !windows

package nltest

import (
	"errors"
	"syscall"
)

func isErrno(err error) bool {
	var e syscall.Errno
	return errors.As(err, &e)
}
