package ctrl

import (
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// kernel is a controller whose families the test chooses, with the notifications
// of their changes.
type kernel struct {
	mu       sync.Mutex
	families map[string]Family
	lookups  map[string]int
	gate     chan struct{} // if it is set, lookups wait for it
	nextPort uint32
	ports    []*port
}

// port is a Transport to the kernel.
type port struct {
	kernel *kernel
	id     uint32
	joined bool

	mu       sync.Mutex
	queue    [][]byte
	fault    error // the next receive fails
	changed  chan struct{}
	deadline time.Time
	closed   bool
}

func newKernel(t *testing.T, names ...string) (*kernel, *conn.Conn) {
	t.Helper()
	k := &kernel{families: map[string]Family{}, lookups: map[string]int{}}
	for i, name := range names {
		k.families[name] = Family{Name: name, ID: uint16(30 + i), Version: 1}
	}
	c := conn.New(k.dial(), conn.WithDialer(func() (conn.Transport, error) { return k.dial(), nil }))
	t.Cleanup(func() { c.Close() })
	return k, c
}

func (k *kernel) dial() *port {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.nextPort++
	p := &port{kernel: k, id: k.nextPort, changed: make(chan struct{})}
	k.ports = append(k.ports, p)
	return p
}

// set registers a family, or replaces it, and tells.
func (k *kernel) set(f Family) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.families[f.Name] = f
	k.tell(genlmsg.CtrlCmdNewFamily, f)
}

func (k *kernel) unset(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.families[name]
	delete(k.families, name)
	k.tell(genlmsg.CtrlCmdDelFamily, f)
}

// setUntold changes a family while nobody hears of it.
func (k *kernel) setUntold(f Family) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.families[f.Name] = f
}

// tell sends a notification to those who have joined.
func (k *kernel) tell(cmd uint8, f Family) {
	b := familyMessage(cmd, 0, 0, f)
	for _, p := range k.ports {
		if p.joined {
			p.put(b, nil)
		}
	}
}

// tellRaw sends any bytes, or fails the next receive.
func (k *kernel) tellRaw(b []byte, fault error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.ports {
		if p.joined {
			p.put(b, fault)
		}
	}
}

func (k *kernel) asked(name string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lookups[name]
}

// familyMessage is what the controller sends of a family.
func familyMessage(cmd uint8, seq, portID uint32, f Family) []byte {
	b, m := nlmsg.Begin(nil, genlmsg.IDCtrl, 0, seq, portID)
	b = genlmsg.Append(b, cmd, genlmsg.CtrlVersion)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, f.Name)
	b = nla.AppendUint16(b, genlmsg.CtrlAttrFamilyID, f.ID)
	if len(f.Groups) > 0 {
		var groups int
		b, groups = nla.Begin(b, genlmsg.CtrlAttrMulticastGroups)
		for i, g := range f.Groups {
			var entry int
			b, entry = nla.Begin(b, uint16(i+1))
			b = nla.AppendUint32(b, genlmsg.CtrlAttrMulticastGroupID, g.ID)
			b = nla.AppendCString(b, genlmsg.CtrlAttrMulticastGroupName, g.Name)
			b = nla.End(b, entry)
		}
		b = nla.End(b, groups)
	}
	return nlmsg.End(b, m)
}

func (p *port) put(b []byte, fault error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b != nil {
		p.queue = append(p.queue, b)
	}
	if fault != nil {
		p.fault = fault
	}
	p.change()
}

func (p *port) change() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Send answers a GETFAMILY by name.
func (p *port) Send(b []byte) error {
	req, _ := nlmsg.Consume(b)
	name, _ := nla.Find(genlmsg.Attrs(req, 0), genlmsg.CtrlAttrFamilyName).CString()
	k := p.kernel
	k.mu.Lock()
	f, ok := k.families[string(name)]
	k.lookups[string(name)]++
	gate := k.gate
	k.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if ok {
		p.put(familyMessage(genlmsg.CtrlCmdNewFamily, req.Seq(), p.id, f), nil)
	} else {
		p.put(nlmsg.AppendAck(nil, req, p.id, 2, nil, nlmsg.AckOptions{Cap: true}), nil)
	}
	return nil
}

func (p *port) TryReceive(b []byte) (int, socket.Info, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.fault; err != nil {
		p.fault = nil
		return 0, socket.Info{}, err
	}
	switch {
	case p.closed:
		return 0, socket.Info{}, os.ErrClosed
	case len(p.queue) == 0:
		return 0, socket.Info{}, socket.ErrEmpty
	}
	n := copy(b, p.queue[0])
	p.queue = p.queue[1:]
	return n, socket.Info{Size: n}, nil
}

func (p *port) Receive(b []byte) (int, socket.Info, error) {
	for {
		p.mu.Lock()
		changed, passed := p.changed, !p.deadline.IsZero()
		p.mu.Unlock()
		if passed {
			return 0, socket.Info{}, os.ErrDeadlineExceeded
		}
		if n, info, err := p.TryReceive(b); err != socket.ErrEmpty {
			return n, info, err
		}
		<-changed
	}
}

// SetReadDeadline knows deadlines in the past, and none.
func (p *port) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	p.change()
	return nil
}

func (p *port) PortID() uint32 { return p.id }

func (p *port) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.change()
	return nil
}

func (p *port) Join(group uint32) error {
	if group != genlmsg.IDCtrl {
		return syscall.EINVAL
	}
	p.kernel.mu.Lock()
	defer p.kernel.mu.Unlock()
	p.joined = true
	return nil
}
