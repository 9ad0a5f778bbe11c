package ctrl

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// stage is a bus. A test registers and removes its families.
type stage struct {
	t   *testing.T
	bus *bus.Bus

	mu       sync.Mutex // guards the fields below; not held while the bus is used
	families map[string]*bus.Family
	lookups  map[string]int
	ports    []*port
	events   bus.Faults    // faults of notifications, nil for none
	gate     chan struct{} // if set, Send waits for it after sending
}

// port is a port of the bus with additional behavior: Send can be delayed after the answer
// is queued, and receives can fail.
type port struct {
	*bus.Port
	stage  *stage
	broken atomic.Bool
}

// newStage makes a stage with families of the given names, and a Conn to it.
func newStage(t *testing.T, names ...string) (*stage, *conn.Conn) {
	t.Helper()
	s := &stage{t: t, families: map[string]*bus.Family{}, lookups: map[string]int{}}
	s.bus = bus.New(bus.WithBefore(s.count))
	t.Cleanup(func() { s.bus.Close() })
	for _, name := range names {
		s.come(name)
	}
	c := conn.New(s.dial(), conn.WithDialer(func() (conn.Transport, error) { return s.dial(), nil }))
	t.Cleanup(func() { c.Close() })
	return s, c
}

func (s *stage) dial() *port {
	p, err := s.bus.Open(bus.WithFlags(socket.ExtAck, socket.CapAck), bus.WithPortFaults(s.fault))
	if err != nil {
		s.t.Error(err)
		return nil
	}
	own := &port{Port: p, stage: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ports = append(s.ports, own)
	return own
}

// come registers a family, replacing one with the same name, and returns its id. groups are
// its multicast groups.
func (s *stage) come(name string, groups ...string) (id nlmsg.Type) {
	s.goes(name)
	f := &bus.Family{Name: name, Version: 1}
	for _, group := range groups {
		f.Groups = append(f.Groups, bus.Group{Name: group})
	}
	if err := s.bus.Register(f); err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.families[name] = f
	return f.ID()
}

// goes removes a family, if it is registered.
func (s *stage) goes(name string) {
	s.mu.Lock()
	f := s.families[name]
	delete(s.families, name)
	s.mu.Unlock()
	if f == nil {
		return
	}
	if err := s.bus.Unregister(f); err != nil {
		s.t.Error(err)
	}
}

// count counts every request to the controller.
func (s *stage) count(i *bus.Info) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups[string(i.Attrs.Text(genlmsg.CtrlAttrFamilyName))]++
}

func (s *stage) asked(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookups[name]
}

// hold makes later sends wait for the channel; nil makes later sends not wait.
func (s *stage) hold(gate chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate = gate
}

// during runs f while faults apply to notifications.
func (s *stage) during(faults bus.Faults, f func() nlmsg.Type) nlmsg.Type {
	s.suffer(faults)
	defer s.suffer(nil)
	return f()
}

// suffer applies faults to later notifications.
func (s *stage) suffer(faults bus.Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = faults
}

// unheard loses every notification.
func unheard(bus.Delivery) bus.Fault { return bus.Lose }

func (s *stage) fault(d bus.Delivery) bus.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isEvent := nlmsg.Msg(d.Bytes).Seq() == 0; !isEvent || s.events == nil {
		return bus.NoFault
	}
	return s.events(d)
}

// listeners returns the ports that have joined the controller's group.
func (s *stage) listeners() (list []*port) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.ports {
		if groups, err := p.Groups(); err == nil && slices.Contains(groups, notifyGroup) {
			list = append(list, p)
		}
	}
	return list
}

// tell sends b to the listeners, as the controller.
func (s *stage) tell(b []byte) {
	for _, p := range s.listeners() {
		if err := s.bus.Unicast(0, p.PortID(), b); err != nil {
			s.t.Error(err)
		}
	}
}

// breakDown makes all later receives of the listeners fail.
func (s *stage) breakDown() {
	for _, p := range s.listeners() {
		p.broken.Store(true)
	}
	s.tell(appendFamily(nil, genlmsg.CtrlCmdNewFamily, Family{Name: "wakes", ID: 1}))
}

// Send sends a request, then waits for the gate that was set before.
func (p *port) Send(b []byte) error {
	p.stage.mu.Lock()
	gate := p.stage.gate
	p.stage.mu.Unlock()
	err := p.Port.Send(b)
	if gate != nil {
		<-gate
	}
	return err
}

func (p *port) Receive(b []byte) (int, socket.Info, error) {
	n, info, err := p.Port.Receive(b)
	if p.broken.Load() {
		return 0, socket.Info{}, errno.ENOTCONN
	}
	return n, info, err
}

func (p *port) TryReceive(b []byte) (int, socket.Info, error) {
	if p.broken.Load() {
		return 0, socket.Info{}, errno.ENOTCONN
	}
	return p.Port.TryReceive(b)
}
