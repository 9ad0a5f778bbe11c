package conn

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// A pool has the Transports of a Conn. An exchange takes one, uses it alone, and returns
// it. A member is always in one of these states:
//
//	          acquire                    park: the consumer of a dump has the turn
//	idle  ---------------->  in use  -------------------------------->  parked
//	      <----------------          <--------------------------------
//	          release           resume, or taken over by an exchange that finds
//	                        no other (it reads the rest of the dump into memory)
//
// A member that is not clean, because its exchange was given up, is closed, and another
// is opened when one is needed. The first member is set aside instead (isSpare), since
// the dialer may need it; if dialing fails it is used again, and its next user discards
// what is queued.
type pool struct {
	dial    Dialer // nil: the first member is the only one
	limit   [kinds]int
	most    int // Transports in all
	maxIdle int
	unused  time.Duration // after which an idle Transport is closed

	closed atomic.Bool   // set under mu
	turn   atomic.Uint32 // of a subscription's loop, see lend

	mu       sync.Mutex // guards the fields below, and those of members marked so
	first    *member
	isSpare  bool // first is neither in use nor idle, as it is not clean
	members  map[*member]struct{}
	idle     []*member // in the order of their last use
	using    [kinds]int
	stuck    [kinds]int // of using: those that do not count for the limit
	opening  int
	waiting  [kinds]queue
	tickets  uint64
	looking  int // exchanges that were woken and have not called take yet
	doomed   []Transport
	settings []func(Transport) error

	dialErr error     // of the last attempt to open a Transport
	noDial  time.Time // the next attempt comes after this
	grow    timer     // runs while exchanges wait
	sweep   timer     // runs while there are idle members to close
}

// kind is the use of a member. Each has a separate limit, so that no request waits for
// the consumer of a dump.
type kind uint8

const (
	forRequest kind = iota
	forDump
	forListening // on the one member of a subscription
	kinds
)

// A member is a Transport of the pool.
type member struct {
	t    Transport
	fast *socket.Socket // t itself if it is a Socket, nil for a type that wraps one

	// Guarded by pool.mu:
	kind    kind
	moves   uint64 // grows whenever its user gets on
	seen    uint64 // moves at the last tick of grow
	swept   uint64 // moves at the last sweep
	isStuck bool
	applied int   // of pool.settings
	isBusy  bool  // it has a user
	waits   bool  // the user waits in Receive
	parked  *dump // the dump whose loop body runs
	listens bool  // the user waits for notifications
	wanted  bool  // the user was interrupted because an exchange waits

	// Only for the user:
	seq      uint32                // the last sequence number
	dirty    bool                  // replies to an exchange that was given up may arrive
	space    [nlmsg.HeaderLen]byte // for a barrier
	room     int                   // bytes of the receive buffer, 0 while unknown
	asked    int                   // the largest receive buffer that was requested
	sendRoom int                   // the largest send buffer that was requested
}

// nextSeq returns a sequence number; 0 is that of notifications.
func (m *member) nextSeq() uint32 {
	if m.seq++; m.seq == 0 {
		m.seq = 1
	}
	return m.seq
}

// openPoller starts the first timer of the process, so that the runtime opens its poller
// before the pool can use up the descriptors: without a descriptor for it the runtime aborts.
var openPoller sync.Once

func newPool(t Transport, c *config) *pool {
	p := &pool{
		dial: c.dial, most: mostOf(max(c.limit, c.dumps)), maxIdle: c.idle, unused: c.unused,
		limit:   [kinds]int{c.limit, c.dumps, 1},
		members: map[*member]struct{}{},
	}
	p.first = newMember(t)
	p.members[p.first] = struct{}{}
	p.idle = append(p.idle, p.first)
	p.grow.call, p.sweep.call = p.growPast, p.closeUnused
	openPoller.Do(func() { time.NewTimer(time.Hour).Stop() })
	return p
}

// mostOf returns the maximum of Transports for a limit, which is reached when all are stuck.
func mostOf(limit int) int { return max(2*limit, min(16*limit, 2048)) }

