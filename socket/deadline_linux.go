package socket

import (
	"os"
	"sync/atomic"
	"time"
)

// A deadline is stored twice: once for the direct calls, which compare it with the clock
// only if one is set, and once for the poller, which receives it together with the
// descriptor and ends waiting at that time.
type deadline struct {
	t     time.Time    // for the poller; guarded by sysSocket.mu
	nanos atomic.Int64 // for direct calls: nanoseconds after the base, 0 for none
}

// set stores t as a distance from base. The comparison then uses the monotonic clock if t
// has a reading of it.
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

// handOver applies the current deadlines to a file that is new in the poller.
func (s *sysSocket) handOver(file *os.File) error {
	if err := file.SetReadDeadline(s.r.until.t); err != nil {
		return err
	}
	return file.SetWriteDeadline(s.w.until.t)
}

// readDeadline returns the current deadline for receiving.
func (s *sysSocket) readDeadline() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.until.t
}
