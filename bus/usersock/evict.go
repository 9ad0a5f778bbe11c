package usersock

import (
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// evictAfter is the minimum time for which a client's socket must be full before the client
// is evicted. A client that reads makes room long before that.
const evictAfter = time.Second

// evict evicts the client whose socket has been full longest, for at least evictAfter. It
// reports whether there was one. Only the goroutine of Serve calls it.
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

// longestStuck removes the client to evict from the table and returns it, or nil.
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

// refuse answers a datagram of an evicted client. The datagram is not handled, because the
// options and groups of the client are lost. A client without control messages becomes a
// new client with its next datagram, other clients with their next hello.
func (s *Server) refuse(m nlmsg.Msg, from uint32) {
	defer s.stats.refused.Add(1) // after the reply, which tests rely on
	s.mu.Lock()
	e, _ := s.evicted.find(from)
	s.mu.Unlock()
	if e.greeted {
		s.bye(from, byeEvicted)
		return
	}
	if s.answer(m, from, &nlmsg.ExtAck{Errno: errno.ECONNREFUSED}) == socket.ErrFull {
		return // the client has not read yet
	}
	s.mu.Lock()
	s.evicted.remove(from)
	s.mu.Unlock()
}

// eviction is the record of an evicted client.
type eviction struct {
	control uint32 // port ID of its second socket
	greeted bool
	number  uint64 // of the entry in evictions.order
}

// evictions contains the most recently evicted clients by port ID. It is guarded by
// Server.mu.
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

// add records a client. Above the limit it removes the oldest entry.
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

// clock is the time source of a server. Tests use their own.
type clock struct {
	now func() time.Time
	// timer starts a timer. The channel receives one value, unless stop is called first.
	timer func(d time.Duration) (expired <-chan time.Time, stop func() bool)
}

var systemClock = clock{
	now: time.Now,
	timer: func(d time.Duration) (<-chan time.Time, func() bool) {
		t := time.NewTimer(d)
		return t.C, t.Stop
	},
}
