package conn

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// rtnl is a namespace whose devices are removed with one request. The kernel holds the rtnl
// lock for hundreds of milliseconds meanwhile.
type rtnl struct {
	c    *Conn
	kind string
	made int
}

const deviceGroup = 7

func newRTNL(tb testing.TB) *rtnl {
	tb.Helper()
	h := &rtnl{c: openConn(tb, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(tb)))}
	for _, h.kind = range []string{"dummy", "ifb", "bridge", "veth"} {
		if h.add(tb, 1) == nil {
			return h
		}
	}
	tb.Skip("the kernel has no kind of virtual device")
	return nil
}

// add adds devices.
func (h *rtnl) add(tb testing.TB, n int) error {
	tb.Helper()
	for n > 0 {
		var batch []*Request
		for range min(n, 100) {
			h.made++
			r := h.c.Request(unix.RTM_NEWLINK, nlmsg.FlagAck|nlmsg.FlagCreate|nlmsg.FlagExcl, ifinfomsg(0, 0, 0))
			r.B = nla.AppendCString(r.B, unix.IFLA_IFNAME, fmt.Sprint("d", h.made))
			r.B = nla.AppendUint32(r.B, unix.IFLA_GROUP, deviceGroup)
			mark := len(r.B)
			b := nla.Begin(r.B, unix.IFLA_LINKINFO)
			r.B = nla.End(nla.AppendCString(b, unix.IFLA_INFO_KIND, h.kind), mark)
			batch = append(batch, r)
		}
		if err := h.c.Batch(tb.Context(), batch...); err != nil {
			return err
		}
		n -= len(batch)
	}
	return nil
}

// remove removes the devices and returns the time it took.
func (h *rtnl) remove(tb testing.TB) time.Duration {
	r := h.c.Request(unix.RTM_DELLINK, nlmsg.FlagAck, ifinfomsg(0, 0, 0))
	defer r.Release()
	r.B = nla.AppendUint32(r.B, unix.IFLA_GROUP, deviceGroup)
	start := time.Now()
	if _, err := h.c.Do(tb.Context(), r); err != nil {
		tb.Error(err)
	}
	return time.Since(start)
}

// overshoots contains the delays between the deadlines of exchanges and their ends.
type overshoots struct{ samples }

// measure makes requests with a deadline until stop is closed, but not more than most.
func (o *overshoots) measure(tb testing.TB, c *Conn, d time.Duration, most int, request func(c *Conn) *Request, stop <-chan struct{}) {
	for range most {
		select {
		case <-stop:
			return
		default:
		}
		r := request(c)
		start := time.Now()
		r.Deadline = start.Add(d)
		_, err := c.Do(tb.Context(), r)
		o.all = append(o.all, int64(max(0, time.Since(start)-d)))
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			tb.Error(err)
		}
		r.Release()
	}
}

func (o *overshoots) report(b *testing.B) {
	b.ReportMetric(o.at(50)/1e6, "p50-over-ms")
	b.ReportMetric(o.at(99)/1e6, "p99-over-ms")
	b.ReportMetric(o.at(100)/1e6, "max-over-ms")
	b.ReportMetric(float64(len(o.all))/float64(b.N), "requests/op")
	b.ReportMetric(0, "ns/op")
}

func getController(c *Conn) *Request {
	r := ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)
	r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
	return r
}

// getRoute makes a lookup of the route to 127.0.0.1, which does not need rtnl.
func getRoute(c *Conn) *Request {
	r := c.Request(unix.RTM_GETROUTE, 0, rtmsg(32))
	r.B = nla.AppendBE32(r.B, unix.RTA_DST, 127<<24|1)
	return r
}

// waitForRTNL makes a request that waits for rtnl inside its send: it sets a flag of lo
// that is already set.
func waitForRTNL(c *Conn) *Request {
	return c.Request(unix.RTM_NEWLINK, nlmsg.FlagAck, ifinfomsg(1, unix.IFF_UP, unix.IFF_UP))
}

// underRTNL measures route lookups while rtnl is held, over a Conn on which other requests
// wait for rtnl. It also measures family lookups, and returns the time for which rtnl was
// held.
func underRTNL(tb testing.TB, devices int, route, family *overshoots) (held time.Duration) {
	tb.Helper()
	h := newRTNL(tb)
	if err := h.add(tb, devices); err != nil {
		tb.Fatal(err)
	}
	routes := openConn(tb, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(tb)))
	families := openConn(tb, socket.Generic)
	up := waitForRTNL(routes)
	if _, err := routes.Do(tb.Context(), up); err != nil {
		tb.Fatal(err)
	}
	up.Release()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r := waitForRTNL(routes)
				if _, err := routes.Do(tb.Context(), r); err != nil {
					tb.Error(err)
				}
				r.Release()
			}
		})
	}
	wg.Go(func() { route.measure(tb, routes, time.Millisecond, 1e6, getRoute, stop) })
	wg.Go(func() { family.measure(tb, families, time.Millisecond, 1e6, getController, stop) })
	held = h.remove(tb)
	close(stop)
	wg.Wait()
	return held
}

