package socket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of linux/socket.h. The compiler pads it as C does.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// maxBatch is UIO_MAXIOV, the kernel's maximum for one call.
const maxBatch = 1024

// grow makes room for n datagrams. It reallocates both slices, because the headers point
// into the slots.
func (r *receiver) grow(n int) {
	if n <= len(r.hdrs) {
		return
	}
	r.hdrs, r.slots = make([]mmsghdr, n), make([]slot, n)
	for i := range r.hdrs {
		r.slots[i].link(&r.hdrs[i].hdr)
	}
}

// recvmmsg receives as many datagrams as are queued. It passes no timeout: the kernel
// checks the timeout only after a datagram, and the poller does the waiting.
func (r *receiver) recvmmsg(fd uintptr) bool {
	for {
		n, _, errno := syscall.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.hdrs[0])),
			uintptr(r.batch), receiveFlags, 0, 0)
		if errno != unix.EINTR {
			r.n, r.errno = int(n), errno
			return errno != unix.EAGAIN
		}
	}
}

func (s *sysSocket) receiveBatch(batch []Datagram) (int, error) {
	if len(batch) == 0 {
		return 0, s.mayRead(false)
	}
	r := &s.r
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offer(batch[:min(len(batch), maxBatch)])
	err := s.read(r.recvAll)
	defer r.release()
	if err != nil {
		return 0, err
	}
	if r.errno != 0 {
		return 0, r.errno
	}
	for i := range r.n {
		d, h := &batch[i], &r.hdrs[i]
		d.N, d.Info, d.Err = r.slots[i].result(&h.hdr, int(h.n))
	}
	return r.n, nil
}

func (r *receiver) offer(batch []Datagram) {
	r.batch = len(batch)
	r.grow(r.batch)
	for i := range batch {
		r.slots[i].offer(batch[i].Buf)
		arm(&r.hdrs[i].hdr)
	}
}

func (r *receiver) release() {
	for i := range r.slots[:r.batch] {
		r.slots[i].release()
	}
}
