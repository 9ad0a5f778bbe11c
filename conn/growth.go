package conn

import "time"

// timer calls a function once after each start.
type timer struct {
	*time.Timer
	call func()
	isOn bool // guarded by pool.mu
}

func (t *timer) start(d time.Duration) {
	switch {
	case t.isOn:
	case t.Timer == nil:
		t.Timer = time.AfterFunc(d, t.call)
	default:
		t.Reset(d)
	}
	t.isOn = true
}

// growAfter is the time without progress after which a member counts as stuck.
const growAfter = time.Millisecond

// growPast raises the limits by the number of stuck members, and wakes waiting exchanges up
// to the new limits. A member is stuck if it is in use and made no progress since the last
// call: it is inside a send, where the kernel waits for a lock, or parked while the body of
// a dump's loop runs, which may wait for this pool. A member that waits in a receive is not
// stuck. The timer runs while exchanges wait.
func (p *pool) growPast() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grow.isOn = false
	if p.closed.Load() {
		return
	}
	for m := range p.members {
		if m.isBusy && !m.waits && m.moves == m.seen && !m.isStuck {
			m.isStuck = true
			p.stuck[m.kind]++
		}
		m.seen = m.moves
	}
	isWaiting := false
	for k := range kinds {
		for n := p.limit[k] + p.stuck[k] - p.using[k] - p.looking; n > 0 && p.waiting[k].head != nil; n-- {
			w := p.waiting[k].head
			p.waiting[k].remove(w)
			p.rouse(w)
		}
		isWaiting = isWaiting || p.waiting[k].head != nil
	}
	if isWaiting {
		p.grow.start(growAfter)
	}
}

// closeUnused closes the members that have been idle since its last call. The timer runs
// while more than one member is idle.
func (p *pool) closeUnused() {
	p.mu.Lock()
	defer p.unlock()
	p.sweep.isOn = false
	if p.closed.Load() {
		return
	}
	for i := len(p.idle) - 1; i >= 0; i-- {
		if m := p.idle[i]; m != p.first && m.swept == m.moves {
			p.drop(i)
		} else {
			m.swept = m.moves
		}
	}
	if len(p.idle) > 1 {
		p.sweep.start(p.unused)
	}
}

// getOn records progress of the user of a member: a stuck member counts for the limit
// again. p.mu is held.
func (p *pool) getOn(m *member) {
	m.moves++
	if m.isStuck {
		m.isStuck = false
		p.stuck[m.kind]--
	}
}

// dialPause is the time between a failed attempt to open a Transport and the next attempt.
const dialPause = 100 * time.Millisecond

// open opens another Transport and takes it for an exchange of kind k. It returns nil on
// failure; the caller then waits for another member. The caller holds p.mu; open releases
// it while it dials.
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

// drop closes the idle member at i, or the one after it if i is the first member of the
// pool, which stays open. p.mu is held.
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
