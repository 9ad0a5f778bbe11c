package conn

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
)

// inTime runs a test in a synctest bubble.
func inTime(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// occupy holds a Transport of the pool until the returned function is called.
func occupy(t *testing.T, c *Conn) (release func()) {
	t.Helper()
	m, err := c.pool.acquire(&wait{ctx: t.Context()}, forRequest)
	if err != nil {
		t.Fatal(err)
	}
	return func() { c.pool.release(m, true) }
}

// await starts a request on the first Transport. It waits for its reply until the returned
// function is called. The Conn needs WithLateReplies.
func (f *fleet) await(t *testing.T, c *Conn) (reply func()) {
	t.Helper()
	var req nlmsg.Msg
	others := f.reply
	f.reply = func(m nlmsg.Msg) []event {
		if said(m) == "await" {
			req = m
			return nil
		}
		return others(m)
	}
	result := inBackground(func() error { _, err := asking(t.Context(), c, 0, "await"); return err })
	synctest.Wait()
	return func() {
		t.Helper()
		f.all[0].put(event{b: message(req, 0, "")})
		if err := <-result; err != nil {
			t.Error(err)
		}
	}
}

func TestWaitingForATransportKeepsContextsAndDeadlines(t *testing.T) {
	inTime(t, func(t *testing.T) {
		for _, single := range []bool{true, false} {
			fl := &fleet{reply: echo}
			c := fl.single(t, WithLateReplies())
			if !single {
				fl = &fleet{reply: echo}
				c = fl.pool(t, WithLimit(1, 1), WithLateReplies())
			}
			release := fl.await(t, c)
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := asking(ctx, c, 0, "")
			isError(t, err, context.DeadlineExceeded)
			cancel()
			r := c.Request(fakeType, nlmsg.FlagAck, nil)
			r.Deadline = start.Add(2 * time.Second)
			_, err = c.Do(t.Context(), r)
			isError(t, err, os.ErrDeadlineExceeded)
			if d := time.Since(start); d != 2*time.Second {
				t.Errorf("waited for %v", d)
			}
			r.Deadline = start.Add(3 * time.Second)
			isError(t, c.Batch(t.Context(), r), os.ErrDeadlineExceeded)
			ctx, cancel = context.WithCancel(t.Context())
			r.Deadline = time.Time{}
			waiting := inBackground(func() error { _, err := c.Do(ctx, r); return err })
			synctest.Wait()
			cancel()
			isError(t, <-waiting, context.Canceled)
			release()
			r.Release()
			isAlive(t, c)
		}
	})
}

// waiters starts waiting exchanges, one after the other, and returns a function that waits
// for their end.
func waiters(n int, exchange func(i int) error) (end func()) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			_ = exchange(i) // some of them fail intentionally
		})
		synctest.Wait()
	}
	return wg.Wait
}

func TestExchangesGetOnInTheirOrder(t *testing.T) {
	inTime(t, func(t *testing.T) {
		var mu sync.Mutex
		var sent []string
		for _, isSingle := range []bool{true, false} {
			sent = nil
			fl := &fleet{reply: func(req nlmsg.Msg) []event {
				mu.Lock()
				defer mu.Unlock()
				sent = append(sent, said(req))
				return echo(req)
			}}
			options := []Option{WithLimit(1, 1), WithLateReplies()}
			if !isSingle {
				options = append(options, WithDialer(fl.dial))
			}
			c := fl.single(t, options...)
			release := fl.await(t, c)
			end := waiters(20, func(i int) error {
				if i == 7 || i == 13 { // these leave the queue
					ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
					defer cancel()
					_, err := asking(ctx, c, 0, "gone")
					return err
				}
				_, err := asking(t.Context(), c, 0, numbers(20)[i])
				return err
			})
			<-time.After(time.Millisecond)
			release()
			end()
			want := slices.DeleteFunc(numbers(20), func(s string) bool { return s == "0007" || s == "0013" })
			if !slices.Equal(sent, want) {
				t.Errorf("%q", sent)
			}
		}
	})
}

// nest runs dumps, each in the body of the preceding one, and a request in the innermost.
func nest(ctx context.Context, c *Conn, depth int) error {
	if depth == 0 {
		_, err := asking(ctx, c, nlmsg.FlagAck, "text")
		return err
	}
	r := c.Request(fakeType, 0, nil)
	defer r.Release()
	n := 0
	for _, err := range c.Dump(ctx, r) {
		if err != nil {
			return err
		}
		if n++; n == 1 {
			if err := nest(ctx, c, depth-1); err != nil {
				return err
			}
		}
	}
	if n != 5 {
		return fmt.Errorf("%d messages", n)
	}
	return nil
}

