package socket

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sysSocket is the Linux half of a Socket. Its errors are bare (a
// syscall.Errno, os.ErrClosed, os.ErrDeadlineExceeded); only open, with its
// many steps, makes them into an OpError itself.
//
// A receiver that has to wait puts a duplicate of the descriptor into the poller of the
// runtime. A request is answered by the time it is sent, so most sockets never wait, and
// being polled has its price: the kernel then reports every datagram to epoll, which
// wakes a thread of the runtime that idles there, for nothing. After a number of receives
// that did not have to wait the duplicate is closed again (BenchmarkRoundTrip, polled).
//
// The number of the descriptor must not be given away to another file under a
// running call. Each user holds one of the three mutexes, and close takes
// them all.
type sysSocket struct {
	r receiver // r.mu before mu
	w sender   // w.mu before mu

	mu     sync.Mutex // guards what follows; held for options
	fd     int
	isOpen atomic.Bool            // written under mu; the zero sysSocket is closed
	done   chan struct{}          // closed by close; wakes senders in pause
	poll   atomic.Pointer[poller] // written under mu; nil: not in the poller
	leak   runtime.Cleanup        // closes fd when the socket is forgotten
	base   time.Time              // deadlines count from here; set once
	origin namespace              // in which it was made; set once
}

// A poller is a duplicate of the descriptor as a file: that is the way into the runtime's
// poller for what package net does not know. The file owns the duplicate.
type poller struct {
	file *os.File
	raw  syscall.RawConn
	kept bool // for a user of SyscallConn
}

// adopt takes over a non-blocking descriptor.
func (s *sysSocket) adopt(fd int) {
	s.fd = fd
	s.done = make(chan struct{})
	s.base = time.Now()
	s.r.init()
	s.w.init()
	s.leak = runtime.AddCleanup(s, func(fd int) { _ = unix.Close(fd) }, fd)
	s.isOpen.Store(true)
}

// isZero reports whether no descriptor was ever adopted. A zero sysSocket counts as
// closed, so that its fd, 0, is never used.
func (s *sysSocket) isZero() bool { return s.done == nil }

// register puts a duplicate of the descriptor into the poller.
func (s *sysSocket) register() (*poller, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isOpen.Load() {
		return nil, os.ErrClosed
	}
	if p := s.poll.Load(); p != nil {
		return p, nil
	}
	fd, err := unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "netlink")
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err // not with a file that is open
	}
	p := &poller{file: file, raw: raw}
	s.poll.Store(p)
	// An error here is that of epoll, which did not take the descriptor (out
	// of memory). Waiting will fail then, and say so.
	return p, s.handOver(file)
}

// manyReady is after how many receives that did not wait the duplicate is closed. That
// and making another take two to three microseconds.
const manyReady = 16

// ready counts a receive that did not have to wait, of a socket in the poller. It is
// called with r.mu, so that no receiver waits.
func (s *sysSocket) ready() {
	if s.r.ready++; s.r.ready < manyReady {
		return
	}
	s.r.ready = 0
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.poll.Load(); p != nil && !p.kept {
		s.poll.Store(nil)
		_ = p.file.Close() // the socket stays open
	}
}

// read runs attempt until it returns true, under r.mu.
func (s *sysSocket) read(attempt func(fd uintptr) bool) error {
	if err := s.mayRead(true); err != nil {
		return err
	}
	if attempt(uintptr(s.fd)) {
		if s.poll.Load() != nil {
			s.ready()
		}
		return nil
	}
	s.r.ready = 0
	p := s.poll.Load()
	if p == nil {
		var err error
		if p, err = s.register(); err == unix.EMFILE || err == unix.ENFILE {
			return s.readSlowly(attempt)
		}
		if err != nil {
			return err
		}
	}
	return s.pollError(p.raw.Read(attempt))
}

// readSlowly waits on the clock, where there is no descriptor left for the poller.
func (s *sysSocket) readSlowly(attempt func(fd uintptr) bool) error {
	for wait := minPause; ; wait = min(2*wait, maxPause) {
		if err := s.pause(wait); err != nil {
			return err
		}
		if err := s.mayRead(true); err != nil {
			return err
		}
		if attempt(uintptr(s.fd)) {
			return nil
		}
	}
}

func (s *sysSocket) mayWrite() error {
	if !s.isOpen.Load() {
		return os.ErrClosed
	}
	if s.w.until.passed(s.base) {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// pollError translates what the poller refuses. close wakes waiters by a
// deadline and clears isOpen before that, so isOpen decides.
func (s *sysSocket) pollError(err error) error {
	if err != nil && !s.isOpen.Load() {
		return os.ErrClosed
	}
	return err
}

func (s *sysSocket) close() error {
	if err := s.shut(); err != nil {
		return err
	}
	s.r.mu.Lock() // running calls end first; later ones see isOpen
	defer s.r.mu.Unlock()
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if p := s.poll.Load(); p != nil {
		_ = p.file.Close() // a duplicate
	}
	s.leak.Stop()
	return unix.Close(s.fd)
}

// shut lets nobody in any more and wakes those who wait. From here on nobody
// can register or move the deadline again.
func (s *sysSocket) shut() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isOpen.Swap(false) {
		return os.ErrClosed
	}
	close(s.done)
	if p := s.poll.Load(); p != nil {
		_ = p.file.SetDeadline(time.Unix(1, 0)) // fails only where nobody can wait
	}
	return nil
}

// control runs f on the descriptor.
func (s *sysSocket) control(f func(fd int) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isOpen.Load() {
		return os.ErrClosed
	}
	return f(s.fd)
}

func (s *sysSocket) rawConn() (syscall.RawConn, error) {
	p, err := s.register()
	if err != nil {
		return nil, err
	}
	s.r.control.Store(true) // whatever options are set by it
	s.mu.Lock()
	p.kept = true
	s.mu.Unlock()
	return p.raw, nil
}
