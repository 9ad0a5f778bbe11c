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
	mu      sync.Mutex
	send    func(fd uintptr) // sendto as a method value
	sendAll func(fd uintptr) // sendmmsg as a method value
	n       int
	errno   syscall.Errno
	until   deadline

	buf  []byte
	name unix.RawSockaddrNetlink
	to   *unix.RawSockaddrNetlink // &name, or nil for no address
	size uintptr                  // of *to

	hdrs  []mmsghdr // batches; grown on demand, up to maxBatch
	iovs  []unix.Iovec
	batch int // places in use
}

func (w *sender) init() {
	w.send, w.sendAll = w.sendto, w.sendmmsg
	w.name.Family = unix.AF_NETLINK
}

// aim sets the address of the next call.
func (w *sender) aim(to Addr, addressed bool) {
	w.to, w.size = nil, 0
	if addressed {
		w.name.Pid, w.name.Groups = to.PortID, to.Groups
		w.to, w.size = &w.name, unix.SizeofSockaddrNetlink
	}
}

// sendto is a Syscall because the kernel runs the handler of a request inside,
// which may sleep; a RawSyscall would hold a P of the scheduler for that time.
func (w *sender) sendto(fd uintptr) {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_SENDTO, fd,
			uintptr(unsafe.Pointer(unsafe.SliceData(w.buf))), uintptr(len(w.buf)),
			unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(w.to)), w.size)
		if errno != unix.EINTR {
			w.n, w.errno = int(n), errno
			return
		}
	}
}

// sendOnce makes one attempt. A datagram goes as a whole or not at all
// (netlink_sendmsg has no other return), so a short count would be a broken
// kernel; it is not passed over in silence.
func (s *sysSocket) sendOnce(b []byte, to Addr, addressed bool) error {
	w := &s.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = b
	w.aim(to, addressed)
	err := s.write(w.send)
	w.buf = nil
	switch {
	case err != nil:
		return err
	case w.errno != 0:
		return w.errno
	case w.n != len(b):
		return unix.EMSGSIZE
	}
	return nil
}

// send tries until the peer has room. netlink_sendmsg does the multicast half
// before the unicast half: once that was full, the groups have got theirs, and
// only the unicast half is tried again.
func (s *sysSocket) send(b []byte, to Addr, addressed bool) error {
	multicast := to.Groups != 0 && to.PortID == 0
	for wait := minPause; ; wait = min(2*wait, maxPause) {
		err := s.sendOnce(b, to, addressed)
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
