package conn

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// wait limits how long an exchange waits, for a member of the pool and for datagrams. It
// also collects the messages for the hook that arrive meanwhile.
type wait struct {
	ctx      context.Context
	deadline time.Time // zero: none

	strays []stray // received, but not passed to the hook yet
}

// stray is a message for the hook of WithUnmatched.
type stray struct {
	m    nlmsg.Msg
	info socket.Info
}

// past is a time in the past. As a read deadline it interrupts a receive.
var past = time.Unix(1, 0)

// expired returns the reason why waiting must end, nil if it may continue. It checks the
// clock too: the timer of a context may be late while goroutines keep all processors busy.
func (x *wait) expired() error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	if at, ok := x.ctx.Deadline(); ok && !time.Now().Before(at) {
		return context.DeadlineExceeded
	}
	if !x.deadline.IsZero() && !time.Now().Before(x.deadline) {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// await receives a value from c, or the zero value if c is closed.
func await[T any](x *wait, c <-chan T) (v T, err error) {
	var late <-chan time.Time
	if !x.deadline.IsZero() {
		timer := time.NewTimer(time.Until(x.deadline))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case v = <-c:
		return v, nil
	case <-x.ctx.Done():
		return v, x.ctx.Err()
	case <-late:
		return v, os.ErrDeadlineExceeded
	}
}

// limit makes a Receive of t fail when waiting must end. The caller passes the error of the
// Receive to the returned function undo, which removes the limit and reports whether waiting
// must end.
func (x *wait) limit(t Transport) (undo func(err error) bool) {
	before := readDeadline(t)
	own := !x.deadline.IsZero() && (before.IsZero() || x.deadline.Before(before))
	if own {
		_ = t.SetReadDeadline(x.deadline) // fails if closed; then nothing waits
	}
	stop, set := func() bool { return true }, make(chan struct{})
	if x.ctx.Done() != nil {
		stop = context.AfterFunc(x.ctx, func() {
			_ = t.SetReadDeadline(past)
			close(set)
		})
	}
	return func(err error) bool {
		ended := !stop()
		if ended {
			<-set
		}
		if ended || own {
			_ = t.SetReadDeadline(before)
		}
		return (ended || own) && errors.Is(err, os.ErrDeadlineExceeded)
	}
}
