package conn

// The loop of a subscription keeps its member from one datagram to the next. While the body
// of the loop runs, the member is lent: the first exchange takes it, even an exchange in
// the body itself. An exchange that starts while the loop receives marks the member as
// wanted and waits; the loop then releases the member before the body runs.
//
//	              lend
//	turnHeld -------------> turnLent
//	 |    ^   <-----------     |
//	 |    |      unlend        | reclaim, by an exchange: the member becomes idle
//	 |    | use, when the      |
//	 |    | loop has it again  v
//	 |    +--------------- turnWanted
//	 |                         ^
//	 +-------------------------+
//	   reclaim, by an exchange: lend fails, and the loop releases the member
//
// use sets turnWanted instead of turnHeld if further exchanges wait in the queue.
//
// lend and unlend cost one compare-and-swap each per datagram; acquire and release would
// lock the pool twice.
const (
	turnHeld   uint32 = iota // the loop receives, or there is no loop
	turnLent                 // the body of the loop runs
	turnWanted               // an exchange has taken the member or waits for it
)

// lend allows exchanges to take the member. It returns false if an exchange waits; the
// caller then releases the member.
func (p *pool) lend() bool { return p.turn.CompareAndSwap(turnHeld, turnLent) }

// unlend ends the lending. It returns false if an exchange has taken the member.
func (p *pool) unlend() bool { return p.turn.CompareAndSwap(turnLent, turnHeld) }

// reclaim makes a lent member idle. If the member is not lent, reclaim marks it as wanted.
// p.mu is held.
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
// an exchange wants the member. At the end, true also means that an exchange has changed
// the read deadline.
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
