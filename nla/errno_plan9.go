package nla

// Unwrap returns nil: Plan 9 has no errnos. Compare Errno.
func (e *PolicyError) Unwrap() error { return nil }
