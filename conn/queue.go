package conn

import "time"

// A place in the queue is that of an exchange that waits for a member. It gets one, or
// nil, after which it looks for itself.
type place struct {
	ready      chan *member
	ticket     uint64
	since      time.Time
	lookups    int // how often it looked and found nothing
	queued     bool
	prev, next *place
}

// queue has places by ticket.
type queue struct{ head, tail *place }

// insert puts w in its place: at the end if it is new, and at the front if it was
// woken and found nothing.
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
