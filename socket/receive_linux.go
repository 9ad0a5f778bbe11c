package socket

import (
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A receiver is the state of one direction. Arguments and results of a system
// call live here, under mu, because the functions that the poller calls are
// made once: a closure made for each call would be an allocation. The poller
// lets only one reader in at a time anyhow, so that mu costs no parallelism.
type receiver struct {
	mu      sync.Mutex
	recv    func(fd uintptr) bool // attempt as a method value
	recvAll func(fd uintptr) bool // recvmmsg as a method value
	isReady func(fd uintptr) bool // isReadable as a method value
	ready   int                   // receives in a row that did not wait, in the poller
	n       int
	errno   syscall.Errno
	until   deadline

	hdr   unix.Msghdr
	slot  slot
	polls [1]unix.PollFd

	// control says that datagrams may have control messages. Without them
	// recvfrom(2) tells all there is, for less: a round trip of 3.7 us in place
	// of 4.1 (BenchmarkRoundTrip).
	control atomic.Bool

	hdrs  []mmsghdr // batches; grown on demand, up to maxBatch
	slots []slot
	batch int // places in use
}

func (r *receiver) init() {
	r.recv, r.recvAll, r.isReady = r.attempt, r.recvmmsg, r.isReadable
	r.slot.link(&r.hdr)
}

// receiveFlags has the calls return real lengths (MSG_TRUNC). The descriptor is
// non-blocking by itself; MSG_DONTWAIT keeps it that way when someone who
// shares it clears the flag. Never MSG_PEEK: it doubles the calls.
const receiveFlags = unix.MSG_TRUNC | unix.MSG_DONTWAIT

// attempt tries once, and returns false when the poller shall wait.
//
// Syscall, not RawSyscall: a receive that makes room lets netlink_dump go on
// inside, which can sleep on a lock of the kernel (rtnl, genl). A RawSyscall
// would hold a P of the scheduler for that time.
func (r *receiver) attempt(fd uintptr) bool {
	var n uintptr
	errno := unix.EINTR
	for errno == unix.EINTR {
		arm(&r.hdr)
		if r.control.Load() {
			n, _, errno = syscall.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.hdr)), receiveFlags)
			continue
		}
		r.hdr.SetControllen(0)
		n, _, errno = syscall.Syscall6(unix.SYS_RECVFROM, fd,
			uintptr(unsafe.Pointer(r.slot.iov.Base)), uintptr(r.slot.size), receiveFlags,
			uintptr(unsafe.Pointer(&r.slot.from)), uintptr(unsafe.Pointer(&r.hdr.Namelen)))
	}
	r.n, r.errno = int(n), errno
	return errno != unix.EAGAIN
}

// receive takes a datagram, and waits for one if it shall. The first attempt goes
// around the poller: r.mu keeps the descriptor from being closed, another receiver
// has it for as long as it waits.
//
// It is flat, with the system call of attempt in it, for the reason that sendOnce
// has.
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
			size, _, errno = syscall.Syscall(unix.SYS_RECVMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&r.hdr)), receiveFlags)
			continue
		}
		r.hdr.Namelen = unix.SizeofSockaddrNetlink
		size, _, errno = syscall.Syscall6(unix.SYS_RECVFROM, uintptr(s.fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), receiveFlags,
			uintptr(unsafe.Pointer(&r.slot.from)), uintptr(unsafe.Pointer(&r.hdr.Namelen)))
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

// wait waits until there is something to receive, a datagram or an error.
func (s *sysSocket) wait() error {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	return s.read(s.r.isReady)
}

// isReadable asks without taking anything: receiving with MSG_PEEK would take an error.
func (r *receiver) isReadable(fd uintptr) bool {
	for {
		r.polls[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		n, err := unix.Poll(r.polls[:], 0)
		if err != unix.EINTR {
			return n != 0 || err != nil // the receive has the error
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

// receiveAny goes on where the first attempt found nothing. r.mu is held.
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
