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

// Conn runs requests over a pool of Transports. [Open] or [New] makes one. Many
// goroutines may use it at once.
type Conn struct {
	conf  config
	pool  *pool
	late  bool // replies can arrive after a send has returned
	stats *counters

	// Of subscriptions: keep takes the messages that belong to no exchange, onLoss is
	// called when notifications may be lost.
	keep   func(m nlmsg.Msg, info socket.Info)
	onLoss func(err error)

	mu       sync.Mutex // guards what follows
	children map[*Conn]struct{}
	isClosed bool
}

// New makes a Conn over t, which is the Conn's from now on: Close closes it. Without
// [WithDialer] exchanges take turns on it. [WithSocket] has no effect: it is for Open.
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

// Open makes a Conn over sockets of a protocol, with extended and capped
// acknowledgements where the kernel has them, and the options of [WithSocket].
// Further sockets are opened as they are needed, in the network namespace of the first
// ([socket.Socket.Sibling]), unless [WithDialer] is given.
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
				return nil, err // not a Transport that holds a nil *Socket
			}
			return sibling, nil
		}
	}
	return newConn(s, conf, &counters{}), nil
}

// Close closes every Transport of the Conn, of its pins and of its subscriptions.
// Exchanges that wait end with [ErrClosedWaiting], later ones with [ErrClosed]; both
// match [os.ErrClosed]. A Transport that is in a send is closed when the kernel has
// returned from it; Close does not wait for that. A second Close returns ErrClosed.
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

// isOpen is false for the zero Conn, and for that of a zero Pin, Subscription or Client.
func (c *Conn) isOpen() bool { return c != nil && c.pool != nil }

// child makes a Conn with another Transport only, which Close closes too.
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
		_ = t.Close() // nothing is lost with it
		return nil, ErrClosed
	}
	if c.children == nil {
		c.children = map[*Conn]struct{}{}
	}
	c.children[child] = struct{}{}
	return child, nil
}

// closeChild closes a Conn from child.
func (c *Conn) closeChild(child *Conn) error {
	c.mu.Lock()
	delete(c.children, child)
	c.mu.Unlock()
	return child.Close()
}

// Configure calls set for every Transport of the Conn: for one of them now, and for each
// other, also those opened later, before its next exchange. Pins and subscriptions
// that are made later have it too. If set fails for the first, its error is returned and
// it is not called again; if it fails later, so does the exchange.
//
// set may be called from any goroutine that uses the Conn, and must not use it.
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
			return fmt.Errorf("%T has no options: %w", t, errors.ErrUnsupported)
		}
		return s.SetFlag(f, on)
	})
}

// Stats counts what did not go to a request. A number only ever grows.
type Stats struct {
	Stale         uint64 // messages that answer nothing: late, duplicated, for another port
	Foreign       uint64 // datagrams that did not come from the kernel
	Notifications uint64 // multicast messages among the replies
	Malformed     uint64 // datagrams that are empty, or malformed from some message on
	Truncated     uint64 // datagrams longer than the buffer
	Lost          uint64 // losses; in a subscription also unreadable datagrams, and messages over WithQueue
	Interrupted   uint64 // dumps that the kernel marked as inconsistent
}

type counters struct {
	stale, foreign, notifications, malformed, truncated, lost, interrupted atomic.Uint64
}

// Stats returns the counters of the Conn, with its pins and subscriptions.
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
