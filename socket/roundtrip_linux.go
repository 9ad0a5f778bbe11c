package socket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// roundTrip holds r.mu all the time, so that no other receiver gets the answer. That
// also keeps the descriptor from being closed: two atomic operations instead of
// four, each of which waits for what the system call has left to be written.
// info is zero. There is one function between the caller and the system calls, for
// the reason that sendOnce has; RoundTrip is inlined.
func (s *Socket) roundTrip(req, b []byte, info *Info) (n int, err error) {
	sys, r := &s.sys, &s.sys.r
	r.mu.Lock()
	if err := sys.mayRoundTrip(); err != nil {
		r.mu.Unlock()
		return 0, newOpError(opSendto, s.protocol, err)
	}
	if !sys.raw || r.control.Load() || sys.poll.Load() != nil {
		err = sys.sendOnce(req, Addr{}, false)
		if err = sys.sendOn(err, req, Addr{}, false); err != nil {
			r.mu.Unlock()
			return 0, newOpError(opSendto, s.protocol, err)
		}
		n, *info, err = sys.receiveAny(b, true)
		r.mu.Unlock()
		return n, s.wrapReceive(opRecvmsg, err)
	}
	var size uintptr
	errno := unix.EINTR
	for errno == unix.EINTR {
		size, _, errno = syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(sys.fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(req))), uintptr(len(req)), unix.MSG_DONTWAIT, 0, 0)
	}
	if errno == 0 && int(size) != len(req) {
		errno = unix.EMSGSIZE // see sendOnce
	}
	if errno != 0 {
		if err := sys.sendOn(errno, req, Addr{}, false); err != nil {
			r.mu.Unlock()
			return 0, newOpError(opSendto, s.protocol, err)
		}
	}
	errno = unix.EINTR
	for errno == unix.EINTR {
		r.hdr.Namelen = unix.SizeofSockaddrNetlink
		size, _, errno = syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(sys.fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), receiveFlags,
			uintptr(unsafe.Pointer(&r.slot.from)), uintptr(unsafe.Pointer(&r.hdr.Namelen)))
	}
	switch errno {
	case 0:
		n, err = r.slot.sender(info, r.hdr.Namelen, int(size), len(b))
	case unix.EAGAIN:
		n, *info, err = sys.receiveAny(b, true)
	default:
		err = errno
	}
	r.mu.Unlock()
	if err != nil {
		err = s.wrapReceive(opRecvmsg, err)
	}
	return n, err
}

func (s *sysSocket) mayRoundTrip() error {
	if err := s.mayWrite(); err != nil {
		return err
	}
	return s.mayRead(true)
}
