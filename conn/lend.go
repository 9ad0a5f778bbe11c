package conn

// A subscription's loop keeps its member from one datagram to the next, which costs a
// compare-and-swap where acquire and release lock the pool twice. While the body of the
// loop runs the member is lent: the first exchange that comes takes it, also one in the
// body itself. An exchange that comes while the loop receives marks the member as wanted
// and waits: the loop then releases it before the body runs.
const (
	turnHeld   uint32 = iota // by the loop, or there is none
	turnLent                 // the body of the loop runs
	turnWanted               // an exchange has taken the member, or waits
)

// lend lets exchanges take the member. It reports false if one waits: the member must be
// released.
func (p *pool) lend() bool { return p.turn.CompareAndSwap(turnHeld, turnLent) }

// unlend reports whether no exchange has taken the member that was lent.
func (p *pool) unlend() bool { return p.turn.CompareAndSwap(turnLent, turnHeld) }

// reclaim makes a member idle that is lent, or marks it as wanted. p.mu is held.
func (p *pool) reclaim() {
	if p.turn.Swap(turnWanted) == turnLent {
		p.unuse(p.first)
		p.idle = append(p.idle, p.first)
	}
}
