package bus

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// twins contains a bus and the kernel, whose replies must be equal.
type twins struct {
	t       *testing.T
	g       generate.Generator
	bus     *Bus
	targets []target

	socket *socket.Socket
	port   *Port
	flags  []socket.Flag
	caps   Caps
	buffer int
	isLazy bool // reads rarely, and has a small receive buffer
	counts bool // the kernel counts datagrams in receive buffers as the bus does
	seq    uint32
	events []event
	sent   []byte // the last datagram

	requests    int
	answers     int // number of compared datagrams
	families    map[string]bool
	unexplained map[string]int
}

// target is an operation that receives requests.
type target struct {
	family string
	id     uint16
	cmd    uint8
	do     *policy.Policy // nil: attributes of any kind
	dump   *policy.Policy
	weight int // in percent
}

// TestKernelTwin sends the same requests to the running kernel and to a bus with twins of
// its families. It compares every received datagram byte for byte: IDs, groups and port IDs
// are equal on both. NLWIRE_SEED and NLWIRE_REQUESTS select another stream and the number
// of requests.
func TestKernelTwin(t *testing.T) {
	all := familiesOfTheKernel(t) // in the initial namespace, which has all families
	kerneltest.EnterNetNS(t)
	seed, requests := kerneltest.Environment(t, "NLWIRE_SEED", 1), kerneltest.Environment(t, "NLWIRE_REQUESTS", 60_000)
	w := &twins{t: t, g: generate.New(uint64(seed)), families: map[string]bool{}, unexplained: map[string]int{}}
	w.set(all)
	for w.requests < requests {
		w.session()
	}
	total := 0
	for what, n := range w.unexplained {
		total += n
		t.Logf("%6d %s", n, what)
	}
	fmt.Printf("twin: requests=%d families=%d unexplained=%d\n", w.requests, len(w.families), total)
	t.Logf("%d datagrams compared, seed %d", w.answers, seed)
	if total != 0 {
		t.Errorf("%d answers differ", total)
	}
}

// set makes the bus with the twins.
func (w *twins) set(all []kernelFamily) {
	t := w.t
	devices := addBridges(t, 70)
	c, err := conn.Open(socket.Generic)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w.bus = New(WithFeatures(runningFeatures(t)))
	t.Cleanup(func() { w.bus.Close() })
	here := map[string]bool{}
	for _, k := range familiesOfTheKernel(t) {
		here[k.Name] = true
	}
	made := map[string]*Family{}
	var ethtool []uint8
	for i := range all {
		k := &all[i]
		f := k.twin(func(group uint32) GroupFlags { return flagsOfGroup(t, group) })
		f.NetNSOK = here[k.Name]
		if f.NetNSOK && w.bus.features.Has(FeatureResvStartOp) {
			f.ResvStartOp = resvStartOp(t, c, &k.Family)
		}
		switch k.Name {
		case "tcp_metrics":
			completeTCPMetrics(f)
		case "netdev":
			completeNetdev(t, c, k, f)
		case "ethtool":
			ethtool = completeEthtool(t, c, k, f, devices)
		}
		made[k.Name] = f
	}
	w.bus.adopt(t, all, made)
	w.aim(made, ethtool)
	if f := made["netdev"]; f != nil {
		w.events = netdevEvents(t, f)
	}
	w.counts = w.sameCounts()
}

// sameCounts reports whether the same number of Error messages of any size fits into a
// receive buffer of the bus and of the kernel. The kernel's buffer sizes depend on its
// configuration.
func (w *twins) sameCounts() bool {
	same := true
	for size := 0; size < 4000; size += 40 {
		var counts [2]int
		for i, open := range []func() (transport, error){
			func() (transport, error) { return socket.Open(socket.Generic, socket.WithReceiveBuffer(40_000)) },
			func() (transport, error) {
				p, err := w.bus.Open()
				if err == nil {
					err = p.SetReceiveBuffer(40_000)
				}
				return p, err
			},
		} {
			t, err := open()
			if err != nil {
				w.t.Fatal(err)
			}
			counts[i] = fill(w.t, t, size)
		}
		if counts[0] != counts[1] {
			same = false
			w.t.Logf("small receive buffers are not compared: errors with %d bytes: %d fit into the kernel's buffer, %d into the bus's", size, counts[0], counts[1])
			break
		}
	}
	return same
}

