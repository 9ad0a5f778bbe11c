package conn

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// lookups has the compared ways to resolve a family. Goroutine i calls one of them; the
// result reports whether the reply arrived.
type lookups struct {
	c    *Conn
	conn func(i int) bool // over one Conn
	own  func(i int) bool // over one socket per goroutine
	pool func(i int) bool // over a pool of 64 sockets: a semaphore, a mutex and a list
}

func newLookups(b *testing.B, goroutines int) *lookups {
	c := openConn(b, socket.Generic)
	ctx, cancel := context.WithCancel(b.Context())
	b.Cleanup(cancel)
	l := &lookups{c: c, conn: func(int) bool { return lookUp(ctx, c) }}
	owned := make([]*simple, goroutines)
	for i := range owned {
		owned[i] = newSimple(b)
	}
	l.own = func(i int) bool { return owned[i].lookUp(owned[i].buf) }
	const most = 64
	var mu sync.Mutex
	var idle []*simple
	for range most {
		idle = append(idle, newSimple(b))
	}
	free, bufs := make(chan struct{}, most), sync.Pool{New: func() any {
		buf := make([]byte, socket.BufferSize)
		return &buf
	}}
	l.pool = func(int) bool {
		free <- struct{}{}
		mu.Lock()
		s := idle[len(idle)-1]
		idle = idle[:len(idle)-1]
		mu.Unlock()
		buf := bufs.Get().(*[]byte)
		ok := s.lookUp(*buf)
		bufs.Put(buf)
		mu.Lock()
		idle = append(idle, s)
		mu.Unlock()
		<-free
		return ok
	}
	return l
}

// lookUp resolves a family over a Conn.
func lookUp(ctx context.Context, c *Conn) bool {
	var header [genlmsg.HeaderLen]byte
	r := c.Request(genlmsg.IDCtrl, nlmsg.FlagRequest, genlmsg.Append(header[:0], genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion))
	defer r.Release()
	r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
	m, err := c.Do(ctx, r)
	return err == nil && isController(m)
}

func isController(m nlmsg.Msg) bool {
	id, err := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyID).Uint16()
	return err == nil && id == genlmsg.IDCtrl
}

// simple is a socket for one exchange at a time.
type simple struct {
	s            *socket.Socket
	seq          uint32
	request, buf []byte
}

func newSimple(tb testing.TB) *simple {
	tb.Helper()
	s, err := socket.Open(socket.Generic, socket.WithFlags(socket.ExtAck, socket.CapAck))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return &simple{s: s, request: appendGetFamily(nil), buf: make([]byte, socket.BufferSize)}
}

// lookUp makes the same checks as a Conn: sender, port ID and sequence number.
func (s *simple) lookUp(buf []byte) bool {
	s.seq++
	s.request = appendGetFamily(s.request[:0])
	nlmsg.Msg(s.request).SetSeq(s.seq)
	if s.s.Send(s.request) != nil {
		return false
	}
	n, info, err := s.s.Receive(buf)
	if err != nil || info.PortID != 0 {
		return false
	}
	m, n := nlmsg.Consume(buf[:n])
	return n > 0 && m.Seq() == s.seq && m.PortID() == s.s.PortID() && isController(m)
}

// samples has the latencies of one way, in nanoseconds.
type samples struct {
	all  []int64
	lost int
}

func (s *samples) at(percent float64) float64 {
	slices.Sort(s.all)
	return float64(s.all[min(len(s.all)-1, int(float64(len(s.all))*percent/100))])
}

// round lets each goroutine call f several times and adds the latencies. With a period,
// each goroutine starts its calls on schedule, or as soon as possible if it is late. The
// latency counts from the scheduled time.
func (s *samples) round(goroutines, each int, period time.Duration, f func(i int) bool) time.Duration {
	from := len(s.all)
	s.all = slices.Grow(s.all, goroutines*each)[:from+goroutines*each]
	var lost atomic.Int64
	var ready, done sync.WaitGroup
	start := make(chan time.Time)
	ready.Add(goroutines)
	for i := range goroutines {
		done.Go(func() {
			own := s.all[from+i*each:][:each]
			ready.Done()
			at := (<-start).Add(period * time.Duration(i) / time.Duration(goroutines))
			for k := range own {
				begin := time.Now()
				if period > 0 {
					if begin = at.Add(time.Duration(k) * period); time.Until(begin) > 0 {
						time.Sleep(time.Until(begin)) // the schedule of the open loop
					}
				}
				if !f(i) {
					lost.Add(1)
				}
				own[k] = int64(time.Since(begin))
			}
		})
	}
	ready.Wait()
	now := time.Now()
	for range goroutines {
		start <- now
	}
	done.Wait()
	s.lost += int(lost.Load())
	return time.Since(now)
}

