package netlink

import "golang.org/x/sys/unix"

// isTerminal reports whether a file descriptor is a terminal, for the colors of NLDEBUG.
func isTerminal(fd uintptr) bool {
	_, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
	return err == nil
}
