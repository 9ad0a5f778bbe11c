package conn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/guard"
	"github.com/nlwire/nlwire/internal/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// ctrlRequest is a request to the controller.
func ctrlRequest(c *Conn, flags nlmsg.Flags, cmd uint8) *Request {
	return c.Request(genlmsg.IDCtrl, nlmsg.Request|flags, genlmsg.Append(nil, cmd, genlmsg.CtrlVersion))
}

// thousandGoodRequests is what every fault must leave possible.
func thousandGoodRequests(t *testing.T, c *Conn) {
	t.Helper()
	for range 1000 {
		resolve(t.Context(), t, c)
	}
}

func TestDoAllocatesNothing(t *testing.T) {
	if guard.Race {
		t.Skip("the race detector makes a sync.Pool allocate")
	}
	c := openConn(t, socket.Generic)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if n := testing.AllocsPerRun(200, func() { resolve(ctx, t, c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBatchAllocatesNothing(t *testing.T) {
	if guard.Race {
		t.Skip("the race detector makes a sync.Pool allocate")
	}
	c := openConn(t, socket.Generic)
	batch := make([]*Request, 8)
	allocs := testing.AllocsPerRun(200, func() {
		for i := range batch {
			batch[i] = ctrlRequest(c, nlmsg.Ack, genlmsg.CtrlCmdGetFamily)
			batch[i].B = nla.AppendCString(batch[i].B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
		}
		if err := c.Batch(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
		for _, r := range batch {
			familyID(t, r.Reply())
			r.Release()
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestDumpAllocatesNothing(t *testing.T) {
	if guard.Race {
		t.Skip("the race detector makes a sync.Pool allocate")
	}
	allocs := func(routes int) float64 {
		c := openConn(t, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)))
		addRoutes(t, c, routes)
		return testing.AllocsPerRun(10, func() {
			if n := countRoutes(t, c); n < routes {
				t.Fatalf("%d routes", n)
			}
		})
	}
	if few, many := allocs(10), allocs(5000); few != 0 || many != 0 {
		t.Errorf("%v allocations for 10 routes, %v for 5000", few, many)
	}
}

// GET with ACK: the acknowledgement is not left for the next.
func TestGetWithAck(t *testing.T) {
	c := openConn(t, socket.Generic)
	for range 10 {
		r := ctrlRequest(c, nlmsg.Ack, genlmsg.CtrlCmdGetFamily)
		r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
		m, err := c.Do(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		familyID(t, m)
		r.Release()
	}
	if s := c.Stats(); s != (Stats{}) {
		t.Errorf("%+v", s)
	}
}

func TestErrorsOfTheKernel(t *testing.T) {
	c := openConn(t, socket.Generic)
	r := ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)
	r.Op = `get family 3`
	r.Name = func(path []uint16) string { return map[string]string{"[1]": "family-id"}[fmt.Sprint(path)] }
	r.B = nla.AppendUint8(r.B, genlmsg.CtrlAttrFamilyID, 3)
	_, err := c.Do(t.Context(), r)
	want := &Error{
		Op: "get family 3", Errno: unix.ERANGE, Msg: "Attribute failed policy validation",
		HasAttr: true, Offset: 20, Path: []uint16{1}, Name: "family-id",
		Policy: &nla.Rule{Kind: nla.KindU16, Check: nla.CheckRange, Max: 65535},
	}
	var got *Error
	if !errors.As(err, &got) {
		t.Fatal(err)
	}
	want.Policy.Check, want.Policy.Max = got.Policy.Check, got.Policy.Max // the kernel tells the range of the kind
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	dump := ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)
	dump.B = nla.AppendUint8(dump.B, genlmsg.CtrlAttrFamilyID, 3)
	for _, err := range c.Dump(t.Context(), dump) {
		isError(t, err, unix.EINVAL)
	}
	missing := ctrlRequest(c, 0, 200)
	_, err = c.Do(t.Context(), missing)
	isError(t, err, unix.EOPNOTSUPP)
}

// An ECHO comes back with the ACK behind it.
func TestEcho(t *testing.T) {
	c := openConn(t, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)))
	addRoutes(t, c, 1)
	r := routeRequest(c, nlmsg.Request|nlmsg.Ack|nlmsg.Echo|nlmsg.Create, 7)
	m, err := c.Do(t.Context(), r)
	if err != nil || m.Type() != unix.RTM_NEWROUTE {
		t.Fatalf("%v, %v", m, err)
	}
	if dst, err := nla.Find(m.Attrs(unix.SizeofRtMsg), unix.RTA_DST).BE32(); dst != 10<<24+7 || err != nil {
		t.Errorf("destination %x, %v", dst, err)
	}
	if s := c.Stats(); s != (Stats{}) {
		t.Errorf("%+v", s)
	}
}

// A thousand acknowledgements do not fit into a receive buffer as it is.
func TestALargeBatch(t *testing.T) {
	c := openConn(t, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)), socket.WithReceiveBuffer(4096))
	addRoutes(t, c, 10)
	var batch []*Request
	for i := range 1000 {
		batch = append(batch, routeRequest(c, nlmsg.Request|nlmsg.Ack|nlmsg.Create|nlmsg.Excl, i))
	}
	isError(t, c.Batch(t.Context(), batch...), unix.EEXIST)
	for i, r := range batch {
		if exists := errors.Is(r.Err(), unix.EEXIST); exists != (i < 10) || !exists && r.Err() != nil {
			t.Fatalf("route %d: %v", i, r.Err())
		}
	}
	if n := countRoutes(t, c); n < 1000 {
		t.Errorf("%d routes", n)
	}
	if s := c.Stats(); s != (Stats{}) {
		t.Errorf("%+v", s)
	}
}

// forger sends what looks like the answer to each request before it is sent: the
// right port and number, but not from the kernel.
type forger struct {
	*socket.Socket
	liar *socket.Socket
	t    *testing.T
}

func (f forger) Send(b []byte) error {
	req, _ := nlmsg.Consume(b)
	forged, m := nlmsg.Begin(nil, genlmsg.IDCtrl, 0, req.Seq(), f.PortID())
	forged = nlmsg.End(nla.AppendUint16(genlmsg.Append(forged, 1, 2), genlmsg.CtrlAttrFamilyID, 666), m)
	lies := [][]byte{forged, nlmsg.AppendAck(nil, req, f.PortID(), 0, nil, nlmsg.AckOptions{}), nlmsg.AppendDone(nil, req, f.PortID(), 0, 0, nil, nlmsg.AckOptions{})}
	for _, lie := range lies {
		if err := f.liar.SendTo(lie, socket.Addr{PortID: f.PortID()}); err != nil {
			kerneltest.NeedPrivilege(f.t, err)
		}
	}
	return f.Socket.Send(b)
}

func TestForgedMessages(t *testing.T) {
	victim, err := socket.Open(socket.Generic)
	if err != nil {
		t.Fatal(err)
	}
	liar, err := socket.Open(socket.Generic)
	if err != nil {
		t.Fatal(err)
	}
	defer liar.Close()
	c := New(forger{victim, liar, t})
	defer c.Close()
	thousandGoodRequests(t, c)
	families := 0
	for m, err := range c.Dump(t.Context(), ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)) {
		if id, e := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyID).Uint16(); id == 666 || e != nil || err != nil {
			t.Fatalf("family %d, %v, %v", id, e, err)
		}
		families++
	}
	if s := c.Stats(); families == 0 || s != (Stats{Foreign: 3003}) {
		t.Errorf("%d families, %+v", families, s)
	}
}

// A request that promises an answer the kernel does not give waits for its
// deadline. Dumps end at theirs, too.
func TestDeadlinesOnTheKernel(t *testing.T) {
	c := openConn(t, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)))
	addRoutes(t, c, 3000)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_, err := c.Do(ctx, routeRequest(c, nlmsg.Request|nlmsg.Create|nlmsg.Replace, 0))
		isError(t, err, context.DeadlineExceeded)
		cancel()
	}
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("shared %v", shared), func(t *testing.T) {
			own := c
			if shared {
				twin, err := c.Transport().(*socket.Socket).Twin()
				if err != nil {
					t.Fatal(err)
				}
				own = New(twin)
				defer own.Close()
			}
			for range 3 {
				ctx, cancel := context.WithCancel(t.Context())
				n := 0
				var last error
				for _, err := range own.Dump(ctx, own.Request(unix.RTM_GETROUTE, 0, rtmsg())) {
					if n++; n == 700 {
						cancel() // between two receives
					}
					last = err
				}
				cancel()
				isError(t, last, context.Canceled)
				if n < 700 || n > 3000 {
					t.Errorf("%d messages", n)
				}
			}
			for range 1000 {
				if _, err := own.Do(t.Context(), ackOnly(own)); err != nil {
					t.Fatal(err)
				}
			}
			if n := countRoutes(t, own); n < 3000 {
				t.Errorf("%d routes", n)
			}
		})
	}
}

