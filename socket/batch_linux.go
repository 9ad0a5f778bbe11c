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

// maxBatch is UIO_MAXIOV, the most that the kernel takes in one call.
const maxBatch = 1024

// grow makes room for n datagrams. The headers point into slots, so both are
// made anew together.
func (r *receiver) grow(n int) {
	if n <= len(r.hdrs) {
		return
	}
	r.hdrs, r.slots = make([]mmsghdr, n), make([]slot, n)
	for i := range r.hdrs {
		r.slots[i].link(&r.hdrs[i].hdr)
	}
}

// recvmmsg is recvmsg for as many datagrams as are queued. The timeout is not
// used: it is checked only after a datagram, and the poller does the waiting.
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

// grow makes room for n datagrams; the headers point into iovs.
func (w *sender) grow(n int) {
	if n <= len(w.hdrs) {
		return
	}
	w.hdrs, w.iovs = make([]mmsghdr, n), make([]unix.Iovec, n)
	for i := range w.hdrs {
		w.hdrs[i].hdr.Iov = &w.iovs[i]
		w.hdrs[i].hdr.SetIovlen(1)
	}
}

// sendmmsg is sendto for a batch.
func (w *sender) sendmmsg(fd uintptr) {
	for {
		n, _, errno := syscall.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&w.hdrs[0])),
			uintptr(w.batch), unix.MSG_DONTWAIT, 0, 0)
		if errno != unix.EINTR {
			w.n, w.errno = int(n), errno
			return
		}
	}
}

// load puts the datagrams and the address in.
func (w *sender) load(datagrams [][]byte, to Addr, addressed bool) {
	w.batch = len(datagrams)
	w.grow(w.batch)
	name, size := w.aim(to, addressed)
	for i, b := range datagrams {
		w.iovs[i].Base = unsafe.SliceData(b)
		w.iovs[i].SetLen(len(b))
		w.hdrs[i].hdr.Name = (*byte)(unsafe.Pointer(name))
		w.hdrs[i].hdr.Namelen = uint32(size)
	}
}

func (w *sender) unload() { clear(w.iovs[:w.batch]) }

// batchOnce makes one attempt. The kernel stops at the first error; it tells
// the error only when that is the first datagram, and the count otherwise.
func (s *sysSocket) batchOnce(datagrams [][]byte, to Addr, addressed bool) (int, error) {
	w := &s.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.load(datagrams[:min(len(datagrams), maxBatch)], to, addressed)
	defer w.unload()
	if err := s.write(w.sendAll); err != nil {
		return 0, err
	}
	if w.errno != 0 {
		return 0, w.errno
	}
	return w.n, nil
}

// sendBatch goes on behind a partial success: the next attempt begins with the
// datagram that failed and so gets its error.
func (s *sysSocket) sendBatch(datagrams [][]byte, to Addr, addressed bool) (sent int, err error) {
	if to.Groups != 0 {
		return s.sendEach(datagrams, to)
	}
	wait := minPause
	for sent < len(datagrams) {
		n, err := s.batchOnce(datagrams[sent:], to, addressed)
		sent += n
		if err == unix.EAGAIN {
			err = s.pause(wait)
			wait = min(2*wait, maxPause)
		} else {
			wait = minPause
		}
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// sendEach is for groups. A datagram whose unicast half fails has been given to
// the groups already; tried again as part of a batch, it would reach them twice.
func (s *sysSocket) sendEach(datagrams [][]byte, to Addr) (sent int, err error) {
	for _, b := range datagrams {
		err := s.sendOnce(b, to, true)
		if err = s.sendOn(err, b, to, true); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, nil
}
