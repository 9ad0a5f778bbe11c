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

	clients sync.WaitGroup // a goroutine for each
	swept   time.Time      // the last sweep; Serve's

	mu      sync.Mutex       // guards the fields below
	peers   map[uint32]*peer // by port ID; added by the goroutine of Serve
	evicted evictions
}

// Option changes how a Server works.
type Option func(*Server)

// WithCaps gives capabilities to all clients, of any process. Without it they have
// none.
func WithCaps(c bus.Caps) Option { return func(s *Server) { s.caps = c } }

// WithMaxClients limits how many clients there are at once, 256 if it is not given.
// When all places are taken, a new client gets that of a client whose socket is
// closed, or of the client that has not read for the longest time, with its socket
// full for at least a second; see [ErrEvicted]. If there is none, the new client is
// refused with EUSERS. A client that reads, or that has nothing to read, keeps its
// place.
//
// Each client takes a goroutine, 32 KiB, and its queue (WithMaxBuffer); the server
// keeps the port IDs of as many evicted clients.
func WithMaxClients(n int) Option { return func(s *Server) { s.maxClients = n } }

// WithMaxBuffer limits the queue that a client can ask for, in bytes: 1 MiB if it is
// not given. The bus doubles it, as the kernel does. A client that asks for nothing has
// 212,992 bytes as the kernel counts them.
func WithMaxBuffer(bytes int) Option { return func(s *Server) { s.maxBuffer = bytes } }

// NewServer makes a Server of a bus over a socket of [socket.UserSock], which is the
// Server's from now on: its port ID is what clients dial.
func NewServer(b *bus.Bus, s *socket.Socket, options ...Option) *Server {
	server := &Server{bus: b, sock: s, maxClients: 256, maxBuffer: 1 << 20, clock: systemClock, peers: map[uint32]*peer{}}
	for _, option := range options {
		option(server)
	}
	return server
}

// requestSize is the longest datagram that is received: more than a send buffer
// has by itself, which is what the bus takes.
const requestSize = 256 << 10

// Serve serves until ctx ends, which is no error, or the socket or the bus is
// closed. It runs the handlers of the bus. When it returns, the clients have been
// notified, their goroutines have ended, and the socket is closed.
//
// It uses no timer while nothing waits for a full client, and one per full client
// then, with pauses that grow to ten seconds.
func (s *Server) Serve(ctx context.Context) error {
	if s.sock == nil {
		return errZero
	}
	defer s.end()
	if s.sock.Protocol() != socket.UserSock {
		return errors.New("usersock: serve: the socket is of another protocol")
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

// take takes a datagram. Its error ends Serve.
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
		return nil // a probe: the kernel has answered it
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
		s.stats.malformed.Add(1) // longer than the bus takes, or the client is gone
	}
	return nil
}

// fatal returns the error that ends Serve: the bus is closed.
func fatal(err error) error {
	if err == errBusClosed {
		return err
	}
	return nil
}

// control obeys a control message and answers it.
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

// obey does what a control message asks for.
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

// disown answers a control message about a port ID that is not a greeted client of
// the sender: ECONNREFUSED for an evicted one, which gets a bye as well, EPERM for
// another client's.
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

// setFlag refuses flags that take a privilege or affect other clients.
func setFlag(p *bus.Port, f socket.Flag, on bool) error {
	switch f {
	case socket.ExtAck, socket.CapAck, socket.StrictCheck, socket.NoENOBUFS, socket.PacketInfo:
		return p.SetFlag(f, on)
	}
	return errno.ENOPROTOOPT
}

// setCookie reports the size of the queue.
func setCookie(ext *nlmsg.ExtAck, p *bus.Port) {
	size, _ := p.ReceiveBuffer() // 0 when the client is gone
	ext.Cookie = ne.AppendUint32(nil, uint32(size))
}

// answer sends an Error message without blocking: it is dropped if the client's
// socket is full.
func (s *Server) answer(m nlmsg.Msg, to uint32, ext *nlmsg.ExtAck) error {
	ext.Request = m
	b := nlmsg.AppendAck(nil, ext, nlmsg.AckOptions{PortID: to, Cap: true, Ext: true})
	return s.sock.TrySendTo(b, socket.Addr{PortID: to})
}

// ServerStats counts what a server did not pass on. Clients is the present number of
// clients; the other numbers only ever grow.
type ServerStats struct {
	Clients   int
	Requests  uint64 // datagrams passed on to the bus
	Kernel    uint64 // datagrams without a sender's port ID
	Malformed uint64 // datagrams that are not netlink messages, or too long
	Refused   uint64 // control messages refused, and datagrams of clients without a place
	Gone      uint64 // clients whose socket was closed without a bye
	Evicted   uint64 // clients that did not read, whose places others got
	Lost      uint64 // losses reported to clients
	Foreign   uint64 // datagrams from ports of the bus to clients that did not say hello
}

type serverCounters struct {
	requests, kernel, malformed, refused, gone, evicted, lost, foreign atomic.Uint64

	retries atomic.Uint64 // attempts to send to a full client; for tests
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
