package conn

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// isClosedConn checks that a closed Conn refuses everything.
func isClosedConn(t *testing.T, c *Conn) {
	t.Helper()
	_, err := asking(t.Context(), c, 0, "text")
	_, dumpErr := listing(t.Context(), c, "text")
	r := c.Request(fakeType, 0, nil)
	defer r.Release()
	errs := []error{
		err, dumpErr, c.Batch(t.Context(), r), c.Close(),
		c.Configure(t.Context(), func(Transport) error { t.Error("called"); return nil }),
	}
	if c.conf.dial != nil {
		_, pinErr := c.Pin()
		_, subErr := c.Subscribe()
		errs = append(errs, pinErr, subErr)
	}
	for i, err := range errs {
		if !errors.Is(err, ErrClosed) || !errors.Is(err, os.ErrClosed) || errors.Is(err, ErrClosedWaiting) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestCloseWakesTheExchangesThatWait(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		fl := &fleet{reply: func(nlmsg.Msg) []event { return nil }}
		c := open(fl, WithLimit(2, 2), WithLateReplies())
		var all []<-chan error
		for range 5 { // some wait for a reply, the others for a Transport
			all = append(all,
				inBackground(func() error { _, err := asking(t.Context(), c, 0, "text"); return err }),
				inBackground(func() error { _, err := listing(t.Context(), c, "text"); return err }),
				inBackground(func() error {
					r := c.Request(fakeType, nlmsg.FlagAck, nil)
					defer r.Release()
					return c.Batch(t.Context(), r)
				}))
		}
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		for i, err := range all {
			err := <-err
			if !errors.Is(err, ErrClosedWaiting) || !errors.Is(err, os.ErrClosed) || errors.Is(err, ErrClosed) {
				t.Errorf("%d: %v", i, err)
			}
		}
		isClosedConn(t, c)
		if n := countClosed(fl); n != len(fl.doubles()) {
			t.Errorf("%d of %d Transports closed", n, len(fl.doubles()))
		}
	})
}

func TestCloseDoesNotWaitForATransportThatIsStuckInSend(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		for name, exchange := range map[string]func(c *Conn) error{
			"Do":   func(c *Conn) error { _, err := asking(t.Context(), c, 0, "stuck"); return err },
			"Dump": func(c *Conn) error { _, err := listing(t.Context(), c, "stuck"); return err },
			"Batch": func(c *Conn) error {
				r := c.Request(fakeType, 0, []byte("stuck"))
				defer r.Release()
				return c.Batch(t.Context(), r)
			},
		} {
			held := make(chan struct{})
			fl := &fleet{reply: echo, prepare: holdText("stuck", held)}
			c := open(fl)
			stuck := inBackground(func() error { return exchange(c) })
			synctest.Wait()
			if err := c.Close(); err != nil {
				t.Error(name, err)
			}
			if fl.all[0].isClosed() {
				t.Error(name, ": closed in a send")
			}
			isClosedConn(t, c)
			close(held)
			if err := <-stuck; err != nil { // the reply had arrived
				isError(t, err, ErrClosedWaiting)
			}
			<-fl.all[0].gone
		}
	})
}

// The body of a dump may close the Conn.
func TestDumpEndsWhenItsBodyClosesTheConn(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		fl := &fleet{reply: manyParts(5, 10)}
		c := open(fl)
		r := c.Request(fakeType, 0, nil)
		n := 0
		var last error
		for _, err := range c.Dump(t.Context(), r) {
			n++
			last = err
			if n == 1 {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		}
		isError(t, last, os.ErrClosed)
		if r.Release(); n != 2 || !fl.all[0].isClosed() {
			t.Errorf("%d steps", n)
		}
	})
}

