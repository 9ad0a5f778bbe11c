package conn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Conn runs requests over a pool of Transports. [Open] or [New] makes one. Any number of
// goroutines may use it at once.
type Conn struct {
	conf  config
	pool  *pool
	late  bool // replies can arrive after a send has returned
	stats *counters

	// Set by subscriptions: keep takes the messages that belong to no exchange, onLoss is
	// called when notifications may be lost.
	keep   func(m nlmsg.Msg, info socket.Info)
	onLoss func(err error)

	mu       sync.Mutex // guards the fields below
	children map[*Conn]struct{}
	isClosed bool
}

// New makes a Conn over t and takes ownership of it: Close closes t. Without [WithDialer],
// exchanges take turns on t. [WithSocket] has no effect here; it is an option of Open.
func New(t Transport, options ...Option) *Conn {
	conf := defaults()
	for _, option := range options {
		option(&conf)
	}
	return newConn(t, conf, &counters{})
}

func newConn(t Transport, conf config, stats *counters) *Conn {
	return &Conn{conf: conf, pool: newPool(t, &conf), late: conf.late || repliesLate(t), stats: stats}
}

// Open makes a Conn over sockets of a protocol, with the options of [WithSocket] and, where
// the kernel supports them, extended and capped acknowledgements. Further sockets are
// opened on demand, in the network namespace of the first ([socket.Socket.Sibling]), unless
// [WithDialer] is given.
func Open(protocol socket.Protocol, options ...Option) (*Conn, error) {
	conf := defaults()
	for _, option := range options {
		option(&conf)
	}
	s, err := socket.Open(protocol, append([]socket.Option{socket.WithPreferredFlags(socket.ExtAck, socket.CapAck)}, conf.socket...)...)
	if err != nil {
		return nil, err
	}
	if conf.dial == nil {
		conf.dial = func() (Transport, error) {
			sibling, err := s.Sibling()
			if err != nil {
				return nil, err // a nil interface, not a Transport that holds a nil *Socket
			}
			return sibling, nil
		}
	}
	return newConn(s, conf, &counters{}), nil
}

// Close closes every Transport of the Conn, of its pins and of its subscriptions. Waiting
// exchanges end with [ErrClosedWaiting], later ones with [ErrClosed]; both match
// [os.ErrClosed]. A Transport that is inside a send is closed when the send returns; Close
// does not wait for it. A second Close returns ErrClosed.
func (c *Conn) Close() error {
	if !c.isOpen() {
		return errZero
	}
	c.mu.Lock()
	c.isClosed = true
	children := c.children
	c.children = nil
	c.mu.Unlock()
	err := c.pool.close()
	for child := range children {
		err = errors.Join(err, child.Close())
	}
	return err
}

// isOpen is false for the zero Conn, including that of a zero Pin, Subscription or Client.
func (c *Conn) isOpen() bool { return c != nil && c.pool != nil }

// child makes a Conn with one new Transport. Close closes it too.
func (c *Conn) child() (*Conn, error) {
	if c.conf.dial == nil {
		return nil, ErrNoDialer
	}
	t, err := c.conf.dial()
	if err != nil {
		return nil, err
	}
	conf := c.conf
	conf.dial = nil
	child := newConn(t, conf, c.stats)
	child.late = child.late || c.late
	child.pool.settings = c.pool.copySettings()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isClosed {
		_ = t.Close() // it has no user yet
		return nil, ErrClosed
	}
	if c.children == nil {
		c.children = map[*Conn]struct{}{}
	}
	c.children[child] = struct{}{}
	return child, nil
}

// closeChild closes a Conn that child has made.
func (c *Conn) closeChild(child *Conn) error {
	c.mu.Lock()
	delete(c.children, child)
	c.mu.Unlock()
	return child.Close()
}

// Configure calls set for every Transport of the Conn: immediately for one of them, and for
// each of the others, including those opened later, before its next exchange. It also
// applies to pins and subscriptions that are made later. If set fails for the first
// Transport, its error is returned and it is not called again. If it fails later, the
// exchange fails.
//
// set may be called from any goroutine that uses the Conn. It must not use the Conn itself.
func (c *Conn) Configure(ctx context.Context, set func(Transport) error) error {
	x := receiver{wait: wait{ctx: ctx}, c: c}
	err := errZero
	if c.isOpen() {
		err = x.expired()
	}
	if err == nil {
		x.m, err = c.pool.acquire(&x.wait, forRequest)
	}
	if err == nil {
		err = c.pool.configure(x.m, set)
	}
	x.handOver()
	if err != nil {
		return fmt.Errorf("conn: configure: %w", err)
	}
	return nil
}

// SetFlag sets a boolean option on every Transport; see Configure.
func (c *Conn) SetFlag(ctx context.Context, f socket.Flag, on bool) error {
	return c.Configure(ctx, func(t Transport) error {
		s, ok := t.(flagger)
		if !ok {
			return fmt.Errorf("%T does not support options: %w", t, errors.ErrUnsupported)
		}
		return s.SetFlag(f, on)
	})
}

// Stats counts messages, datagrams and events that no request received. The numbers only
// grow.
type Stats struct {
	Stale         uint64 // messages that answer no request: late, duplicated, for another port
	Foreign       uint64 // datagrams from senders other than the kernel
	Notifications uint64 // multicast messages received during exchanges
	Malformed     uint64 // datagrams that are empty or contain a malformed message
	Truncated     uint64 // datagrams longer than the buffer
	Lost          uint64 // losses; for a subscription also unreadable datagrams and messages above WithQueue
	Interrupted   uint64 // dumps that the kernel marked as inconsistent
}

type counters struct {
	stale, foreign, notifications, malformed, truncated, lost, interrupted atomic.Uint64
}

// Stats returns the counters of the Conn, including its pins and subscriptions.
func (c *Conn) Stats() Stats {
	if !c.isOpen() {
		return Stats{}
	}
	s := c.stats
	return Stats{
		s.stale.Load(), s.foreign.Load(), s.notifications.Load(), s.malformed.Load(),
		s.truncated.Load(), s.lost.Load(), s.interrupted.Load(),
	}
}
