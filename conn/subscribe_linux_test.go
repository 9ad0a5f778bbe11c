package conn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

const routeGroup = unix.RTNLGRP_IPV4_ROUTE

// small is a Transport whose receive buffer cannot grow.
type small struct{ t *socket.Socket }

func (s small) Send(b []byte) error                           { return s.t.Send(b) }
func (s small) Receive(b []byte) (int, socket.Info, error)    { return s.t.Receive(b) }
func (s small) TryReceive(b []byte) (int, socket.Info, error) { return s.t.TryReceive(b) }
func (s small) SetReadDeadline(t time.Time) error             { return s.t.SetReadDeadline(t) }
func (s small) PortID() uint32                                { return s.t.PortID() }
func (s small) Close() error                                  { return s.t.Close() }
func (s small) Join(group uint32) error                       { return s.t.Join(group) }
func (s small) ReceiveBuffer() (int, error)                   { return s.t.ReceiveBuffer() }
func (s small) SetReceiveBuffer(int) error                    { return nil }

// openSmall makes a Conn whose subscriptions have the smallest receive buffer
// there is, which a flood is sure to fill.
func openSmall(t *testing.T, netNS int) *Conn {
	t.Helper()
	s, err := socket.Open(socket.Route, socket.WithNetNS(netNS), socket.With(socket.ExtAck))
	kerneltest.NeedPrivilege(t, err)
	c := New(s, WithDialer(func() (Transport, error) {
		twin, err := s.Twin()
		if err != nil {
			return nil, err
		}
		return small{twin}, twin.SetReceiveBuffer(1)
	}))
	t.Cleanup(func() { c.Close() })
	return c
}

// destination reads the i of routeRequest.
func destination(m nlmsg.Msg) uint32 {
	dst, _ := nla.Find(m.Attrs(unix.SizeofRtMsg), unix.RTA_DST).BE32()
	return dst - 10<<24
}

// isOurs tells the routes of routeRequest from those that the kernel makes.
func isOurs(m nlmsg.Msg) bool {
	p := m.Payload()
	return len(p) >= unix.SizeofRtMsg && p[4] == unix.RT_TABLE_MAIN
}

func TestSubscription(t *testing.T) {
	c := openConn(t, socket.Route, socket.WithNetNS(kerneltest.NewNetNS(t)), socket.With(socket.PacketInfo))
	addRoutes(t, c, 1)
	sub, err := c.Subscribe(routeGroup, unix.RTNLGRP_LINK)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if _, err := c.Do(t.Context(), routeRequest(c, nlmsg.Request|nlmsg.Ack|nlmsg.Create, 100+i)); err != nil {
			t.Fatal(err)
		}
	}
	addLink(t, c, "br0")
	var got []string
	for m, err := range sub.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("%d group %d", m.Type(), sub.Info().Group)
		if m.Type() == unix.RTM_NEWROUTE {
			what += fmt.Sprintf(" route %d", destination(m))
		}
		got = append(got, what)
		if m.Type() == unix.RTM_NEWLINK {
			break
		}
	}
	want := []string{"24 group 7 route 100", "24 group 7 route 101", "24 group 7 route 102", "24 group 7 route 103", "24 group 7 route 104", "16 group 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if s := c.Stats(); s != (Stats{}) {
		t.Errorf("%+v", s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	var last error
	for _, err := range sub.All(ctx) {
		last = err
	}
	isError(t, last, context.Canceled)
	if err := sub.Close(); err != nil {
		t.Error(err)
	}
	for _, err := range sub.All(t.Context()) {
		isError(t, err, os.ErrClosed)
	}
	isError(t, sub.Close(), os.ErrClosed)
}

func TestSubscribeToWhatIsNot(t *testing.T) {
	c := openConn(t, socket.Route)
	_, err := c.Subscribe(10_000)
	isError(t, err, unix.EINVAL)
	if len(c.others) != 0 {
		t.Error("the Transport is left open")
	}
}

// flood adds and deletes routes in large batches, faster than they are read. Then
// it sends the sentinel.
func flood(ctx context.Context, t *testing.T, c *Conn, rounds int, progress <-chan struct{}) {
	const each = 400
	for round := range rounds {
		var batch []*Request
		for i := range each {
			r := routeRequest(c, nlmsg.Request|nlmsg.Create, 1000*(round%3)+i)
			if round%3 != 2 && i%2 == round%2 {
				r.msg().SetFlags(nlmsg.Request)
				b := nlmsg.Msg(r.B)
				b[4] = unix.RTM_DELROUTE // some exist, some do not
			}
			batch = append(batch, r)
		}
		if err := c.Batch(ctx, batch...); err != nil && !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.EEXIST) {
			t.Error(err)
		}
		for _, r := range batch {
			r.Release()
		}
	}
	sendSentinel(ctx, t, c, progress)
}

