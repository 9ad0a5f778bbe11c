package usersock

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// RepliesLate returns true: replies come from another process and may arrive after Send has
// returned. An empty queue after Send does not mean that there is no reply.
func (c *Client) RepliesLate() bool { return true }

// Send sends a datagram to the server, which handles it later. The error is ECONNREFUSED if
// there is no server or it has ended the session ([ErrEvicted]), and os.ErrDeadlineExceeded
// if the server has accepted no datagram for five seconds.
func (c *Client) Send(b []byte) error {
	if err := c.endError(); err != nil {
		return err
	}
	return c.sendFrom(c.sock, b)
}

// sendFrom sends a datagram to the server. While the server's socket is full, it repeats
// the attempt until patience ends. It does not use a write deadline of the socket, which
// would apply to all senders.
func (c *Client) sendFrom(s *socket.Socket, b []byte) error {
	err := s.TrySendTo(b, c.server)
	if err != socket.ErrFull {
		return err
	}
	end := time.NewTimer(patience)
	defer end.Stop()
	for pause := leastSendPause; err == socket.ErrFull; pause = min(2*pause, mostSendPause) {
		again := time.NewTimer(pause)
		select {
		case <-again.C:
			err = s.TrySendTo(b, c.server)
			continue
		case <-end.C:
			err = fmt.Errorf("usersock: send: server's socket is full: %w", os.ErrDeadlineExceeded)
		case <-c.done:
			err = fmt.Errorf("usersock: send: %w", os.ErrClosed)
		}
		again.Stop()
	}
	return err
}

// The pauses between attempts to send to a full server, since the kernel sends no event.
const (
	leastSendPause = 50 * time.Microsecond
	mostSendPause  = 5 * time.Millisecond
)

// SetReadDeadline makes Receive and Wait fail from time t on, including calls that are
// already waiting. The zero time means no deadline.
func (c *Client) SetReadDeadline(t time.Time) error {
	if c.sock == nil {
		return errZero
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.sock.SetReadDeadline(t); err != nil {
		return err
	}
	c.deadline = t
	return nil
}

// ReadDeadline returns the time set by the last SetReadDeadline, or zero.
func (c *Client) ReadDeadline() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deadline
}

// received is a datagram or error that no receiver has returned yet. Its bytes are in
// Client.buf.
type received struct {
	isThere bool
	data    []byte
	info    socket.Info
	err     error
}

// Receive waits for a datagram and copies it into b as far as it fits; see
// [socket.Socket.Receive]. Info.PortID is 0 for datagrams of the bus. Datagrams of other
// senders are returned too, with their port ID.
func (c *Client) Receive(b []byte) (n int, info socket.Info, err error) {
	c.rd.Lock()
	defer c.rd.Unlock()
	if err := c.mayWait(); err != nil {
		return 0, socket.Info{}, err
	}
	return c.deliver(b, c.await)
}

// TryReceive is Receive without waiting. The error is [socket.ErrEmpty] if no datagram is
// queued, or if a concurrent Receive or Wait is running.
func (c *Client) TryReceive(b []byte) (n int, info socket.Info, err error) {
	if !c.rd.TryLock() {
		return 0, socket.Info{}, socket.ErrEmpty
	}
	defer c.rd.Unlock()
	switch {
	case c.sock == nil:
		return 0, socket.Info{}, errZero
	case c.closed.Load():
		return 0, socket.Info{}, errClosed
	}
	return c.deliver(b, c.poll)
}

// Wait waits until a datagram or an error is pending. Wait itself returns
// os.ErrDeadlineExceeded, even if a datagram is queued, and os.ErrClosed, like
// [Client.Receive]. Receive and Wait calls run one at a time.
func (c *Client) Wait() error {
	c.rd.Lock()
	defer c.rd.Unlock()
	if err := c.mayWait(); err != nil {
		return err
	}
	return c.fetch(c.await)
}

// mayWait returns the error that keeps a receiver from waiting, or nil. The socket cannot
// check this for a datagram that is already in c.next.
func (c *Client) mayWait() error {
	t := c.ReadDeadline()
	switch {
	case c.sock == nil:
		return errZero
	case c.closed.Load():
		return errClosed
	case !t.IsZero() && !time.Now().Before(t):
		return errTime
	}
	return nil
}

