//go:build !linux

package errno

// Error numbers of other systems are different from Linux's, or do not exist.

func (e Errno) isSystem(error) bool { return false }

func ofSystem(error) (Errno, bool) { return 0, false }
