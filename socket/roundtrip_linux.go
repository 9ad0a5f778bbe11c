package socket

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// roundTrip holds r.mu all the time, so that no other receiver gets the answer. That
// also keeps the descriptor from being closed: two atomic operations instead of
// four, each of which waits for what the system call has left to be written.
// An error of the first half is a sendError. info is zero.
func (s *sysSocket) roundTrip(req, b []byte, info *Info) (n int, err error) {
	r := &s.r
	r.mu.Lock()
	if err := s.mayRoundTrip(); err != nil {
		r.mu.Unlock()
		return 0, sendError{err}
	}
	if !s.raw || r.control.Load() || s.poll.Load() != nil {
		err = s.sendOnce(req, Addr{}, false)
		if err = s.sendOn(err, req, Addr{}, false); err != nil {
			err = sendError{err}
		} else {
			n, *info, err = s.receiveAny(b, true)
		}
		r.mu.Unlock()
		return n, err
	}
	var size uintptr
	errno := unix.EINTR
	for errno == unix.EINTR {
		size, _, errno = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(req))), uintptr(len(req)), unix.MSG_DONTWAIT, 0, 0)
	}
	if errno == 0 && int(size) != len(req) {
		errno = unix.EMSGSIZE // see sendOnce
	}
	if errno != 0 {
		if err := s.sendOn(errno, req, Addr{}, false); err != nil {
			r.mu.Unlock()
			return 0, sendError{err}
		}
	}
	errno = unix.EINTR
	for errno == unix.EINTR {
		r.hdr.Namelen = unix.SizeofSockaddrNetlink
		size, _, errno = unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), receiveFlags,
			uintptr(unsafe.Pointer(&r.slot.from)), uintptr(unsafe.Pointer(&r.hdr.Namelen)))
	}
	switch errno {
	case 0:
		n, err = r.slot.sender(info, r.hdr.Namelen, int(size), len(b))
	case unix.EAGAIN:
		n, *info, err = s.receiveAny(b, true)
	default:
		err = errno
	}
	r.mu.Unlock()
	return n, err
}

func (s *sysSocket) mayRoundTrip() error {
	if err := s.mayWrite(); err != nil {
		return err
	}
	return s.mayRead(true)
}