// sendSentinel adds a route of its own, and another whenever the reader has done
// something, until progress is closed: the notification itself may be among the
// lost. When one is heard, whatever was queued or lost before has been dealt with.
func sendSentinel(ctx context.Context, t *testing.T, c *Conn, progress <-chan struct{}) {
	more := true
	for i := 0; more; i++ { // each another: the kernel does not tell of one that it has
		if _, err := c.Do(ctx, routeRequest(c, nlmsg.Request|nlmsg.Ack|nlmsg.Create, sentinel+i)); err != nil {
			t.Error(err)
			return
		}
		_, more = <-progress
	}
}

// tell lets a sender know that something was done; one word of it is enough.
func tell(progress chan<- struct{}) {
	select {
	case progress <- struct{}{}:
	default:
	}
}

const sentinel = 99_999 // and above

// routes dumps the destinations of our routes.
func routes(ctx context.Context, c *Conn) (map[uint32]bool, error) {
	state := map[uint32]bool{}
	r := c.Request(unix.RTM_GETROUTE, 0, rtmsg())
	defer r.Release()
	for m, err := range c.Dump(ctx, r, Retry(10, func() { clear(state) })) {
		if err != nil {
			return nil, err
		}
		if dst := destination(m); isOurs(m) && dst < sentinel {
			state[dst] = true
		}
	}
	return state, nil
}

// A state that follows notifications, and is made anew at each loss, is in the
// end what a fresh dump says.
func TestAFloodIsFollowed(t *testing.T) {
	for name, open := range map[string]func(t *testing.T, netNS int) *Conn{
		"small buffer": openSmall,
		"growing buffer": func(t *testing.T, netNS int) *Conn {
			return openConn(t, socket.Route, socket.WithNetNS(netNS), socket.WithReceiveBuffer(1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			netNS := kerneltest.NewNetNS(t)
			c, writer := open(t, netNS), openConn(t, socket.Route, socket.WithNetNS(netNS), socket.WithReceiveBuffer(8<<20))
			addRoutes(t, writer, 1)
			sub, err := c.Subscribe(routeGroup)
			if err != nil {
				t.Fatal(err)
			}
			defer sub.Close()
			state, err := routes(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			resyncs, progress := 0, make(chan struct{}, 1)
			sub.Resync = func(ctx context.Context, loss *LossError) (err error) {
				defer tell(progress)
				isError(t, loss, unix.ENOBUFS)
				resyncs++
				state, err = routes(ctx, c)
				return err
			}
			var wg sync.WaitGroup
			wg.Go(func() { flood(t.Context(), t, writer, 30, progress) })
			for m, err := range sub.All(t.Context()) {
				switch {
				case err != nil:
					t.Fatal(err)
				case !isOurs(m) || destination(m) >= sentinel:
				case m.Type() == unix.RTM_NEWROUTE:
					state[destination(m)] = true
				case m.Type() == unix.RTM_DELROUTE:
					delete(state, destination(m))
				}
				if isOurs(m) && destination(m) >= sentinel && sub.loss == nil {
					break
				}
				tell(progress)
			}
			close(progress)
			wg.Wait()
			want, err := routes(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(want, state) {
				t.Errorf("%d routes followed, %d there", len(state), len(want))
			}
			if lost := c.Stats().Lost; lost == 0 || resyncs == 0 {
				t.Errorf("nothing was lost: the flood was none (%d losses, %d resyncs)", lost, resyncs)
			}
		})
	}
}

// No gap is silent: a loss is told before it, or behind it, before the buffer can
// have been filled again.
func TestEveryLossIsTold(t *testing.T) {
	netNS := kerneltest.NewNetNS(t)
	c, writer := openSmall(t, netNS), openConn(t, socket.Route, socket.WithNetNS(netNS))
	addRoutes(t, writer, 1)
	sub, err := c.Subscribe(routeGroup)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	const total = 20_000
	progress := make(chan struct{}, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		for first := 1; first <= total; first += 50 {
			var batch []*Request
			for i := range 50 {
				batch = append(batch, routeRequest(writer, nlmsg.Request|nlmsg.Create, first+i))
			}
			if err := writer.Batch(t.Context(), batch...); err != nil {
				t.Error(err)
			}
			for _, r := range batch {
				r.Release()
			}
		}
		sendSentinel(t.Context(), t, writer, progress)
	})
	next, losses, heard, gaps := uint32(1), 0, 0, 0
	untold := 0 // messages since a gap that no loss explains yet
	justTold := false
	for m, err := range sub.All(t.Context()) {
		tell(progress)
		if err != nil {
			isError(t, err, unix.ENOBUFS)
			losses, untold, justTold = losses+1, 0, true
			continue
		}
		i := destination(m)
		if i >= sentinel {
			if untold == 0 {
				break
			}
			untold++
			continue
		}
		switch {
		case i != next && justTold:
			gaps++
		case i != next && untold == 0:
			gaps, untold = gaps+1, 1
		case untold > 0:
			untold++
		}
		justTold = false
		if untold > 32 { // the smallest buffer holds no more
			t.Fatalf("no loss was told %d messages after a gap", untold)
		}
		next = i + 1
		heard++
	}
	close(progress)
	wg.Wait()
	t.Logf("%d of %d heard, %d gaps, %d losses told", heard, total, gaps, losses)
	if losses == 0 || gaps == 0 {
		t.Error("nothing was lost: the flood was none")
	}
}
