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

// Client is a conn.Transport to a bus in another process. [Dial] makes one. Many
// goroutines may use it at once.
type Client struct {
	server socket.Addr
	sock   *socket.Socket
	second *socket.Socket // for control messages and their answers
	done   chan struct{}  // closed by Close
	closed atomic.Bool
	ended  atomic.Pointer[error] // the server has ended the session
	full   atomic.Int64          // a backlog that may have filled the socket, in bytes
	stats  clientCounters

	rd      sync.Mutex // held by receivers; guards the fields below
	buf     []byte
	next    received
	backlog int // bytes received since the socket was empty

	asking sync.Mutex // held for a control message; guards seq
	seq    uint32

	mu       sync.Mutex // guards the fields below
	flags    []socket.Flag
	queue    int       // bytes that the server keeps for the client
	deadline time.Time // of receiving
}

// patience limits how long a server may take to accept a datagram, or to answer a
// control message: its handlers may delay both.
const patience = 5 * time.Second

// Dial opens a socket in the network namespace of the calling thread, and makes it
// a client of the server with that port ID. The flags are options of the bus, as
// [Client.SetFlag] sets them. ECONNREFUSED means that no socket has the port ID,
// EUSERS that the server has no place; see [WithMaxClients].
func Dial(serverPortID uint32, flags ...socket.Flag) (*Client, error) {
	return dial(func() (*socket.Socket, error) { return socket.Open(socket.UserSock) }, serverPortID, flags)
}

// Sibling makes another client of the same server, in the same network namespace and
// with the same flags, without groups. See [socket.Socket.Sibling].
func (c *Client) Sibling() (*Client, error) {
	if c.sock == nil {
		return nil, errZero
	}
	c.mu.Lock()
	flags := slices.Clone(c.flags)
	c.mu.Unlock()
	return dial(c.sock.Sibling, c.server.PortID, flags)
}

// maxTries is how many sockets are opened to find a port ID that the bus has not
// given to a port of the server's own process.
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

// NewClient makes a client of a socket of [socket.UserSock], as Dial does: for a
// network namespace, a port ID of the caller's choice or a larger buffer. The
// socket is the Client's from then on, also if it fails; EADDRINUSE says that a
// port of the server's own process has its port ID.
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
		err = errno.ECONNREFUSED // the server is gone: its port ID has become ours
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

// PortID returns the client's address.
func (c *Client) PortID() uint32 {
	if c.sock == nil {
		return 0
	}
	return c.sock.PortID()
}

// Close ends the client, and sends a bye to the server unless its socket is full.
// Waiting receivers wake with os.ErrClosed.
func (c *Client) Close() error {
	if c.sock == nil {
		return errZero
	}
	if !c.closed.Swap(true) {
		close(c.done)
		b := control{command: cmdBye, portID: c.PortID()}.append(nil, nlmsg.FlagRequest, 0)
		_ = c.sock.TrySendTo(b, c.server) // without it the server finds the closed socket
	}
	return errors.Join(c.sock.Close(), c.second.Close())
}

// Join makes the client a member of a group of the bus. When it returns the
// membership is in force. The errors are those of [bus.Port.Join].
func (c *Client) Join(group uint32) error {
	_, err := c.command(fmt.Sprintf("join group %d", group), cmdJoin, group)
	return err
}

// Leave ends a membership.
func (c *Client) Leave(group uint32) error {
	_, err := c.command(fmt.Sprintf("leave group %d", group), cmdLeave, group)
	return err
}

// SetFlag turns an option on or off: ExtAck, CapAck, StrictCheck, NoENOBUFS,
// PacketInfo. Another one is ENOPROTOOPT.
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

// SetReceiveBuffer asks for a receive buffer of so many bytes, of the socket and of
// the queue that the server has for it. Either may give less.
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

// measure reads the size of the socket's receive buffer, for [Client.emptied].
func (c *Client) measure() error {
	bytes, err := c.sock.ReceiveBuffer()
	c.full.Store(int64(bytes / 4))
	return err
}

// ReceiveBuffer returns the size of both together, as the kernel counts.
func (c *Client) ReceiveBuffer() (bytes int, err error) {
	if c.sock == nil {
		return 0, errZero
	}
	bytes, err = c.sock.ReceiveBuffer()
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes + c.queue, err
}

// setQueue takes the queue size that the server reports.
func (c *Client) setQueue(a nlmsg.ExtAck) {
	if len(a.Cookie) != 4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = int(ne.Uint32(a.Cookie))
}

// command sends a control message from the second socket, so that its answer does not
// come between the datagrams of the bus.
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

// ask sends a control message and waits for its answer.
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
		// A server that ends leaves datagrams unread.
		if err := s.TrySendTo(plain(nil, nlmsg.TypeNoop, c.PortID()), c.server); errno.Is(err, errno.ECONNREFUSED) {
			return nlmsg.ExtAck{}, err
		}
	}
}

// leastPause is how long ask waits before it first probes the server.
const leastPause = 20 * time.Millisecond

// awaitAnswer receives until the answer is there.
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

// ClientStats counts what a client received besides the datagrams of the bus. A
// number only ever grows.
type ClientStats struct {
	Foreign   uint64 // datagrams of other senders; they were received with their sender
	Kernel    uint64 // datagrams without a sender's port ID; they were dropped
	Malformed uint64 // malformed datagrams of the server; they were dropped
	Lost      uint64 // losses that the server reported
}

type clientCounters struct{ foreign, kernel, malformed, lost atomic.Uint64 }

// Stats returns the counters of the client.
func (c *Client) Stats() ClientStats {
	s := &c.stats
	return ClientStats{s.foreign.Load(), s.kernel.Load(), s.malformed.Load(), s.lost.Load()}
}

// ErrEvicted ends a Client whose place the server gave to another, because the Client
// read nothing for too long ([WithMaxClients]). It matches ECONNREFUSED. Its groups and
// options are gone; dial again.
var ErrEvicted = fmt.Errorf("usersock: evicted by the server, which found the socket full for too long: dial again: %w", errno.ECONNREFUSED)

var (
	errZero   = fmt.Errorf("usersock: the zero Client or Server is not open: make one with Dial or NewServer: %w", os.ErrClosed)
	errGone   = fmt.Errorf("usersock: the server has ended: %w", errno.ECONNREFUSED)
	errLost   = fmt.Errorf("usersock: receive: the queue at the server was full: %w", errno.ENOBUFS)
	errClosed = fmt.Errorf("usersock: receive: %w", os.ErrClosed)
	errTime   = fmt.Errorf("usersock: receive: %w", os.ErrDeadlineExceeded)
)

// end ends the session for the client: receiving and sending fail with err from now on.
func (c *Client) end(err error) { c.ended.CompareAndSwap(nil, &err) }

// endError returns what ended the session, nil if nothing has.
func (c *Client) endError() error {
	if c.sock == nil {
		return errZero
	}
	if err := c.ended.Load(); err != nil {
		return *err
	}
	return nil
}
