package main

import "syscall"

// errnoText returns the text of an errno.
func errnoText(errno uint32) string { return syscall.Errno(errno).Error() }
