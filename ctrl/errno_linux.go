package ctrl

import "syscall"

// Errnos whose numbers differ between processors.
const (
	errnoNoData       = syscall.ENODATA
	errnoNotSupported = syscall.EOPNOTSUPP
)
