package bus

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Bus connects families and ports, and contains the controller, nlctrl. [New] makes one.
// Goroutines may call its methods concurrently.
type Bus struct {
	features Features
	faults   Faults
	delay    time.Duration // delay of a Slow datagram
	onPanic  func(*Panic)
	before   func(*Info)
	ctrl     *Family
	handlers sync.Mutex // shared by all families that are not Parallel (genl_mutex)
	stats    counters

	calls     sync.Pool // of *call
	datagrams sync.Pool // of *datagram

	registry sync.RWMutex // held for reading while a datagram is handled (cb_lock)
	ids      familyIDs
	names    map[string]*Family
	groups   groupBits

	table     sync.RWMutex // guards the fields below (nl_table_lock)
	ports     map[address]*Port
	listeners map[uint32]map[*Port]struct{}
	rover     uint32 // the next port ID to try
	closed    bool
}

// address is the address of a port: each network namespace has its own port IDs.
type address struct {
	netNS  int
	portID uint32
}

// Option changes how a Bus works.
type Option func(*Bus)

// WithFaults injects faults on every port that is opened without [WithPortFaults].
func WithFaults(f Faults) Option { return func(b *Bus) { b.faults = f } }

// WithPanics calls f after a handler has panicked, in the goroutine of the handler and
// under the restrictions of handlers. f must not panic.
func WithPanics(f func(*Panic)) Option { return func(b *Bus) { b.onPanic = f } }

// WithBefore calls f before every handler, in the goroutine of the handler and under the
// restrictions of handlers. If f blocks, it delays the handler and the requester's Send.
func WithBefore(f func(*Info)) Option { return func(b *Bus) { b.before = f } }

// WithDelay sets the delay of a [Slow] datagram. The default is 1 ms.
func WithDelay(d time.Duration) Option { return func(b *Bus) { b.delay = d } }

// New makes a bus with its controller, the family nlctrl. Close closes it.
func New(options ...Option) *Bus {
	b := &Bus{
		names:     map[string]*Family{},
		groups:    newGroupBits(),
		ports:     map[address]*Port{},
		listeners: map[uint32]map[*Port]struct{}{},
		rover:     firstPortID,
		delay:     time.Millisecond,
		features:  Linux618,
	}
	b.calls.New = func() any { return new(call) }
	b.datagrams.New = func() any { return new(datagram) }
	for _, option := range options {
		option(b)
	}
	b.ctrl = newController(b)
	if err := b.Register(b.ctrl); err != nil {
		panic(err) // the controller is constant and valid
	}
	return b
}

// Close closes every port: blocked receivers fail with os.ErrClosed, and so do later calls
// of Open and Register. The families may then be registered on another bus. No events are
// sent. A second Close returns os.ErrClosed.
func (b *Bus) Close() error {
	b.table.Lock()
	if err := b.isOpen(); err != nil {
		b.table.Unlock()
		return err
	}
	b.closed = true
	ports := make([]*Port, 0, len(b.ports))
	for _, p := range b.ports {
		ports = append(ports, p)
	}
	b.table.Unlock()
	for _, p := range ports {
		_ = p.Close() // it may be closed already
	}
	b.registry.Lock()
	defer b.registry.Unlock()
	for _, f := range b.ids.families {
		if f != nil {
			f.on.Store(nil)
		}
	}
	b.ids, b.names = familyIDs{}, nil
	return nil
}

// isOpen returns nil, or the error of a closed Bus or of the zero Bus. The caller holds
// b.table.
func (b *Bus) isOpen() error {
	switch {
	case b.ports == nil:
		return errZeroBus
	case b.closed:
		return errClosed
	}
	return nil
}

// Stats contains the counters of a bus, from New on.
type Stats struct {
	Datagrams uint64 // sent by ports
	Delivered uint64 // put into queues
	Overruns  uint64 // dropped because a queue was full
	Faults    uint64 // injected
	Panics    uint64 // of handlers
}

type counters struct{ datagrams, delivered, overruns, faults, panics atomic.Uint64 }

// Stats returns the counters of the bus. Each counter is exact, but they are not read at
// the same instant.
func (b *Bus) Stats() Stats {
	s := &b.stats
	return Stats{s.datagrams.Load(), s.delivered.Load(), s.overruns.Load(), s.faults.Load(), s.panics.Load()}
}

// Panic describes a handler that panicked; its requester received EIO. See
// [WithPanics].
type Panic struct {
	Family string // the name
	Cmd    uint8
	Value  any    // the value passed to panic
	Stack  []byte // as debug.Stack returns it
}

// Error returns one line, without the stack.
func (p *Panic) Error() string {
	return fmt.Sprintf("bus: handler of command %d of family %q panicked: %v", p.Cmd, p.Family, p.Value)
}

// The errors of methods. Those of a Bus or Port that is not open match os.ErrClosed.
var (
	errClosed        = fmt.Errorf("bus: %w", os.ErrClosed)
	errZeroBus       = fmt.Errorf("bus: zero Bus, make one with New: %w", os.ErrClosed)
	errZeroPort      = fmt.Errorf("bus: zero Port, make one with Bus.Open: %w", os.ErrClosed)
	errNotRegistered = errors.New("bus: family is not registered")
)
