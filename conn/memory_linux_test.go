package conn

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/socket"
)

// memory returns a field of /proc/self/status, in bytes.
func memory(tb testing.TB, field string) int64 {
	tb.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, _ := bytes.Cut(status, []byte("\n"+field+":"))
	line, _, _ := bytes.Cut(rest, []byte(" kB"))
	kilobytes, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return kilobytes << 10
}

// resident returns the resident memory of the process after a garbage collection.
func resident(tb testing.TB) int64 {
	tb.Helper()
	debug.FreeOSMemory()
	debug.FreeOSMemory() // a sync.Pool keeps its contents for one collection
	return memory(tb, "VmRSS")
}

// memoryOf returns the memory of unused Conns, and of the same Conns after one dump each.
func memoryOf(tb testing.TB, conns int) (idle, dumped int64) {
	tb.Helper()
	countRoutes(tb, openConn(tb, socket.Route)) // allocates what exists once per process
	all := make([]*Conn, conns)
	before := resident(tb)
	for i := range all {
		c, err := Open(socket.Route)
		if err != nil {
			tb.Fatal(err)
		}
		defer c.Close()
		all[i] = c
	}
	idle = resident(tb) - before
	for _, c := range all {
		countRoutes(tb, c)
	}
	return idle, resident(tb) - before
}

// BenchmarkMemory reports the memory of idle Conns.
func BenchmarkMemory(b *testing.B) {
	for _, conns := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(conns), func(b *testing.B) {
			var idle, dumped int64
			for b.Loop() {
				i, d := memoryOf(b, conns)
				idle, dumped = max(idle, i), max(dumped, d)
			}
			b.ReportMetric(float64(idle)/(1<<20), "idle-MB")
			b.ReportMetric(float64(dumped)/(1<<20), "after-dump-MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func TestMemoryOfConns(t *testing.T) {
	if guard.Race {
		t.Skip("the race detector needs additional memory")
	}
	const most = 20 << 20 // the target is 10 MB
	idle, dumped := memoryOf(t, 1000)
	t.Logf("1000 Conns take %d KB, after a dump each %d KB", idle>>10, dumped>>10)
	if dumped > most {
		t.Errorf("1000 Conns take %d MB after a dump each", dumped>>20)
	}
}

// BenchmarkMemoryOfLongDump reports the growth of the process during a dump of a million
// routes.
func BenchmarkMemoryOfLongDump(b *testing.B) {
	const routes = 1_000_000
	c := openConn(b, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(b)))
	addRoutes(b, c, routes)
	var grown int64
	for b.Loop() {
		before := resident(b)
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // resets VmHWM
			b.Skip(err)
		}
		if n := countRoutes(b, c); n < routes {
			b.Fatal(n)
		}
		grown = max(grown, memory(b, "VmHWM")-before)
	}
	b.ReportMetric(float64(grown)/(1<<20), "peak-growth-MB")
}

// holdsNone fails if receive buffers are held.
func holdsNone(t *testing.T, n *atomic.Int64) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); n.Load() > 0 && time.Now().Before(end); runtime.Gosched() {
		debug.FreeOSMemory()
	}
	if n := n.Load(); n > 0 {
		t.Errorf("%d receive buffers are held", n)
	}
}

func TestIdleConnHoldsNoBuffer(t *testing.T) {
	n := countBuffers(t)
	c := openConn(t, socket.Generic)
	resolve(t.Context(), t, c)
	for _, err := range c.Dump(t.Context(), ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for range c.Dump(t.Context(), ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)) {
		break
	}
	holdsNone(t, n)
	runtime.KeepAlive(c)
}

func TestIdleSubscriptionHoldsNoBuffer(t *testing.T) {
	n := countBuffers(t)
	c := openConn(t, socket.Generic)
	s, err := c.Subscribe()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Transport().(patient); !ok {
		t.Skipf("%T cannot wait without a buffer", s.Transport())
	}
	var done sync.WaitGroup
	done.Go(func() {
		for _, err := range s.All(t.Context()) {
			if err != nil {
				return // closed
			}
		}
	})
	listens := func() bool {
		p := s.own.pool
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.first.listens
	}
	for !listens() {
		runtime.Gosched()
	}
	holdsNone(t, n)
	s.Close()
	done.Wait()
}

// Sixteen concurrent dumps hold one buffer each, and return it.
func TestParallelDumpsReturnBuffers(t *testing.T) {
	const dumps = DefaultDumpLimit
	n := countBuffers(t)
	c := openConn(t, socket.Generic)
	var begun, ended sync.WaitGroup
	goOn := make(chan struct{})
	begun.Add(dumps)
	for range dumps {
		ended.Go(func() {
			wait := sync.OnceFunc(func() {
				begun.Done()
				<-goOn
			})
			defer wait()
			r := ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)
			defer r.Release()
			for _, err := range c.Dump(t.Context(), r) {
				if err != nil {
					t.Error(err)
				}
				wait()
			}
		})
	}
	begun.Wait()
	if n := n.Load(); n < dumps {
		t.Errorf("%d buffers for %d dumps", n, dumps)
	}
	close(goOn)
	ended.Wait()
	holdsNone(t, n)
	runtime.KeepAlive(c)
}
