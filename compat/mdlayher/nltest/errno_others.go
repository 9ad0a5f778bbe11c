//go:build plan9 || windows

package nltest

func isErrno(error) bool { return false }
