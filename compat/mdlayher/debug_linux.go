package netlink

import "golang.org/x/sys/unix"

// isTerminal reports whether a descriptor is that of a terminal, for the colours of NLDEBUG.
func isTerminal(fd uintptr) bool {
	_, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
	return err == nil
}