// fill returns the number of replies to requests of the given size that fit into a receive
// buffer.
func fill(t *testing.T, to transport, size int) (n int) {
	t.Helper()
	request := message(&Family{}, 1, 0, make([]byte, size))
	for range 200 {
		if err := to.Send(request); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 8192)
	for range 201 {
		if _, _, err := to.TryReceive(buf); err == nil {
			n++
		}
	}
	if err := to.(io.Closer).Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// aim lists the targets.
func (w *twins) aim(made map[string]*Family, ethtool []uint8) {
	add := func(f *Family, weight int, cmds ...uint8) {
		ops := f.on.Load().ops
		for _, cmd := range cmds {
			one := target{family: f.Name, id: uint16(f.ID()), cmd: cmd, weight: weight}
			if op := ops.do[cmd]; op != nil {
				one.do = op.policy
			}
			if op := ops.dump[cmd]; op != nil {
				one.dump = op.policy
			}
			w.targets = append(w.targets, one)
		}
	}
	add(w.bus.ctrl, 100, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlCmdGetPolicy, genlmsg.CtrlCmdGetPolicy)
	add(w.bus.ctrl, 10, 0, 1, 2, 4, 9, 11, 12, 255)
	if f := made["netdev"]; f != nil {
		add(f, 60, 1, 1, 5, 10, 11, 12)
		add(f, 10, 0, 2, 200)
	}
	if f := made["tcp_metrics"]; f != nil {
		add(f, 60, 1, 1, 1)
		add(f, 10, 0, 3, 99)
	}
	if f := made["ethtool"]; f != nil {
		add(f, 60, ethtool...)
		add(f, 10, 0, 250)
	}
	for _, id := range []uint16{0, 5, 15, 18, 19, 500, 1023, 1024, 0xffff} {
		if f := w.bus.byID(id); f == nil || !f.NetNSOK { // no family, or not in this namespace
			w.targets = append(w.targets, target{id: id, cmd: 1, weight: 10})
		}
	}
}

// runningFeatures returns the features of the running kernel.
func runningFeatures(t *testing.T) Features {
	t.Helper()
	s, err := socket.Open(socket.Generic)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := Probe(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the kernel has the features %v", f)
	return f
}

// session sends requests over a new pair of a Socket and a Port with their own options and
// capabilities.
func (w *twins) session() {
	t, g := w.t, w.g
	w.flags, w.caps, w.buffer = nil, Root, 4096<<g.IntN(4)
	for _, f := range []socket.Flag{socket.ExtAck, socket.CapAck, socket.StrictCheck, socket.NoENOBUFS, socket.PacketInfo, socket.BroadcastError, socket.ListenAllNSID} {
		if g.IntN(2) == 0 {
			w.flags = append(w.flags, f)
		}
	}
	if g.IntN(4) != 0 && !slices.Contains(w.flags, socket.ExtAck) {
		w.flags = append(w.flags, socket.ExtAck)
	}
	var err error
	if w.socket, err = socket.Open(socket.Generic, socket.WithFlags(w.flags...)); err != nil {
		t.Fatal(err)
	}
	defer w.socket.Close()
	if g.IntN(5) == 0 {
		w.caps = 0
		kerneltest.DropCaps(t)
		defer kerneltest.RestoreCaps(t)
	}
	w.port, err = w.bus.Open(WithNetNS(1), WithPortID(w.socket.PortID()), WithCaps(w.caps), WithFlags(w.flags...))
	if err != nil {
		t.Fatal(err)
	}
	defer w.port.Close()
	if w.isLazy = w.one(5) && w.counts; w.isLazy {
		w.shrink(g.IntN(20_000))
	}
	for range 40 {
		if w.one(10) {
			w.join(uint32(g.IntN(80)))
		}
		w.send()
		if !w.isLazy || w.one(4) {
			w.compare()
		}
	}
	if len(w.events) > 0 && w.caps == Root && w.one(10) {
		w.compare()
		w.join(w.events[0].group)
		for _, e := range w.events {
			e.happen(t)
			w.compare()
		}
	}
}

// shrink makes both receive buffers small.
func (w *twins) shrink(bytes int) {
	if err := w.socket.SetReceiveBuffer(bytes); err != nil {
		w.t.Fatal(err)
	}
	_ = w.port.SetReceiveBuffer(bytes)
	kernel, err := w.socket.ReceiveBuffer()
	if bus, _ := w.port.ReceiveBuffer(); err != nil || bus != kernel {
		w.differ("receive buffer", nil, fmt.Sprintf("kernel %d, bus %d, %v", kernel, bus, err))
	}
}

// join joins the same group on both sides.
func (w *twins) join(group uint32) {
	kernel, bus := w.socket.Join(group), w.port.Join(group)
	theirs, _ := errno.Of(kernel)
	if mine, _ := errno.Of(bus); (kernel == nil) != (bus == nil) || kernel != nil && theirs != mine {
		w.differ("join", nil, fmt.Sprintf("group %d: kernel %v, bus %v", group, kernel, bus))
	}
}

// send sends a datagram to both sides.
func (w *twins) send() {
	w.sent = w.sent[:0]
	for n := 1 + max(0, w.g.IntN(8)-5); n > 0; n-- {
		w.sent = append(w.sent, w.request()...)
	}
	kernel, bus := w.socket.Send(w.sent), w.port.Send(w.sent)
	if (kernel == nil) != (bus == nil) {
		w.differ("send", w.sent, fmt.Sprintf("kernel %v, bus %v", kernel, bus))
	}
}

// compare receives from both sides until they are empty.
func (w *twins) compare() {
	theirs, mine := make([]byte, w.buffer), make([]byte, w.buffer)
	for {
		n, info, err := w.socket.TryReceive(theirs)
		n2, info2, err2 := w.port.TryReceive(mine)
		if err == socket.ErrEmpty && err2 == socket.ErrEmpty {
			return
		}
		w.answers++
		e, _ := errno.Of(err)
		e2, _ := errno.Of(err2)
		sameErr := err == err2 || err != nil && err2 != nil && e == e2
		if !sameErr || info != info2 || !bytes.Equal(theirs[:n], mine[:n2]) {
			w.differ("answer", w.sent, fmt.Sprintf("kernel %v %+v\n    %s\n  bus %v %+v\n    %s",
				err, info, hex.EncodeToString(theirs[:n]), err2, info2, hex.EncodeToString(mine[:n2])))
			w.drain(theirs)
			return
		}
	}
}

// drain empties both sides after a difference.
func (w *twins) drain(b []byte) {
	for _, receive := range []func([]byte) (int, socket.Info, error){w.socket.TryReceive, w.port.TryReceive} {
		for err := error(nil); err != socket.ErrEmpty; {
			_, _, err = receive(b)
		}
	}
}

func (w *twins) differ(what string, request []byte, how string) {
	key := what
	if m, n := nlmsg.Consume(request); n > 0 {
		h, _ := genlmsg.Consume(m.Payload())
		key = fmt.Sprintf("%s, type %d, command %d, flags %#x", what, m.Type(), h.Cmd(), uint16(m.Flags()&nlmsg.FlagDump))
	}
	if w.unexplained[key]++; w.unexplained[key] == 1 && len(w.unexplained) < 20 {
		w.t.Errorf("%s, options %v, caps %v, buffer %d:\n  request %s\n  %s", key, w.flags, w.caps, w.buffer, hex.EncodeToString(request), how)
	}
}
