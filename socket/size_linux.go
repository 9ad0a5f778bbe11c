package socket

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// nextSize waits for a datagram and returns its length.
func (s *sysSocket) nextSize() (int, error) {
	r := &s.r
	r.mu.Lock()
	defer r.mu.Unlock()
	err := s.read(r.peek)
	switch {
	case err != nil:
		return 0, err
	case r.errno != 0:
		return 0, r.errno
	}
	return r.n, nil
}

// peekSize is attempt for the length alone: no byte is copied, and the datagram stays.
func (r *receiver) peekSize(fd uintptr) bool {
	for {
		n, _, errno := syscall.Syscall6(unix.SYS_RECVFROM, fd, 0, 0, receiveFlags|unix.MSG_PEEK, 0, 0)
		if errno != unix.EINTR {
			r.n, r.errno = int(n), errno
			return errno != unix.EAGAIN
		}
	}
}
