package bus

import (
	"fmt"
	"os"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/socket"
)

// Receive waits for a datagram, copies it into b as far as it fits, and returns the number
// of bytes copied. socket.Info.Size is the length of the datagram. If it is longer than b,
// the error is [socket.ErrTruncated] and the rest is discarded. After datagrams were
// dropped, Receive first returns ENOBUFS, then the queued datagrams. os.ErrDeadlineExceeded
// and os.ErrClosed are returned even if datagrams are queued. EINTR occurs only as an
// injected fault. Receive also continues the dump on the port.
func (p *Port) Receive(b []byte) (n int, info socket.Info, err error) {
	for {
		n, info, err = p.receive(b, true)
		if err != socket.ErrEmpty {
			return n, info, err
		}
		select {
		case <-p.wake:
		case <-p.done:
		}
	}
}

// TryReceive is [Port.Receive] without waiting; it ignores the deadline. The error is
// [socket.ErrEmpty] if no datagram is queued.
func (p *Port) TryReceive(b []byte) (n int, info socket.Info, err error) { return p.receive(b, false) }

// receive is TryReceive. If waits is set, the deadline applies.
func (p *Port) receive(b []byte, waits bool) (n int, info socket.Info, err error) {
	p.mu.Lock()
	switch {
	case p.bus == nil, p.closed:
		err = p.isOpenLocked()
	case waits && p.expired:
		p.signal() // for the next waiter
		err = errDeadline
	case p.err != nil:
		err, p.err = p.err, nil
	case p.queue.count == 0 && p.stalled: // a fault dropped the last datagram of the dump
		p.stalled = false
		p.mu.Unlock()
		p.goOn()
		return p.receive(b, waits)
	case p.queue.count == 0:
		err = socket.ErrEmpty
	}
	if err != nil {
		p.receivedOne() // also after an error, with which the queue may be empty or not
		p.mu.Unlock()
		return 0, socket.Info{}, err
	}
	d := p.queue.pop()
	p.rmem -= d.size
	p.maxReceive = max(p.maxReceive, min(len(b), maxDumpSize))
	goesOn := p.dumping && p.rmem <= p.rcvbuf/2
	if !goesOn {
		p.receivedOne()
	}
	p.mu.Unlock()
	n, info = copy(b, d.b), d.info
	p.bus.datagrams.Put(d)
	if goesOn {
		p.goOn()
	}
	if n < info.Size {
		err = socket.ErrTruncated
	}
	return n, info, err
}

// receivedOne ends the congestion if the queue is empty (netlink_rcv_wake). Otherwise it
// wakes the next receiver. The caller holds p.mu.
func (p *Port) receivedOne() {
	if p.queue.count == 0 {
		p.congested = false
	} else {
		p.signal()
	}
}

// goOn continues the dump on the port if the receive buffer has room (netlink_recvmsg). An
// error becomes the result of the next receive.
func (p *Port) goOn() {
	err := p.bus.continueDump(p)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		if p.err = err; err == error(errno.ENOBUFS) {
			p.err = errNoBuffers // the same errno on every system
		}
		p.signal()
	}
	p.receivedOne()
}

// Wait waits until a datagram or an error is pending, and leaves it for Receive or
// TryReceive. A concurrent receiver may take it first. Wait itself returns
// os.ErrDeadlineExceeded, even if datagrams are queued, and os.ErrClosed.
func (p *Port) Wait() error {
	for {
		ready, err := p.ready()
		if ready || err != nil {
			return err
		}
		select {
		case <-p.wake:
		case <-p.done:
		}
	}
}

// ready reports whether a datagram or an error is pending. Before that, it continues a dump
// that is stalled because a fault dropped its datagram.
func (p *Port) ready() (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed && !p.expired && p.err == nil && p.queue.count == 0 && p.stalled {
		p.stalled = false
		p.mu.Unlock()
		p.goOn()
		p.mu.Lock()
	}
	switch {
	case p.bus == nil, p.closed:
		return false, p.isOpenLocked()
	case p.expired:
		p.signal() // for the next waiter
		return false, errDeadline
	case p.err != nil, p.queue.count > 0:
		p.signal() // the waiter may have consumed a receiver's wake-up
		return true, nil
	}
	return false, nil
}

var (
	errDeadline  = fmt.Errorf("bus: receive: %w", os.ErrDeadlineExceeded)
	errNoBuffers = fmt.Errorf("bus: receive: %w", errno.ENOBUFS)
	errInterrupt = fmt.Errorf("bus: receive: %w", errno.EINTR)
)

// SetReadDeadline makes Receive and Wait fail from time t on, including calls that are
// already waiting. Datagrams stay queued. The zero time means no deadline.
func (p *Port) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.isOpenLocked(); err != nil {
		return err
	}
	p.stopTimer()
	p.deadline = t
	if t.IsZero() {
		return nil
	}
	wait := time.Until(t)
	if wait <= 0 {
		p.expired = true
		p.signal()
		return nil
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.timer == timer {
			p.expired = true
			p.signal()
		}
	})
	p.timer = timer
	return nil
}

// ReadDeadline returns the time set by the last SetReadDeadline, or zero.
func (p *Port) ReadDeadline() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deadline
}

// stopTimer stops the timer of the deadline. The caller holds p.mu.
func (p *Port) stopTimer() {
	if p.timer != nil {
		p.timer.Stop()
	}
	p.timer, p.expired = nil, false
}
