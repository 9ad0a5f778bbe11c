package conn

import (
	"fmt"
	"sync"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// stressEvent is a fault that the stress test applies to a request, its reply or a Conn.
// Faults of a reply are encoded in the value of the request, and the reply carries the same
// value: each fault therefore hits exactly the request for which it was chosen.
type stressEvent uint32

const (
	noFault stressEvent = iota
	// A request succeeds despite these faults.
	faultDuplicate
	faultEarlier // the reply to an earlier request arrives first
	faultForeign // a forged copy from another port arrives first
	faultEINTR
	faultStuck        // the send takes stuckFor
	faultBusInterrupt // of bus.Faults, like all names with this prefix
	faultBusDuplicate
	faultBusForge
	// A request may fail after these faults.
	faultENOBUFS    // before the reply
	faultLost       // ENOBUFS instead of the reply
	faultLate       // the reply arrives after the next send
	faultTruncated  // half of the reply
	faultSend       // the send fails
	faultBusLose    // no reply
	faultBusOverrun // ENOBUFS instead of the reply
	numFaults

	eventCancel = iota - 1
	eventDeadline
	eventAbandon
	eventPanic
	eventNested
	eventClose
	eventDialFailure
	numEvents
)

var eventNames = [numEvents]string{
	"good", "duplicate", "earlier-reply", "foreign", "EINTR", "stuck-send", "bus-interrupt", "bus-duplicate", "bus-forge",
	"ENOBUFS+reply", "ENOBUFS", "late-reply", "truncated", "send-error", "bus-lose", "bus-ENOBUFS",
	"cancel", "deadline", "abandoned-dump", "panicking-consumer", "nested-request", "close", "dial-failure",
}

// stressValue encodes a fault and a number.
func stressValue(fault stressEvent, number uint32) uint32 {
	return uint32(fault)<<20 | number&(1<<20-1)
}

// stuckFor is more than the millisecond after which a pool grows past a send.
const stuckFor = 3 * time.Millisecond

// stressTransport injects the faults.
type stressTransport struct {
	Transport
	run    *stress
	target *stressTarget

	mu      sync.Mutex
	pending []stressArrival // delivered before datagrams of the inner Transport
	late    []stressArrival // delivered after the next send
	earlier []byte          // the last reply
}

// stressArrival is the result of one receive.
type stressArrival struct {
	b    []byte
	info socket.Info
	err  error
}

// fault returns the fault that a request or a reply selects.
func (t *stressTransport) fault(b []byte) stressEvent {
	if m, n := nlmsg.Consume(b); n > 0 {
		if value, ok := t.target.value(m); ok {
			return stressEvent(value >> 20)
		}
	}
	return noFault
}

func (t *stressTransport) Send(b []byte) error {
	switch t.fault(b) {
	case faultSend:
		t.run.events[faultSend].Add(1)
		return fmt.Errorf("injected: %w", errno.ENOMEM)
	case faultStuck:
		t.run.events[faultStuck].Add(1)
		<-time.After(stuckFor)
	}
	err := t.Transport.Send(b)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pending = append(t.pending, t.late...)
	t.late = nil
	return err
}

func (t *stressTransport) TryReceive(b []byte) (int, socket.Info, error) {
	return t.receive(b, t.Transport.TryReceive)
}

func (t *stressTransport) Receive(b []byte) (int, socket.Info, error) {
	return t.receive(b, t.Transport.Receive)
}

func (t *stressTransport) receive(b []byte, receive func([]byte) (int, socket.Info, error)) (int, socket.Info, error) {
	for {
		if a, ok := t.pop(); ok {
			n := copy(b, a.b)
			return n, a.info, a.err
		}
		n, info, err := receive(b)
		if err != nil || !t.inject(b[:n], info) {
			return n, info, err
		}
	}
}

func (t *stressTransport) pop() (a stressArrival, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.pending) == 0 {
		return a, false
	}
	a = t.pending[0]
	t.pending = t.pending[1:]
	return a, true
}

// inject reports whether pending has an event that replaces the datagram.
func (t *stressTransport) inject(b []byte, info socket.Info) bool {
	fault := t.fault(b)
	t.mu.Lock()
	defer t.mu.Unlock()
	earlier := t.earlier
	t.earlier = nil
	if len(b) <= 256 {
		t.earlier = append(t.earlier, b...)
	}
	reply := stressArrival{b: append([]byte(nil), b...), info: info}
	interrupted := stressArrival{err: fmt.Errorf("injected: %w", errno.EINTR)}
	lost := stressArrival{err: fmt.Errorf("injected: %w", errno.ENOBUFS)}
	var list []stressArrival
	switch fault {
	case faultDuplicate:
		list = []stressArrival{reply, reply}
	case faultEarlier:
		if m, n := nlmsg.Consume(earlier); n > 0 && m.Seq() != nlmsg.Msg(b).Seq() {
			list = []stressArrival{{b: earlier}, reply}
		}
	case faultForeign:
		forged := stressArrival{b: append([]byte(nil), b...), info: socket.Info{PortID: 1, Size: len(b)}}
		forged.b[len(b)-1] ^= 0xff
		list = []stressArrival{forged, reply}
	case faultEINTR:
		list = []stressArrival{interrupted, interrupted, interrupted, reply}
	case faultENOBUFS:
		list = []stressArrival{lost, reply}
	case faultLost:
		list = []stressArrival{lost}
	case faultLate:
		t.late = append(t.late, reply)
	case faultTruncated:
		reply.b, reply.err = reply.b[:len(b)/2], socket.ErrTruncated
		list = []stressArrival{reply}
	}
	if list == nil && fault != faultLate {
		return false
	}
	t.run.events[fault].Add(1)
	t.pending = append(t.pending, list...)
	return true
}

func (t *stressTransport) Close() error {
	err := t.Transport.Close()
	if err == nil {
		t.run.open.Add(-1)
	}
	return err
}

// busFaults injects the faults that a bus supports.
func (s *stress) busFaults(value func(nlmsg.Msg) (uint32, bool)) bus.Faults {
	kinds := map[stressEvent]bus.Fault{
		faultBusInterrupt: bus.Interrupt, faultBusDuplicate: bus.Duplicate, faultBusForge: bus.Forge,
		faultBusLose: bus.Lose, faultBusOverrun: bus.NoBuffers,
	}
	return func(d bus.Delivery) bus.Fault {
		m, n := nlmsg.Consume(d.Bytes)
		if n < 0 {
			return bus.NoFault
		}
		v, ok := value(m)
		if !ok {
			return bus.NoFault
		}
		kind := kinds[stressEvent(v>>20)]
		if kind != bus.NoFault {
			s.events[stressEvent(v>>20)].Add(1)
		}
		return kind
	}
}
