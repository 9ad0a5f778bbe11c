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
	n       int
	errno   syscall.Errno
	until   deadline

	hdr  unix.Msghdr
	slot slot

	// control says that datagrams may have control messages. Without them
	// recvfrom(2) tells all there is, for less: a round trip of 3.7 us in place
	// of 4.1 (BenchmarkRoundTrip).
	control atomic.Bool

	hdrs  []mmsghdr // batches; grown on demand, up to maxBatch
	slots []slot
	batch int // places in use
}

func (r *receiver) init() {
	r.recv, r.recvAll = r.attempt, r.recvmmsg
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
			n, _, errno = unix.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.hdr)), receiveFlags)
			continue
		}
		r.hdr.SetControllen(0)
		n, _, errno = unix.Syscall6(unix.SYS_RECVFROM, fd,
			uintptr(unsafe.Pointer(r.slot.iov.Base)), uintptr(r.slot.size), receiveFlags,
			uintptr(unsafe.Pointer(&r.slot.from)), uintptr(unsafe.Pointer(&r.hdr.Namelen)))
	}
	r.n, r.errno = int(n), errno
	return errno != unix.EAGAIN
}

// tryReceive makes one attempt, around the poller. r.mu keeps the descriptor
// from being closed; another receiver has it for as long as it waits.
func (s *sysSocket) tryReceive(b []byte) (n int, info Info, err error) {
	r := &s.r
	if !r.mu.TryLock() {
		return 0, Info{}, ErrEmpty
	}
	defer r.mu.Unlock()
	if s.closed.Load() {
		return 0, Info{}, os.ErrClosed
	}
	r.slot.offer(b)
	received := r.attempt(uintptr(s.fd))
	r.slot.release()
	switch {
	case !received:
		return 0, Info{}, ErrEmpty
	case r.errno != 0:
		return 0, Info{}, r.errno
	}
	return r.slot.result(&r.hdr, r.n)
}

func (s *sysSocket) receive(b []byte) (n int, info Info, err error) {
	r := &s.r
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slot.offer(b)
	err = s.read(r.recv)
	r.slot.release()
	if err != nil {
		return 0, Info{}, err
	}
	if r.errno != 0 {
		return 0, Info{}, r.errno
	}
	return r.slot.result(&r.hdr, r.n)
}
