package usersock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/nla"
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

	clients sync.WaitGroup // a goroutine for each

	mu    sync.Mutex
	peers map[uint32]*peer // by port ID; written by the goroutine of Serve, but for who is gone
	swept time.Time        // when it was last asked who is gone; Serve's
}

// Option changes how a Server works.
type Option func(*Server)

// WithCaps gives capabilities to the clients, to all of them and whoever they are.
// Without it they have none.
func WithCaps(c bus.Caps) Option { return func(s *Server) { s.caps = c } }

// WithMaxClients limits how many clients there are at once, 256 if it is not given.
// Another one is refused with EUSERS. Each takes a goroutine and 32 KiB, and what
// is queued for it.
func WithMaxClients(n int) Option { return func(s *Server) { s.maxClients = n } }

// WithMaxBuffer limits what a client can ask for its queue, in bytes: 1 MiB if it
// is not given (net.core.rmem_max). A Port without it has 212,992 in the kernel's
// counting.
func WithMaxBuffer(bytes int) Option { return func(s *Server) { s.maxBuffer = bytes } }

// NewServer makes a Server of a bus over a socket of [socket.UserSock], which is the
// Server's from now on: its port ID is what clients dial.
func NewServer(b *bus.Bus, s *socket.Socket, options ...Option) *Server {
	server := &Server{bus: b, sock: s, maxClients: 256, maxBuffer: 1 << 20, peers: map[uint32]*peer{}}
	for _, option := range options {
		option(server)
	}
	return server
}

// requestSize is the longest datagram that is received: more than a send buffer
// has by itself, which is what the bus takes.
const requestSize = 256 << 10

// Serve serves until ctx ends, which is no error, or the socket or the bus is
// closed. It runs the handlers of the bus. When it returns every client has been
// told, its goroutine has ended, and the socket is closed.
func (s *Server) Serve(ctx context.Context) error {
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
		case errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.EINTR):
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
	case m.Type() == nlmsg.Noop && n == len(data):
		return nil // somebody wants to know whether we are there
	}
	at, err := s.session(from)
	if err != nil {
		s.answer(m, from, errnoOf(err), nil)
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
	if m.Flags()&nlmsg.Request == 0 {
		s.stats.malformed.Add(1)
		return nil
	}
	var report nla.Report
	var ext nlmsg.ExtAck
	c, errno := parseControl(m, &report)
	ext.SetReport(&report, nil)
	err := error(nil)
	if errno == 0 {
		err = s.obey(c, from, &ext)
		errno = errnoOf(err)
	}
	if errno != 0 {
		s.stats.refused.Add(1)
	}
	if errno != 0 || m.Flags()&nlmsg.Ack != 0 {
		s.answer(m, from, errno, &ext)
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
	if at == nil {
		return bus.EPERM
	}
	switch c.command {
	case cmdBye:
		s.leave(at)
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
	return bus.EOPNOTSUPP
}

// setFlag leaves out what takes a privilege or is another client's trouble.
func setFlag(p *bus.Port, f socket.Flag, on bool) error {
	switch f {
	case socket.ExtAck, socket.CapAck, socket.StrictCheck, socket.NoENOBUFS, socket.PacketInfo:
		return p.SetFlag(f, on)
	}
	return eNoProtoOpt
}

// setCookie tells the size of the queue.
func setCookie(ext *nlmsg.ExtAck, p *bus.Port) {
	size, _ := p.ReceiveBuffer() // 0 when the client is gone
	ext.Cookie = ne.AppendUint32(nil, uint32(size))
	ext.Set(nlmsg.AttrCookie)
}

// answer sends an Error message, if whom it is for has room. Nobody must hold up
// this goroutine.
func (s *Server) answer(m nlmsg.Msg, to uint32, errno bus.Errno, ext *nlmsg.ExtAck) {
	b := nlmsg.AppendAck(nil, m, to, uint32(errno), ext, nlmsg.AckOptions{Cap: true, Ext: true})
	_ = s.sock.TrySendTo(b, socket.Addr{PortID: to})
}

// ServerStats counts what a server did not pass on. Clients is how many there are;
// the other numbers only ever grow.
type ServerStats struct {
	Clients   int
	Requests  uint64 // datagrams passed on to the bus
	Kernel    uint64 // datagrams without a sender's port ID
	Malformed uint64 // datagrams that are no netlink messages, or too long
	Refused   uint64 // control messages refused, and clients for whom there was no place
	Gone      uint64 // clients that were gone without a word
	Lost      uint64 // losses told to clients
	Foreign   uint64 // datagrams of ports of the bus to who would take them for the bus's
}

type serverCounters struct {
	requests, kernel, malformed, refused, gone, lost, foreign atomic.Uint64
}

// Stats returns the counters of the server.
func (s *Server) Stats() ServerStats {
	s.mu.Lock()
	clients := len(s.peers)
	s.mu.Unlock()
	c := &s.stats
	return ServerStats{
		clients, c.requests.Load(), c.kernel.Load(), c.malformed.Load(), c.refused.Load(), c.gone.Load(), c.lost.Load(), c.foreign.Load(),
	}
}
