package conn

import (
	"errors"
	"os"
)

// beginWait is called before a receive that waits, which close interrupts.
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

// endWait is called after a receive that has waited.
func (p *pool) endWait(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.waits = false
	p.getOn(m)
}

// close closes every Transport, except those in use without waiting, perhaps in a send:
// release closes these, since closing a socket waits for its system calls.
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
		if err := m.t.Close(); !errors.Is(err, os.ErrClosed) { // its user may have closed it
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// unlock releases p.mu and closes the Transports that were dropped while it was held:
// closing one of NETLINK_NETFILTER waits for a transaction (nft_rcv_nl_event).
func (p *pool) unlock() {
	doomed := p.doomed
	p.doomed = nil
	p.mu.Unlock()
	for _, t := range doomed {
		_ = t.Close() // an error has no consequence
	}
}
