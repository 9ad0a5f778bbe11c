package socket

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// TryRoundTrip is [Socket.Send] and [Socket.TryReceive] in one call, which is faster for
// short requests (BenchmarkRoundTrip). sent reports whether req was sent. If it was not,
// err is the error of the send, otherwise that of the receive.
//
// Datagrams that were queued before are received first: compare the sequence number.
//
// It is one function, so that few functions return after the system calls; see
// calls_linux.go.
func (s *Socket) TryRoundTrip(req, b []byte) (n int, info Info, sent bool, err error) {
	sys, r := &s.sys, &s.sys.r
	r.mu.Lock()
	if r.control.Load() || !sys.isOpen.Load() || sys.w.until.nanos.Load() != 0 {
		return s.tryRoundTripAny(req, b)
	}
	var size uintptr
	errno := unix.EINTR
	for errno == unix.EINTR {
		size, errno = sendto(sys.fd, req, nil, 0)
	}
	if errno != 0 || int(size) != len(req) {
		r.mu.Unlock()
		return 0, info, false, newOpError(opSendto, s.protocol, sendError(errno, int(size), len(req)))
	}
	errno = unix.EINTR
	for errno == unix.EINTR {
		r.hdr.Namelen = unix.SizeofSockaddrNetlink
		size, errno = recvfrom(uintptr(sys.fd), unsafe.SliceData(b), len(b), &r.slot.from, &r.hdr.Namelen)
	}
	switch errno {
	case 0:
		n, err = r.slot.sender(&info, r.hdr.Namelen, int(size), len(b))
		if sys.poll.Load() != nil {
			sys.ready()
		}
	case unix.EAGAIN:
		err = ErrEmpty
	default:
		err = newOpError(opRecvmsg, s.protocol, errno)
	}
	r.mu.Unlock()
	return n, info, true, err
}

// tryRoundTripAny is TryRoundTrip for all sockets. It unlocks r.mu.
func (s *Socket) tryRoundTripAny(req, b []byte) (n int, info Info, sent bool, err error) {
	s.sys.r.mu.Unlock()
	if err := s.Send(req); err != nil {
		return 0, info, false, err
	}
	n, info, err = s.TryReceive(b)
	return n, info, true, err
}