func TestMoreNestedDumpsThanTheLimitGetOn(t *testing.T) {
	for name, open := range map[string]func(t *testing.T, fl *fleet) *Conn{
		"pool":   func(t *testing.T, fl *fleet) *Conn { return fl.pool(t, WithLimit(1, 4)) },
		"single": func(t *testing.T, fl *fleet) *Conn { return fl.single(t, WithLimit(1, 4)) },
		"undialable": func(t *testing.T, fl *fleet) *Conn {
			fl.fail(errno.EMFILE)
			return fl.pool(t, WithLimit(1, 4))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				c := open(t, &fleet{reply: manyParts(5, 10)})
				var nests []<-chan error
				for range 3 {
					nests = append(nests, inBackground(func() error { return nest(patiently(t), c, 8) }))
				}
				for _, err := range nests {
					if err := <-err; err != nil {
						t.Error(err)
					}
				}
				if s := c.Stats(); s != (Stats{}) {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// crowd counts the requests that are inside a send at the same time.
type crowd struct {
	mu        sync.Mutex
	now, most int
}

func (c *crowd) prepare(_ int, d *double) {
	d.hold = func([]nlmsg.Msg) <-chan struct{} {
		c.mu.Lock()
		c.now++
		c.most = max(c.most, c.now)
		c.mu.Unlock()
		over := make(chan struct{})
		time.AfterFunc(growAfter/8, func() {
			c.mu.Lock()
			c.now--
			c.mu.Unlock()
			close(over)
		})
		return over
	}
}

func TestLimitsHoldWhileExchangesGetOn(t *testing.T) {
	inTime(t, func(t *testing.T) {
		crowd := &crowd{}
		fl := &fleet{reply: echo, prepare: crowd.prepare}
		c := fl.pool(t, WithLimit(4, 2))
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				var err error
				for range 20 {
					if i%4 == 0 {
						_, err = listing(t.Context(), c, "text")
					} else {
						_, err = asking(t.Context(), c, nlmsg.FlagAck, "text")
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if crowd.most > 6 || len(fl.doubles()) > 6 {
			t.Errorf("%d at once, %d Transports", crowd.most, len(fl.doubles()))
		}
	})
}

// openMany makes the pool open n Transports, which are idle afterwards.
func openMany(t *testing.T, c *Conn, n int) {
	t.Helper()
	var release []func()
	for range n {
		release = append(release, occupy(t, c))
	}
	for _, f := range release {
		f()
	}
}

func countClosed(fl *fleet) (n int) {
	for _, d := range fl.doubles() {
		if d.isClosed() {
			n++
		}
	}
	return n
}

func TestIdleTransportsAboveTheLimitAreClosedAtOnce(t *testing.T) {
	inTime(t, func(t *testing.T) {
		fl := &fleet{reply: echo}
		c := fl.pool(t, WithIdle(3, time.Hour))
		openMany(t, c, 10)
		if n := countClosed(fl); n != 7 || fl.all[0].isClosed() {
			t.Errorf("%d closed", n)
		}
		isAlive(t, c)
		if n := len(fl.doubles()); n != 10 {
			t.Errorf("%d opened", n)
		}
	})
}

func TestUnusedTransportsAreClosedInTime(t *testing.T) {
	inTime(t, func(t *testing.T) {
		const unused = time.Second
		fl := &fleet{reply: echo}
		c := fl.pool(t, WithIdle(10, unused))
		openMany(t, c, 10)
		start := time.Now()
		if n := countClosed(fl); n != 0 {
			t.Errorf("%d closed at once", n)
		}
		for _, d := range fl.all[1:] {
			<-d.gone
		}
		if d := time.Since(start); d < unused || d > 2*unused {
			t.Errorf("closed after %v", d)
		}
		if fl.all[0].isClosed() {
			t.Error("the first was closed")
		}
		isAlive(t, c)
		if n := len(fl.doubles()); n != 10 {
			t.Errorf("%d opened", n)
		}
	})
}

// A Transport that is in use stays open for any time.
func TestUsedTransportsStayOpen(t *testing.T) {
	inTime(t, func(t *testing.T) {
		const unused = time.Second
		fl := &fleet{reply: echo}
		c := fl.pool(t, WithIdle(10, unused))
		openMany(t, c, 4) // the first one stays open too
		ticker := time.NewTicker(unused / 4)
		defer ticker.Stop()
		for range 40 {
			<-ticker.C
			first := occupy(t, c)
			second := occupy(t, c)
			second()
			first()
		}
		if n := countClosed(fl); n != 1 {
			t.Errorf("%d closed", n)
		}
	})
}

func TestExchangesTakeTurnsWhileNoTransportCanBeOpened(t *testing.T) {
	for _, reason := range []error{errno.EMFILE, fmt.Errorf("socket: %w", errno.EPERM)} {
		inTime(t, func(t *testing.T) {
			fl := &fleet{reply: echo}
			c := fl.pool(t)
			fl.fail(reason)
			release := occupy(t, c)
			var all []<-chan error
			for range 20 {
				all = append(all,
					inBackground(func() error { _, err := asking(t.Context(), c, 0, "text"); return err }),
					inBackground(func() error { _, err := listing(t.Context(), c, "text"); return err }))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := asking(ctx, c, 0, "text")
			isError(t, err, context.DeadlineExceeded)
			if isError(t, err, reason); !strings.Contains(err.Error(), reason.Error()) {
				t.Error(err)
			}
			release()
			for _, err := range all {
				if err := <-err; err != nil {
					t.Error(err)
				}
			}
			if n := len(fl.doubles()); n != 1 || fl.tried > 50 {
				t.Errorf("%d Transports, %d attempts", n, fl.tried)
			}
			fl.fail(nil)
			openAgain := occupy(t, c)
			<-time.After(dialPause + 1)
			isAlive(t, c)
			openAgain()
			if n := len(fl.doubles()); n != 2 {
				t.Errorf("%d Transports", n)
			}
		})
	}
}
