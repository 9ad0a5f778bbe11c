package conn

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// A pool has the Transports of a Conn. An exchange takes one, has it for itself, and
// returns it. A member is always in one of these states:
//
//	          acquire                    park: the consumer of a dump has the turn
//	idle  ---------------->  in use  -------------------------------->  parked
//	      <----------------          <--------------------------------
//	          release           resume, or taken over by who finds no other
//	                           (the rest of the dump is read into memory)
//
// A member that is not clean, because its exchange was given up, is closed, and another
// is opened when one is needed. The first one is set aside instead (isSpare), since the
// others may be opened from it; while no other can be, it is used again, and its next
// user discards the remains.
type pool struct {
	dial    Dialer // nil: the first member is the only one
	limit   [kinds]int
	most    int // Transports in all
	maxIdle int
	unused  time.Duration // after which an idle Transport is closed

	closed atomic.Bool   // set under mu
	turn   atomic.Uint32 // of a subscription's loop, see lend

	mu       sync.Mutex // guards what follows, and the members' fields that say so
	first    *member
	isSpare  bool // first is neither in use nor idle, as it is not clean
	members  map[*member]struct{}
	idle     []*member // the last one was used last
	using    [kinds]int
	stuck    [kinds]int // of using: those that do not count for limit
	opening  int
	waiting  [kinds]queue
	tickets  uint64
	looking  int // exchanges that were woken and have not looked yet
	doomed   []Transport
	settings []func(Transport) error

	dialErr error     // of the last attempt to open a Transport
	noDial  time.Time // no other attempt before
	grow    timer     // runs while exchanges wait
	sweep   timer     // runs while there are idle members to close
}

// kind is what a member is used for. Each has a limit of its own, so that no request
// waits for the consumer of a dump.
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
	fast *socket.Socket // t, if it is one: a wrapper's methods are not passed over

	// Guarded by pool.mu:
	kind    kind
	moves   uint64 // changes whenever its user gets on
	seen    uint64 // moves at the last tick of grow
	swept   uint64 // moves at the last sweep
	isStuck bool
	applied int   // of pool.settings
	isBusy  bool  // it has a user
	waits   bool  // who waits in Receive
	parked  *dump // the dump whose consumer has the turn
	listens bool  // its user waits for notifications
	wanted  bool  // and was interrupted, as an exchange waits

	// The user's:
	seq      uint32                // the last sequence number
	dirty    bool                  // replies to an exchange that was given up may arrive
	space    [nlmsg.HeaderLen]byte // for a barrier
	room     int                   // bytes of the receive buffer, once they are known
	asked    int                   // the largest size that it was to have
	sendRoom int                   // the largest size that the send buffer was set to
}

// nextSeq returns a sequence number; 0 is that of notifications.
func (m *member) nextSeq() uint32 {
	if m.seq++; m.seq == 0 {
		m.seq = 1
	}
	return m.seq
}

// openPoller makes the runtime open its poller, as the first timer of a process does, before
// the pool can have used up the descriptors: it is fatal if there is none.
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

// mostOf is how many Transports a pool has at most that has a limit, when all are stuck.
func mostOf(limit int) int { return max(2*limit, min(16*limit, 2048)) }

func newMember(t Transport) *member {
	m := &member{t: t, seq: uint32(time.Now().UnixNano())} // late replies to an earlier user should not match
	m.fast, _ = t.(*socket.Socket)
	return m
}

// unlock unlocks mu and closes the Transports that were dropped under it. Closing one of
// NETLINK_NETFILTER waits for a transaction (nft_rcv_nl_event).
func (p *pool) unlock() {
	doomed := p.doomed
	p.doomed = nil
	p.mu.Unlock()
	for _, t := range doomed {
		_ = t.Close() // nothing is lost with it
	}
}

// mayRun reports whether the limit of k lets another one run.
func (p *pool) mayRun(k kind) bool { return p.using[k] < p.limit[k]+p.stuck[k] }

// mayDial reports whether another Transport can be opened.
func (p *pool) mayDial() bool {
	return p.dial != nil && len(p.members)+p.opening < p.most && (p.noDial.IsZero() || time.Now().After(p.noDial))
}

