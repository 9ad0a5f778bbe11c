package socket

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A receiver has the state of the receiving direction. Arguments and results of a system
// call are fields, guarded by mu, because the functions for the poller are created only
// once: a closure per call would allocate. The poller admits only one reader at a time, so
// mu does not reduce parallelism.
type receiver struct {
	mu      sync.Mutex
	recv    func(fd uintptr) bool // attempt as a method value
	recvAll func(fd uintptr) bool // recvmmsg as a method value
	isReady func(fd uintptr) bool // isReadable as a method value
	peek    func(fd uintptr) bool // peekSize as a method value
	ready   int                   // consecutive receives that did not wait, while in the poller
	n       int
	errno   syscall.Errno
	until   deadline

	hdr   unix.Msghdr
	slot  slot
	polls [1]unix.PollFd

	// control is set if datagrams may have control messages. Otherwise recvfrom(2) returns
	// everything at a lower cost (BenchmarkRoundTrip).
	control atomic.Bool

	hdrs  []mmsghdr // batches; grown on demand, up to maxBatch
	slots []slot
	batch int // number of slots in use
}

func (r *receiver) init() {
	r.recv, r.recvAll, r.isReady, r.peek = r.attempt, r.recvmmsg, r.isReadable, r.peekSize
	r.slot.link(&r.hdr)
}

// attempt tries once. It returns false if the poller should wait.
func (r *receiver) attempt(fd uintptr) bool {
	var n uintptr
	errno := unix.EINTR
	for errno == unix.EINTR {
		arm(&r.hdr)
		if r.control.Load() {
			n, errno = recvmsg(fd, &r.hdr)
			continue
		}
		r.hdr.SetControllen(0)
		n, errno = recvfrom(fd, r.slot.iov.Base, r.slot.size, &r.slot.from, &r.hdr.Namelen)
	}
	r.n, r.errno = int(n), errno
	return errno != unix.EAGAIN
}

// receive takes a datagram, and waits for one if wait is set. The first attempt bypasses
// the poller. r.mu prevents the descriptor from being closed meanwhile; a waiting receiver
// holds it.
//
// The first attempt is not a call of attempt, so that few functions return after the system
// call; see calls_linux.go.
func (s *sysSocket) receive(b []byte, wait bool) (n int, info Info, err error) {
	r := &s.r
	if wait {
		r.mu.Lock()
	} else if !r.mu.TryLock() {
		return 0, Info{}, ErrEmpty
	}
	if err := s.mayRead(wait); err != nil {
		r.mu.Unlock()
		return 0, Info{}, err
	}
	hasControl := r.control.Load()
	if hasControl {
		r.slot.offer(b)
	}
	var size uintptr
	errno := unix.EINTR
	for errno == unix.EINTR {
		if hasControl {
			arm(&r.hdr)
			size, errno = recvmsg(uintptr(s.fd), &r.hdr)
			continue
		}
		r.hdr.Namelen = unix.SizeofSockaddrNetlink
		size, errno = recvfrom(uintptr(s.fd), unsafe.SliceData(b), len(b), &r.slot.from, &r.hdr.Namelen)
	}
	switch {
	case errno == 0 && hasControl:
		n, info, err = r.slot.result(&r.hdr, int(size))
	case errno == 0:
		n, err = r.slot.sender(&info, r.hdr.Namelen, int(size), len(b))
	case errno != unix.EAGAIN:
		err = errno
	case wait:
		n, info, err = s.receiveAny(b)
	default:
		err = ErrEmpty
	}
	if errno == 0 && s.poll.Load() != nil {
		s.ready()
	}
	if hasControl {
		r.slot.release()
	}
	r.mu.Unlock()
	return n, info, err
}

// wait waits until a datagram or an error can be received.
func (s *sysSocket) wait() error {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	return s.read(s.r.isReady)
}

// isReadable polls without taking anything: receiving with MSG_PEEK would take an error.
func (r *receiver) isReadable(fd uintptr) bool {
	for {
		r.polls[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		n, err := unix.Poll(r.polls[:], 0)
		if err != unix.EINTR {
			return n != 0 || err != nil // the receive will return the error
		}
	}
}

func (s *sysSocket) mayRead(wait bool) error {
	if !s.isOpen.Load() {
		return os.ErrClosed
	}
	if wait && s.r.until.passed(s.base) {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// receiveAny continues after a first attempt that found nothing. r.mu is held.
func (s *sysSocket) receiveAny(b []byte) (n int, info Info, err error) {
	r := &s.r
	r.slot.offer(b)
	err = s.read(r.recv)
	r.slot.release()
	switch {
	case err != nil:
		return 0, Info{}, err
	case r.errno != 0:
		return 0, Info{}, r.errno
	}
	return r.slot.result(&r.hdr, r.n)
}
