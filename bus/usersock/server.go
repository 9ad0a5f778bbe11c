package usersock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Server serves a bus to other processes. [NewServer] makes one.
type Server struct {
	bus        *bus.Bus
	sock       *socket.Socket
	caps       bus.Caps
	maxClients int
	maxBuffer  int
	stats      serverCounters
	clock      clock

	clients sync.WaitGroup // one goroutine per client
	swept   time.Time      // time of the last sweep; only the goroutine of Serve uses it

	mu      sync.Mutex       // guards the fields below
	peers   map[uint32]*peer // by port ID; only the goroutine of Serve adds entries
	evicted evictions
}

// Option sets an option of a Server.
type Option func(*Server)

// WithCaps gives capabilities to all clients, of any process. By default clients have none.
func WithCaps(c bus.Caps) Option { return func(s *Server) { s.caps = c } }

// WithMaxClients limits the number of simultaneous clients. The default is 256. When all
// places are occupied, a new client gets the place of a client whose socket is closed, or
// of the client whose socket has been full longest, if that is at least a second; see
// [ErrEvicted]. If there is no such client, the new client is rejected with EUSERS. A
// client that reads, or that has no datagrams to read, keeps its place.
//
// Each client uses a goroutine, 32 KiB, and its queue (WithMaxBuffer). The server also
// stores the port IDs of up to n evicted clients.
func WithMaxClients(n int) Option { return func(s *Server) { s.maxClients = n } }

// WithMaxBuffer limits the queue size that a client can request, in bytes. The default is 1
// MiB. The bus doubles it, as the kernel does. Without a request the queue has 212,992
// bytes, as the kernel counts them.
func WithMaxBuffer(bytes int) Option { return func(s *Server) { s.maxBuffer = bytes } }

// NewServer makes a Server of a bus over a socket of [socket.UserSock]. The Server owns the
// socket from then on. Clients dial the port ID of the socket.
func NewServer(b *bus.Bus, s *socket.Socket, options ...Option) *Server {
	server := &Server{bus: b, sock: s, maxClients: 256, maxBuffer: 1 << 20, clock: systemClock, peers: map[uint32]*peer{}}
	for _, option := range options {
		option(server)
	}
	return server
}

// requestSize is the size of the receive buffer. It is larger than the longest datagram
// that the bus accepts, the default size of a send buffer.
const requestSize = 256 << 10