// use marks a member as in use.
func (p *pool) use(m *member, k kind) {
	p.using[k]++
	m.kind, m.isBusy = k, true
	m.moves++
}

// take takes the idle member that was used last, nil if none may be used for k.
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
		if k == forListening {
			p.turn.Store(turnHeld) // exchanges that wait are woken one by one, and mark it again
		}
		return m
	case p.isSpare && !p.mayDial():
		p.isSpare = false
		p.use(p.first, k)
		return p.first
	}
	return nil
}

// acquire returns a member, when there is one for this kind of use. It must be
// released.
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

// await opens a Transport, takes one over or waits for one. It is called with mu,
// and without which it waits.
func (p *pool) await(x *wait, k kind) (*member, error) {
	if p.closed.Load() {
		return nil, ErrClosed
	}
	var w *place
	for {
		if m := p.take(k); m != nil {
			return m, nil
		}
		if p.mayDial() {
			if p.mayRun(k) {
				if m := p.open(k); m != nil {
					return m, nil
				}
			}
		} else if m := p.interruptible(); m != nil && k != forListening {
			if m.parked != nil {
				return p.takeOver(x, m, k)
			}
			m.wanted = true
			_ = m.t.SetReadDeadline(past) // fails on a closed one, where nothing waits
		}
		if p.closed.Load() {
			return nil, ErrClosedWaiting
		}
		if w == nil {
			p.tickets++
			w = &place{ready: make(chan *member, 1), ticket: p.tickets, since: time.Now()}
		}
		if m, err := p.queueUp(x, w, k); m != nil || err != nil {
			return m, err
		}
		if p.closed.Load() {
			return nil, ErrClosedWaiting
		}
	}
}

// interruptible returns a member whose user can be made to hand it over.
func (p *pool) interruptible() *member {
	for m := range p.members {
		if m.parked != nil || m.listens {
			return m
		}
	}
	return nil
}

// listen marks the beginning or the end of waiting for notifications. It reports whether
// an exchange wants the member: the read deadline is over then.
func (p *pool) listen(m *member, begin bool) (isWanted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if begin {
		m.listens = p.waiting[forRequest].head == nil && p.waiting[forDump].head == nil
		return !m.listens
	}
	isWanted = m.wanted
	m.listens, m.wanted = false, false
	return isWanted
}

// queueUp waits for a member. Without one and without an error the caller looks again.
func (p *pool) queueUp(x *wait, w *place, k kind) (*member, error) {
	w.lookups++
	p.waiting[k].insert(w)
	if p.dial != nil {
		p.grow.start(growAfter)
	}
	p.mu.Unlock()
	m, err := await(x, w.ready)
	p.mu.Lock()
	switch {
	case err == nil && m == nil:
		p.looking--
		return nil, nil
	case err == nil:
		return m, nil
	case w.queued:
		p.waiting[k].remove(w)
	default:
		if m = <-w.ready; m != nil {
			p.takeBack(m)
		} else {
			p.looking--
			p.wake(kinds) // the turn is the next one's
		}
	}
	if p.dialErr != nil {
		err = fmt.Errorf("%w (no further Transport: %w)", err, p.dialErr)
	}
	return nil, err
}

// open opens another Transport, nil if that fails: there are others to wait for. It is
// called with mu, and without which it dials.
func (p *pool) open(k kind) *member {
	p.using[k]++
	p.opening++
	p.mu.Unlock()
	t, err := p.dial()
	p.mu.Lock()
	p.using[k]--
	p.opening--
	switch {
	case err != nil:
		p.dialErr, p.noDial = err, time.Now().Add(dialPause)
		return nil
	case p.closed.Load():
		p.doomed = append(p.doomed, t)
		return nil
	}
	m := newMember(t)
	p.members[m] = struct{}{}
	p.dialErr, p.noDial = nil, time.Time{}
	p.use(m, k)
	return m
}

// dialPause is for how long none is tried to be opened after that has failed.
const dialPause = 100 * time.Millisecond

// apply makes the settings that a member lacks.
func (p *pool) apply(m *member) (*member, error) {
	for {
		p.mu.Lock()
		missing := p.settings[m.applied:]
		p.mu.Unlock()
		if len(missing) == 0 {
			return m, nil
		}
		for _, set := range missing {
			if err := set(m.t); err != nil {
				p.release(m, !m.dirty)
				return nil, err
			}
			m.applied++
		}
	}
}

