//go:build !plan9

package nla

import "syscall"

// Unwrap returns the errno as a syscall.Errno, for errors.Is. Windows has its
// own numbers; there compare Errno.
func (e *PolicyError) Unwrap() error { return syscall.Errno(e.Errno) }
