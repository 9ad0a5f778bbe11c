package conn

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
)

// The kernel reports the loss of a reply only once, and only if it is the first.
func TestRequestThatTheKernelDroppedEndsWithALoss(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		n := 0
		fl := &fleet{reply: func(req nlmsg.Msg) []event {
			if n++; n > 2 {
				return echo(req)
			}
			return []event{{err: errno.ENOBUFS}, {b: message(nlmsg.Msg(make([]byte, nlmsg.HeaderLen)), 0, "of before")}}
		}}
		c := open(fl)
		_, err := asking(patiently(t), c, 0, "")
		isError(t, err, errno.ENOBUFS)
		_, err = listing(patiently(t), c, "")
		isError(t, err, errno.ENOBUFS)
		isAlive(t, c)
	})
}

// The receive failed before the request, but the reply of the request is dropped too.
func TestReplyThatIsLostAmongOthersIsALoss(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		n := 0
		fl := &fleet{reply: func(req nlmsg.Msg) []event {
			if n++; n > 1 {
				return echo(req)
			}
			return append([]event{{err: errno.ENOBUFS}}, events(message(req, nlmsg.FlagMulti, "1"), message(req, nlmsg.FlagMulti, "2"))...)
		}}
		c := open(fl)
		r := c.Request(fakeType, nlmsg.FlagAck, nil)
		defer r.Release()
		_, err := c.Do(patiently(t), r)
		var loss *LossError
		if !errors.As(err, &loss) || loss.Seq != r.Sent() {
			t.Errorf("%v, %+v, want that of %d", err, loss, r.Sent())
		}
		isAlive(t, c)
	})
}

// A request that waits inside the kernel delays no other request.
func TestRequestThatIsStuckInSendDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		fl := &fleet{reply: echo, prepare: holdText("stuck", held)}
		c := fl.pool(t)
		stuck := inBackground(func() error { _, err := asking(t.Context(), c, 0, "stuck"); return err })
		synctest.Wait()
		for range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if _, err := asking(ctx, c, 0, "free"); err != nil {
				t.Fatal(err)
			}
			if _, err := listing(ctx, c, "free"); err != nil {
				t.Fatal(err)
			}
			cancel()
		}
		close(held)
		if err := <-stuck; err != nil {
			t.Error(err)
		}
	})
}

// With a single Transport the others wait, but not beyond their deadlines.
func TestDeadlinesAreKeptWhileTheOnlyTransportIsStuckInSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		fl := &fleet{reply: echo, prepare: holdText("stuck", held)}
		c := fl.single(t)
		stuck := inBackground(func() error { _, err := asking(t.Context(), c, 0, "stuck"); return err })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := asking(ctx, c, 0, "free")
		isError(t, err, context.DeadlineExceeded)
		_, err = listing(ctx, c, "free")
		isError(t, err, context.DeadlineExceeded)
		r := c.Request(fakeType, 0, nil)
		defer r.Release()
		r.Deadline = start.Add(2 * time.Millisecond)
		_, err = c.Do(t.Context(), r)
		isError(t, err, os.ErrDeadlineExceeded)
		for _, err := range c.Dump(t.Context(), r) {
			isError(t, err, os.ErrDeadlineExceeded)
		}
		isError(t, c.Batch(t.Context(), r), os.ErrDeadlineExceeded)
		if d := time.Since(start); d != 2*time.Millisecond {
			t.Errorf("waited for %v", d)
		}
		close(held)
		if err := <-stuck; err != nil {
			t.Error(err)
		}
		isAlive(t, c)
	})
}

func TestPoolGrowsPastRequestsThatAreStuckInSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		fl := &fleet{reply: echo, prepare: holdText("stuck", held)}
		c := fl.pool(t, WithLimit(4, 2))
		var stuck []<-chan error
		for range 20 {
			stuck = append(stuck,
				inBackground(func() error { _, err := asking(t.Context(), c, 0, "stuck"); return err }),
				inBackground(func() error { _, err := listing(t.Context(), c, "stuck"); return err }))
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := asking(ctx, c, 0, "free"); err != nil {
			t.Error(err)
		}
		if _, err := listing(ctx, c, "free"); err != nil {
			t.Error(err)
		}
		if n := len(fl.doubles()); n <= 4+2 || n > 16*4 {
			t.Errorf("%d Transports", n)
		}
		close(held)
		for _, err := range stuck {
			if err := <-err; err != nil {
				t.Error(err)
			}
		}
	})
}

// holdText blocks the send of requests with a text.
func holdText(payload string, held chan struct{}) func(int, *double) {
	return func(_ int, d *double) {
		d.hold = func(reqs []nlmsg.Msg) <-chan struct{} {
			if len(reqs) > 0 && said(reqs[0]) == payload {
				return held
			}
			return nil
		}
	}
}

