package usersock

import (
	"errors"
	"os"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// forward sends the datagrams that the Ports of a peer receive, for one session after the
// other. isStuck reports that peer.stuck is set.
func (s *Server) forward(p *peer, isStuck bool) {
	f := forwarder{s: s, peer: p, buf: make([]byte, maxInfo+socket.BufferSize), waiting: isStuck}
	for at := s.next(p, nil); at != nil; at = s.next(p, at) {
		f.run(at)
		_ = at.port.Close() // it may be closed already
	}
}

// forwarder sends to a client and waits while the client's socket is full. Meanwhile the
// Port's queue fills, and its dump does not continue.
type forwarder struct {
	s       *Server
	peer    *peer
	buf     []byte // maxInfo bytes for a preceding control message, then the datagram
	waiting bool   // peer.stuck is set
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
		case errno.Is(err, errno.EINTR):
			continue
		default:
			if info.Size > len(f.buf)-maxInfo {
				f.buf = make([]byte, maxInfo+info.Size)
			}
			err = f.lost(at)
		}
		if err != nil {
			f.gone(err)
			return
		}
	}
}

// send sends the datagram of n bytes in the buffer.
func (f *forwarder) send(at *session, n int, info socket.Info) error {
	start := maxInfo
	switch {
	case !at.greeted && info.PortID != 0:
		f.s.stats.foreign.Add(1)
		return nil
	case at.greeted && info != (socket.Info{Size: info.Size}):
		var room [maxInfo]byte
		front := appendInfo(room[:0], f.peer.id, &info)
		start -= len(front)
		copy(f.buf[start:], front)
	}
	err := f.sendBytes(at, f.buf[start:maxInfo+n])
	if errno.Is(err, errno.EMSGSIZE) {
		return f.lost(at)
	}
	return err
}

// lost reports a loss to the client.
func (f *forwarder) lost(at *session) error {
	f.s.stats.lost.Add(1)
	return f.sendBytes(at, plain(nil, nlmsg.TypeOverrun, f.peer.id))
}

// gone counts a client with a closed socket.
func (f *forwarder) gone(err error) {
	if errno.Is(err, errno.ECONNREFUSED) {
		f.s.stats.gone.Add(1)
	}
}

// The pauses before attempts to send to a full client. The pause doubles, so that a client
// waits at most as long again as its socket was full, and a client that never reads costs
// one system call every ten seconds.
const (
	minPause = 100 * time.Microsecond
	maxPause = 10 * time.Second
)

// errLeft ends sending, because the session has ended.
var errLeft = errors.New("usersock: client has left")

// sendBytes sends a datagram as soon as the client has room. The kernel sends no event for
// that, so the attempts are repeated: after growing pauses, and as soon as the client sends
// any datagram (a Client sends cmdReady after it has emptied its socket).
func (f *forwarder) sendBytes(at *session, b []byte) error {
	to := socket.Addr{PortID: f.peer.id}
	err := f.s.sock.TrySendTo(b, to)
	for pause := minPause; err == socket.ErrFull; pause = min(2*pause, maxPause) {
		var isWoken, isOver bool
		if isWoken, isOver = f.waitForRoom(at, pause); isOver {
			return errLeft
		}
		if isWoken {
			pause = minPause
		}
		f.s.stats.retries.Add(1)
		err = f.s.sock.TrySendTo(b, to)
	}
	f.progress()
	return err
}

// waitForRoom waits until the pause is over or the peer is woken. It reports whether the
// peer was woken, and whether the session has ended.
func (f *forwarder) waitForRoom(at *session, pause time.Duration) (isWoken, isOver bool) {
	s, p := f.s, f.peer
	if !f.waiting {
		f.waiting = true
		s.mu.Lock()
		p.stuck = s.clock.now()
		s.mu.Unlock()
	}
	expired, stop := s.clock.timer(pause)
	select {
	case <-expired:
	case <-p.retry:
		isWoken = true
	}
	stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	return isWoken, at.left
}

// progress ends the time that counts for an eviction. It is called after a successful send,
// not at the end of a session: otherwise a client could keep its place by sending hello
// repeatedly.
func (f *forwarder) progress() {
	if !f.waiting {
		return
	}
	f.waiting = false
	f.s.mu.Lock()
	f.peer.stuck = time.Time{}
	f.s.mu.Unlock()
}
