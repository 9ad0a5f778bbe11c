package usersock

import (
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// evictAfter is how long a client's socket must have been full before its place is
// given to another client. A client that reads makes room long before.
const evictAfter = time.Second

// evict gives up the client that has been stuck longest, for at least evictAfter, and
// reports whether there was one. Only the goroutine of Serve is here.
func (s *Server) evict() bool {
	victim := s.longestStuck(s.clock.now())
	if victim == nil {
		return false
	}
	if victim.greeted {
		s.bye(victim.peer.id, byeEvicted)
	}
	s.stats.evicted.Add(1)
	s.leave(victim)
	return true
}

// longestStuck takes the client to evict out of the table, nil for none.
func (s *Server) longestStuck(now time.Time) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var longest *peer
	for _, p := range s.peers {
		if p.stuck.IsZero() || now.Sub(p.stuck) < evictAfter {
			continue
		}
		if longest == nil || p.stuck.Before(longest.stuck) {
			longest = p
		}
	}
	if longest == nil {
		return nil
	}
	delete(s.peers, longest.id)
	if at := longest.now; !at.left {
		s.evicted.add(longest.id, eviction{control: at.control, greeted: at.greeted}, s.maxClients)
	}
	return longest.now
}

// refuse answers a datagram of an evicted client, instead of handling it with the
// options and groups of a new one. A plain client begins anew with its next datagram,
// the others with their next hello.
func (s *Server) refuse(m nlmsg.Msg, from uint32) {
	defer s.stats.refused.Add(1) // when it is answered: tests wait for it
	s.mu.Lock()
	e, _ := s.evicted.find(from)
	s.mu.Unlock()
	if e.greeted {
		s.bye(from, byeEvicted)
		return
	}
	if s.answer(m, from, &nlmsg.ExtAck{Errno: errno.ECONNREFUSED}) == socket.ErrFull {
		return // it has still not read
	}
	s.mu.Lock()
	s.evicted.remove(from)
	s.mu.Unlock()
}

// eviction is what is kept of an evicted client.
type eviction struct {
	control uint32 // the port ID of its second socket
	greeted bool
	number  uint64 // of the entry in evictions.order
}

// evictions are the clients evicted last, by port ID. They are under Server.mu.
type evictions struct {
	byID   map[uint32]eviction
	order  []evictedID // oldest first
	number uint64
}

type evictedID struct {
	id     uint32
	number uint64
}

func (e *evictions) find(id uint32) (eviction, bool) {
	found, ok := e.byID[id]
	return found, ok
}

// add keeps a client, and forgets the oldest above the limit.
func (e *evictions) add(id uint32, v eviction, limit int) {
	e.number++
	v.number = e.number
	if e.byID == nil {
		e.byID = map[uint32]eviction{}
	}
	e.byID[id] = v
	e.order = append(e.order, evictedID{id, v.number})
	if len(e.order) <= limit {
		return
	}
	if oldest := e.order[0]; e.byID[oldest.id].number == oldest.number {
		delete(e.byID, oldest.id)
	}
	e.order = e.order[1:]
}

func (e *evictions) remove(id uint32) { delete(e.byID, id) }

// clock is the time of a server; tests have their own.
type clock struct {
	now func() time.Time
	// timer starts a timer. Its channel receives once, unless stop comes first.
	timer func(d time.Duration) (expired <-chan time.Time, stop func() bool)
}

var systemClock = clock{
	now: time.Now,
	timer: func(d time.Duration) (<-chan time.Time, func() bool) {
		t := time.NewTimer(d)
		return t.C, t.Stop
	},
}
