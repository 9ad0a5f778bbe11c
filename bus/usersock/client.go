package usersock

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Client is a conn.Transport to a bus in another process. [Dial] makes one. Goroutines may
// call its methods concurrently.
type Client struct {
	server socket.Addr
	sock   *socket.Socket
	second *socket.Socket // for control messages and their replies
	done   chan struct{}  // closed by Close
	closed atomic.Bool
	ended  atomic.Pointer[error] // set when the server has ended the session
	full   atomic.Int64          // the socket may have been full if backlog is at least this many bytes
	stats  clientCounters

	rd      sync.Mutex // held by receivers; guards the fields below
	buf     []byte
	next    received
	backlog int // bytes received since the socket was empty

	asking sync.Mutex // held during a control message; guards seq
	seq    uint32

	mu       sync.Mutex // guards the fields below
	flags    []socket.Flag
	queue    int       // size of the queue at the server, in bytes
	deadline time.Time // of Receive and Wait
}

// patience limits the time for the server to accept a datagram, or to reply to a control
// message. Slow handlers delay both.
const patience = 5 * time.Second

// Dial opens a socket in the network namespace of the calling thread and makes it a client
// of the server with the given port ID. flags are options of the bus, as for
// [Client.SetFlag]. The error is ECONNREFUSED if no socket has the port ID, EUSERS if the
// server has no free place; see [WithMaxClients].
func Dial(serverPortID uint32, flags ...socket.Flag) (*Client, error) {
	return dial(func() (*socket.Socket, error) { return socket.Open(socket.UserSock) }, serverPortID, flags)
}

// Sibling makes another client of the same server, in the same network namespace, with the
// same flags and without groups. See [socket.Socket.Sibling].
func (c *Client) Sibling() (*Client, error) {
	if c.sock == nil {
		return nil, errZero
	}
	c.mu.Lock()
	flags := slices.Clone(c.flags)
	c.mu.Unlock()
	return dial(c.sock.Sibling, c.server.PortID, flags)
}

// maxTries limits the number of sockets that Dial opens to find a port ID that the server's
// own process does not use on the bus.
const maxTries = 8

func dial(open func() (*socket.Socket, error), server uint32, flags []socket.Flag) (*Client, error) {
	for try := 1; ; try++ {
		s, err := open()
		if err != nil {
			return nil, err
		}
		c, err := NewClient(s, server, flags...)
		if err == nil || try == maxTries || !errors.Is(err, errno.EADDRINUSE) {
			return c, err
		}
	}
}

// NewClient makes a client of a socket of [socket.UserSock], as Dial does. Use it for
// another network namespace, a chosen port ID or a larger buffer. The Client owns the
// socket from then on; if NewClient fails, it closes the socket. The error is EADDRINUSE if
// a port of the server's own process has the same port ID.
func NewClient(s *socket.Socket, serverPortID uint32, flags ...socket.Flag) (*Client, error) {
	c := &Client{
		server: socket.Addr{PortID: serverPortID}, sock: s, done: make(chan struct{}), buf: make([]byte, 2*socket.BufferSize),
	}
	if err := c.begin(flags); err != nil {
		_ = s.Close()
		if c.second != nil {
			_ = c.second.Close()
		}
		return nil, err
	}
	return c, nil
}

