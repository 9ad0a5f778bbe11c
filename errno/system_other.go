//go:build !linux

package errno

// Other systems have other numbers, or none.

func (e Errno) isSystem(error) bool { return false }

func ofSystem(error) (Errno, bool) { return 0, false }
