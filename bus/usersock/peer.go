package usersock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// peer is a port ID with a goroutine that sends to it. It is in the table as long
// as that runs, so that nobody can have more than one, however often they come and
// go with a full socket.
type peer struct {
	id  uint32
	now *session // under Server.mu
}

// session is a client: what has a port ID, until it says that it ends or begins
// anew.
type session struct {
	port    *bus.Port
	greeted bool   // it knows control messages
	control uint32 // the port ID of its second socket, 0 for none
	left    bool   // it has said that it ends; under Server.mu
}

// session returns the client with a port ID. One that is new gets a Port.
func (s *Server) session(id uint32) (*session, error) {
	s.mu.Lock()
	p := s.peers[id]
	if p != nil && !p.now.left {
		defer s.mu.Unlock()
		return p.now, nil
	}
	s.mu.Unlock()
	return s.open(id, &session{})
}

// hello is session for a client that begins: what there was of that port ID is
// another's, or over.
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
	if !s.hasPlace(id) && !s.sweep() {
		s.stats.refused.Add(1)
		return nil, eUsers
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
	if p := s.peers[id]; p != nil {
		p.now = at
		return at, nil
	}
	p := &peer{id: id, now: at}
	s.peers[id] = p
	s.clients.Go(func() { s.forward(p) })
	return at, nil
}

func (s *Server) hasPlace(id uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.peers) < s.maxClients || s.peers[id] != nil
}

// sweepPause keeps one who is refused again and again from having everybody asked
// each time.
const sweepPause = time.Second

// sweep finds the clients that are gone without a word, by a message that does
// nothing, and returns whether there is a place now.
func (s *Server) sweep() bool {
	if time.Since(s.swept) < sweepPause {
		return false
	}
	s.swept = time.Now()
	var gone []*session
	s.mu.Lock()
	for id, p := range s.peers {
		err := s.sock.TrySendTo(plain(nil, nlmsg.Noop, id), socket.Addr{PortID: id})
		if errors.Is(err, syscall.ECONNREFUSED) {
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

// leave ends a session from the client's side.
func (s *Server) leave(at *session) {
	s.mu.Lock()
	at.left = true
	s.mu.Unlock()
	_ = at.port.Close() // the bus may have closed it
}

// end ends everything: the clients are told, and whoever sends or waits wakes.
func (s *Server) end() {
	s.mu.Lock()
	var open []*bus.Port
	for _, p := range s.peers {
		s.bye(p.id, p.now)
		p.now.left = true
		open = append(open, p.now.port)
	}
	s.mu.Unlock()
	_ = s.sock.Close()
	for _, port := range open {
		_ = port.Close()
	}
	s.clients.Wait()
}

// bye tells a client that the server ends. It is under mu.
func (s *Server) bye(id uint32, at *session) {
	if at.greeted && !at.left {
		b := control{command: cmdBye, portID: id}.append(nil, 0, 0)
		_ = s.sock.TrySendTo(b, socket.Addr{PortID: id})
	}
}

// forward sends what the Ports of a peer receive, one after the other.
func (s *Server) forward(p *peer) {
	f := forwarder{s: s, id: p.id, buf: make([]byte, maxInfo+socket.BufferSize)}
	for at := s.next(p, nil); at != nil; at = s.next(p, at) {
		f.run(at)
		_ = at.port.Close() // may be closed
	}
}

// next returns the session that follows one that is over, nil for none: then the
// peer is gone.
func (s *Server) next(p *peer, over *session) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.now != over {
		return p.now
	}
	s.bye(p.id, over)
	if s.peers[p.id] == p {
		delete(s.peers, p.id)
	}
	return nil
}

// forwarder sends to a client. It may wait for that as long as it takes: meanwhile
// the Port's queue fills, and its dump stands still.
type forwarder struct {
	s   *Server
	id  uint32
	buf []byte // maxInfo bytes of it are for what goes in front
}

// run sends until the Port is closed or the client is gone.
func (f *forwarder) run(at *session) {
	for {
		n, info, err := at.port.Receive(f.buf[maxInfo:])
		switch {
		case err == nil:
			err = f.send(at, n, info)
		case errors.Is(err, os.ErrClosed):
			return
		case errors.Is(err, syscall.EINTR):
			continue
		default:
			if info.Size > len(f.buf)-maxInfo {
				f.buf = make([]byte, maxInfo+info.Size)
			}
			err = f.lost()
		}
		if err != nil {
			f.gone(err)
			return
		}
	}
}

// send sends n bytes of the buffer.
func (f *forwarder) send(at *session, n int, info socket.Info) error {
	start := maxInfo
	switch {
	case !at.greeted && info.PortID != 0:
		f.s.stats.foreign.Add(1)
		return nil
	case at.greeted && info != (socket.Info{Size: info.Size}):
		var room [maxInfo]byte
		front := appendInfo(room[:0], f.id, &info)
		start -= len(front)
		copy(f.buf[start:], front)
	}
	err := f.s.sock.SendTo(f.buf[start:maxInfo+n], socket.Addr{PortID: f.id})
	if errors.Is(err, syscall.EMSGSIZE) {
		return f.lost()
	}
	return err
}

// lost tells the client that something is lost.
func (f *forwarder) lost() error {
	f.s.stats.lost.Add(1)
	return f.s.sock.SendTo(plain(nil, nlmsg.Overrun, f.id), socket.Addr{PortID: f.id})
}

// gone counts a client that is gone without a word.
func (f *forwarder) gone(err error) {
	if errors.Is(err, syscall.ECONNREFUSED) {
		f.s.stats.gone.Add(1)
	}
}

// errBusClosed ends Serve. A Port by itself may be closed because its client is
// gone.
var errBusClosed = fmt.Errorf("the bus: %w", os.ErrClosed)