// ackOnly is a request that changes nothing and is acknowledged.
func ackOnly(c *Conn) *Request {
	return c.Request(unix.RTM_NEWLINK, nlmsg.Request|nlmsg.Ack, ifinfomsg(1, unix.IFF_UP, unix.IFF_UP))
}

// A dump by somebody else on the same socket is EBUSY for that one, and nothing
// for ours; requests go on next to it.
func TestAForeignDumpOnTheSocket(t *testing.T) {
	s, err := socket.Open(socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)))
	kerneltest.NeedPrivilege(t, err)
	c := New(s)
	defer c.Close()
	addRoutes(t, c, 3000)
	n := 0
	for _, err := range c.Dump(t.Context(), c.Request(unix.RTM_GETROUTE, 0, rtmsg())) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 10 {
			if err := s.Send(appendGetRoutes(nil)); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Do(t.Context(), ackOnly(c)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if st := c.Stats(); n < 3000 || st.Stale != 1 {
		t.Errorf("%d routes, %+v", n, st)
	}
	// The other way round: ours is the second.
	if err := s.Send(appendGetRoutes(nil)); err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range c.Dump(t.Context(), c.Request(unix.RTM_GETROUTE, 0, rtmsg())) {
		last = err
	}
	isError(t, last, unix.EBUSY)
	if last == nil || !strings.Contains(last.Error(), "one dump at a time") {
		t.Errorf("error %v", last)
	}
}

// links makes links until a dump of them takes several datagrams.
func addLink(t *testing.T, c *Conn, name string) {
	t.Helper()
	r := c.Request(unix.RTM_NEWLINK, nlmsg.Request|nlmsg.Ack|nlmsg.Create, ifinfomsg(0, 0, 0))
	r.B = nla.AppendCString(r.B, unix.IFLA_IFNAME, name)
	b, n := nla.Begin(r.B, unix.IFLA_LINKINFO)
	r.B = nla.End(nla.AppendCString(b, 1, "bridge"), n)
	if _, err := c.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.Release()
}

// The kernel marks a dump during which a link was added.
func TestInterruptedByTheKernel(t *testing.T) {
	c := openConn(t, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)))
	for i := range 60 {
		addLink(t, c, fmt.Sprintf("br%d", i))
	}
	links := func(disturb int, on ...Interrupted) (n int, err error) {
		r := c.Request(unix.RTM_GETLINK, 0, ifinfomsg(0, 0, 0))
		if len(on) > 0 && on[0].again != nil {
			on[0].again = func() { n = 0; disturb-- }
		}
		for _, e := range c.Dump(t.Context(), r, on...) {
			if err = e; e == nil {
				n++
			}
			if n == 3 && disturb > 0 {
				addLink(t, c, fmt.Sprintf("new%d", time.Now().UnixNano()%1e9))
			}
		}
		return n, err
	}
	if n, err := links(0); n != 61 || err != nil {
		t.Fatalf("undisturbed: %d links, %v", n, err)
	}
	if n, err := links(1); !errors.Is(err, ErrInterrupted) || n < 61 {
		t.Errorf("disturbed: %d links, %v", n, err)
	}
	var told bool
	if n, err := links(1, Accept(&told)); err != nil || !told || n < 62 {
		t.Errorf("accepted: %d links, %v, told %v", n, err, told)
	}
	if n, err := links(2, Retry(5, func() {})); err != nil || n != 65 {
		t.Errorf("retried: %d links, %v", n, err)
	}
}

