package bus

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nlwire/nlwire/errno"

	"github.com/nlwire/nlwire/socket"
)

// Caps are what whoever holds a port may do.
type Caps uint8

const (
	// CapNetAdmin is CAP_NET_ADMIN in the first user namespace
	// (genlmsg.OpAdmin asks for it).
	CapNetAdmin Caps = 1 << iota
	// CapNetAdminNS is CAP_NET_ADMIN in the user namespace of the port's network
	// namespace (genlmsg.OpUnsAdmin, GroupNetAdmin).
	CapNetAdminNS
	// CapSysAdminNS is CAP_SYS_ADMIN there (GroupSysAdmin).
	CapSysAdminNS

	// Root may do everything.
	Root = CapNetAdmin | CapNetAdminNS | CapSysAdminNS
)

// Port is a socket of the bus, in memory. It is a conn.Transport, with the
// methods of a [socket.Socket] that matter to Generic Netlink, and behaves as one
// does: requests are handled inside Send, their answers are in the queue when it
// returns. Many goroutines may use it at once.
type Port struct {
	bus    *Bus
	id     uint32
	netNS  int
	caps   Caps
	faults Faults
	flags  atomic.Uint32 // bit n is the socket.Flag n

	wake chan struct{} // has one when there may be something to receive
	done chan struct{} // closed with the port

	bad error // what was wrong with the options

	mu         sync.Mutex // guards what follows
	queue      queue
	rmem       int   // what the queue takes
	rcvbuf     int   // how much it may take
	congested  bool  // something was lost, and the queue not empty since
	err        error // the next receive fails with it (sk_err)
	drops      uint32
	maxReceive int  // the longest buffer that was offered
	dumping    bool // a dump has not ended
	stalled    bool // its last datagram was lost by a fault
	closed     bool
	sndbuf     int       // limits the datagrams that the port sends
	deadline   time.Time // as it was set
	expired    bool      // the deadline is over
	timer      *time.Timer
	delivered  int // datagrams, for Faults

	dumpMu sync.Mutex // held while a step of a dump runs (nl_cb_mutex)
	dump   Dump

	groups []uint32 // under Bus.table
}

// PortOption changes how [Bus.Open] makes a port.
type PortOption func(*Port)

// WithPortID gives the port an ID of the caller's choice; EADDRINUSE if another
// one has it.
func WithPortID(id uint32) PortOption { return func(p *Port) { p.id = id } }

// WithNetNS puts the port into another network namespace than the first, which is
// 0. Only families with NetNSOK are there.
func WithNetNS(n int) PortOption { return func(p *Port) { p.netNS = n } }

// WithCaps chooses what the port may do, [Root] if it is not given.
func WithCaps(c Caps) PortOption { return func(p *Port) { p.caps = c } }

// WithFlags turns boolean options on, as [Port.SetFlag] does.
func WithFlags(flags ...socket.Flag) PortOption {
	return func(p *Port) {
		for _, f := range flags {
			p.bad = errors.Join(p.bad, p.SetFlag(f, true))
		}
	}
}

// WithPortFaults has faults happen on this port, in place of those of the bus.
func WithPortFaults(f Faults) PortOption { return func(p *Port) { p.faults = f } }

// firstPortID is where the kernel begins when the process's ID is taken, and
// counts down from (netlink_autobind). Clients that take a port ID for a number
// below 2^31 find out.
const firstPortID = 1<<32 - 4097