func inBackground(f func() error) <-chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}

// A dead Transport serves no later exchange, neither a dump nor a request.
func TestDeadTransportIsNotPooledAgain(t *testing.T) {
	for name, exchange := range map[string]func(c *Conn) error{
		"Dump": func(c *Conn) error { _, err := listing(context.Background(), c, "die"); return err },
		"Do":   func(c *Conn) error { _, err := asking(context.Background(), c, 0, "die"); return err },
		"Batch": func(c *Conn) error {
			r := c.Request(fakeType, nlmsg.FlagAck, []byte("die"))
			defer r.Release()
			return c.Batch(context.Background(), r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fl := &fleet{}
				fl.reply = func(req nlmsg.Msg) []event {
					if said(req) == "die" {
						return []event{{err: errno.EBADF}, {err: errno.EBADF}}
					}
					return echo(req)
				}
				c := fl.pool(t)
				held := make(chan struct{})
				fl.all[0].hold = func([]nlmsg.Msg) <-chan struct{} { return held }
				first := inBackground(func() error { _, err := asking(t.Context(), c, 0, "one"); return err })
				synctest.Wait()
				for range 5 {
					isError(t, exchange(c), errno.EBADF)
					isAlive(t, c)
				}
				close(held)
				if err := <-first; err != nil {
					t.Error(err)
				}
				closed := 0
				for _, d := range fl.doubles() {
					if d.isClosed() {
						closed++
					}
				}
				if n := len(fl.doubles()); n != 7 || closed != 5 {
					t.Errorf("%d Transports, %d closed", n, closed)
				}
			})
		})
	}
}

// The first Transport may fail too, if others can be opened.
func TestDeadFirstTransportDoesNotFailLaterExchanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fl := &fleet{reply: echo}
		c := fl.pool(t)
		isAlive(t, c)
		fl.all[0].fake.Close()
		_, err := listing(patiently(t), c, "text")
		isError(t, err, os.ErrClosed)
		for range 10 {
			isAlive(t, c)
		}
	})
}

// Many small datagrams take approximately the memory that WithQueue allows.
func TestQueueBoundsTheMemoryOfTheRestOfADump(t *testing.T) {
	const datagrams, limit = 20_000, 1 << 20
	c := (&fleet{reply: func(req nlmsg.Msg) (all []event) {
		if req.Flags()&nlmsg.FlagDump != nlmsg.FlagDump {
			return echo(req)
		}
		part := message(req, nlmsg.FlagMulti, "part")
		for range datagrams {
			all = append(all, event{b: part})
		}
		return append(all, event{b: done(req, nlmsg.FlagMulti, 0)})
	}}).single(t, WithQueue(limit))
	r := c.Request(fakeType, 0, nil)
	defer r.Release()
	n, used := 0, uint64(0)
	for _, err := range c.Dump(patiently(t), r) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 {
			before := heap()
			_, err := asking(patiently(t), c, 0, "text")
			used = heap() - before
			if err != nil {
				isError(t, err, ErrBusy)
			}
		}
	}
	if n != datagrams || int64(used) > 4*limit {
		t.Errorf("%d messages, %d bytes", n, used)
	}
}

// heap returns the number of live bytes.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A read deadline that the owner of a Transport has set limits the exchanges. It survives
// them, including those with deadlines.
func TestReadDeadlineOfTheOwnerSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		fl := &fleet{reply: func(req nlmsg.Msg) []event {
			if n++; n > 2 {
				return nil
			}
			return echo(req)
		}}
		c := fl.single(t, WithLateReplies())
		start := time.Now()
		own := start.Add(time.Hour)
		if err := fl.all[0].SetReadDeadline(own); err != nil {
			t.Fatal(err)
		}
		isOwn := func() {
			t.Helper()
			if at := fl.all[0].ReadDeadline(); !at.Equal(own) {
				t.Errorf("the deadline is %v, want %v", at, own)
			}
		}
		if _, err := asking(patiently(t), c, 0, "one"); err != nil {
			t.Error(err)
		}
		if _, err := listing(patiently(t), c, "one"); err != nil {
			t.Error(err)
		}
		isOwn()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := asking(ctx, c, 0, "")
		isError(t, err, context.DeadlineExceeded)
		isOwn()
		r := c.Request(fakeType, 0, nil)
		defer r.Release()
		r.Deadline = start.Add(2 * time.Second)
		_, err = c.Do(t.Context(), r)
		isError(t, err, os.ErrDeadlineExceeded)
		isOwn()
		r.Deadline = start.Add(2 * time.Hour)
		_, err = c.Do(t.Context(), r)
		isError(t, err, os.ErrDeadlineExceeded)
		if d := time.Since(start); d != time.Hour {
			t.Errorf("waited for %v", d)
		}
		isOwn()
	})
}