// The namespace may lose its name and its other users.
func TestNamespaceGone(t *testing.T) {
	netNS := kerneltest.NewNetNS(t)
	again, err := unix.FcntlInt(uintptr(netNS), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := openConn(t, socket.Route, socket.WithNetNS(again))
	unix.Close(again)
	addRoutes(t, c, 20)
	if n := countRoutes(t, c); n < 20 || n > 30 {
		t.Errorf("%d routes: not in the namespace", n)
	}
}

// Close while requests wait, dumps run and subscriptions listen.
func TestCloseOnTheKernel(t *testing.T) {
	for range 5 {
		c := openConn(t, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)))
		addRoutes(t, c, 1000)
		sub, err := c.Subscribe(unix.RTNLGRP_LINK)
		if err != nil {
			t.Fatal(err)
		}
		var wg, started sync.WaitGroup
		closed := func(err error) {
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("error %v", err)
			}
		}
		for range 4 {
			started.Add(2)
			wg.Go(func() {
				started.Done()
				_, err := c.Do(t.Context(), routeRequest(c, nlmsg.Request|nlmsg.Create|nlmsg.Replace, 0)) // no answer
				closed(err)
			})
			wg.Go(func() {
				started.Done()
				for {
					for _, err := range c.Dump(t.Context(), c.Request(unix.RTM_GETROUTE, 0, rtmsg())) {
						if err != nil {
							closed(err)
							return
						}
					}
				}
			})
		}
		wg.Go(func() {
			for _, err := range sub.All(t.Context()) {
				if err != nil {
					closed(err)
				}
			}
		})
		started.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		closed(sub.Close())
	}
}

