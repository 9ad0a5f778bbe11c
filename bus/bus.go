package bus

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/errno"

	"github.com/nlwire/nlwire/genlmsg"
)

// Bus is a Generic Netlink of its own: families on one side, ports on the other,
// the controller between them. [New] makes one. All of its methods may be called
// by many goroutines at once.
type Bus struct {
	profile  Profile
	faults   Faults
	delay    time.Duration // of a Slow datagram
	onPanic  func(*Panic)
	before   func(*Info)
	ctrl     *Family
	handlers sync.Mutex // the lock that families share (genl_mutex)
	stats    counters

	calls     sync.Pool // of *call
	datagrams sync.Pool // of *datagram

	registry sync.RWMutex // held for reading while a datagram is handled (cb_lock)
	ids      familyIDs
	names    map[string]*Family
	groups   groupBits

	table     sync.RWMutex // guards what follows (nl_table_lock)
	ports     map[address]*Port
	listeners map[uint32]map[*Port]struct{}
	rover     uint32 // the next port ID that is tried
	closed    bool
}

// address is where a port is: port IDs are of a network namespace.
type address struct {
	netNS  int
	portID uint32
}

// Option changes how a Bus works.
type Option func(*Bus)

// WithProfile chooses the kernel whose behaviour the bus has, [Linux618] if it is
// not given.
func WithProfile(p Profile) Option { return func(b *Bus) { b.profile = p } }

// WithFaults has faults happen on every port that has none of its own.
func WithFaults(f Faults) Option { return func(b *Bus) { b.faults = f } }

// WithPanics has f told of handlers that panic. It runs where the handler ran, may
// do what that may, and must not panic itself.
func WithPanics(f func(*Panic)) Option { return func(b *Bus) { b.onPanic = f } }

// New makes a bus with its controller, the family nlctrl. Close ends it.
func New(options ...Option) *Bus {
	b := &Bus{
		names:     map[string]*Family{},
		groups:    newGroupBits(),
		ports:     map[address]*Port{},
		listeners: map[uint32]map[*Port]struct{}{},
		rover:     firstPortID,
		delay:     time.Millisecond,
	}
	b.calls.New = func() any { return new(call) }
	b.datagrams.New = func() any { return new(datagram) }
	for _, option := range options {
		option(b)
	}
	b.ctrl = newController(b)
	if err := b.Register(b.ctrl); err != nil {
		panic(err) // it is a constant
	}
	return b
}

