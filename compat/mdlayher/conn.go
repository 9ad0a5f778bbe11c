package netlink

import (
	"iter"
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// A Conn is a connection to a netlink protocol. It may be used by any number of goroutines
// at once; Execute, Receive and ReceiveIter take turns.
type Conn struct {
	seq  atomic.Uint32
	pid  uint32
	sock Socket
	own  *conn     // sock, if it is of Dial
	d    *debugger // nil without NLDEBUG

	// receiving is held by Execute, Receive and ReceiveIter until their last datagram.
	receiving sync.Mutex
	// exchanging is held for writing by Execute while it has its turn, and for reading by
	// Send and SendMessages, whose replies must not get between those of Execute. It is
	// locked after receiving, so that an Execute that waits for a Receive holds up no Send.
	exchanging sync.RWMutex
}

// A Socket is what a Conn of [NewConn] sends to and receives from.
//
// Deprecated: it is for tests only, and most methods of a Conn do not work without a socket
// of the kernel.
type Socket interface {
	Close() error
	Send(m Message) error
	SendMessages(m []Message) error
	Receive() ([]Message, error)
	ReceiveIter() iter.Seq2[Message, error]
}

// Dial opens a socket of a netlink protocol: 0 is NETLINK_ROUTE, 16 NETLINK_GENERIC. config
// may be nil. An error of a system call is an *os.SyscallError.
func Dial(family int, config *Config) (*Conn, error) {
	if config == nil {
		config = new(Config)
	}
	own, pid, err := dial(family, config)
	if err != nil {
		return nil, err
	}
	c := NewConn(own, pid)
	c.own = own
	return c, nil
}

// NewConn returns a Conn of sock, with the port ID pid. It is for tests.
func NewConn(sock Socket, pid uint32) *Conn {
	c := &Conn{pid: pid, sock: sock, d: debuggerOf(debugArgs)}
	c.seq.Store(rand.Uint32())
	return c
}

// Close closes the socket. Calls that wait for it end with an error.
func (c *Conn) Close() error { return newOpError("close", c.sock.Close()) }

// PID returns the port ID of the socket.
func (c *Conn) PID() uint32 { return c.pid }

// Send sends a message and returns it as it was sent: with its length, the next sequence
// number and the port ID of c in those fields of the header that are 0.
func (c *Conn) Send(m Message) (Message, error) {
	c.exchanging.RLock()
	defer c.exchanging.RUnlock()
	return c.send(m)
}

// send is Send with exchanging held.
func (c *Conn) send(m Message) (Message, error) {
	c.complete(&m)
	c.d.message("send", m)
	if err := c.sock.Send(m); err != nil {
		c.d.error("send", err)
		return Message{}, newOpError("send", err)
	}
	return m, nil
}

// SendMessages sends messages in one datagram, and completes their headers in msgs as Send
// does.
func (c *Conn) SendMessages(msgs []Message) ([]Message, error) {
	c.exchanging.RLock()
	defer c.exchanging.RUnlock()
	for i := range msgs {
		c.complete(&msgs[i])
		c.d.message("send msgs", msgs[i])
	}
	if err := c.sock.SendMessages(msgs); err != nil {
		c.d.error("send msgs", err)
		return nil, newOpError("send-messages", err)
	}
	return msgs, nil
}

// complete fills in the fields of the header that are 0.
func (c *Conn) complete(m *Message) {
	if m.Header.Length == 0 {
		m.Header.Length = uint32(nlmsgAlign(nlmsgLength(len(m.Data))))
	}
	if m.Header.Sequence == 0 {
		m.Header.Sequence = c.seq.Add(1)
	}
	if m.Header.PID == 0 {
		m.Header.PID = c.pid
	}
}

// Validate checks that replies have the sequence number and the port ID of the request. A 0
// in the request is not compared, and neither is a port ID of 0 in a reply.
func Validate(request Message, replies []Message) error {
	want := &request.Header
	for i := range replies {
		got := &replies[i].Header
		switch {
		case want.Sequence != 0 && got.Sequence != want.Sequence:
			return newOpError("validate", errMismatchedSequence)
		case want.PID != 0 && got.PID != 0 && got.PID != want.PID:
			return newOpError("validate", errMismatchedPID)
		}
	}
	return nil
}
