package conn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// stressTarget is the peer of a Conn of the stress test. The replies carry the values of
// their requests.
type stressTarget struct {
	name   string
	dialer func() Dialer // for one Conn
	ask    func(c *Conn, flags nlmsg.Flags, value uint32) *Request
	value  func(m nlmsg.Msg) (value uint32, ok bool) // returns the value of a request or a reply, if it has one
	answer func(m nlmsg.Msg, value uint32) bool      // reports whether m is the reply to a request with the value
	list   func(c *Conn, value uint32) *Request      // nil: the target has no list
	inList func(m nlmsg.Msg, value uint32) bool
	listed int         // messages of the list
	faults stressEvent // the first fault that cannot be injected
}

// stressTargets makes the targets that need the running kernel.
var stressTargets []func(t *testing.T) []*stressTarget

// stress is the state of the test.
type stress struct {
	t         *testing.T
	seed      uint64
	requests  atomic.Int64
	lost      atomic.Int64
	wrong     atomic.Int64
	open      atomic.Int64  // Transports
	buffers   *atomic.Int64 // receive buffers
	unstopped atomic.Int64  // members in use after Close
	events    [numEvents]atomic.Int64
	workers   sync.Map // the running ones, *stressWorker
	reports   atomic.Int64
}

// report logs the first failures.
func (s *stress) report(counter *atomic.Int64, format string, args ...any) {
	counter.Add(1)
	if s.reports.Add(1) <= 20 {
		s.t.Errorf(format, args...)
	}
}

// stressPatience limits the time of an exchange, also on a slow machine with the race
// detector.
const stressPatience = 30 * time.Second

// Runs many Conns at once, to the kernel and to a bus, with every fault of this package.
// NLWIRE_STRESS_REQUESTS is the number of requests. NLWIRE_STRESS_SEED repeats the choices
// of each goroutine.
func TestStress(t *testing.T) {
	total := 1_000_000
	if testing.Short() {
		total = 100_000
	}
	total = kerneltest.Environment(t, "NLWIRE_STRESS_REQUESTS", total)
	s := &stress{t: t, seed: uint64(kerneltest.Environment(t, "NLWIRE_STRESS_SEED", int(time.Now().UnixNano()&(1<<31-1))))}
	fmt.Printf("stress seed: %d\n", s.seed)
	s.buffers = countBuffers(t)
	goroutines := runtime.NumGoroutine()
	targets := []*stressTarget{s.busTarget()}
	for _, more := range stressTargets {
		targets = append(targets, more(t)...)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var wg sync.WaitGroup
		for i, target := range targets {
			share := total/len(targets)/10 + 1
			id := uint64(i) << 32
			wg.Go(func() { s.cell(target, id, 96, 6*share, true) })
			wg.Go(func() { s.cell(target, id|1<<24, 16, 3*share, false) })
			wg.Go(func() { s.closing(target, id|2<<24, share) })
		}
		wg.Wait()
	}()
	hung := s.watch(ended)
	if hung > 0 {
		t.Errorf("%d requests hang; NLWIRE_STRESS_SEED=%d", hung, s.seed)
	}
	leaked := s.open.Load() + s.unstopped.Load()
	if hung == 0 {
		leaked += s.leaks(goroutines)
	}
	var events strings.Builder
	for e := noFault + 1; e < numEvents; e++ {
		fmt.Fprintf(&events, " %s=%d", eventNames[e], s.events[e].Load())
	}
	fmt.Printf("stress events:%s\n", events.String())
	fmt.Printf("stress: requests=%d hung=%d lost=%d leaked=%d\n", s.requests.Load(), hung, s.lost.Load(), leaked)
	if n := s.wrong.Load(); n > 0 {
		t.Errorf("%d replies to other requests", n)
	}
	if s.lost.Load() > 0 || leaked > 0 || t.Failed() {
		t.Errorf("failed; NLWIRE_STRESS_SEED=%d; Transports %d, members %d", s.seed, s.open.Load(), s.unstopped.Load())
	}
}

