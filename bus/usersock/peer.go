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

// peer is a port ID with a goroutine that sends to it. Unless it is evicted, it stays in
// the table while the goroutine runs. Therefore a port ID uses one goroutine, even if its
// clients repeatedly end and begin with a full socket.
type peer struct {
	id    uint32
	retry chan struct{} // capacity 1; wakes the goroutine that waits for room
	now   *session      // the current client; guarded by Server.mu
	stuck time.Time     // the socket has been full since then, zero if it is not; guarded by Server.mu
}

// wake ends a wait for room.
func (p *peer) wake() {
	select {
	case p.retry <- struct{}{}:
	default:
	}
}

// session is a client: it owns a port ID until it leaves, is evicted, or sends a new hello.
type session struct {
	peer    *peer // set once, with Server.mu held
	port    *bus.Port
	greeted bool   // it has sent a hello, so it understands control messages
	control uint32 // port ID of its second socket, 0 for none
	left    bool   // the session has ended; guarded by Server.mu
}

// session returns the client of a port ID. For a new client it opens a Port.
func (s *Server) session(id uint32) (*session, error) {
	s.mu.Lock()
	p := s.peers[id]
	if p != nil && !p.now.left {
		defer s.mu.Unlock()
		if !p.stuck.IsZero() {
			p.wake() // the client is alive, and may have made room
		}
		return p.now, nil
	}
	_, wasEvicted := s.evicted.find(id)
	s.mu.Unlock()
	if wasEvicted {
		return nil, ErrEvicted
	}
	return s.open(id, &session{}, time.Time{})
}

// hello makes a new client of a port ID and ends an earlier one with this ID.
func (s *Server) hello(id, control uint32) (*session, error) {
	s.mu.Lock()
	p, stuck := s.peers[id], time.Time{}
	if p != nil {
		stuck = p.stuck
	}
	s.mu.Unlock()
	if p != nil {
		s.leave(p.now)
	}
	return s.open(id, &session{greeted: true, control: control}, stuck)
}

// open makes a client of a port ID. If the goroutine of the port ID has ended since the
// earlier session, the new one continues with the time since which the socket has been
// full. Only the goroutine of Serve calls it.
func (s *Server) open(id uint32, at *session, stuck time.Time) (_ *session, err error) {
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
	p := &peer{id: id, now: at, retry: make(chan struct{}, 1), stuck: stuck}
	at.peer, s.peers[id] = p, p
	s.clients.Go(func() { s.forward(p, !stuck.IsZero()) })
	return at, nil
}

func (s *Server) hasPlace(id uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.peers) < s.maxClients || s.peers[id] != nil
}

// sweepPause is the minimum time between two sweeps. It rate-limits liveness probes, so
// that a rejected client cannot trigger one per attempt.
const sweepPause = time.Second

// sweep probes every client with a message that has no effect and removes clients with a
// closed socket. It reports whether there is a free place.
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

// controlled returns the client that a control message is about, or nil if the sender does
// not control it.
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
	_ = at.port.Close() // the bus may have closed it already
}

// end closes the socket and all sessions: it sends a bye to each client and ends the
// forwarders.
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

// bye notifies a client of the end of its session. If the client's socket is full, the
// message is lost; the client gets another one after it has made room and sent cmdReady.
func (s *Server) bye(id, reason uint32) {
	b := control{command: cmdBye, portID: id, value: reason}.append(nil, 0, 0)
	_ = s.sock.TrySendTo(b, socket.Addr{PortID: id})
}

// next returns the session that follows a finished one. If there is none, it removes the
// peer and returns nil.
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

// errBusClosed ends Serve. A closed Port does not, since its client may be gone.
var errBusClosed = fmt.Errorf("bus: %w", os.ErrClosed)
