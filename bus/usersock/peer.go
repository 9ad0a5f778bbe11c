package usersock

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// peer is a port ID with a goroutine that sends to it. It stays in the table while
// the goroutine runs, unless it is evicted, so that a port ID costs one goroutine
// however often its clients come and go with a full socket.
type peer struct {
	id    uint32
	retry chan struct{} // of capacity 1; wakes the goroutine that waits for room
	now   *session      // under Server.mu
	stuck time.Time     // nothing could be sent since then, zero if it can; under Server.mu
}

// wake ends a wait for room.
func (p *peer) wake() {
	select {
	case p.retry <- struct{}{}:
	default:
	}
}

// session is a client: it has a port ID until it leaves, is evicted, or begins anew.
type session struct {
	peer    *peer // set once, under Server.mu
	port    *bus.Port
	greeted bool   // it knows control messages
	control uint32 // the port ID of its second socket, 0 for none
	left    bool   // it has ended; under Server.mu
}

// session returns the client with a port ID, and opens a Port for a new one.
func (s *Server) session(id uint32) (*session, error) {
	s.mu.Lock()
	p := s.peers[id]
	if p != nil && !p.now.left {
		defer s.mu.Unlock()
		if !p.stuck.IsZero() {
			p.wake() // it lives, and may have made room
		}
		return p.now, nil
	}
	_, wasEvicted := s.evicted.find(id)
	s.mu.Unlock()
	if wasEvicted {
		return nil, ErrEvicted
	}
	return s.open(id, &session{})
}

// hello is session for a client that begins: an earlier client of the port ID has
// ended.
func (s *Server) hello(id, control uint32) (*session, error) {
	s.mu.Lock()
	p := s.peers[id]
	s.mu.Unlock()
	if p != nil {
		s.leave(p.now)
	}
	return s.open(id, &session{greeted: true, control: control})
}

// open makes a client of a port ID. Only the goroutine of Serve is here.
func (s *Server) open(id uint32, at *session) (_ *session, err error) {
	if !s.hasPlace(id) && !s.sweep() && !s.evict() {
		return nil, errno.EUSERS
	}
	at.port, err = s.bus.Open(bus.WithPortID(id), bus.WithCaps(s.caps))
	if errors.Is(err, os.ErrClosed) {
		err = errBusClosed
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.evicted.remove(id)
	if p := s.peers[id]; p != nil {
		at.peer, p.now = p, at
		return at, nil
	}
	p := &peer{id: id, now: at, retry: make(chan struct{}, 1)}
	at.peer, s.peers[id] = p, p
	s.clients.Go(func() { s.forward(p) })
	return at, nil
}

func (s *Server) hasPlace(id uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.peers) < s.maxClients || s.peers[id] != nil
}

// sweepPause rate-limits liveness probes, so that a rejected client cannot trigger
// one per attempt.
const sweepPause = time.Second

// sweep probes every client with a message that does nothing, removes those whose
// socket is closed, and reports whether there is a place now.
func (s *Server) sweep() bool {
	now := s.clock.now()
	if !s.swept.IsZero() && now.Sub(s.swept) < sweepPause {
		return false
	}
	s.swept = now
	var gone []*session
	s.mu.Lock()
	for id, p := range s.peers {
		err := s.sock.TrySendTo(plain(nil, nlmsg.TypeNoop, id), socket.Addr{PortID: id})
		if errno.Is(err, errno.ECONNREFUSED) {
			gone = append(gone, p.now)
			delete(s.peers, id)
		}
	}
	hasPlace := len(s.peers) < s.maxClients
	s.mu.Unlock()
	for _, at := range gone {
		s.stats.gone.Add(1)
		s.leave(at)
	}
	return hasPlace
}

// controlled returns the client that a control message is about, nil if it is not
// the sender's to control.
func (s *Server) controlled(id, from uint32) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.peers[id]
	if p == nil || p.now.left || from != id && from != p.now.control {
		return nil
	}
	return p.now
}

// leave ends a session.
func (s *Server) leave(at *session) {
	s.mu.Lock()
	at.left = true
	s.mu.Unlock()
	at.peer.wake()
	_ = at.port.Close() // the bus may have closed it
}

// end closes everything: it sends a bye to each client, and wakes senders and
// waiters.
func (s *Server) end() {
	s.mu.Lock()
	var open []*session
	for _, p := range s.peers {
		if p.now.greeted && !p.now.left {
			s.bye(p.id, byeEnd)
		}
		open = append(open, p.now)
	}
	s.mu.Unlock()
	_ = s.sock.Close()
	for _, at := range open {
		s.leave(at)
	}
	s.clients.Wait()
}

// bye sends a client the end of its session. A full socket does not get it; the
// client asks when it has made room (cmdReady).
func (s *Server) bye(id, reason uint32) {
	b := control{command: cmdBye, portID: id, value: reason}.append(nil, 0, 0)
	_ = s.sock.TrySendTo(b, socket.Addr{PortID: id})
}

// next returns the session that follows one that is over, nil for none: then the
// peer is gone.
func (s *Server) next(p *peer, over *session) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.now != over {
		return p.now
	}
	if over.greeted && !over.left {
		s.bye(p.id, byeEnd)
	}
	over.left = true
	if s.peers[p.id] == p {
		delete(s.peers, p.id)
	}
	return nil
}

// errBusClosed ends Serve. A single Port may be closed because its client is gone.
var errBusClosed = fmt.Errorf("the bus: %w", os.ErrClosed)
