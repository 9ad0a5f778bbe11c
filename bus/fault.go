package bus

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Fault is something that goes wrong with a datagram on its way to a port.
type Fault uint8

// The faults. [WithBefore] makes a handler slow for as long as a test wants it.
const (
	NoFault Fault = iota
	// Lose: it does not arrive, and nothing tells.
	Lose
	// Duplicate: it arrives twice.
	Duplicate
	// Truncate: its second half is missing, as if the buffer were too small.
	Truncate
	// NoBuffers: it is lost because the queue is full, which ENOBUFS tells. A dump
	// that it was part of stands still.
	NoBuffers
	// Interrupt: the receive in front of it fails with EINTR.
	Interrupt
	// Inconsistent: the messages of a dump in it are marked with
	// nlmsg.FlagDumpIntr, as if what they list had changed.
	Inconsistent
	// Forge: in front of it arrives one with the same headers and other content,
	// which does not come from the bus but from another port.
	Forge
	// Slow: it takes its time, and keeps the sender of the request, as a slow
	// handler does. [WithDelay] says how long.
	Slow
	numFaults
)

var faultNames = [numFaults]string{"none", "lose", "duplicate", "truncate", "no-buffers", "interrupt", "inconsistent", "forge", "slow"}

// String returns the name in lower case.
func (f Fault) String() string {
	if f < numFaults {
		return faultNames[f]
	}
	return "fault?"
}

// Delivery is a datagram that is about to be queued.
type Delivery struct {
	PortID uint32
	Number int    // of the datagrams for this port, from 0
	Bytes  []byte // good until Faults returns
}

// Faults decides what happens to a datagram. It runs for many ports at once and
// must not use the bus.
type Faults func(Delivery) Fault

// WithDelay is how long a [Slow] datagram takes, 1 ms if it is not given.
func WithDelay(d time.Duration) Option { return func(b *Bus) { b.delay = d } }

// Script has the faults of the list happen to the datagrams in their order, and
// none after them.
func Script(list ...Fault) Faults {
	var mu sync.Mutex
	next := 0
	return func(Delivery) Fault {
		mu.Lock()
		defer mu.Unlock()
		if next == len(list) {
			return NoFault
		}
		next++
		return list[next-1]
	}
}

// Random has one of the kinds happen to one datagram of n, or one of any kind if
// none is named. The same seed has the same datagrams suffer, if they come in the
// same order.
func Random(seed uint64, n int, kinds ...Fault) Faults {
	n = max(n, 1)
	if len(kinds) == 0 {
		for f := Lose; f < numFaults; f++ {
			kinds = append(kinds, f)
		}
	}
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0))
	return func(Delivery) Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(n) != 0 {
			return NoFault
		}
		return kinds[random.IntN(len(kinds))]
	}
}

// fault asks what happens to a datagram.
func (p *Port) fault(b []byte) Fault {
	if p.faults == nil {
		return NoFault
	}
	p.mu.Lock()
	number := p.delivered
	p.delivered++
	p.mu.Unlock()
	f := p.faults(Delivery{p.id, number, b})
	if f != NoFault {
		p.bus.stats.faults.Add(1)
	}
	if f == Interrupt {
		p.mu.Lock()
		if p.err == nil { // a loss must be told
			p.err = errInterrupt
		}
		p.signal()
		p.mu.Unlock()
	}
	return f
}

// alter does what a fault does to the bytes.
func (f Fault) alter(d *datagram) {
	switch f {
	case Truncate:
		d.b = d.b[:len(d.b)/2]
	case Inconsistent:
		for m := range nlmsg.All(d.b) {
			if m.Flags()&nlmsg.FlagMulti != 0 {
				m.SetFlags(m.Flags() | nlmsg.FlagDumpIntr)
			}
		}
	}
}

// forge queues what somebody else could have sent: the headers of the datagram,
// and bytes that are not its own.
func (p *Port) forge(b []byte) {
	d := p.bus.newDatagram(b, socket.Info{PortID: p.id ^ 1<<16}, trueSize(len(b)))
	for m := range nlmsg.All(d.b) {
		for i := range m.Payload() {
			m.Payload()[i] ^= 0xff
		}
	}
	p.attach(d, false)
}