// slowConsumer measures lookups while the consumer of a dump over the same Conn is blocked.
func slowConsumer(tb testing.TB, o *overshoots) {
	tb.Helper()
	c := openConn(tb, socket.Generic)
	var wg sync.WaitGroup
	done, ready := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		r := ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)
		defer r.Release()
		n := 0
		for _, err := range c.Dump(tb.Context(), r) {
			if err != nil {
				tb.Error(err)
			}
			if n++; n == 1 {
				close(ready)
				<-done
			}
		}
	})
	<-ready
	o.measure(tb, c, time.Millisecond, 5000, getController, nil)
	close(done)
	wg.Wait()
}

// userPeer sends to another socket of NETLINK_USERSOCK.
type userPeer struct {
	*socket.Socket
	peer uint32
}

func (p userPeer) Send(b []byte) error { return p.SendTo(b, socket.Addr{PortID: p.peer}) }

// flooded measures requests to a peer that does not reply, while other sockets send to the
// socket of the Conn at full speed.
func flooded(tb testing.TB, senders, requests int, o *overshoots) {
	tb.Helper()
	open := func() *socket.Socket {
		s, err := socket.Open(socket.UserSock)
		if err != nil {
			tb.Fatal(err)
		}
		return s
	}
	own, silent := open(), open()
	defer silent.Close()
	c := New(userPeer{own, silent.PortID()}, WithLateReplies())
	defer c.Close()
	var isOver atomic.Bool
	var wg sync.WaitGroup
	for range senders {
		s := open()
		defer s.Close()
		wg.Go(func() {
			flood := make([]byte, 64)
			for !isOver.Load() {
				if err := s.TrySendTo(flood, socket.Addr{PortID: own.PortID()}); err != nil && err != socket.ErrFull {
					tb.Error(err)
					return
				}
			}
		})
	}
	request := func(c *Conn) *Request { return c.Request(nlmsg.MinType, 0, nil) }
	o.measure(tb, c, 100*time.Millisecond, requests, request, nil)
	isOver.Store(true)
	wg.Wait()
	if n := c.Stats().Foreign; n == 0 {
		tb.Error("no datagram of the flood arrived")
	}
}

// BenchmarkDeadline reports the delay between the deadlines of exchanges and their ends.
func BenchmarkDeadline(b *testing.B) {
	var route, family, slow overshoots
	var held time.Duration
	b.Run("rtnl", func(b *testing.B) {
		for b.Loop() {
			held += underRTNL(b, 3000, &route, &family)
		}
		b.ReportMetric(held.Seconds()*1e3/float64(b.N), "held-ms")
		b.ReportMetric(family.at(99)/1e6, "family-p99-over-ms")
		b.ReportMetric(family.at(100)/1e6, "family-max-over-ms")
		route.report(b)
	})
	b.Run("slow-consumer", func(b *testing.B) {
		for b.Loop() {
			slowConsumer(b, &slow)
		}
		slow.report(b)
	})
	for _, senders := range []int{1, 2} {
		var flood overshoots
		b.Run(fmt.Sprint("flood", senders), func(b *testing.B) {
			for b.Loop() {
				flooded(b, senders, 10, &flood)
			}
			flood.report(b)
		})
	}
}

// deadlineSlack is above the delays of a machine that runs nothing else, and below the time
// that waiting for another exchange takes.
const deadlineSlack = 200 * time.Millisecond

// isInTime fails if the largest overshoot is above the limit in each of three attempts. The
// limit includes the largest delay of a plain timer at the same time: a busy machine delays
// both.
func isInTime(t *testing.T, measure func(o *overshoots)) {
	t.Helper()
	var worst time.Duration
	for range 3 {
		var o overshoots
		delay := timerDelay(func() { measure(&o) })
		if len(o.all) == 0 {
			t.Skip("nothing was measured")
		}
		if worst = time.Duration(o.at(100)); worst < deadlineSlack+delay {
			return
		}
	}
	t.Errorf("an exchange ended %v after its deadline", worst)
}

// timerDelay returns the largest delay of a timer while f runs.
func timerDelay(f func()) (worst time.Duration) {
	const period = 10 * time.Millisecond
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			start := time.Now()
			select {
			case <-time.After(period):
				worst = max(worst, time.Since(start)-period)
			case <-stop:
				return
			}
		}
	}()
	f()
	close(stop)
	<-stopped
	return worst
}

func TestDeadlineWhileOthersWaitForRTNL(t *testing.T) {
	isInTime(t, func(o *overshoots) {
		var family overshoots
		held := underRTNL(t, 4000, o, &family)
		t.Logf("rtnl was held for %v, %d lookups of routes, %d of families", held, len(o.all), len(family.all))
		o.all = append(o.all, family.all...)
	})
}

func TestDeadlineWithSlowConsumer(t *testing.T) {
	isInTime(t, func(o *overshoots) { slowConsumer(t, o) })
}

func TestDeadlineInFlood(t *testing.T) {
	isInTime(t, func(o *overshoots) { flooded(t, 2, 3, o) })
}