// Close closes every port; what waits there ends with os.ErrClosed. Opening
// another one, and registering, fail with it from then on. The families are free
// for another bus; nobody is told.
func (b *Bus) Close() error {
	b.table.Lock()
	if b.closed {
		b.table.Unlock()
		return os.ErrClosed
	}
	b.closed = true
	ports := make([]*Port, 0, len(b.ports))
	for _, p := range b.ports {
		ports = append(ports, p)
	}
	b.table.Unlock()
	for _, p := range ports {
		_ = p.Close() // may have been closed meanwhile
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

func (b *Bus) isClosed() bool {
	b.table.RLock()
	defer b.table.RUnlock()
	return b.closed
}

// Register makes a family known, and tells of it and its groups on the
// controller's group (genl_register_family). The error is the kernel's: EEXIST
// for a name that is taken, EINVAL for operations or groups that contradict
// themselves, ENOSPC when all of the ids to 1023 are taken.
func (b *Bus) Register(f *Family) error {
	r, err := b.register(f)
	if err != nil {
		return fmt.Errorf("bus: register family %q: %w", f.Name, err)
	}
	b.tellFamily(genlmsg.CtrlCmdNewFamily, f, r)
	for i := range f.Groups {
		b.tellGroup(genlmsg.CtrlCmdNewMulticastGroup, f, r, i)
	}
	return nil
}

func (b *Bus) register(f *Family) (*registration, error) {
	ops, err := newOpTable(f, b.profile)
	switch {
	case err != nil:
		return nil, err
	case !isName(f.Name), f.HdrSize < 0, f.HdrSize > maxHdrSize, !f.hasMaxAttr():
		return nil, errno.EINVAL
	}
	b.registry.Lock()
	defer b.registry.Unlock()
	switch {
	case b.isClosed():
		return nil, errClosed
	case b.names[f.Name] != nil, f.on.Load() != nil:
		return nil, errno.EEXIST
	}
	r := &registration{bus: b, ops: ops}
	if r.id = b.ids.alloc(f); r.id == 0 {
		return nil, errno.ENOSPC
	}
	if r.firstGroup, err = b.assignGroups(f); err != nil {
		b.ids.families[r.id] = nil
		return nil, err
	}
	// Last, when all of r is there: who has the family may read it at any time.
	if !f.on.CompareAndSwap(nil, r) {
		b.dropGroups(f, r)
		b.ids.families[r.id] = nil
		return nil, errno.EEXIST // another bus was faster
	}
	b.names[f.Name] = f
	return r, nil
}

// isName reports whether the name fits into GENL_NAMSIZ bytes with its NUL.
func isName(name string) bool {
	return name != "" && len(name) < genlmsg.NameSize && strings.IndexByte(name, 0) < 0
}

func (b *Bus) assignGroups(f *Family) (first int, err error) {
	if len(f.Groups) == 0 {
		return 0, nil
	}
	for _, g := range f.Groups {
		if !isName(g.Name) {
			return 0, errno.EINVAL
		}
	}
	if hasOwnNumbers(f.Name) && len(f.Groups) > 1 {
		return 0, errno.EINVAL // the kernel stops there (BUG_ON)
	}
	b.table.Lock() // Join reads how many there are
	defer b.table.Unlock()
	return b.groups.groupsOf(f), nil
}

// Unregister ends a family: its groups lose their members, and the controller
// tells of it (genl_unregister_family). When it returns none of the family's
// handlers runs, but for the dumps that had begun: they go on to their end, as
// in the kernel, where they hold the family's module. A family that is not on
// this bus is ENOENT.
func (b *Bus) Unregister(f *Family) error {
	r := b.unregister(f)
	if r == nil {
		return fmt.Errorf("bus: unregister family %q: %w", f.Name, errno.ENOENT)
	}
	b.tellFamily(genlmsg.CtrlCmdDelFamily, f, r)
	f.on.CompareAndSwap(r, nil)
	return nil
}

// unregister returns what the family was on the bus, nil if it was not.
func (b *Bus) unregister(f *Family) *registration {
	b.registry.Lock()
	defer b.registry.Unlock()
	r := f.on.Load()
	if r == nil || r.bus != b || f == b.ctrl || b.ids.families[r.id] != f {
		return nil
	}
	b.dropGroups(f, r)
	for i := range f.Groups {
		b.tellGroup(genlmsg.CtrlCmdDelMulticastGroup, f, r, i)
	}
	b.ids.families[r.id] = nil
	delete(b.names, f.Name)
	return r
}

// dropGroups ends the memberships of a family's groups and frees their numbers
// (genl_unregister_mc_groups). NET_DM keeps its number.
func (b *Bus) dropGroups(f *Family, r *registration) {
	b.table.Lock()
	defer b.table.Unlock()
	for i := range f.Groups {
		group := r.firstGroup + i
		delete(b.listeners, uint32(group))
		if group != groupNetDM {
			b.groups.clear(group)
		}
	}
}

// Stats counts what happened on a bus. A number only ever grows.
type Stats struct {
	Datagrams uint64 // that ports sent
	Delivered uint64 // datagrams put into queues
	Overruns  uint64 // datagrams that found a full queue
	Faults    uint64 // faults that happened
	Panics    uint64 // handlers that panicked
}

type counters struct{ datagrams, delivered, overruns, faults, panics atomic.Uint64 }

// Stats returns the counters of the bus.
func (b *Bus) Stats() Stats {
	s := &b.stats
	return Stats{s.datagrams.Load(), s.delivered.Load(), s.overruns.Load(), s.faults.Load(), s.panics.Load()}
}

// Panic tells of a handler that panicked. The requester got EIO.
type Panic struct {
	Family string
	Cmd    uint8
	Value  any    // what it panicked with
	Stack  []byte // where
}

// Error returns one line without the stack.
func (p *Panic) Error() string {
	return fmt.Sprintf("bus: the handler of command %d of family %q panicked: %v", p.Cmd, p.Family, p.Value)
}

// errClosed is what a closed port or bus answers.
var errClosed = fmt.Errorf("bus: %w", os.ErrClosed)

// errNotRegistered says that a family is on no bus.
var errNotRegistered = errors.New("bus: the family is not registered")
