package bus

import (
	"time"

	"github.com/nlwire/nlwire/socket"
)

// put queues a copy of b. allocated is the size that the kernel would have allocated for
// the datagram. put reports whether the datagram was queued; if the queue is full, the port
// records the loss (netlink_attachskb, netlink_broadcast_deliver).
func (p *Port) put(b []byte, info socket.Info, allocated int) bool {
	return p.deliver(b, info, p.bus.features.trimmed(len(b), allocated), false)
}

// deliver applies the injected fault and queues a copy of b. size is its share of the
// receive buffer. If fits is set, the space is already reserved.
func (p *Port) deliver(b []byte, info socket.Info, size int, fits bool) bool {
	fault := p.fault(b)
	switch fault {
	case Lose, NoBuffers:
		p.lose(fault, fits)
		return fault == Lose
	case Slow:
		time.Sleep(p.bus.delay)
	case Forge:
		p.forge(b)
	}
	d := p.bus.newDatagram(b, info, size)
	fault.alter(d)
	ok := p.attach(d, fits)
	if ok && fault == Duplicate {
		p.attach(p.bus.newDatagram(b, info, size), true)
	}
	return ok
}

// lose drops a datagram. After NoBuffers its dump stops, as in the kernel when there is no
// memory for the next datagram; after Lose the dump continues with the next receive.
func (p *Port) lose(fault Fault, isDump bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case fault == NoBuffers:
		p.overrun()
	case isDump && p.dumping:
		p.stalled = true
		p.signal()
	}
}

func (b *Bus) newDatagram(data []byte, info socket.Info, size int) *datagram {
	d := b.datagrams.Get().(*datagram)
	d.b, d.info, d.size = append(d.b[:0], data...), info, size
	d.info.Size = len(data)
	return d
}

// attach queues a datagram, or returns it to the pool. A datagram for an empty queue or
// with reserved space always fits.
func (p *Port) attach(d *datagram, fits bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.bus.datagrams.Put(d)
		return false
	}
	isFirst := p.rmem == 0
	if !fits && (p.congested || !isFirst && p.rmem+d.size > p.rcvbuf) {
		p.bus.datagrams.Put(d)
		p.overrun()
		return false
	}
	p.queue.push(d)
	p.rmem += d.size
	p.bus.stats.delivered.Add(1)
	p.signal()
	return true
}

// overrun counts a loss. It also sets the pending error ENOBUFS, unless socket.NoENOBUFS is
// set or the queue has not been empty since the last ENOBUFS (netlink_overrun). The caller
// holds p.mu.
func (p *Port) overrun() {
	if !p.has(socket.NoENOBUFS) && !p.congested {
		p.congested = true
		p.err = errNoBuffers
		p.signal()
	}
	p.drops++
	p.bus.stats.overruns.Add(1)
}

// signal wakes one waiter, or the next one that starts to wait. The caller holds p.mu.
func (p *Port) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
