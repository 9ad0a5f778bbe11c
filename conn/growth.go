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

// growAfter is how long a member must not get on to count as stuck.
const growAfter = time.Millisecond

// growPast makes room for as many exchanges as members are stuck: in a send, where the
// kernel waits for a lock, or in the hands of a dump's consumer, who may be waiting
// for this pool.
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

// closeUnused closes the members that have been idle since the last time.
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

// getOn notes that the user of a member gets on: the member counts for the limit again.
func (p *pool) getOn(m *member) {
	m.moves++
	if m.isStuck {
		m.isStuck = false
		p.stuck[m.kind]--
	}
}
