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

// sysSocket is the Linux part of a Socket. Its errors are bare (a syscall.Errno,
// os.ErrClosed, os.ErrDeadlineExceeded), except those of open, which has many steps and
// returns OpErrors.
//
// A receiver that has to wait adds a duplicate of the descriptor to the poller of the
// runtime. The answer to a request is queued when the send returns, so most sockets never
// wait. A polled socket is slower: the kernel reports every datagram to epoll, which wakes
// an idle thread of the runtime unnecessarily. The duplicate is therefore closed after a
// number of receives that did not have to wait (BenchmarkRoundTrip, polled).
//
// While a call runs, the number of the descriptor must not be reused for another file. Each
// user holds one of the three mutexes, and close takes all of them.
type sysSocket struct {
	r receiver // r.mu before mu
	w sender   // w.mu before mu

	mu     sync.Mutex // guards the fields below; held while options are set
	fd     int
	isOpen atomic.Bool            // written under mu; the zero sysSocket is closed
	done   chan struct{}          // closed by close; wakes senders in pause
	poll   atomic.Pointer[poller] // written under mu; nil: not in the poller
	leak   runtime.Cleanup        // closes fd when the socket becomes unreachable
	base   time.Time              // deadlines count from here; set once
	origin namespace              // namespace of the socket; set once
}

// A poller is a duplicate of the descriptor as an os.File, which adds it to the poller of
// the runtime. The file owns the duplicate.
type poller struct {
	file *os.File
	raw  syscall.RawConn
	kept bool // a user of SyscallConn needs it
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

// isZero reports whether the socket never had a descriptor. A zero sysSocket counts as
// closed, so that its fd, 0, is never used.
func (s *sysSocket) isZero() bool { return s.done == nil }

// register adds a duplicate of the descriptor to the poller.
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
		return nil, err // cannot happen with an open file
	}
	p := &poller{file: file, raw: raw}
	s.poll.Store(p)
	// An error here comes from epoll, which did not accept the descriptor (out of memory).
	// Waiting then fails with an error.
	return p, s.handOver(file)
}

// manyReady is the number of consecutive receives without waiting after which the duplicate
// is closed. It is large enough to amortize the cost of closing and duplicating again.
const manyReady = 16

// ready counts a receive that did not have to wait, for a socket in the poller. The caller
// holds r.mu, so that no receiver waits.
func (s *sysSocket) ready() {
	if s.r.ready++; s.r.ready < manyReady {
		return
	}
	s.r.ready = 0
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.poll.Load(); p != nil && !p.kept {
		s.poll.Store(nil)
		_ = p.file.Close() // the original descriptor stays open
	}
}

// read calls attempt until it returns true. r.mu is held.
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

// readSlowly waits by pausing, if no descriptor is left for the poller.
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

// pollError converts an error of the poller. close clears isOpen, then wakes waiters with a
// deadline, so isOpen determines the error.
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
	s.r.mu.Lock() // waits for calls in progress; later ones check isOpen
	defer s.r.mu.Unlock()
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if p := s.poll.Load(); p != nil {
		_ = p.file.Close() // the duplicate
	}
	s.leak.Stop()
	return unix.Close(s.fd)
}

// shut marks the socket as closed and wakes all waiting calls. Afterwards no call can
// register the descriptor or change a deadline.
func (s *sysSocket) shut() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isOpen.Swap(false) {
		return os.ErrClosed
	}
	close(s.done)
	if p := s.poll.Load(); p != nil {
		_ = p.file.SetDeadline(time.Unix(1, 0)) // an error means that nothing waits
	}
	return nil
}

// control calls f with the descriptor. It holds mu, so that the descriptor stays open.
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
	s.r.control.Store(true) // the caller may enable any option
	s.mu.Lock()
	p.kept = true
	s.mu.Unlock()
	return p.raw, nil
}
