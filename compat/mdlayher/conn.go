package netlink

import (
	"iter"
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// A Conn is a netlink socket for one protocol. Its methods are safe for concurrent use. Execute,
// Receive and ReceiveIter wait for each other.
type Conn struct {
	seq  atomic.Uint32
	pid  uint32
	sock Socket
	own  *conn     // sock, if Dial opened it
	d    *debugger // nil without NLDEBUG

	// receiving is held by Execute, Receive and ReceiveIter until their last datagram.
	receiving sync.Mutex
	// exchanging keeps the replies to Send and SendMessages out of an Execute: Execute holds it for
	// writing, Send and SendMessages for reading. Execute locks it after receiving, so that an Execute
	// that waits for a Receive does not block Send.
	exchanging sync.RWMutex
}

// A Socket sends and receives the messages of a Conn of [NewConn].
//
// Deprecated: it is for tests only. Most methods of a Conn require a socket of the kernel.
type Socket interface {
	Close() error
	Send(m Message) error
	SendMessages(m []Message) error
	Receive() ([]Message, error)
	ReceiveIter() iter.Seq2[Message, error]
}

// Dial opens a socket for a netlink protocol, for example 0 (NETLINK_ROUTE) or 16 (NETLINK_GENERIC).
// config may be nil. If a system call fails, the error is an *os.SyscallError.
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

// NewConn returns a Conn that uses sock and has the port ID pid. It is for tests.
func NewConn(sock Socket, pid uint32) *Conn {
	c := &Conn{pid: pid, sock: sock, d: debuggerOf(debugArgs)}
	c.seq.Store(rand.Uint32())
	return c
}

// Close closes the socket. Waiting calls return an error.
func (c *Conn) Close() error { return newOpError("close", c.sock.Close()) }

// PID returns the port ID of the socket.
func (c *Conn) PID() uint32 { return c.pid }

// Send sends a message and returns it with the header that was sent. Before that, it replaces zeros in
// the header with the length of m, the next sequence number and the port ID of c.
func (c *Conn) Send(m Message) (Message, error) {
	c.exchanging.RLock()
	defer c.exchanging.RUnlock()
	return c.send(m)
}

// send implements Send. The caller holds exchanging.
func (c *Conn) send(m Message) (Message, error) {
	c.complete(&m)
	c.d.message("send", m)
	if err := c.sock.Send(m); err != nil {
		c.d.error("send", err)
		return Message{}, newOpError("send", err)
	}
	return m, nil
}

// SendMessages sends messages in one datagram. It completes the headers in msgs, like Send.
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

// complete sets the fields of the header that are 0.
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

// Validate returns an error if a reply's sequence number or port ID differs from the request's. Zeros
// in the request and a port ID of 0 in a reply match any value.
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
