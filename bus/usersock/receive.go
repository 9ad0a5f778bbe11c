package usersock

import (
	"time"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Send sends a datagram to the server. That it is handled is not said by Send's
// return. ECONNREFUSED says that there is no server, os.ErrDeadlineExceeded that it
// has taken nothing for some seconds.
func (c *Client) Send(b []byte) error {
	if c.gone.Load() {
		return errGone
	}
	if err := c.sock.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return c.sock.SendTo(b, c.server)
}

// SetReadDeadline makes Receive fail from t on, also where it waits now.
func (c *Client) SetReadDeadline(t time.Time) error { return c.sock.SetReadDeadline(t) }

// Receive waits for a datagram and copies it into b, as much as fits; see
// [socket.Socket.Receive]. Info.PortID is 0 for what the bus sent. What others sent
// comes too, with their port IDs.
func (c *Client) Receive(b []byte) (n int, info socket.Info, err error) {
	c.rd.Lock()
	defer c.rd.Unlock()
	return c.receive(b, c.sock.Receive)
}

// TryReceive is Receive without waiting: [socket.ErrEmpty] when no datagram is
// queued, or when another receiver is about to take it.
func (c *Client) TryReceive(b []byte) (n int, info socket.Info, err error) {
	if !c.rd.TryLock() {
		return 0, socket.Info{}, socket.ErrEmpty
	}
	defer c.rd.Unlock()
	return c.receive(b, c.sock.TryReceive)
}

// receive is under rd.
func (c *Client) receive(b []byte, from func([]byte) (int, socket.Info, error)) (int, socket.Info, error) {
	for {
		if c.gone.Load() {
			return 0, socket.Info{}, errGone
		}
		n, info, err := from(c.buf)
		if err != nil && err != socket.ErrTruncated {
			return 0, info, err
		}
		data := c.buf[:n]
		if info.Size > len(c.buf) {
			c.buf = make([]byte, nlmsg.Align(info.Size))
		}
		switch info.PortID {
		case 0:
			c.stats.kernel.Add(1)
			continue
		case c.server.PortID:
			if data, err = c.open(data, &info); data == nil && err == nil {
				continue
			}
		default:
			c.stats.foreign.Add(1)
		}
		if n = copy(b, data); err == nil && n < info.Size {
			err = socket.ErrTruncated
		}
		return n, info, err
	}
}

// open takes from a datagram of the server what is in front of the bus's own. It
// returns nil where there is nothing else.
func (c *Client) open(data []byte, info *socket.Info) ([]byte, error) {
	*info = socket.Info{Size: info.Size}
	m, n := nlmsg.Consume(data)
	switch {
	case n < 0: // what a handler of the bus sends is not ours to judge
		return data, nil
	case m.Type() == nlmsg.Noop && len(data) == nlmsg.HeaderLen:
		return nil, nil
	case m.Type() == nlmsg.Overrun && len(data) == nlmsg.HeaderLen:
		c.stats.lost.Add(1)
		return nil, errLost
	case m.Type() != typeControl:
		return data, nil
	}
	switch parseInfo(m, info) {
	case cmdInfo:
		info.Size -= n
		return data[n:], nil
	case cmdBye:
		c.gone.Store(true)
		return nil, errGone
	}
	c.stats.malformed.Add(1)
	return nil, nil
}