// source is a function that receives from the socket.
type source func(b []byte) (n int, info socket.Info, err error)

// deliver returns the next datagram or error. The caller holds rd.
func (c *Client) deliver(b []byte, from source) (n int, info socket.Info, err error) {
	if err := c.fetch(from); err != nil {
		return 0, socket.Info{}, err
	}
	next := c.next
	c.next = received{}
	n, err = copy(b, next.data), next.err
	if err == nil && n < next.info.Size {
		err = socket.ErrTruncated
	}
	return n, next.info, err
}

// poll receives without waiting.
func (c *Client) poll(b []byte) (n int, info socket.Info, err error) {
	n, info, err = c.sock.TryReceive(b)
	if err == socket.ErrEmpty {
		c.emptied()
	}
	return n, info, err
}

// await receives, and waits while the socket is empty.
func (c *Client) await(b []byte) (n int, info socket.Info, err error) {
	n, info, err = c.poll(b)
	if err != socket.ErrEmpty {
		return n, info, err
	}
	if err := c.endError(); err != nil {
		return 0, socket.Info{}, err
	}
	return c.sock.Receive(b)
}

// datagramSize is the overhead that is counted per datagram. The kernel counts at most
// twice as much (SKB_TRUESIZE of alloc_skb's powers of two).
const datagramSize = 512

// emptied is called when the socket is empty. If the socket may have been full since the
// last call, emptied sends cmdReady, and the server replies with a bye if it has evicted
// the client. The caller holds rd.
func (c *Client) emptied() {
	if int64(c.backlog) >= c.full.Load() {
		b := control{command: cmdReady, portID: c.PortID()}.append(nil, nlmsg.FlagRequest, 0)
		switch err := c.sock.TrySendTo(b, c.server); {
		case err == socket.ErrFull:
			return // c.backlog is kept for the next attempt
		case errno.Is(err, errno.ECONNREFUSED):
			c.end(errGone)
		}
	}
	c.backlog = 0
}

// fetch receives until c.next contains a datagram or an error for the receiver. The caller
// holds rd.
func (c *Client) fetch(from source) error {
	for !c.next.isThere {
		if err := c.endError(); err != nil {
			c.next = received{isThere: true, err: err}
			return nil
		}
		n, info, err := from(c.buf)
		switch {
		case err == nil, err == socket.ErrTruncated:
			c.take(n, info, err)
		case err == socket.ErrEmpty, errors.Is(err, os.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
			return err
		default:
			c.next = received{isThere: true, info: info, err: err}
		}
	}
	return nil
}

// take puts a datagram of n bytes in the buffer into c.next, unless it is dropped.
func (c *Client) take(n int, info socket.Info, err error) {
	c.backlog += info.Size + datagramSize
	data := c.buf[:n]
	if info.Size > len(c.buf) {
		c.buf = make([]byte, nlmsg.Align(info.Size))
	}
	switch info.PortID {
	case 0:
		c.stats.kernel.Add(1)
		return
	case c.server.PortID:
		if data, err = c.open(data, &info); data == nil && err == nil {
			return
		}
	default:
		c.stats.foreign.Add(1)
	}
	c.next = received{isThere: true, data: data, info: info, err: err}
}

// open removes the server's control message from a datagram of the bus. It returns nil if
// nothing is left.
func (c *Client) open(data []byte, info *socket.Info) ([]byte, error) {
	*info = socket.Info{Size: info.Size}
	m, n := nlmsg.Consume(data)
	switch {
	case n < 0: // a handler of the bus may send any bytes
		return data, nil
	case m.Type() == nlmsg.TypeNoop && len(data) == nlmsg.HeaderLen:
		return nil, nil
	case m.Type() == nlmsg.TypeOverrun && len(data) == nlmsg.HeaderLen:
		c.stats.lost.Add(1)
		return nil, errLost
	case m.Type() != typeControl:
		return data, nil
	}
	switch command, value := parseInfo(m, info); command {
	case cmdInfo:
		info.Size -= n
		return data[n:], nil
	case cmdBye:
		err := errGone
		if value == byeEvicted {
			err = ErrEvicted
		}
		c.end(err)
		return nil, err
	}
	c.stats.malformed.Add(1)
	return nil, nil
}
