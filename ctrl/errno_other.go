//go:build !linux

package ctrl

import "syscall"

// The errnos that a Linux kernel answers with, or a bus in its place.
const (
	errnoNoData       = syscall.Errno(61)
	errnoNotSupported = syscall.Errno(95)
)
