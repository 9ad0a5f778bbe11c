package bus

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/socket"
)

// Port is a socket of the bus, in memory. [Bus.Open] makes one. It is a conn.Transport and
// has the methods of a [socket.Socket] that apply to Generic Netlink, with the same
// behavior: requests are handled inside Send, and their replies are queued when Send
// returns. Goroutines may call its methods concurrently.
//
// Every method of a closed Port that can fail returns os.ErrClosed.
type Port struct {
	bus    *Bus
	id     uint32
	netNS  int
	caps   Caps
	faults Faults
	flags  atomic.Uint32 // bit n is set if socket.Flag(n) is on

	wake chan struct{} // contains an element if a receive may succeed
	done chan struct{} // closed by Close

	bad error // errors of the options, for Open

	mu         sync.Mutex // guards the fields below
	queue      queue
	rmem       int   // used share of the receive buffer
	rcvbuf     int   // size of the receive buffer, the limit of rmem
	congested  bool  // a datagram was lost, and the queue has not been empty since then
	err        error // pending error of the next receive (sk_err)
	drops      uint32
	maxReceive int  // length of the longest buffer passed to a receive
	dumping    bool // a dump is running
	stalled    bool // a fault dropped the last datagram of the dump
	closed     bool
	sndbuf     int       // size of the send buffer
	deadline   time.Time // set by SetReadDeadline
	expired    bool      // the deadline has passed
	timer      *time.Timer
	delivered  int // number of datagrams, for Faults

	dumpMu sync.Mutex // held while a step of the dump runs (nl_cb_mutex)
	dump   Dump

	groups []uint32 // guarded by Bus.table
}

// firstPortID is the first port ID that the kernel tries if the process ID is in use; it
// counts down from there (netlink_autobind). It exposes clients that assume port IDs below
// 2^31.
const firstPortID = 1<<32 - 4097

// Open opens a port. By default the port has an unused ID, is in the network namespace 0,
// and has all capabilities ([Root]). The error is EADDRINUSE if the ID is in use, EINVAL
// for an invalid namespace, os.ErrClosed on a closed bus, and the error of [Port.SetFlag]
// for an invalid flag.
func (b *Bus) Open(options ...PortOption) (*Port, error) {
	p := &Port{
		bus: b, caps: Root, faults: b.faults, rcvbuf: defaultBuffer, sndbuf: defaultBuffer,
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	for _, option := range options {
		option(p)
	}
	if p.netNS < 0 {
		p.bad = errors.Join(p.bad, fmt.Errorf("bus: open in namespace %d: %w", p.netNS, errno.EINVAL))
	}
	if p.bad != nil {
		return nil, p.bad
	}
	b.table.Lock()
	defer b.table.Unlock()
	if err := b.isOpen(); err != nil {
		return nil, err
	}
	if p.id != 0 && b.ports[p.address()] != nil {
		return nil, fmt.Errorf("bus: open port %d: %w", p.id, errno.EADDRINUSE)
	}
	for p.id == 0 || b.ports[p.address()] != nil {
		p.id = b.rover
		b.rover--
	}
	b.ports[p.address()] = p
	return p, nil
}

func (p *Port) address() address { return address{p.netNS, p.id} }

// PortID returns the ID of the port, which is also in its replies. The ID of the zero Port
// is 0.
func (p *Port) PortID() uint32 { return p.id }

// Send sends a datagram to the bus, which handles its requests one after the other in the
// calling goroutine. When Send returns, their replies are queued. b is not kept. The error
// is ENODATA for an empty datagram, EMSGSIZE for a datagram that does not fit into the send
// buffer ([Port.SetSendBuffer]). Errors of a request arrive as messages.
func (p *Port) Send(b []byte) error {
	if err := p.mayBeSent(b); err != nil {
		return err
	}
	p.bus.handle(p, b)
	return nil
}

func (p *Port) mayBeSent(b []byte) error {
	size, err := p.SendBuffer()
	switch {
	case err != nil:
		return err
	case len(b) == 0:
		return fmt.Errorf("bus: send: %w", errno.ENODATA)
	case len(b) > size-sendOverhead:
		return fmt.Errorf("bus: send %d bytes, send buffer %d: %w", len(b), size, errno.EMSGSIZE)
	}
	return nil
}

// SendTo sends a datagram to another port of the same namespace, as processes do with
// netlink sockets. The receiver gets the sender's ID in socket.Info.PortID, which is 0 for
// datagrams from the bus. The error is EPERM without CapNetAdminNS, ECONNREFUSED if there
// is no such port, EAGAIN if its queue is full, and otherwise as for Send.
func (p *Port) SendTo(portID uint32, b []byte) error {
	err := p.mayBeSent(b)
	if err != nil {
		return err
	}
	if p.caps&CapNetAdminNS == 0 {
		err = errno.EPERM
	} else {
		err = p.bus.unicast(address{p.netNS, portID}, b, socket.Info{PortID: p.id})
	}
	if err != nil {
		return fmt.Errorf("bus: send to port %d: %w", portID, err)
	}
	return nil
}

// Close closes the port. Its dump and its memberships end, and blocked receivers fail with
// os.ErrClosed.
func (p *Port) Close() error {
	p.mu.Lock()
	if err := p.isOpenLocked(); err != nil {
		p.mu.Unlock()
		return err
	}
	p.closed = true
	p.stopTimer()
	close(p.done)
	for p.queue.count > 0 {
		p.bus.datagrams.Put(p.queue.pop())
	}
	p.mu.Unlock()
	p.bus.abandonDump(p)
	b := p.bus
	b.table.Lock()
	groups := slices.Clone(p.groups)
	delete(b.ports, p.address())
	b.table.Unlock()
	for _, group := range groups {
		if b.leave(p, group) {
			b.unbind(group)
		}
	}
	return nil
}

// isOpen returns nil, or the error of a closed Port or of the zero Port.
func (p *Port) isOpen() error {
	if p.bus == nil {
		return errZeroPort
	}
	select {
	case <-p.done:
		return errClosed
	default:
		return nil
	}
}

// isOpenLocked is isOpen with p.mu held.
func (p *Port) isOpenLocked() error {
	switch {
	case p.bus == nil:
		return errZeroPort
	case p.closed:
		return errClosed
	}
	return nil
}
