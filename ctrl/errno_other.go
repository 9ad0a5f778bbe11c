//go:build !linux

package ctrl

import "syscall"

// The errnos of a Linux kernel, or of a bus that stands for one.
const (
	errnoNoData       = syscall.Errno(61)
	errnoNotSupported = syscall.Errno(95)
)
