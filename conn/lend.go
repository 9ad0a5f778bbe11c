package conn

// A subscription's loop keeps its member from one datagram to the next. While the body of
// the loop runs the member is lent: the first exchange takes it, also one in the body
// itself. An exchange that comes while the loop receives marks the member as wanted and
// waits: the loop then releases it before the body runs. This costs two compare-and-swaps
// for each datagram, and acquire and release would lock the pool twice.
const (
	turnHeld   uint32 = iota // the loop receives, or there is no loop
	turnLent                 // the body of the loop runs
	turnWanted               // an exchange has taken the member, or waits
)

// lend allows exchanges to take the member. It reports false if one waits: the caller
// releases the member then.
func (p *pool) lend() bool { return p.turn.CompareAndSwap(turnHeld, turnLent) }

// unlend ends the lending. It reports false if an exchange has taken the member.
func (p *pool) unlend() bool { return p.turn.CompareAndSwap(turnLent, turnHeld) }

// reclaim makes a lent member idle, and marks any other as wanted. p.mu is held.
func (p *pool) reclaim() {
	if p.turn.Swap(turnWanted) == turnLent {
		p.unuse(p.first)
		p.idle = append(p.idle, p.first)
	}
}

// areExchangesQueued reports whether exchanges wait for a member. p.mu is held.
func (p *pool) areExchangesQueued() bool {
	return p.waiting[forRequest].head != nil || p.waiting[forDump].head != nil
}

// listen records the beginning or the end of waiting for notifications. It reports whether
// an exchange wants the member; at the end the read deadline has then been changed.
func (p *pool) listen(m *member, begin bool) (isWanted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if begin {
		m.listens = !p.areExchangesQueued()
		return !m.listens
	}
	isWanted = m.wanted
	m.listens, m.wanted = false, false
	return isWanted
}
