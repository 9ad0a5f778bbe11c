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

// TryRoundTrip is [Socket.Send] and [Socket.TryReceive] in one, which saves 3 to 4 % of a
// short request (BenchmarkTryRoundTrip). sent reports whether req was sent: err is that of
// the send if it was not, and otherwise that of the receive.
//
// Datagrams that were queued before are received first: compare the sequence number.
//
// It is one function, for the reason that sendOnce has. The send may sleep, so both system
// calls are visible to the scheduler.
func (s *Socket) TryRoundTrip(req, b []byte) (n int, info Info, sent bool, err error) {
	sys, r := &s.sys, &s.sys.r
	r.mu.Lock()
	if r.control.Load() || sys.limited() {
		return s.tryRoundTripAny(req, b)
	}
	var size uintptr
	errno := unix.EINTR
	for errno == unix.EINTR {
		size, _, errno = syscall.Syscall6(unix.SYS_SENDTO, uintptr(sys.fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(req))), uintptr(len(req)), unix.MSG_DONTWAIT, 0, 0)
	}
	if errno != 0 || int(size) != len(req) {
		r.mu.Unlock()
		return 0, info, false, newOpError(opSendto, s.protocol, sentError(errno))
	}
	errno = unix.EINTR
	for errno == unix.EINTR {
		r.hdr.Namelen = unix.SizeofSockaddrNetlink
		size, _, errno = syscall.Syscall6(unix.SYS_RECVFROM, uintptr(sys.fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), receiveFlags,
			uintptr(unsafe.Pointer(&r.slot.from)), uintptr(unsafe.Pointer(&r.hdr.Namelen)))
	}
	switch errno {
	case 0:
		n, err = r.slot.sender(&info, r.hdr.Namelen, int(size), len(b))
	case unix.EAGAIN:
		err = ErrEmpty
	default:
		err = newOpError(opRecvmsg, s.protocol, errno)
	}
	r.mu.Unlock()
	return n, info, true, err
}

// sentError is why a send took less than the datagram, which no kernel does.
func sentError(errno syscall.Errno) error {
	if errno == 0 {
		errno = unix.EMSGSIZE
	}
	return errno
}

// tryRoundTripAny is TryRoundTrip for every kind of socket. It unlocks r.mu.
func (s *Socket) tryRoundTripAny(req, b []byte) (n int, info Info, sent bool, err error) {
	s.sys.r.mu.Unlock()
	if err := s.Send(req); err != nil {
		return 0, info, false, err
	}
	n, info, err = s.TryReceive(b)
	return n, info, true, err
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
