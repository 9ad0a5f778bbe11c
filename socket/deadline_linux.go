package socket

import (
	"os"
	"sync/atomic"
	"time"
)

// A deadline is kept twice. The direct calls compare it with the clock, which
// costs them 40 ns when one is set and nothing otherwise. The poller gets it
// when the descriptor gets there, and ends waiting with it.
type deadline struct {
	t     time.Time    // for the poller; guarded by sysSocket.mu
	nanos atomic.Int64 // after the base, for direct calls; 0 is none
}

// set stores t as a distance from base, so that the clock in use is the
// monotonic one, if t has it.
func (d *deadline) set(t, base time.Time) {
	d.t = t
	var nanos int64
	if !t.IsZero() {
		nanos = int64(t.Sub(base))
		if nanos == 0 {
			nanos = 1
		}
	}
	d.nanos.Store(nanos)
}

func (d *deadline) passed(base time.Time) bool {
	nanos := d.nanos.Load()
	return nanos != 0 && int64(time.Since(base)) >= nanos
}

func (s *sysSocket) setDeadline(t time.Time) error {
	return s.applyDeadline(t, (*os.File).SetDeadline, &s.r.until, &s.w.until)
}

func (s *sysSocket) setReadDeadline(t time.Time) error {
	return s.applyDeadline(t, (*os.File).SetReadDeadline, &s.r.until)
}

func (s *sysSocket) setWriteDeadline(t time.Time) error {
	return s.applyDeadline(t, (*os.File).SetWriteDeadline, &s.w.until)
}

func (s *sysSocket) applyDeadline(t time.Time, set func(*os.File, time.Time) error, which ...*deadline) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isOpen.Load() {
		return os.ErrClosed
	}
	for _, d := range which {
		d.set(t, s.base)
	}
	if p := s.poll.Load(); p != nil {
		return set(p.file, t)
	}
	return nil
}

// handOver gives the deadlines set so far to a file that is new in the poller.
func (s *sysSocket) handOver(file *os.File) error {
	if err := file.SetReadDeadline(s.r.until.t); err != nil {
		return err
	}
	return file.SetWriteDeadline(s.w.until.t)
}

// readDeadline returns the deadline for receiving that was set last.
func (s *sysSocket) readDeadline() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.until.t
}
