package bus

import (
	"math/rand/v2"
	"sync"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// Fault is an error that is injected into the delivery of a datagram to a port.
type Fault uint8

// The faults. To slow down handlers, see [WithBefore].
const (
	NoFault Fault = iota
	// Lose drops the datagram silently.
	Lose
	// Duplicate delivers the datagram twice.
	Duplicate
	// Truncate removes the second half, as if the kernel's buffer had been too small.
	Truncate
	// NoBuffers drops the datagram as if the queue were full: the next receive fails with
	// ENOBUFS. If the datagram is part of a dump, the dump stops.
	NoBuffers
	// Interrupt makes the receive before the datagram fail with EINTR.
	Interrupt
	// Inconsistent sets nlmsg.FlagDumpIntr in the messages of a dump, as if the dumped
	// objects had changed.
	Inconsistent
	// Forge delivers a forged copy first, with the same headers and a corrupted payload.
	// Its sender is another port: Info.PortID is not 0.
	Forge
	// Slow delays the delivery, and with it the sender of the request, by the duration of
	// [WithDelay], as a slow handler does.
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

// Delivery is a datagram that is about to be queued for a port.
type Delivery struct {
	PortID uint32 // of the receiver
	Number int    // index of the datagram among those for this port, from 0
	Bytes  []byte // read-only, and valid until Faults returns
}

// Faults selects the fault for a datagram. Goroutines call it concurrently. It must not use
// the bus.
type Faults func(Delivery) Fault

// Script applies the faults of the list to the first datagrams, in this order, and none to
// later ones.
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

// Random applies a fault to one of n datagrams on average; n is at least 1. The fault is
// one of kinds, or any fault if kinds is empty. The same seed hits the same datagrams if
// they are sent in the same order.
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

// fault returns the fault for a datagram.
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
		if p.err == nil { // a pending ENOBUFS must not be replaced
			p.err = errInterrupt
		}
		p.signal()
		p.mu.Unlock()
	}
	return f
}

// alter applies a fault that changes the bytes.
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

// forge queues a copy of a datagram as another port could have sent it: the same headers,
// and a corrupted payload.
func (p *Port) forge(b []byte) {
	d := p.bus.newDatagram(b, socket.Info{PortID: p.id ^ 1<<16}, p.bus.features.trueSize(len(b)))
	for m := range nlmsg.All(d.b) {
		for i := range m.Payload() {
			m.Payload()[i] ^= 0xff
		}
	}
	p.attach(d, false)
}