func TestConfigureReachesEveryTransportBeforeItsNextExchange(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: echo}
		c := fl.pool(t)
		openMany(t, c, 3)
		pin, err := c.Pin()
		if err != nil {
			t.Fatal(err)
		}
		inUse := occupy(t, c)
		if err := c.SetFlag(t.Context(), socket.StrictCheck, true); err != nil {
			t.Fatal(err)
		}
		later, err := c.Pin()
		if err != nil {
			t.Fatal(err)
		}
		sub, err := c.Subscribe()
		if err != nil {
			t.Fatal(err)
		}
		inUse()
		var release []func()
		for range 5 { // the idle ones, the one that was in use, and new ones
			release = append(release, occupy(t, c))
		}
		for _, f := range release {
			f()
		}
		r := c.Request(fakeType, 0, []byte("text"))
		defer r.Release()
		for _, s := range []*single{&pin.single, &later.single, &sub.single} {
			if _, err := s.Do(patiently(t), r); err != nil {
				t.Error(err)
			}
		}
		for i, d := range fl.doubles() {
			isEarlierPin := d == pin.Transport().(*double)
			if d.flags[socket.StrictCheck] == isEarlierPin {
				t.Errorf("Transport %d: %v, an earlier pin: %v", i, d.flags, isEarlierPin)
			}
		}
		// Settings are applied in their order, and once to each Transport.
		var calls atomic.Int32
		for _, on := range []bool{false, true, false} {
			if err := c.Configure(t.Context(), func(tr Transport) error {
				calls.Add(1)
				return tr.(*double).SetFlag(socket.StrictCheck, on)
			}); err != nil {
				t.Error(err)
			}
		}
		openMany(t, c, 5)
		openMany(t, c, 5)
		for i, d := range fl.doubles()[:3] {
			if d.flags[socket.StrictCheck] {
				t.Errorf("Transport %d: %v", i, d.flags)
			}
		}
		if n := calls.Load(); n != 15 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestErrorOfASettingIsThatOfTheExchange(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: echo}
		c := fl.pool(t)
		set := func(Transport) error { return errno.ENOPROTOOPT }
		isError(t, c.Configure(t.Context(), set), errno.ENOPROTOOPT)
		isAlive(t, c) // the failed setting is not called again
		good := fl.all[0]
		if err := c.Configure(t.Context(), func(tr Transport) error {
			if tr != good {
				return errno.ENOPROTOOPT
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		isAlive(t, c)
		release := occupy(t, c)
		_, err := asking(patiently(t), c, 0, "text")
		isError(t, err, errno.ENOPROTOOPT)
		_, err = listing(patiently(t), c, "text")
		isError(t, err, errno.ENOPROTOOPT)
		release()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		isError(t, c.Configure(ctx, set), context.Canceled)
	})
	c := New(newFake(nil))
	defer c.Close()
	isError(t, c.SetFlag(t.Context(), socket.ExtAck, true), errors.ErrUnsupported)
}

// A Transport with the rest of an abandoned dump remains unclean after a setting fails.
func TestTransportWhoseSettingFailsStaysUnclean(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: manyParts(5, 10)}
		c := fl.pool(t)
		r := c.Request(fakeType, 0, nil)
		for range c.Dump(t.Context(), r) {
			break
		}
		failures := 1
		if err := c.Configure(t.Context(), func(tr Transport) error {
			if tr == Transport(fl.all[0]) && failures > 0 {
				failures--
				return errno.ENOPROTOOPT
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		release := occupy(t, c)
		defer release()
		fl.fail(errno.EMFILE)
		_, err := asking(patiently(t), c, 0, "text")
		isError(t, err, errno.ENOPROTOOPT)
		if !c.pool.first.dirty {
			t.Error("the Transport with the rest of a dump counts as clean")
		}
		if got, err := asking(patiently(t), c, 0, "text"); got != "text" || err != nil {
			t.Error(got, err)
		}
	})
}

func TestTransportOfAnAbandonedDumpIsClosedInAPool(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: manyParts(5, 10)}
		c := fl.pool(t)
		release := occupy(t, c) // the first one stays open
		for range 3 {
			r := c.Request(fakeType, 0, nil)
			for range c.Dump(t.Context(), r) {
				break
			}
			r.Release()
		}
		if n := countClosed(fl); n != 3 || len(fl.doubles()) != 4 {
			t.Errorf("%d of %d closed", n, len(fl.doubles()))
		}
		release()
		if _, err := asking(patiently(t), c, 0, "text"); err != nil {
			t.Error(err)
		}
	})
}

func TestTransportOfAnAbandonedDumpIsDrainedWhereItIsTheOnlyOne(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: manyParts(5, 10)}
		c := fl.single(t)
		for range 3 {
			r := c.Request(fakeType, 0, nil)
			for range c.Dump(t.Context(), r) {
				break
			}
			r.Release()
			if got, err := asking(patiently(t), c, nlmsg.FlagAck, "text"); got != "text" || err != nil {
				t.Error(got, err)
			}
		}
		if s := c.Stats(); fl.all[0].isClosed() || s != (Stats{Stale: 15}) {
			t.Errorf("%+v", s)
		}
		texts, err := listing(patiently(t), c, "")
		if err != nil || len(texts) != 5 || !slices.IsSorted(texts) {
			t.Error(texts, err)
		}
	})
}

// A request that was given up leaves a reply, which reaches no later request.
func TestLateReplyToARequestThatWasGivenUpIsNoOthers(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var late nlmsg.Msg
		fl := &fleet{}
		fl.reply = func(req nlmsg.Msg) []event {
			if said(req) == "late" {
				late = req
				return nil
			}
			if late != nil {
				defer func() { late = nil }()
				return append(events(message(late, 0, "late")), echo(req)...)
			}
			return echo(req)
		}
		c := fl.single(t, WithLateReplies())
		for range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			result := inBackground(func() error { _, err := asking(ctx, c, 0, "late"); return err })
			synctest.Wait()
			cancel()
			isError(t, <-result, context.Canceled)
			isAlive(t, c)
		}
	})
}