// report writes the latency metrics of a Conn, compared with those of separate sockets.
func (s *samples) report(b *testing.B, own *samples) {
	b.ReportMetric(s.at(50)/1e3, "p50-us")
	b.ReportMetric(s.at(99)/1e3, "p99-us")
	b.ReportMetric(s.at(100)/1e3, "max-us")
	b.ReportMetric(own.at(99)/1e3, "own-p99-us")
	b.ReportMetric(own.at(100)/1e3, "own-max-us")
	b.ReportMetric(s.at(99)/own.at(99), "x/own")
	b.ReportMetric(float64(s.lost), "lost")
	b.ReportMetric(0, "ns/op")
	if s.lost+own.lost > 0 {
		b.Errorf("%d of %d requests lost, %d over own sockets", s.lost, len(s.all), own.lost)
	}
}

var parallel = []int{1, 8, 64, 512, 2048}

// perRound returns the number of requests per goroutine and round.
func perRound(goroutines int) (each int) { return max(10, 16_384/goroutines) }

// BenchmarkLatency resolves a family in goroutines at full speed: over one Conn, and over
// one socket per goroutine. x/own is the ratio of the 99th percentiles.
func BenchmarkLatency(b *testing.B) { benchmarkLatency(b, false) }

// BenchmarkLatencyWithDump is BenchmarkLatency while another goroutine dumps over the Conn.
func BenchmarkLatencyWithDump(b *testing.B) { benchmarkLatency(b, true) }

func benchmarkLatency(b *testing.B, hasDump bool) {
	for _, goroutines := range parallel {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			l := newLookups(b, goroutines)
			if hasDump {
				defer dumpFamilies(b, l.c)()
			}
			each := perRound(goroutines)
			var conn, own, warm samples
			warm.round(goroutines, 10, 0, l.conn)
			warm.round(goroutines, 10, 0, l.own)
			for b.Loop() {
				conn.round(goroutines, each, 0, l.conn)
				own.round(goroutines, each, 0, l.own)
			}
			conn.report(b, &own)
		})
	}
}

// dumpFamilies dumps the families until the returned function is called.
func dumpFamilies(b *testing.B, c *Conn) (stop func()) {
	var isOver atomic.Bool
	var done sync.WaitGroup
	done.Go(func() {
		for !isOver.Load() {
			r := ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)
			for _, err := range c.Dump(b.Context(), r) {
				if err != nil {
					b.Error(err)
				}
			}
			r.Release()
		}
	})
	return func() {
		isOver.Store(true)
		done.Wait()
	}
}

// BenchmarkLatencyOpenLoop has 64 goroutines that make requests at times that do not depend
// on the replies: at 50 or 80 % of the maximum rate of the Conn.
func BenchmarkLatencyOpenLoop(b *testing.B) {
	const goroutines, each = 64, 256
	for _, percent := range []int{50, 80} {
		b.Run(fmt.Sprint(percent), func(b *testing.B) {
			l := newLookups(b, goroutines)
			var conn, own, warm samples
			warm.round(goroutines, each, 0, l.own)
			warm.round(goroutines, each, 0, l.conn)
			took := warm.round(goroutines, each, 0, l.conn)
			period := took / each * 100 / time.Duration(percent) // of one goroutine
			for b.Loop() {
				conn.round(goroutines, each, period, l.conn)
				own.round(goroutines, each, period, l.own)
			}
			b.ReportMetric(float64(goroutines)/period.Seconds(), "offered-req/s")
			conn.report(b, &own)
		})
	}
}

// BenchmarkThroughput resolves a family in goroutines: over one Conn, over a simple pool
// and over one socket per goroutine. A value above 1 means that the Conn has the higher
// request rate.
func BenchmarkThroughput(b *testing.B) {
	for _, goroutines := range parallel {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			l := newLookups(b, goroutines)
			each := perRound(goroutines)
			ways := []func(i int) bool{l.conn, l.pool, l.own}
			var took [3]time.Duration
			lost := 0
			round := func(way int) time.Duration {
				var s samples
				d := s.round(goroutines, each, 0, ways[way])
				lost += s.lost
				return d
			}
			for way := range ways {
				round(way)
			}
			for i := 0; b.Loop(); i++ {
				for k := range ways {
					way := (i + k) % len(ways)
					took[way] += round(way)
				}
			}
			b.ReportMetric(float64(b.N*goroutines*each)/took[0].Seconds(), "req/s")
			b.ReportMetric(float64(took[1])/float64(took[0]), "x/pool")
			b.ReportMetric(float64(took[2])/float64(took[0]), "x/own")
			b.ReportMetric(0, "ns/op")
			if lost > 0 {
				b.Errorf("%d requests lost", lost)
			}
		})
	}
}
