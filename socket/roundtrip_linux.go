package socket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// roundTrip holds r.mu all the time, so that no other receiver gets the answer. That
// also keeps the descriptor from being closed: two atomic operations instead of
// four, each of which waits for what the system call has left to be written.
// info is zero.
//
// It is short on purpose: the kernel leaves little of the caller's code in the cache.
// And there is one function between the caller and the system calls, for the reason
// that sendOnce has; RoundTrip is inlined.
func (s *Socket) roundTrip(req, b []byte, info *Info) (n int, err error) {
	sys, r := &s.sys, &s.sys.r
	r.mu.Lock()
	if !sys.direct() || sys.limited() && sys.mayRoundTrip() != nil {
		return s.roundTripAny(req, b, info)
	}
	var size uintptr
	errno := unix.EINTR
	for errno == unix.EINTR {
		size, _, errno = syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(sys.fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(req))), uintptr(len(req)), unix.MSG_DONTWAIT, 0, 0)
	}
	if err := sent(errno, int(size), len(req)); err != nil {
		return s.answer(err, req, b, info)
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
		r.mu.Unlock()
		return n, err
	case unix.EAGAIN:
		return s.answer(nil, req, b, info)
	}
	r.mu.Unlock()
	return 0, s.wrapReceive(opRecvmsg, errno)
}

// direct reports whether the system calls are raw, and need neither the poller nor
// room for control messages.
func (s *sysSocket) direct() bool {
	return s.raw && !s.r.control.Load() && s.poll.Load() == nil
}

// limited reports whether mayRoundTrip can have something against it.
func (s *sysSocket) limited() bool {
	return s.closed.Load() || s.r.until.nanos.Load()|s.w.until.nanos.Load() != 0
}

// roundTripAny is roundTrip for every kind of socket.
func (s *Socket) roundTripAny(req, b []byte, info *Info) (n int, err error) {
	err = s.sys.mayRoundTrip()
	if err == nil {
		err = s.sys.sendOnce(req, Addr{}, false)
	}
	return s.answer(err, req, b, info)
}

// answer goes on where the first attempt to send ended with err, and unlocks r.mu.
func (s *Socket) answer(err error, req, b []byte, info *Info) (n int, _ error) {
	defer s.sys.r.mu.Unlock()
	if err := s.sys.sendOn(err, req, Addr{}, false); err != nil {
		return 0, newOpError(opSendto, s.protocol, err)
	}
	n, *info, err = s.sys.receiveAny(b, true)
	return n, s.wrapReceive(opRecvmsg, err)
}

func (s *sysSocket) mayRoundTrip() error {
	if err := s.mayWrite(); err != nil {
		return err
	}
	return s.mayRead(true)
}
