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
// The descriptor enters the poller of the runtime when a receiver first has to
// wait, not before. A request is answered by the time it is sent, so most
// sockets never wait, and being polled has its price: the kernel then reports
// every datagram to epoll, which wakes a thread of the runtime that idles there,
// for nothing. A round trip takes 1.07 times the bare system calls outside the
// poller, 1.13 inside, and 1.4 to 1.9 inside while a thread idles in epoll
// (BenchmarkRoundTrip).
//
// The number of the descriptor must not be given away to another file under a
// running call. Whoever uses it holds one of the three mutexes, and close takes
// them all.
type sysSocket struct {
	r receiver // r.mu before mu
	w sender   // w.mu before mu

	mu     sync.Mutex // guards what follows; held for options
	fd     int
	closed atomic.Bool            // written under mu
	done   chan struct{}          // closed by close; wakes senders in pause
	poll   atomic.Pointer[poller] // written under mu; nil: not in the poller
	leak   runtime.Cleanup        // closes fd when the socket is forgotten
	base   time.Time              // deadlines count from here; set once
	raw    bool                   // WithRawSyscalls; set once
}

// A poller is the descriptor as a file: that is the way into the runtime's
// poller for what package net does not know. The file owns the descriptor.
type poller struct {
	file *os.File
	raw  syscall.RawConn
}

// adopt takes over a non-blocking descriptor.
func (s *sysSocket) adopt(fd int) {
	s.fd = fd
	s.done = make(chan struct{})
	s.base = time.Now()
	s.r.init()
	s.w.init()
	s.leak = runtime.AddCleanup(s, func(fd int) { _ = unix.Close(fd) }, fd)
}

// register puts the descriptor into the poller.
func (s *sysSocket) register() (*poller, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return nil, os.ErrClosed
	}
	if p := s.poll.Load(); p != nil {
		return p, nil
	}
	file := os.NewFile(uintptr(s.fd), "netlink")
	s.leak.Stop() // the file has its own
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err // not with a file that is open
	}
	p := &poller{file, raw}
	s.poll.Store(p)
	// An error here is that of epoll, which did not take the descriptor (out
	// of memory). Waiting will fail then, and say so.
	return p, s.handOver(file)
}

// read runs attempt until it returns true, under r.mu.
func (s *sysSocket) read(attempt func(fd uintptr) bool) error {
	if s.closed.Load() {
		return os.ErrClosed
	}
	p := s.poll.Load()
	if p == nil {
		if s.r.until.passed(s.base) {
			return os.ErrDeadlineExceeded
		}
		if attempt(uintptr(s.fd)) {
			return nil
		}
		var err error
		if p, err = s.register(); err != nil {
			return err
		}
	}
	return s.pollError(p.raw.Read(attempt))
}

// write runs attempt once, under w.mu. The poller has no part in it: there is
// nothing to wait for there, see pause.
func (s *sysSocket) write(attempt func(fd uintptr)) error {
	err := s.mayWrite()
	if err == nil {
		attempt(uintptr(s.fd))
	}
	return err
}

func (s *sysSocket) mayWrite() error {
	if s.closed.Load() {
		return os.ErrClosed
	}
	if s.w.until.passed(s.base) {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// pollError translates what the poller refuses. close wakes waiters by a
// deadline and sets closed before that, so closed decides.
func (s *sysSocket) pollError(err error) error {
	if err != nil && s.closed.Load() {
		return os.ErrClosed
	}
	return err
}

func (s *sysSocket) close() error {
	if err := s.shut(); err != nil {
		return err
	}
	s.r.mu.Lock() // calls under way end first; those behind them see closed
	defer s.r.mu.Unlock()
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if p := s.poll.Load(); p != nil {
		return p.file.Close()
	}
	s.leak.Stop()
	return unix.Close(s.fd)
}

// shut lets nobody in any more and wakes those who wait. From here on nobody
// can register or move the deadline again.
func (s *sysSocket) shut() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Swap(true) {
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
	if s.closed.Load() {
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
	return p.raw, nil
}