func (c *Client) begin(flags []socket.Flag) (err error) {
	if c.server.PortID == 0 || c.sock.Protocol() != socket.UserSock {
		return fmt.Errorf("usersock: dial port %d: %w", c.server.PortID, errno.EINVAL)
	}
	if c.second, err = c.sock.Sibling(); err != nil {
		return err
	}
	if err := c.sock.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	var a nlmsg.ExtAck
	if id := c.server.PortID; id == c.PortID() || id == c.second.PortID() {
		err = errno.ECONNREFUSED // the server is gone, and this client has received its port ID
	} else {
		a, err = c.ask(c.sock, cmdHello, c.second.PortID())
	}
	if err != nil {
		return fmt.Errorf("usersock: dial port %d: %w", c.server.PortID, err)
	}
	c.setQueue(a)
	if err := c.measure(); err != nil {
		return err
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	for _, f := range flags {
		if err := c.SetFlag(f, true); err != nil {
			return err
		}
	}
	return nil
}

// PortID returns the port ID of the client.
func (c *Client) PortID() uint32 {
	if c.sock == nil {
		return 0
	}
	return c.sock.PortID()
}

// Close ends the client and sends a bye to the server, unless the server's socket is full.
// Blocked receivers fail with os.ErrClosed.
func (c *Client) Close() error {
	if c.sock == nil {
		return errZero
	}
	if !c.closed.Swap(true) {
		close(c.done)
		b := control{command: cmdBye, portID: c.PortID()}.append(nil, nlmsg.FlagRequest, 0)
		_ = c.sock.TrySendTo(b, c.server) // if it fails, the server detects the closed socket
	}
	return errors.Join(c.sock.Close(), c.second.Close())
}

// Join makes the client a member of a group of the bus. The membership is in effect when
// Join returns. The errors are those of [bus.Port.Join].
func (c *Client) Join(group uint32) error {
	_, err := c.command(fmt.Sprintf("join group %d", group), cmdJoin, group)
	return err
}

// Leave ends a membership.
func (c *Client) Leave(group uint32) error {
	_, err := c.command(fmt.Sprintf("leave group %d", group), cmdLeave, group)
	return err
}

// SetFlag turns an option on or off: ExtAck, CapAck, StrictCheck, NoENOBUFS, PacketInfo.
// For any other flag the error is ENOPROTOOPT.
func (c *Client) SetFlag(f socket.Flag, on bool) error {
	cmd := uint32(cmdSetFlag)
	if !on {
		cmd = cmdClearFlag
	}
	if _, err := c.command("set "+f.String(), cmd, uint32(f)); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flags = slices.DeleteFunc(c.flags, func(other socket.Flag) bool { return other == f })
	if on {
		c.flags = append(c.flags, f)
	}
	return nil
}

// Flag reports whether an option is on.
func (c *Client) Flag(f socket.Flag) (on bool, err error) {
	if c.sock == nil {
		return false, errZero
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.flags, f), nil
}

// SetReceiveBuffer sets the size in bytes of the socket's receive buffer and of the
// client's queue at the server. Both have limits, so the resulting sizes may be smaller.
func (c *Client) SetReceiveBuffer(bytes int) error {
	if c.sock == nil {
		return errZero
	}
	if err := c.sock.SetReceiveBuffer(bytes); err != nil {
		return err
	}
	if err := c.measure(); err != nil {
		return err
	}
	a, err := c.command("set receive buffer", cmdSetBuffer, uint32(min(int64(bytes), 1<<31-1)))
	if err == nil {
		c.setQueue(a)
	}
	return err
}

// measure computes c.full from the size of the socket's receive buffer, for
// [Client.emptied].
func (c *Client) measure() error {
	bytes, err := c.sock.ReceiveBuffer()
	c.full.Store(int64(bytes / 4))
	return err
}

// ReceiveBuffer returns the total size of the socket's receive buffer and the queue at the
// server, in bytes as the kernel counts them.
func (c *Client) ReceiveBuffer() (bytes int, err error) {
	if c.sock == nil {
		return 0, errZero
	}
	bytes, err = c.sock.ReceiveBuffer()
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes + c.queue, err
}

// setQueue stores the queue size that the server reports in the cookie.
func (c *Client) setQueue(a nlmsg.ExtAck) {
	if len(a.Cookie) != 4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = int(ne.Uint32(a.Cookie))
}

// command sends a control message from the second socket, so that the reply does not arrive
// between datagrams of the bus.
func (c *Client) command(op string, command, value uint32) (nlmsg.ExtAck, error) {
	if err := c.endError(); err != nil {
		return nlmsg.ExtAck{}, err
	}
	a, err := c.ask(c.second, command, value)
	if err != nil {
		err = fmt.Errorf("usersock: %s: %w", op, err)
	}
	return a, err
}

// ask sends a control message and waits for the reply.
func (c *Client) ask(s *socket.Socket, command, value uint32) (nlmsg.ExtAck, error) {
	c.asking.Lock()
	defer c.asking.Unlock()
	c.seq++
	end := time.Now().Add(patience)
	b := control{command, c.PortID(), value}.append(nil, nlmsg.FlagRequest|nlmsg.FlagAck, c.seq)
	if err := c.sendFrom(s, b); err != nil {
		return nlmsg.ExtAck{}, err
	}
	b = make([]byte, 4096)
	for pause := leastPause; ; pause *= 2 {
		a, err := c.awaitAnswer(s, b, time.Now().Add(pause))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Now().After(end) {
			return a, err
		}
		// A server that ends may leave the control message unread: probe it.
		if err := s.TrySendTo(plain(nil, nlmsg.TypeNoop, c.PortID()), c.server); errno.Is(err, errno.ECONNREFUSED) {
			return nlmsg.ExtAck{}, err
		}
	}
}

// leastPause is the time before ask first probes the server.
const leastPause = 20 * time.Millisecond

// awaitAnswer receives until the reply arrives.
func (c *Client) awaitAnswer(s *socket.Socket, b []byte, until time.Time) (nlmsg.ExtAck, error) {
	if err := s.SetReadDeadline(until); err != nil {
		return nlmsg.ExtAck{}, err
	}
	for {
		n, info, err := s.Receive(b)
		switch {
		case err == socket.ErrTruncated, err == socket.ErrSender, err == nil && info.PortID != c.server.PortID:
			c.stats.foreign.Add(1)
			continue
		case err != nil:
			return nlmsg.ExtAck{}, err
		}
		m, _ := nlmsg.Consume(b[:n])
		if m.Type() != nlmsg.TypeError || m.Seq() != c.seq {
			continue
		}
		a, err := nlmsg.ParseAck(m)
		if a.Errno != 0 {
			err = a.Errno
		}
		return a, err
	}
}

// ClientStats contains the counters of a client. They only grow.
type ClientStats struct {
	Foreign   uint64 // datagrams of other senders, which Receive returns with their sender's port ID
	Kernel    uint64 // dropped datagrams without a sender's port ID
	Malformed uint64 // dropped malformed datagrams of the server
	Lost      uint64 // losses reported by the server
}

type clientCounters struct{ foreign, kernel, malformed, lost atomic.Uint64 }

// Stats returns the counters of the client.
func (c *Client) Stats() ClientStats {
	s := &c.stats
	return ClientStats{s.foreign.Load(), s.kernel.Load(), s.malformed.Load(), s.lost.Load()}
}

// ErrEvicted is the error of a Client after the server has evicted it, because the Client
// did not read for too long ([WithMaxClients]). It matches ECONNREFUSED. The groups and
// options of the Client are lost; dial again.
var ErrEvicted = fmt.Errorf("usersock: evicted by the server because the socket was full for too long; dial again: %w", errno.ECONNREFUSED)

var (
	errZero   = fmt.Errorf("usersock: zero Client or Server, make one with Dial or NewServer: %w", os.ErrClosed)
	errGone   = fmt.Errorf("usersock: server has ended; dial again: %w", errno.ECONNREFUSED)
	errLost   = fmt.Errorf("usersock: receive: messages lost because the queue at the server was full; resynchronize with a dump: %w", errno.ENOBUFS)
	errClosed = fmt.Errorf("usersock: receive: %w", os.ErrClosed)
	errTime   = fmt.Errorf("usersock: receive: %w", os.ErrDeadlineExceeded)
)

// end ends the session: later receives and sends fail with err.
func (c *Client) end(err error) { c.ended.CompareAndSwap(nil, &err) }

// endError returns the error that ended the session, or nil.
func (c *Client) endError() error {
	if c.sock == nil {
		return errZero
	}
	if err := c.ended.Load(); err != nil {
		return *err
	}
	return nil
}