// Serve serves until ctx ends, and then returns nil. If the socket or the bus is closed, it
// returns an error. It runs the handlers of the bus. Before it returns, it notifies the
// clients, ends their goroutines, and closes the socket.
//
// Serve uses no timer while no client is full. It uses one timer per full client, with
// pauses that grow up to ten seconds.
func (s *Server) Serve(ctx context.Context) error {
	if s.sock == nil {
		return errZero
	}
	defer s.end()
	if s.sock.Protocol() != socket.UserSock {
		return errors.New("usersock: serve: socket is not of protocol usersock")
	}
	stop := context.AfterFunc(ctx, func() { _ = s.sock.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	b := make([]byte, requestSize)
	for {
		n, info, err := s.sock.Receive(b)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			err = s.take(b[:n], info.PortID)
		case err == socket.ErrTruncated, err == socket.ErrSender:
			s.stats.malformed.Add(1)
			err = nil
		case errno.Is(err, errno.ENOBUFS), errno.Is(err, errno.EINTR):
			err = nil
		}
		if err != nil {
			return fmt.Errorf("usersock: serve: %w", err)
		}
	}
}

// take handles a datagram. An error ends Serve.
func (s *Server) take(data []byte, from uint32) error {
	if from == 0 {
		s.stats.kernel.Add(1)
		return nil
	}
	m, n := nlmsg.Consume(data)
	switch {
	case n < 0:
		s.stats.malformed.Add(1)
		return nil
	case m.Type() == typeControl:
		return s.control(m, from)
	case m.Type() == nlmsg.TypeNoop && n == len(data) && m.Flags()&nlmsg.FlagAck == 0:
		return nil // a probe, which the kernel has already answered
	}
	at, err := s.session(from)
	switch {
	case err == ErrEvicted:
		s.refuse(m, from)
		return nil
	case err != nil:
		s.stats.refused.Add(1)
		_ = s.answer(m, from, &nlmsg.ExtAck{Errno: errnoOf(err)})
		return fatal(err)
	}
	s.stats.requests.Add(1)
	if at.port.Send(data) != nil {
		s.stats.malformed.Add(1) // too long for the bus, or the client is gone
	}
	return nil
}

// fatal returns err if the bus is closed, otherwise nil: no other error ends Serve.
func fatal(err error) error {
	if err == errBusClosed {
		return err
	}
	return nil
}

// control executes a control message and replies to it.
func (s *Server) control(m nlmsg.Msg, from uint32) error {
	if m.Flags()&nlmsg.FlagRequest == 0 {
		s.stats.malformed.Add(1)
		return nil
	}
	var report policy.Report
	var ext nlmsg.ExtAck
	c, e := parseControl(m, &report)
	ext.SetReport(&report, nil)
	err := error(nil)
	if e == 0 {
		err = s.obey(c, from, &ext)
		e = errnoOf(err)
	}
	if e != 0 {
		s.stats.refused.Add(1)
	}
	if ext.Errno = e; e != 0 || m.Flags()&nlmsg.FlagAck != 0 {
		_ = s.answer(m, from, &ext)
	}
	return fatal(err)
}

// obey executes the command of a control message.
func (s *Server) obey(c control, from uint32, ext *nlmsg.ExtAck) error {
	if c.command == cmdHello {
		at, err := s.hello(from, c.value)
		if err == nil {
			setCookie(ext, at.port)
		}
		return err
	}
	at := s.controlled(c.portID, from)
	if at == nil || c.command == cmdReady && !at.greeted {
		return s.disown(c, from)
	}
	switch c.command {
	case cmdBye:
		s.leave(at)
		return nil
	case cmdReady:
		at.peer.wake()
		return nil
	case cmdJoin:
		return at.port.Join(c.value)
	case cmdLeave:
		return at.port.Leave(c.value)
	case cmdSetFlag, cmdClearFlag:
		return setFlag(at.port, socket.Flag(int32(c.value)), c.command == cmdSetFlag)
	case cmdSetBuffer:
		err := at.port.SetReceiveBuffer(int(min(int64(c.value), int64(s.maxBuffer))))
		setCookie(ext, at.port)
		return err
	}
	return errno.EOPNOTSUPP
}

// disown answers a control message about a port ID that the sender does not control. If the
// client was evicted, the error is ECONNREFUSED, or the client gets another bye; for
// another client's port ID the error is EPERM.
func (s *Server) disown(c control, from uint32) error {
	s.mu.Lock()
	e, wasEvicted := s.evicted.find(c.portID)
	if wasEvicted && c.command == cmdBye && from == c.portID {
		s.evicted.remove(from)
	}
	s.mu.Unlock()
	switch {
	case wasEvicted && c.command == cmdBye && from == c.portID:
		return nil
	case c.command == cmdReady && from == c.portID:
		s.bye(from, byeEvicted)
		return nil
	case wasEvicted && (from == c.portID || from == e.control):
		return errno.ECONNREFUSED
	}
	return errno.EPERM
}

// setFlag sets a flag, and rejects those that require a privilege or affect other clients.
func setFlag(p *bus.Port, f socket.Flag, on bool) error {
	switch f {
	case socket.ExtAck, socket.CapAck, socket.StrictCheck, socket.NoENOBUFS, socket.PacketInfo:
		return p.SetFlag(f, on)
	}
	return errno.ENOPROTOOPT
}

// setCookie puts the size of the queue into the cookie.
func setCookie(ext *nlmsg.ExtAck, p *bus.Port) {
	size, _ := p.ReceiveBuffer() // 0 if the client is gone
	ext.Cookie = ne.AppendUint32(nil, uint32(size))
}

// answer sends an Error message without blocking. If the client's socket is full, the
// message is dropped.
func (s *Server) answer(m nlmsg.Msg, to uint32, ext *nlmsg.ExtAck) error {
	ext.Request = m
	b := nlmsg.AppendAck(nil, ext, nlmsg.AckOptions{PortID: to, Cap: true, Ext: true})
	return s.sock.TrySendTo(b, socket.Addr{PortID: to})
}

// ServerStats contains the counters of a server. Clients is the current number of clients;
// the other numbers only grow.
type ServerStats struct {
	Clients   int
	Requests  uint64 // datagrams forwarded to the bus
	Kernel    uint64 // dropped datagrams without a sender's port ID
	Malformed uint64 // datagrams that are not netlink messages, or are too long
	Refused   uint64 // rejected control messages, and datagrams of clients without a place
	Gone      uint64 // clients whose socket was closed without a bye
	Evicted   uint64 // clients that did not read and lost their place
	Lost      uint64 // losses reported to clients
	Foreign   uint64 // dropped datagrams from ports of the bus to clients without a hello
}

type serverCounters struct {
	requests, kernel, malformed, refused, gone, evicted, lost, foreign atomic.Uint64

	retries atomic.Uint64 // attempts to send to a full client, for tests
}

// Stats returns the counters of the server.
func (s *Server) Stats() ServerStats {
	s.mu.Lock()
	clients := len(s.peers)
	s.mu.Unlock()
	c := &s.stats
	return ServerStats{
		Clients: clients, Requests: c.requests.Load(), Kernel: c.kernel.Load(), Malformed: c.malformed.Load(), Refused: c.refused.Load(),
		Gone: c.gone.Load(), Evicted: c.evicted.Load(), Lost: c.lost.Load(), Foreign: c.foreign.Load(),
	}
}