// Contexts end under load, on the live kernel.
func TestCancelUnderLoad(t *testing.T) {
	c := openConn(t, socket.Generic)
	var wg sync.WaitGroup
	for id := range 8 {
		wg.Go(func() {
			for i := range 500 {
				ctx, cancel := context.WithCancel(t.Context())
				if (i+id)%2 == 0 {
					go cancel()
				}
				r := ctrlRequest(c, nlmsg.Ack, genlmsg.CtrlCmdGetFamily)
				r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
				m, err := c.Do(ctx, r)
				switch {
				case err == nil:
					familyID(t, m)
				case !errors.Is(err, context.Canceled):
					t.Error(err)
				}
				if i%20 == 0 {
					for _, err := range c.Dump(ctx, ctrlRequest(c, 0, genlmsg.CtrlCmdGetFamily)) {
						if err != nil && !errors.Is(err, context.Canceled) {
							t.Error(err)
						}
					}
				}
				cancel()
				r.Release()
			}
		})
	}
	wg.Wait()
	thousandGoodRequests(t, c)
}

// TestAMillionRoutes dumps a list as long as the Internet's and tells the memory
// that took. It is long: NLWIRE_ROUTES gives the number, 20,000 if it does not.
func TestAMillionRoutes(t *testing.T) {
	routes := 20_000
	if s := os.Getenv("NLWIRE_ROUTES"); s != "" {
		if _, err := fmt.Sscan(s, &routes); err != nil {
			t.Fatal(err)
		}
	}
	c := openConn(t, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)))
	addRoutes(t, c, routes)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := countRoutes(t, c)
	runtime.ReadMemStats(&after)
	allocated := after.TotalAlloc - before.TotalAlloc
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d routes: %d bytes allocated, peak RSS of the process %d KiB", n, allocated, usage.Maxrss)
	if n < routes || allocated > 256<<10 {
		t.Errorf("%d routes, %d bytes allocated", n, allocated)
	}
}
