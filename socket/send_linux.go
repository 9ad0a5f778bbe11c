package socket

import (
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A sender has the state of the sending direction; see receiver.
type sender struct {
	mu    sync.Mutex
	until deadline

	name unix.RawSockaddrNetlink
	hdr  unix.Msghdr // of sendVec
	vec  [maxVec]unix.Iovec
}

func (w *sender) init() { w.name.Family = unix.AF_NETLINK }

// aim returns the address for the next call, nil for none, and its size.
func (w *sender) aim(to Addr, addressed bool) (name *unix.RawSockaddrNetlink, size uintptr) {
	if addressed {
		w.name.Pid, w.name.Groups = to.PortID, to.Groups
		name, size = &w.name, unix.SizeofSockaddrNetlink
	}
	return name, size
}

// sendOnce makes one attempt. The kernel sends a datagram completely or not at all
// (netlink_sendmsg has no other result), so a short count means a faulty kernel. It is
// reported as an error.
//
// The system call is inlined here; see calls_linux.go.
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

// sendError returns the error of a send of size bytes that returned errno and n.
func sendError(errno syscall.Errno, n, size int) error {
	switch {
	case errno != 0:
		return errno
	case n != size:
		return unix.EMSGSIZE
	}
	return nil
}

// sendOn continues after a first attempt that returned err, until the peer has room.
// netlink_sendmsg sends the multicast part before the unicast part: if the peer was full,
// the groups have received the datagram, and only the unicast part is repeated.
func (s *sysSocket) sendOn(err error, b []byte, to Addr, addressed bool) error {
	multicast := to.Groups != 0 && to.PortID == 0
	for wait := minPause; ; wait = min(2*wait, maxPause) {
		switch {
		case err == nil:
			return nil
		case err == unix.ECONNREFUSED && multicast:
			return nil // only the kernel, port ID 0, did not receive it
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

// The limits of the pause between attempts to send to a full peer.
const (
	minPause = 50 * time.Microsecond
	maxPause = 5 * time.Millisecond
)

// pause waits for a time, because there is no event to wait for. A netlink socket always
// polls as writable (datagram_poll checks its own buffer). netlink_rcv_wake ends the
// congestion of a peer and wakes the peer's wait queue, but only a blocking send sleeps on
// that queue. The runtime's poller is edge-triggered and would wait until the deadline.
//
// mu is free meanwhile, so that a full peer does not delay sending to others. The next
// attempt checks the write deadline.
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

// maxVec is the number of slices that sendVec sends without an allocation.
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