func newMember(t Transport) *member {
	m := &member{t: t, seq: uint32(time.Now().UnixNano())} // late replies to an earlier user should not match
	m.fast, _ = t.(*socket.Socket)
	return m
}

// mayRun reports whether the limit of k allows another exchange. p.mu is held.
func (p *pool) mayRun(k kind) bool { return p.using[k] < p.limit[k]+p.stuck[k] }

// mayDial reports whether another Transport may be opened. p.mu is held.
func (p *pool) mayDial() bool {
	return p.dial != nil && len(p.members)+p.opening < p.most && (p.noDial.IsZero() || time.Now().After(p.noDial))
}

// use marks a member as in use. p.mu is held.
func (p *pool) use(m *member, k kind) {
	p.using[k]++
	m.kind, m.isBusy = k, true
	m.moves++
	if k != forListening {
		return
	}
	if p.areExchangesQueued() {
		p.turn.Store(turnWanted) // give has woken the loop, and not them
	} else {
		p.turn.Store(turnHeld)
	}
}

// take returns the idle member that was used last, nil if there is none or the limit of k
// is reached. p.mu is held.
func (p *pool) take(k kind) *member {
	if p.dial == nil && len(p.idle) == 0 {
		p.reclaim()
	}
	n := len(p.idle)
	switch {
	case !p.mayRun(k):
		return nil
	case n > 0:
		m := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.use(m, k)
		return m
	case p.isSpare && !p.mayDial():
		p.isSpare = false
		p.use(p.first, k)
		return p.first
	}
	return nil
}

// acquire returns a member for this kind of use, and waits for one if necessary. The
// caller releases it.
func (p *pool) acquire(x *wait, k kind) (*member, error) {
	p.mu.Lock()
	m := p.take(k)
	if m == nil {
		var err error
		if m, err = p.await(x, k); err != nil {
			p.unlock()
			return nil, err
		}
	}
	isReady := m.applied == len(p.settings)
	p.unlock()
	if isReady {
		return m, nil
	}
	return p.apply(m)
}

// release ends the use of a member. If it is not clean it is closed, unless there is no
// dialer.
func (p *pool) release(m *member, isClean bool) {
	p.mu.Lock()
	m.dirty = !isClean
	p.takeBack(m)
	p.unlock()
}

// takeBack is release with p.mu held.
func (p *pool) takeBack(m *member) {
	switch {
	case p.closed.Load() || m.dirty && p.dial != nil && m != p.first:
		p.unuse(m)
		delete(p.members, m)
		p.doomed = append(p.doomed, m.t) // pool.close may have closed it
		p.wake(kinds)
	case m.dirty && p.dial != nil:
		p.unuse(m)
		p.isSpare = true
		p.wake(kinds)
	default:
		p.give(m)
	}
}

// unuse marks a member as not in use. p.mu is held.
func (p *pool) unuse(m *member) {
	p.getOn(m)
	p.using[m.kind]--
	m.isBusy, m.parked, m.listens = false, nil, false
}

// yieldFor is how long an exchange that was woken for a member tolerates that running
// exchanges take it first.
const yieldFor = time.Millisecond

// give makes a member idle and wakes the exchange that has waited longest. p.mu is held.
//
// The member is not reserved for that exchange: the releasing goroutine usually needs one
// again at once, and a wake-up costs more than an exchange, so that with many goroutines a
// queue would never end. An exchange that is overtaken for yieldFor gets the next member
// directly, and so does one for which a subscription's loop releases the member.
func (p *pool) give(m *member) {
	fromLoop := m.kind == forListening
	p.unuse(m)
	if w, k := p.next(kinds, false); w != nil {
		p.waiting[k].remove(w)
		if fromLoop || w.lookups > 1 && time.Since(w.since) > yieldFor {
			p.use(m, k)
			w.ready <- m
			return
		}
		p.rouse(w)
	}
	p.idle = append(p.idle, m)
	if len(p.idle) > p.maxIdle {
		p.drop(0)
	}
	if len(p.idle) > 1 {
		p.sweep.start(p.unused)
	}
}
