package conn

import (
	"errors"
	"os"
)

// beginWait marks the member as waiting in a receive, which close may interrupt. It fails
// if the pool is closed.
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

// endWait ends what beginWait began.
func (p *pool) endWait(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.waits = false
	p.getOn(m)
}

// close closes every Transport that no exchange is working on, and ends every exchange:
//
//	state of the exchange              effect of close
//	waiting in the queue               it is woken and returns ErrClosedWaiting
//	waiting in a receive               its Transport is closed; it returns ErrClosedWaiting
//	its member is parked or lent       the Transport is closed; the loop ends at its next step
//	working, perhaps inside a send     it continues; release closes the Transport
//	not started                        it returns ErrClosed
//
// A Transport inside a send is left to release, because closing a socket waits for its
// system calls.
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
		if err := m.t.Close(); !errors.Is(err, os.ErrClosed) { // its owner may have closed it
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// unlock releases p.mu, then closes the Transports that were dropped under it. Closing a
// socket of NETLINK_NETFILTER waits for a transaction (nft_rcv_nl_event), so p.mu must be
// free.
func (p *pool) unlock() {
	doomed := p.doomed
	p.doomed = nil
	p.mu.Unlock()
	for _, t := range doomed {
		_ = t.Close() // nothing depends on the result
	}
}
