package conn

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// A pool manages the Transports of a Conn, called members. An exchange takes a member, uses
// it alone, and returns it. A member is always in one of these states:
//
//	state      fields
//	idle       in pool.idle
//	in use     isBusy; waits is set inside a receive that waits, listens while the loop of a
//	           subscription waits
//	parked     isBusy; parked is the dump whose loop body runs (spill.go)
//	lent       isBusy; pool.turn is turnLent: the body of a subscription's loop runs (lend.go)
//	set aside  pool.isSpare; only the first member
//	closed     not in pool.members; in pool.doomed until unlock closes the Transport
//
// A member that is in use or parked is also stuck (isStuck) after growAfter without
// progress; it does not count for the limit then (growth.go).
//
// The functions change the states as follows. A member is clean if no reply to an earlier
// exchange can arrive.
//
//	          -> in use     open
//	idle      -> in use     take
//	in use    -> idle       give: the member is clean, or the pool has no dialer
//	in use    -> in use     give: handed to an exchange that was overtaken
//	in use    -> parked     park
//	parked    -> in use     resume, by the dump; takeOver, by another exchange
//	in use    -> lent       lend
//	lent      -> in use     unlend
//	lent      -> idle       reclaim, for another exchange
//	in use    -> set aside  takeBack: the first member is not clean
//	set aside -> in use     take: no other can be opened; the exchange discards leftovers
//	in use    -> closed     takeBack: another member is not clean, or the pool was closed
//	idle      -> closed     drop: too many are idle, or unused for too long
//
// The first member is set aside instead of closed because the dialer may need it.
type pool struct {
	dial    Dialer // nil: the first member is the only one
	limit   [kinds]int
	most    int // maximum of open Transports
	maxIdle int
	unused  time.Duration // time after which an idle Transport is closed

	closed atomic.Bool   // set under mu
	turn   atomic.Uint32 // state of the loop of a subscription; see lend.go

	mu       sync.Mutex // guards the fields below, and the member fields that say so
	first    *member
	isSpare  bool // first is set aside: not clean, and neither in use nor idle
	members  map[*member]struct{}
	idle     []*member // least recently used first
	using    [kinds]int
	stuck    [kinds]int // members in use without progress; they do not count for the limit
	opening  int
	waiting  [kinds]queue
	tickets  uint64
	looking  int // exchanges that were woken and have not called take yet
	doomed   []Transport
	settings []func(Transport) error

	dialErr error     // of the last attempt to open a Transport
	noDial  time.Time // no attempt to open a Transport before this time
	grow    timer     // runs while exchanges wait
	sweep   timer     // runs while idle members can be closed
}

// kind is the purpose of an exchange. Each kind has a separate limit, so that no request
// waits for the consumer of a dump.
type kind uint8

const (
	forRequest kind = iota
	forDump
	forListening // the loop of a subscription, on its only member
	kinds
)

// A member is a Transport of the pool.
type member struct {
	t    Transport
	fast *socket.Socket // t if it is a Socket; nil for other types, including those that wrap a Socket

	// Guarded by pool.mu:
	kind    kind
	moves   uint64 // counts the progress of its user
	seen    uint64 // moves at the last call of growPast
	swept   uint64 // moves at the last call of closeUnused
	isStuck bool
	applied int   // number of pool.settings that were made
	isBusy  bool  // it is in use or parked
	waits   bool  // the user waits in Receive
	parked  *dump // the dump that has parked it; nil: not parked
	listens bool  // the user waits for notifications
	wanted  bool  // the user was interrupted because an exchange waits

	// Used only by the exchange that holds the member:
	seq      uint32                // the last sequence number
	dirty    bool                  // not clean: replies to an exchange that was given up may arrive
	space    [nlmsg.HeaderLen]byte // holds the message of a barrier
	room     int                   // size of the receive buffer in bytes, 0 if unknown
	asked    int                   // largest receive buffer that was requested
	sendRoom int                   // largest send buffer that was requested
}

// nextSeq returns a sequence number. It skips 0, the number of notifications.
func (m *member) nextSeq() uint32 {
	if m.seq++; m.seq == 0 {
		m.seq = 1
	}
	return m.seq
}

// openPoller starts the first timer of the process, so that the runtime opens its poller
// before the pool can use up all descriptors: without a descriptor for the poller the
// runtime aborts.
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

// mostOf returns the maximum of open Transports for a limit. The pool reaches it only if
// all are stuck.
func mostOf(limit int) int { return max(2*limit, min(16*limit, 2048)) }

func newMember(t Transport) *member {
	m := &member{t: t, seq: uint32(time.Now().UnixNano())} // so that late replies to an earlier owner do not match
	m.fast, _ = t.(*socket.Socket)
	return m
}

// mayRun reports whether the limit of k allows another exchange. p.mu is held.
func (p *pool) mayRun(k kind) bool { return p.using[k] < p.limit[k]+p.stuck[k] }

// mayDial reports whether another Transport may be opened. p.mu is held.
func (p *pool) mayDial() bool {
	return p.dial != nil && len(p.members)+p.opening < p.most && (p.noDial.IsZero() || time.Now().After(p.noDial))
}

// use marks a member as in use for an exchange of kind k. p.mu is held.
func (p *pool) use(m *member, k kind) {
	p.using[k]++
	m.kind, m.isBusy = k, true
	m.moves++
	if k != forListening {
		return
	}
	if p.areExchangesQueued() {
		p.turn.Store(turnWanted) // give has woken the loop instead of them
	} else {
		p.turn.Store(turnHeld)
	}
}

// take returns the most recently used idle member. It returns nil if there is none or the
// limit of k is reached. p.mu is held.
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

// acquire returns a member for an exchange of kind k, and waits for one if necessary. The
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

// release ends the use of a member. A member that is not clean is closed, unless the pool
// has no dialer.
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
		p.doomed = append(p.doomed, m.t) // pool.close may have closed it already
		p.wake(kinds)
	case m.dirty && p.dial != nil:
		p.unuse(m)
		p.isSpare = true
		p.wake(kinds)
	default:
		p.give(m)
	}
}

// unuse ends the use of a member without making it idle. p.mu is held.
func (p *pool) unuse(m *member) {
	p.getOn(m)
	p.using[m.kind]--
	m.isBusy, m.parked, m.listens = false, nil, false
}

// yieldFor limits the time in which running exchanges may overtake a woken exchange.
const yieldFor = time.Millisecond

// give makes a member idle and wakes the exchange that has waited longest. p.mu is held.
//
// The member is not reserved for that exchange. The releasing goroutine usually needs a
// member again immediately, and a wake-up costs more than an exchange: with many goroutines
// the queue would never become empty. An exchange that was overtaken for yieldFor receives
// the next member directly. So does an exchange for which the loop of a subscription
// releases the member.
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
