package conn

import (
	"fmt"
	"time"
)

// A place is the position of a waiting exchange in the queue. It receives a member, or nil,
// after which the exchange calls take again.
type place struct {
	ready      chan *member
	ticket     uint64
	since      time.Time
	lookups    int // calls of take that returned nothing
	queued     bool
	prev, next *place
}

// queue holds places, sorted by ticket.
type queue struct{ head, tail *place }

// insert adds w: at the end if it is new, and near the front if it was woken and found
// nothing.
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

// await opens a Transport, takes one over or waits for one. p.mu is held, and released
// while it waits.
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
			_ = m.t.SetReadDeadline(past) // fails if closed: nothing waits then
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

// interruptible returns a member that can be taken from its user, nil if there is none.
// p.mu is held.
func (p *pool) interruptible() *member {
	for m := range p.members {
		if m.parked != nil || m.listens {
			return m
		}
	}
	return nil
}

// queueUp waits for a member. If it returns neither a member nor an error the caller tries
// again. p.mu is held, and released while it waits.
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
			p.wake(kinds) // this wake-up is for the next in the queue
		}
	}
	if p.dialErr != nil {
		err = fmt.Errorf("%w (no further Transport: %w)", err, p.dialErr)
	}
	return nil, err
}

// next returns the exchange of a kind below end that has waited longest, nil if there is
// none. Unless any is set, kinds whose limit is reached are left out. p.mu is held.
func (p *pool) next(end kind, any bool) (w *place, k kind) {
	for i := range p.waiting[:end] {
		if head := p.waiting[i].head; head != nil && (any || p.mayRun(kind(i))) && (w == nil || head.ticket < w.ticket) {
			w, k = head, kind(i)
		}
	}
	return w, k
}

// wake wakes the exchange of a kind below end that has waited longest. p.mu is held.
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
