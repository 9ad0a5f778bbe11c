package ctrl

import "syscall"

// The errnos of the kernel that have other numbers on some processors.
const (
	errnoNoData       = syscall.ENODATA
	errnoNotSupported = syscall.EOPNOTSUPP
)