// Open opens a port.
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
	if b.closed {
		return nil, errClosed
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

// PortID returns the port's address, which answers carry.
func (p *Port) PortID() uint32 { return p.id }

// Send sends a datagram to the bus, which handles its requests, one after the
// other, before Send returns; their answers are then queued. It does not keep b.
// The errors are the kernel's: ENODATA for an empty one, EMSGSIZE for one that does
// not fit into the send buffer ([Port.SetSendBuffer]), os.ErrClosed.
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

// SendTo sends a datagram to another port of the same namespace, as any process
// may do on netlink. The receiver can tell that it is not from the bus by
// Info.PortID. ECONNREFUSED says that there is no such port, EPERM that it takes
// CapNetAdminNS.
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

// Receive waits for a datagram, copies it into b, as much as fits, and returns how
// much that is. Info.Size is the whole length, [socket.ErrTruncated] says that
// something is missing. ENOBUFS says that datagrams were lost, ahead of those in
// the queue; os.ErrDeadlineExceeded and os.ErrClosed are the others, whatever is
// queued. Each receive lets the dump on the port go on.
func (p *Port) Receive(b []byte) (n int, info socket.Info, err error) {
	for {
		n, info, err = p.receive(b, true)
		if err != socket.ErrEmpty {
			return n, info, err
		}
		select {
		case <-p.wake:
		case <-p.done:
		}
	}
}

// Wait waits until a datagram or a pending error can be received, and takes neither.
// Its errors are os.ErrDeadlineExceeded, also with datagrams queued, and
// os.ErrClosed, as those of [Port.Receive]. Another receiver may be faster: follow it
// with TryReceive or Receive.
func (p *Port) Wait() error {
	for {
		ready, err := p.ready()
		if ready || err != nil {
			return err
		}
		select {
		case <-p.wake:
		case <-p.done:
		}
	}
}

// ready reports whether there is something to receive. A dump that stands still
// because a fault has lost its datagram goes on first.
func (p *Port) ready() (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed && !p.expired && p.err == nil && p.queue.count == 0 && p.stalled {
		p.stalled = false
		p.mu.Unlock()
		p.goOn()
		p.mu.Lock()
	}
	switch {
	case p.closed:
		return false, errClosed
	case p.expired:
		p.signal() // for the next waiter
		return false, errDeadline
	case p.err != nil, p.queue.count > 0:
		p.signal() // this wake-up was a receiver's as well
		return true, nil
	}
	return false, nil
}

var (
	errDeadline  = fmt.Errorf("bus: receive: %w", os.ErrDeadlineExceeded)
	errNoBuffers = fmt.Errorf("bus: receive: %w", syscall.ENOBUFS)
	errInterrupt = fmt.Errorf("bus: receive: %w", syscall.EINTR)
)

// SetReadDeadline has Receive fail from t on, also where it waits now; what is
// queued stays there. The zero time is none.
func (p *Port) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	p.stopTimer()
	p.deadline = t
	if t.IsZero() {
		return nil
	}
	wait := time.Until(t)
	if wait <= 0 {
		p.expired = true
		p.signal()
		return nil
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.timer == timer {
			p.expired = true
			p.signal()
		}
	})
	p.timer = timer
	return nil
}

// ReadDeadline returns the time of the last SetReadDeadline, zero for none.
func (p *Port) ReadDeadline() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deadline
}

// stopTimer is under p.mu.
func (p *Port) stopTimer() {
	if p.timer != nil {
		p.timer.Stop()
	}
	p.timer, p.expired = nil, false
}

// Close closes the port: the dump that runs on it ends, its memberships too, and
// who waits wakes with os.ErrClosed.
func (p *Port) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return errClosed
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

func (p *Port) isClosed() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// ReceiveBuffer returns how much the queue may take, in bytes as the kernel counts
// them.
func (p *Port) ReceiveBuffer() (bytes int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, errClosed
	}
	return p.rcvbuf, nil
}

// SetReceiveBuffer asks for a receive buffer of so many bytes. As in the kernel the
// number is doubled, and a queued datagram takes 832 bytes and more.
func (p *Port) SetReceiveBuffer(bytes int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	p.rcvbuf = max(2*min(bytes, mostBuffer), leastBuffer)
	return nil
}

// SendBuffer returns the size of the send buffer, in bytes as the kernel counts
// them: 212,992 until SetSendBuffer is called.
func (p *Port) SendBuffer() (bytes int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, errClosed
	}
	return p.sndbuf, nil
}

// SetSendBuffer asks for a send buffer of so many bytes, which the kernel doubles
// (SO_SNDBUFFORCE); the least is 4,608. A datagram is sent if it is at least 32 bytes
// shorter than the buffer, else it is EMSGSIZE (netlink_sendmsg). Requests are handled
// within Send, so that nothing is kept in the buffer.
func (p *Port) SetSendBuffer(bytes int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	p.sndbuf = max(2*min(bytes, mostBuffer), leastSendBuffer)
	return nil
}

// Drops returns how many datagrams were lost because the queue was full.
func (p *Port) Drops() (datagrams uint32, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, errClosed
	}
	return p.drops, nil
}

// SetFlag turns an option on or off: ExtAck, CapAck, StrictCheck, NoENOBUFS,
// PacketInfo, BroadcastError, ListenAllNSID.
func (p *Port) SetFlag(f socket.Flag, on bool) error {
	switch {
	case p.isClosed():
		return errClosed
	case f < 0 || f > socket.StrictCheck:
		return fmt.Errorf("bus: set %v: %w", f, syscall.EINVAL)
	}
	if on {
		p.flags.Or(1 << f)
	} else {
		p.flags.And(^uint32(1 << f))
	}
	if f == socket.NoENOBUFS && on {
		p.mu.Lock()
		p.congested = false
		p.mu.Unlock()
	}
	return nil
}

// Flag reports whether an option is on.
func (p *Port) Flag(f socket.Flag) (on bool, err error) {
	if p.isClosed() {
		return false, errClosed
	}
	return p.has(f), nil
}

func (p *Port) has(f socket.Flag) bool { return p.flags.Load()&(1<<f) != 0 }