// watch waits for the end and returns the number of hanging requests.
func (s *stress) watch(ended <-chan struct{}) (hung int) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return 0
		case <-ticker.C:
		}
		s.workers.Range(func(w, _ any) bool {
			at := w.(*stressWorker).started.Load()
			if at != 0 && time.Since(time.Unix(0, at)) > stressPatience {
				hung++
			}
			return true
		})
		if hung > 0 {
			stacks := make([]byte, 1<<20)
			s.t.Logf("%s", stacks[:runtime.Stack(stacks, true)])
			return hung
		}
	}
}

// countBuffers counts the receive buffers that are in use. Garbage collections free those
// in the pool.
func countBuffers(tb testing.TB) *atomic.Int64 {
	n := &atomic.Int64{}
	debug.FreeOSMemory()
	debug.FreeOSMemory() // drops the buffers of earlier tests, which are not counted
	buffers.New = func() any {
		b := make([]byte, DefaultBuffer)
		n.Add(1)
		runtime.AddCleanup(&b, func(n *atomic.Int64) { n.Add(-1) }, n)
		return &b
	}
	tb.Cleanup(func() { buffers.New = nil })
	return n
}

// leaks returns the number of goroutines and buffers that remain after the end. Goroutines
// that are about to end get the time that they need. Descriptors are counted with the
// Transports, and by TestMain.
func (s *stress) leaks(goroutines int) (n int64) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); runtime.Gosched() {
		debug.FreeOSMemory() // collects garbage, including the contents of each sync.Pool
		n = max(0, int64(runtime.NumGoroutine()-goroutines)) + s.buffers.Load()
		if n == 0 {
			break
		}
	}
	return n
}

// newConn makes a Conn whose Transports inject faults. Some attempts to dial fail.
func (s *stress) newConn(target *stressTarget, id uint64, isPooled bool) *Conn {
	dial := target.dialer()
	random, mu := rand.New(rand.NewPCG(s.seed, id|1<<60)), sync.Mutex{}
	open := func() (Transport, error) {
		t, err := dial()
		if err != nil {
			return nil, err
		}
		s.open.Add(1)
		return &stressTransport{Transport: t, run: s, target: target}, nil
	}
	first, err := open()
	if err != nil {
		s.t.Error(err)
		return nil
	}
	if !isPooled {
		return New(first)
	}
	return New(first, WithDialer(func() (Transport, error) {
		mu.Lock()
		fails := random.IntN(16) == 0
		mu.Unlock()
		if fails {
			s.events[eventDialFailure].Add(1)
			return nil, fmt.Errorf("injected: %w", errno.EMFILE)
		}
		return open()
	}))
}

// closeConn closes a Conn after its last exchange.
func (s *stress) closeConn(c *Conn) {
	if err := c.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		s.report(&s.lost, "close: %v", err)
	}
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	for k := range kinds {
		s.unstopped.Add(int64(c.pool.using[k]))
	}
	s.unstopped.Add(int64(c.pool.opening))
}

// cell runs goroutines that make requests over one Conn.
func (s *stress) cell(target *stressTarget, id uint64, goroutines, requests int, isPooled bool) {
	c := s.newConn(target, id, isPooled)
	if c == nil {
		return
	}
	s.work(c, target, id, goroutines, requests, func(w *stressWorker) bool { w.step(); return true })
	s.closeConn(c)
}

// closing makes Conns that are closed while goroutines use them.
func (s *stress) closing(target *stressTarget, id uint64, requests int) {
	random := rand.New(rand.NewPCG(s.seed, id))
	for requests > 0 {
		const goroutines, most = 8, 2000
		isPooled := random.IntN(4) > 0
		id++
		c := s.newConn(target, id<<8, isPooled)
		if c == nil {
			return
		}
		var done atomic.Int64
		last := int64(1 + random.IntN(min(most, requests)))
		s.work(c, target, id<<8, goroutines, goroutines*most, func(w *stressWorker) bool {
			w.allowed = os.ErrClosed
			w.step()
			n := done.Add(1)
			if n == last {
				s.events[eventClose].Add(1)
				if err := c.Close(); err != nil {
					s.report(&s.lost, "close: %v", err)
				}
			}
			return n < last+50 // some requests start after the end
		})
		requests -= int(last)
		s.closeConn(c)
	}
}

