package socket

import (
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A sender is the state of the other direction; see receiver.
type sender struct {
	mu    sync.Mutex
	until deadline

	name unix.RawSockaddrNetlink
	hdr  unix.Msghdr // of sendVec
	vec  [maxVec]unix.Iovec
}

func (w *sender) init() { w.name.Family = unix.AF_NETLINK }

// aim returns the address of the next call, nil for none, and its size.
func (w *sender) aim(to Addr, addressed bool) (name *unix.RawSockaddrNetlink, size uintptr) {
	if addressed {
		w.name.Pid, w.name.Groups = to.PortID, to.Groups
		name, size = &w.name, unix.SizeofSockaddrNetlink
	}
	return name, size
}

// sendOnce makes one attempt. A datagram goes as a whole or not at all
// (netlink_sendmsg has no other return), so a short count would be a broken
// kernel; it is not passed over in silence.
//
// It is flat on purpose, with the system call in it; see calls_linux.go.
func (s *sysSocket) sendOnce(b []byte, to Addr, addressed bool) error {
	w := &s.w
	w.mu.Lock()
	if err := s.mayWrite(); err != nil {
		w.mu.Unlock()
		return err
	}
	name, size := w.aim(to, addressed)
	var n uintptr
	errno := unix.EINTR
	for errno == unix.EINTR {
		n, errno = sendto(s.fd, b, name, size)
	}
	w.mu.Unlock()
	return sendError(errno, int(n), len(b))
}

// sendError is the error of a send of size bytes that returned errno and n.
func sendError(errno syscall.Errno, n, size int) error {
	switch {
	case errno != 0:
		return errno
	case n != size:
		return unix.EMSGSIZE
	}
	return nil
}

// sendOn goes on after a first attempt that ended with err, until the peer has
// room. netlink_sendmsg does the multicast half before the unicast half: once that
// was full, the groups have got theirs, and only the unicast half is tried again.
func (s *sysSocket) sendOn(err error, b []byte, to Addr, addressed bool) error {
	multicast := to.Groups != 0 && to.PortID == 0
	for wait := minPause; ; wait = min(2*wait, maxPause) {
		switch {
		case err == nil:
			return nil
		case err == unix.ECONNREFUSED && multicast:
			return nil // only the kernel, port 0, did not take it
		case err != unix.EAGAIN:
			return err
		}
		to.Groups = 0
		if err := s.pause(wait); err != nil {
			return err
		}
		err = s.sendOnce(b, to, addressed)
	}
}

// How long a sender waits before it tries a full peer again.
const (
	minPause = 50 * time.Microsecond
	maxPause = 5 * time.Millisecond
)

// pause waits on the clock, because there is no event to wait for. A netlink
// socket always polls as writable (datagram_poll looks at its own buffer), and
// what ends the congestion of a peer, netlink_rcv_wake, wakes the peer's wait
// queue, which only a blocking send sleeps on. The runtime's poller, which is
// edge-triggered, would hang there until the deadline.
//
// mu is free meanwhile, so that one full peer does not hold up sending to
// others. The write deadline is checked by the next attempt.
func (s *sysSocket) pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.done:
		return os.ErrClosed
	}
}

// maxVec is how many slices sendVec sends without an allocation.
const maxVec = 8

// sendVec sends one datagram whose bytes are in several slices.
func (s *sysSocket) sendVec(bufs [][]byte) error {
	w := &s.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := s.mayWrite(); err != nil {
		return err
	}
	size, vec := 0, w.vec[:0]
	for _, b := range bufs {
		iov := unix.Iovec{Base: unsafe.SliceData(b)}
		iov.SetLen(len(b))
		vec = append(vec, iov)
		size += len(b)
	}
	w.hdr.Iov = unsafe.SliceData(vec)
	w.hdr.SetIovlen(len(vec))
	var n uintptr
	errno := unix.EINTR
	for errno == unix.EINTR {
		n, errno = sendmsg(s.fd, &w.hdr)
	}
	w.hdr.Iov = nil
	clear(w.vec[:])
	return sendError(errno, int(n), size)
}
