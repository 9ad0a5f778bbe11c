package bus

import (
	"math/bits"
	"time"

	"github.com/nlwire/nlwire/errno"

	"github.com/nlwire/nlwire/socket"
)

// datagram is one in a queue. Its bytes are its own; the pool keeps it.
type datagram struct {
	b    []byte
	info socket.Info
	size int // what it takes of the receive buffer
}

// queue is a ring of datagrams.
type queue struct {
	ring  []*datagram // of a power of two places
	first int
	count int
}

func (q *queue) push(d *datagram) {
	if q.count == len(q.ring) {
		ring := make([]*datagram, max(8, 2*len(q.ring)))
		for i := range q.count {
			ring[i] = q.at(i)
		}
		q.ring, q.first = ring, 0
	}
	q.ring[(q.first+q.count)&(len(q.ring)-1)] = d
	q.count++
}

func (q *queue) at(i int) *datagram { return q.ring[(q.first+i)&(len(q.ring)-1)] }

func (q *queue) pop() *datagram {
	d := q.at(0)
	q.ring[q.first] = nil
	q.first = (q.first + 1) & (len(q.ring) - 1)
	q.count--
	return d
}

// What the kernel takes for a datagram besides its bytes, on 64 bits:
// struct skb_shared_info, which is allocated with them, and struct sk_buff.
const (
	sharedInfo = 320
	skBuff     = 256
	// smallHead is what small ones are allocated in (SKB_SMALL_HEAD_CACHE_SIZE).
	smallHead = 576
)

// trueSize is how much a datagram of n bytes takes of a receive buffer: larger ones
// are allocated in powers of two (SKB_TRUESIZE, kmalloc). The twin test compares
// it with the kernel by when a queue is full.
func trueSize(n int) int {
	n = (n+63)&^63 + sharedInfo
	if n <= smallHead {
		return smallHead + skBuff
	}
	return 1<<bits.Len(uint(n-1)) + skBuff
}

// trimmed is what a datagram of n bytes takes for which more were allocated: the
// kernel cuts it if that gives back half (netlink_trim).
func trimmed(n, allocated int) int {
	size := trueSize(allocated)
	if unused := size - skBuff - sharedInfo - n; 2*unused < size {
		return size
	}
	return trueSize(n)
}

const (
	// defaultBuffer is net.core.rmem_default and wmem_default.
	defaultBuffer = 212992
	// leastBuffer is the smallest receive buffer (SOCK_MIN_RCVBUF).
	leastBuffer = 2304
	// leastSendBuffer is the smallest send buffer (SOCK_MIN_SNDBUF).
	leastSendBuffer = 4608
	// mostBuffer is the most that is doubled (INT_MAX / 2).
	mostBuffer = 1<<30 - 1
	// sendOverhead is what a send buffer must have beyond the datagram.
	sendOverhead = 32
)

// put queues a copy of the bytes, for which the kernel would have allocated so many.
// It returns whether there was room; where there was none the port is told of the
// loss (netlink_attachskb, netlink_broadcast_deliver).
func (p *Port) put(b []byte, info socket.Info, allocated int) bool {
	return p.deliver(b, info, trimmed(len(b), allocated), false)
}

// deliver queues a copy of the bytes that takes so much of the receive buffer, or
// does what a fault makes of it. What fits has had its room set aside.
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

// lose has a datagram not arrive. With NoBuffers the dump that it was part of stands
// still, as the kernel's does that gets no memory for the next with nothing queued;
// with Lose it goes on with the next receive.
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

// attach queues a datagram, which is the port's from then on. The first of an
// empty queue always fits, and so does one for which there is room set aside.
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

// overrun tells of a loss, once until the queue was empty, unless the port does
// not want to know (netlink_overrun). It is under p.mu.
func (p *Port) overrun() {
	if !p.has(socket.NoENOBUFS) && !p.congested {
		p.congested = true
		p.err = errNoBuffers
		p.signal()
	}
	p.drops++
	p.bus.stats.overruns.Add(1)
}

// signal wakes one who waits, or the next who will. It is under p.mu.
func (p *Port) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// TryReceive takes the first datagram of the queue and copies it into b, as much
// as fits; [socket.ErrEmpty] says that there is none. See [Port.Receive].
func (p *Port) TryReceive(b []byte) (n int, info socket.Info, err error) { return p.receive(b, false) }

// receive is TryReceive, under the deadline for who would wait.
func (p *Port) receive(b []byte, waits bool) (n int, info socket.Info, err error) {
	p.mu.Lock()
	switch {
	case p.closed:
		err = errClosed
	case waits && p.expired:
		p.signal() // for the next who waits
		err = errDeadline
	case p.err != nil:
		err, p.err = p.err, nil
	case p.queue.count == 0 && p.stalled: // a fault took what would have let it go on
		p.stalled = false
		p.mu.Unlock()
		p.goOn()
		return p.receive(b, waits)
	case p.queue.count == 0:
		err = socket.ErrEmpty
	}
	if err != nil {
		p.receivedOne() // also then: an overrun may have left nothing, an error something
		p.mu.Unlock()
		return 0, socket.Info{}, err
	}
	d := p.queue.pop()
	p.rmem -= d.size
	p.maxReceive = max(p.maxReceive, min(len(b), maxDumpSize))
	goesOn := p.dumping && p.rmem <= p.rcvbuf/2
	if !goesOn {
		p.receivedOne()
	}
	p.mu.Unlock()
	n, info = copy(b, d.b), d.info
	p.bus.datagrams.Put(d)
	if goesOn {
		p.goOn()
	}
	if n < info.Size {
		err = socket.ErrTruncated
	}
	return n, info, err
}

// receivedOne ends the congestion when the queue is empty (netlink_rcv_wake), and
// lets the next one have what is left of it. It is under p.mu.
func (p *Port) receivedOne() {
	if p.queue.count == 0 {
		p.congested = false
	} else {
		p.signal()
	}
}

// goOn continues the dump that runs on the port, now that there is room for more
// (netlink_recvmsg). What fails is told by the next receive.
func (p *Port) goOn() {
	err := p.bus.continueDump(p)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		if p.err = err; err == error(errno.ENOBUFS) {
			p.err = errNoBuffers // as other systems number it
		}
		p.signal()
	}
	p.receivedOne()
}
