package conn

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Conn runs requests over a Transport. [Open] or [New] makes one. Many
// goroutines may use it at once.
type Conn struct {
	conf     config
	main     *lane
	requests pool
	batches  batchPool
	room     atomic.Int64 // bytes that the largest batch so far has asked for
	stats    counters

	mu     sync.Mutex // guards what follows
	closed bool
	idle   []*lane              // those for dumps, at rest
	others map[*dialed]struct{} // every Transport but the main one
}

// dialed is a Transport from the Dialer.
type dialed struct{ t Transport }

// config is what the options add up to.
type config struct {
	dial      Dialer
	buffer    atomic.Int64 // size of the next one; a datagram that did not fit raises it
	queue     int
	anySender bool
	warn      func(*Error)
}

// Option changes how a Conn works.
type Option func(*config)

// WithDialer gives a Conn more Transports: one for each subscription, and one for
// each dump that runs, which it keeps for the next dump.
func WithDialer(dial Dialer) Option { return func(c *config) { c.dial = dial } }

// WithBuffer sets the size of receive buffers in bytes, [socket.BufferSize] if
// it is not given. A Conn has one for each Transport. After a datagram that did
// not fit they grow.
func WithBuffer(bytes int) Option { return func(c *config) { c.buffer.Store(int64(max(bytes, 64))) } }

// WithQueue limits how many bytes are kept for a request: the replies to it, or,
// without a Dialer, what others receive for a dump whose consumer is slow. It is
// 16 MiB if not given. What is over ends the request with [ErrTooMuch].
func WithQueue(bytes int) Option { return func(c *config) { c.queue = bytes } }

// WithAnySender accepts answers from every sender. Without it only the kernel
// is believed. It is for peers other than the kernel, over a Transport that
// sends to them.
func WithAnySender() Option { return func(c *config) { c.anySender = true } }

// WithWarnings has f told what the kernel says besides success (see
// [Request.Warning]). f runs in the goroutine of the request.
func WithWarnings(f func(*Error)) Option { return func(c *config) { c.warn = f } }

// New makes a Conn over t, which is the Conn's from now on: Close closes it.
func New(t Transport, options ...Option) *Conn {
	c := &Conn{others: map[*dialed]struct{}{}}
	c.conf.buffer.Store(socket.BufferSize)
	c.conf.queue = 16 << 20
	for _, option := range options {
		option(&c.conf)
	}
	c.main = newLane(t, &c.conf, &c.stats)
	return c
}

// Open makes a Conn over a socket of a protocol, with extended and capped
// acknowledgements and the options given, in their order. Further sockets are
// opened as they are needed ([socket.Socket.Twin]).
func Open(protocol int, options ...socket.Option) (*Conn, error) {
	s, err := socket.Open(protocol, append([]socket.Option{socket.With(socket.ExtAck, socket.CapAck)}, options...)...)
	if err != nil {
		return nil, err
	}
	return New(s, WithDialer(func() (Transport, error) {
		twin, err := s.Twin()
		if err != nil {
			return nil, err // not a Transport that holds a nil *Socket
		}
		return twin, nil
	})), nil
}

// Close closes every Transport of the Conn. Requests, dumps and subscriptions
// under way end with [os.ErrClosed]; so does everything after it.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return os.ErrClosed
	}
	c.closed = true
	others := c.others
	c.others, c.idle = nil, nil
	c.mu.Unlock()
	errs := []error{c.main.t.Close()}
	for other := range others {
		errs = append(errs, other.t.Close())
	}
	return errors.Join(errs...)
}

// newBuffer returns a buffer for datagrams.
func (c *config) newBuffer() []byte { return make([]byte, c.buffer.Load()) }

// grow makes later buffers large enough for a datagram that did not fit.
func (c *config) grow(size int) {
	for {
		old := c.buffer.Load()
		if int64(size) <= old || c.buffer.CompareAndSwap(old, int64(nlmsg.Align(size))) {
			return
		}
	}
}

// dial opens another Transport, which Close will close too.
func (c *Conn) dial() (*dialed, error) {
	if c.conf.dial == nil {
		return nil, ErrNoDialer
	}
	t, err := c.conf.dial()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		_ = t.Close()
		return nil, os.ErrClosed
	}
	d := &dialed{t}
	c.others[d] = struct{}{}
	return d, nil
}

// hangUp closes a Transport from dial. After Close it has been closed.
func (c *Conn) hangUp(d *dialed) error {
	c.mu.Lock()
	_, open := c.others[d]
	delete(c.others, d)
	c.mu.Unlock()
	if !open {
		return os.ErrClosed
	}
	return d.t.Close()
}

// Transport returns the Transport for requests: [Open]'s is a [*socket.Socket].
// It is for options and for the port ID; receiving from it takes away what the
// Conn waits for.
func (c *Conn) Transport() Transport { return c.main.t }

// Stats counts what did not go to a request. A number only ever grows.
type Stats struct {
	Stale         uint64 // messages that answer nothing: late, doubled, not for us
	Foreign       uint64 // datagrams that did not come from the kernel
	Notifications uint64 // multicast messages among the answers
	Malformed     uint64 // datagrams that are empty, or stop making sense
	Truncated     uint64 // datagrams longer than the buffer
	Lost          uint64 // times that the kernel told of a loss
	Interrupted   uint64 // dumps that the kernel marked as inconsistent
}

type counters struct {
	stale, foreign, notifications, malformed, truncated, lost, interrupted atomic.Uint64
}

// Stats returns the counters of the Conn, with all its Transports.
func (c *Conn) Stats() Stats {
	s := &c.stats
	return Stats{
		s.stale.Load(), s.foreign.Load(), s.notifications.Load(), s.malformed.Load(),
		s.truncated.Load(), s.lost.Load(), s.interrupted.Load(),
	}
}
