package conn

import (
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// While the body of its loop runs, a dump needs its member only for the rest of the list.
// The member is parked for that time. An exchange that finds no other Transport and cannot
// open one takes the member over: it reads the rest of the list into memory (the backlog of
// the dump), keeps the member and uses it. Otherwise a request in the body of a dump would
// wait for the dump, and the dump for the request.
//
//	holds m ---- park ----> parked ---- resume ----> holds m
//	                          |
//	              takeOver by | another exchange: taken is set while it reads
//	                          v
//	                        taken ---- end of the list read ----> d.m is nil: the dump
//	                          |                                   continues from its backlog
//	                          +---- gave up ----> parked again, or released if the loop
//	                                              was left meanwhile (abandoned)

// park lets other exchanges take over the member of d until resume, while the loop
// processes datagram b. If replies come late, an empty queue does not end the list, so park
// looks for the end in b.
func (p *pool) park(d *dump, b []byte, info socket.Info) {
	parked := d.ending
	if parked.isLate {
		parked.endsIn(b, info)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.m == nil {
		return
	}
	d.m.parked, d.parked = d, parked
	p.getOn(d.m)
	if !p.mayDial() {
		p.wake(forListening) // not the loop of a subscription, which waits for the end of the dump
	}
}

// resume ends the parking. If another exchange is reading the rest, resume waits for it.
func (p *pool) resume(d *dump) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for d.taken != nil {
		taken := d.taken
		p.mu.Unlock()
		_, err := await(&d.wait, taken)
		p.mu.Lock()
		if err != nil {
			return err
		}
	}
	if d.m != nil {
		if p.closed.Load() {
			return ErrClosedWaiting
		}
		if d.restLoss != nil {
			d.loss, d.restLoss = d.restLoss, nil
		}
		d.m.parked = nil
		p.getOn(d.m)
	}
	return nil
}

// leave ends the use of the member by d. It reports whether the caller must release the
// member.
func (p *pool) leave(d *dump) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case d.taken != nil:
		d.abandoned = true
	case d.m != nil:
		d.m.parked = nil
		return true
	}
	return false
}

// takeOver reads the rest of the dump that has parked m, and takes m for an exchange of
// kind k. The caller holds p.mu; takeOver releases it while it reads.
func (p *pool) takeOver(x *wait, m *member, k kind) (*member, error) {
	d := m.parked
	m.parked, d.taken = nil, make(chan struct{})
	e := d.parked
	kept := keptBytes(d.backlog)
	p.mu.Unlock()
	r, err := d.readRest(x, m, &e, kept)
	p.mu.Lock()
	close(d.taken)
	d.taken = nil
	d.backlog = append(d.backlog, r.datagrams...)
	switch {
	case err == nil:
		d.m, d.restLoss = nil, r.loss
		m.dirty = r.loss == socket.ErrTruncated // the kernel continues the list
		p.unuse(m)
		p.use(m, k)
		return m, nil
	case d.abandoned:
		m.dirty = true
		p.takeBack(m)
	default:
		m.parked, d.restLoss = d, r.loss
	}
	return nil, err
}

// rest is the result of reading a dump into memory.
type rest struct {
	datagrams []datagram
	loss      error // reported by the kernel while it was read
}

// readRest reads the rest of a dump for the exchange x. kept is the number of bytes that
// were read before. The loop may be left meanwhile, so readRest uses only fields of d that
// do not change.
func (d *dump) readRest(x *wait, m *member, e *ending, kept int) (r rest, err error) {
	if e.isOver {
		return r, nil
	}
	own := receiver{wait: *x, c: d.c, m: m}
	own.borrow()
	defer func() {
		own.rest()
		x.strays, r.loss = own.strays, own.loss
	}()
	isClosed := &d.c.pool.closed
	for err = own.expired(); err == nil && !e.isOver && kept < d.c.conf.queue && !isClosed.Load(); err = own.expired() {
		b, info, err := own.fetch(e)
		if err != nil && err != errOver && err != errLost {
			return r, err
		}
		own.sort(b, info, e, &r)
		kept += len(b)
		e.isOver = e.isOver || err != nil
	}
	switch {
	case e.isOver:
		return r, nil
	case isClosed.Load():
		err = ErrClosedWaiting
	case err == nil:
		err = ErrBusy
	}
	return r, err
}

// sort keeps the messages of a datagram that belong to the dump. It passes the others on
// immediately, because notifications must not wait for the loop of the dump.
func (x *receiver) sort(b []byte, info socket.Info, e *ending, r *rest) {
	kept := make([]byte, 0, len(b))
	for len(b) > 0 {
		m, n := nlmsg.Consume(b)
		switch {
		case n < 0:
			kept, b = append(kept, b...), nil // the loop reports the error
			continue
		case m.Type() == nlmsg.TypeOverrun || !e.isOver && e.owns(m, info):
			e.ends(m)
			kept = append(kept, b[:n]...)
		default:
			x.unmatched(m, info)
		}
		b = b[n:]
	}
	if len(kept) > 0 {
		r.datagrams = append(r.datagrams, datagram{kept, info})
	}
}

// keptBytes returns the total length of datagrams.
func keptBytes(datagrams []datagram) (n int) {
	for _, d := range datagrams {
		n += len(d.b)
	}
	return n
}