// configure makes a setting with a member, for the others to make too, and releases it.
func (p *pool) configure(m *member, set func(Transport) error) error {
	err := set(m.t)
	p.mu.Lock()
	if err == nil {
		p.settings = append(p.settings, set)
		if m.applied == len(p.settings)-1 {
			m.applied++ // otherwise it makes this one again, after others
		}
	}
	p.mu.Unlock()
	p.release(m, !m.dirty)
	return err
}

// copySettings returns the settings so far.
func (p *pool) copySettings() []func(Transport) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.settings)
}

// release returns a member. One that is not clean is closed, if another can be opened.
func (p *pool) release(m *member, isClean bool) {
	p.mu.Lock()
	m.dirty = !isClean
	p.takeBack(m)
	p.unlock()
}

// takeBack is release under mu.
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

// unuse ends the use of a member.
func (p *pool) unuse(m *member) {
	p.getOn(m)
	p.using[m.kind]--
	m.isBusy, m.parked, m.listens = false, nil, false
}

// yieldFor is how long an exchange lets others, which run already, have a member that it
// was woken for.
const yieldFor = time.Millisecond

// give makes a member idle and wakes the exchange that has waited longest. It does not
// keep the member for it, as the goroutine that releases one most often wants the next
// one at once, and each wake-up costs more than an exchange: with many goroutines a
// queue would never end. An exchange that found the member gone again is given the next.
func (p *pool) give(m *member) {
	p.unuse(m)
	if w, k := p.next(kinds, false); w != nil {
		p.waiting[k].remove(w)
		if w.lookups > 1 && time.Since(w.since) > yieldFor {
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

// drop closes the idle member at i, or the one after it if that is the first member.
func (p *pool) drop(i int) {
	if p.idle[i] == p.first {
		if i++; i == len(p.idle) {
			return
		}
	}
	m := p.idle[i]
	p.idle = append(p.idle[:i], p.idle[i+1:]...)
	delete(p.members, m)
	p.doomed = append(p.doomed, m.t)
}

// next returns the exchange of a kind below end that has waited longest of those that may
// run: any of them, if it can take a member over.
func (p *pool) next(end kind, any bool) (w *place, k kind) {
	for i := range p.waiting[:end] {
		if head := p.waiting[i].head; head != nil && (any || p.mayRun(kind(i))) && (w == nil || head.ticket < w.ticket) {
			w, k = head, kind(i)
		}
	}
	return w, k
}

// wake makes the exchange of a kind below end that has waited longest look again.
func (p *pool) wake(end kind) {
	if w, k := p.next(end, end == forListening); w != nil {
		p.waiting[k].remove(w)
		p.rouse(w)
	}
}

// rouse makes an exchange look again that is not in the queue any more.
func (p *pool) rouse(w *place) {
	p.looking++
	w.ready <- nil
}

// beginWait is called before a receive that waits, which close then wakes.
func (p *pool) beginWait(m *member) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Load() {
		return ErrClosedWaiting
	}
	m.waits = true
	p.getOn(m)
	return nil
}

func (p *pool) endWait(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.waits = false
	p.getOn(m)
}

// close closes every Transport. One whose user is at work, perhaps in a send, is closed
// when that returns it, as closing a socket waits for its system calls.
func (p *pool) close() error {
	p.mu.Lock()
	if p.closed.Load() {
		p.mu.Unlock()
		return ErrClosed
	}
	p.closed.Store(true)
	p.reclaim()
	for _, t := range []timer{p.grow, p.sweep} {
		if t.Timer != nil {
			t.Stop()
		}
	}
	for k := range p.waiting {
		for w := p.waiting[k].head; w != nil; w = p.waiting[k].head {
			p.waiting[k].remove(w)
			p.rouse(w)
		}
	}
	var members []*member
	for m := range p.members {
		if !m.isBusy || m.waits || m.parked != nil {
			members = append(members, m)
		}
	}
	p.idle, p.isSpare = nil, false
	p.mu.Unlock()
	var errs []error
	for _, m := range members {
		if err := m.t.Close(); !errors.Is(err, os.ErrClosed) { // its user may have been first
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
