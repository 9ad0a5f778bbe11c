package conn

import (
	"fmt"
	"time"
)

// A place is the position of a waiting exchange in the queue. These are its states:
//
//	queued ---- next, remove ----> woken ---- ready receives a member ----> has it
//	  ^                              |
//	  |                              +---- ready receives nil ----> looking: calls take again
//	  +---------- insert, if take returned nothing ---------------------+
//
// A ticket fixes the order: a place that returns to the queue keeps its ticket.
type place struct {
	ready      chan *member
	ticket     uint64
	since      time.Time
	lookups    int // calls of take that returned nothing
	queued     bool
	prev, next *place
}

// queue is a list of places, sorted by ticket.
type queue struct{ head, tail *place }

// insert adds w: a new place goes to the end, a place that was woken and found nothing near
// the front.
func (q *queue) insert(w *place) {
	w.queued = true
	at := q.tail
	for at != nil && at.ticket > w.ticket {
		at = at.prev
	}
	w.prev = at
	if at == nil {
		w.next, q.head = q.head, w
	} else {
		w.next, at.next = at.next, w
	}
	if w.next == nil {
		q.tail = w
	} else {
		w.next.prev = w
	}
}

func (q *queue) remove(w *place) {
	if w.prev == nil {
		q.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
}

// await returns a member. It opens a Transport, takes one over, or waits in the queue. The
// caller holds p.mu; await releases it while it dials, reads or waits.
func (p *pool) await(x *wait, k kind) (*member, error) {
	if p.closed.Load() {
		return nil, ErrClosed
	}
	var w *place
	for {
		if m := p.take(k); m != nil {
			return m, nil
		}
		if p.mayDial() {
			if p.mayRun(k) {
				if m := p.open(k); m != nil {
					return m, nil
				}
			}
		} else if m := p.interruptible(); m != nil && k != forListening {
			if m.parked != nil {
				return p.takeOver(x, m, k)
			}
			m.wanted = true
			_ = m.t.SetReadDeadline(past) // fails if closed; then nothing waits
		}
		if p.closed.Load() {
			return nil, ErrClosedWaiting
		}
		if w == nil {
			p.tickets++
			w = &place{ready: make(chan *member, 1), ticket: p.tickets, since: time.Now()}
		}
		if m, err := p.queueUp(x, w, k); m != nil || err != nil {
			return m, err
		}
		if p.closed.Load() {
			return nil, ErrClosedWaiting
		}
	}
}

// interruptible returns a member that can be taken from its user: a parked one, or one on
// which the loop of a subscription waits. It returns nil if there is none. p.mu is held.
func (p *pool) interruptible() *member {
	for m := range p.members {
		if m.parked != nil || m.listens {
			return m
		}
	}
	return nil
}

// queueUp waits for a member. If it returns neither a member nor an error, the caller calls
// take again. The caller holds p.mu; queueUp releases it while it waits.
func (p *pool) queueUp(x *wait, w *place, k kind) (*member, error) {
	w.lookups++
	p.waiting[k].insert(w)
	if p.dial != nil {
		p.grow.start(growAfter)
	}
	p.mu.Unlock()
	m, err := await(x, w.ready)
	p.mu.Lock()
	switch {
	case err == nil && m == nil:
		p.looking--
		return nil, nil
	case err == nil:
		return m, nil
	case w.queued:
		p.waiting[k].remove(w)
	default:
		if m = <-w.ready; m != nil {
			p.takeBack(m)
		} else {
			p.looking--
			p.wake(kinds) // passes the wake-up on to the next exchange
		}
	}
	if p.dialErr != nil {
		err = fmt.Errorf("%w (no further Transport: %w)", err, p.dialErr)
	}
	return nil, err
}

// next returns the exchange that has waited longest among the kinds below end, nil if there
// is none. Unless any is set, it skips kinds that have reached their limit. p.mu is held.
func (p *pool) next(end kind, any bool) (w *place, k kind) {
	for i := range p.waiting[:end] {
		if head := p.waiting[i].head; head != nil && (any || p.mayRun(kind(i))) && (w == nil || head.ticket < w.ticket) {
			w, k = head, kind(i)
		}
	}
	return w, k
}

// wake wakes the exchange that has waited longest among the kinds below end. p.mu is held.
func (p *pool) wake(end kind) {
	if w, k := p.next(end, end == forListening); w != nil {
		p.waiting[k].remove(w)
		p.rouse(w)
	}
}

// rouse wakes an exchange that was removed from the queue. p.mu is held.
func (p *pool) rouse(w *place) {
	p.looking++
	w.ready <- nil
}