// work runs steps in goroutines until the number of requests is reached or step returns
// false.
func (s *stress) work(c *Conn, target *stressTarget, id uint64, goroutines, requests int, step func(w *stressWorker) bool) {
	var wg sync.WaitGroup
	each := (requests + goroutines - 1) / goroutines
	for i := range goroutines {
		wg.Go(func() {
			w := &stressWorker{stress: s, Rand: rand.New(rand.NewPCG(s.seed, id|uint64(i+1))), c: c, target: target, number: uint32(i) << 13}
			s.workers.Store(w, nil)
			defer s.workers.Delete(w)
			for w.made < each && step(w) {
			}
		})
	}
	wg.Wait()
}

// busTarget is a family of a bus that echoes numbers.
func (s *stress) busTarget() *stressTarget {
	const listed, padding = 48, 1200
	target := &stressTarget{name: "bus", listed: listed, faults: numFaults}
	target.value = func(m nlmsg.Msg) (uint32, bool) {
		if m.Type() < nlmsg.MinType || m.Type() == genlmsg.IDCtrl {
			return 0, false
		}
		v, err := nla.Find(genlmsg.Attrs(m, 0), attrNumber).Uint32()
		return v, err == nil
	}
	world := bus.New(bus.WithFaults(s.busFaults(target.value)))
	s.t.Cleanup(func() { world.Close() })
	family := &bus.Family{Name: "echo", Version: 1, Parallel: true, Policy: &policy.Policy{Attrs: []policy.Rule{attrNumber: {Kind: policy.KindU32}}}}
	family.Ops = []bus.Op{{Cmd: cmdAdd, Do: func(i *bus.Info) error {
		b := i.Begin(cmdAdd)
		return i.Reply(nla.AppendUint32(b, attrNumber, i.Attrs.Uint32(attrNumber)))
	}}, {Cmd: cmdList, Dump: func(d *bus.Dump) error {
		var pad [padding]byte
		for ; d.Args[0] < listed; d.Args[0]++ {
			b := d.Begin(nlmsg.FlagMulti, cmdList)
			b = nla.AppendBytes(nla.AppendUint32(b, attrNumber, d.Attrs.Uint32(attrNumber)), attrPad, pad[:])
			if err := d.End(b); err != nil {
				return err
			}
		}
		return nil
	}}}
	if err := world.Register(family); err != nil {
		s.t.Fatal(err)
	}
	request := func(c *Conn, flags nlmsg.Flags, cmd uint8, value uint32) *Request {
		var header [genlmsg.HeaderLen]byte
		r := c.Request(nlmsg.Type(family.ID()), nlmsg.FlagRequest|flags, genlmsg.Append(header[:0], cmd, 1))
		r.B = nla.AppendUint32(r.B, attrNumber, value)
		return r
	}
	target.ask = func(c *Conn, flags nlmsg.Flags, value uint32) *Request { return request(c, flags, cmdAdd, value) }
	target.list = func(c *Conn, value uint32) *Request { return request(c, 0, cmdList, value) }
	target.answer = func(m nlmsg.Msg, value uint32) bool {
		v, ok := target.value(m)
		return ok && v == value
	}
	target.inList = target.answer
	target.dialer = func() Dialer {
		return func() (Transport, error) {
			p, err := world.Open(bus.WithFlags(socket.ExtAck, socket.CapAck))
			if err != nil {
				return nil, err
			}
			return p, nil
		}
	}
	return target
}

// isEnd reports whether err is the error of a context or a deadline that ended.
func isEnd(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}
