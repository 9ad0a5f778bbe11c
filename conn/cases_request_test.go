package conn

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
)

// isPanic checks that f panics with a text that contains want.
func isPanic(t testing.TB, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got, _ := recover().(string); !strings.Contains(got, want) {
			t.Errorf("panic %q, want one with %q", got, want)
		}
	}()
	f()
}

// copyOf copies *r like an assignment, which go vet forbids.
func copyOf(r *Request) *Request {
	v := reflect.New(reflect.TypeFor[Request]())
	v.Elem().Set(reflect.ValueOf(r).Elem())
	return v.Interface().(*Request)
}

func TestSecondReleasePanics(t *testing.T) {
	c := (&fleet{reply: echo}).single(t)
	r := c.Request(fakeType, 0, nil)
	r.Release()
	isPanic(t, "Release of a Request that was released before", r.Release)
	isPanic(t, "not made by Conn.Request", new(Request).Release)
	isAlive(t, c)
}

func TestReleaseOfACopyPanics(t *testing.T) {
	c := (&fleet{reply: echo}).single(t)
	r := c.Request(fakeType, 0, nil)
	isPanic(t, "copied", copyOf(r).Release)
	r.Release()
	isAlive(t, c)
}

// isRefused checks that no exchange accepts a request.
func isRefused(t testing.TB, c *Conn, r *Request) {
	t.Helper()
	_, err := c.Do(t.Context(), r)
	isError(t, err, ErrRequest)
	isError(t, c.Batch(t.Context(), r), ErrRequest)
	for _, err := range c.Dump(t.Context(), r) {
		isError(t, err, ErrRequest)
	}
}

func TestRequestThatNoConnMadeIsRefused(t *testing.T) {
	fl := &fleet{reply: echo}
	c := fl.single(t)
	isRefused(t, c, &Request{})
	isRefused(t, c, &Request{B: nlmsg.End(nlmsg.Begin(nil, fakeType, 0, 0, 0), 0)})
	r := c.Request(fakeType, 0, nil)
	isRefused(t, c, copyOf(r))
	released := c.Request(fakeType, 0, nil)
	released.Release()
	isRefused(t, c, released)
	if n := fl.all[0].requests(); n != 0 {
		t.Errorf("%d datagrams sent", n)
	}
	r.B = r.B[:nlmsg.HeaderLen-1]
	isRefused(t, c, r)
	isAlive(t, c)
}

// A second exchange returns ErrRequest, and the first is not disturbed.
func TestRequestThatIsInUseIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan struct{})
		fl := &fleet{reply: echo, prepare: holdText("held", held)}
		c := fl.pool(t)
		r := c.Request(fakeType, 0, []byte("held"))
		first := inBackground(func() error { _, err := c.Do(t.Context(), r); return err })
		synctest.Wait()
		isRefused(t, c, r)
		isPanic(t, "in use", r.Release)
		close(held)
		if err := <-first; err != nil || said(r.Reply()) != "held" {
			t.Error(said(r.Reply()), err)
		}
		for range c.Dump(t.Context(), r) {
			isRefused(t, c, r)
		}
		r.Release()
	})
}

// Of many concurrent exchanges with one request, only one at a time uses it.
func TestRequestOfManyGoroutinesIsUsedByOne(t *testing.T) {
	c := (&fleet{reply: echo}).pool(t)
	r := c.Request(fakeType, 0, []byte("text"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if _, err := c.Do(t.Context(), r); err != nil && !errors.Is(err, ErrRequest) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := c.Do(t.Context(), r); err != nil || said(r.Reply()) != "text" {
		t.Error(said(r.Reply()), err)
	}
}

// refuse reports an attribute, and warn a text.
func refuse(req nlmsg.Msg) []event {
	switch said(req) {
	case "\x08\x00\x01\x00bad":
		return events(nlmsg.AppendAck(nil, &nlmsg.ExtAck{Errno: errno.EINVAL, Request: req, Offset: nlmsg.HeaderLen}, nlmsg.AckOptions{PortID: fakePort, Cap: true, Ext: true}))
	case "warn":
		return events(answer(req, 0, "this is deprecated"))
	}
	return echo(req)
}

// badRequest makes a request. Its refusal names an attribute.
func badRequest(c *Conn) *Request {
	r := c.Request(fakeType, nlmsg.FlagAck, nil)
	r.B = append(r.B, "\x08\x00\x01\x00bad\x00"...)
	return r
}

func TestCallbacksMayUseTheConn(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		var c *Conn
		warned := 0
		c = open(&fleet{reply: refuse}, WithWarnings(func(w *Error) {
			warned++
			isAlive(t, c)
			if string(w.Msg) != "this is deprecated" {
				t.Error(w)
			}
		}))
		named := 0
		ops := map[string]func(r *Request) error{
			"Do":    func(r *Request) error { _, err := c.Do(patiently(t), r); return err },
			"Batch": func(r *Request) error { return c.Batch(patiently(t), r) },
			"Dump": func(r *Request) (last error) {
				for _, err := range c.Dump(patiently(t), r) {
					last = err
				}
				return last
			},
		}
		for op, do := range ops {
			r := badRequest(c)
			r.Name = func([]uint16) string {
				named++
				isAlive(t, c)
				return "thing"
			}
			err := do(r)
			isError(t, err, errInvalid)
			if !strings.Contains(err.Error(), "(thing)") {
				t.Error(op, err)
			}
			r.Release()
			w := c.Request(fakeType, nlmsg.FlagAck, []byte("warn"))
			if err := do(w); err != nil || w.Warning() == nil {
				t.Error(op, err)
			}
			w.Release()
		}
		if named != 3 || warned != 3 {
			t.Errorf("%d names, %d warnings", named, warned)
		}
	})
}

func TestCallbacksThatPanicLeaveTheConnUsable(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: refuse}, WithWarnings(func(*Error) { panic("warning") }))
		r := badRequest(c)
		defer r.Release()
		r.Name = func([]uint16) string { panic("name") }
		isPanic(t, "name", func() { _, _ = c.Do(patiently(t), r) })
		isPanic(t, "name", func() { _ = c.Batch(patiently(t), r) })
		isPanic(t, "name", func() {
			for range c.Dump(patiently(t), r) {
				t.Error("a message")
			}
		})
		w := c.Request(fakeType, nlmsg.FlagAck, []byte("warn"))
		defer w.Release()
		isPanic(t, "warning", func() { _, _ = c.Do(patiently(t), w) })
		isPanic(t, "warning", func() { _ = c.Batch(patiently(t), w) })
		list := c.Request(fakeType, 0, []byte("list"))
		defer list.Release()
		isPanic(t, "body", func() {
			for range c.Dump(patiently(t), list) {
				panic("body")
			}
		})
		isAlive(t, c)
	})
}

// A dump accepts one Interrupted argument; two are an error.
func TestDumpWithTwoPoliciesIsRefused(t *testing.T) {
	fl := &fleet{reply: echo}
	c := fl.single(t)
	var interrupted bool
	r := c.Request(fakeType, 0, nil)
	defer r.Release()
	n := 0
	for m, err := range c.Dump(t.Context(), r, Accept(&interrupted), Retry(3, nil)) {
		n++
		if m != nil || err == nil || !strings.Contains(err.Error(), "at most one") {
			t.Error(m, err)
		}
	}
	if n != 1 || fl.all[0].requests() != 0 || r.Err() == nil {
		t.Errorf("%d steps, %d datagrams sent, %v", n, fl.all[0].requests(), r.Err())
	}
	isAlive(t, c)
}

// Exchanges in the body of a dump share its only Transport.
func TestExchangesInTheBodyOfADumpGetOn(t *testing.T) {
	inBothForms(t, func(t *testing.T, open func(*fleet, ...Option) *Conn) {
		c := open(&fleet{reply: manyParts(10, 100)})
		var inner func(depth int)
		inner = func(depth int) {
			if depth == 0 {
				return
			}
			r := c.Request(fakeType, 0, []byte("list"))
			defer r.Release()
			var texts []string
			for m, err := range c.Dump(patiently(t), r) {
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, said(m)[:4])
				if len(texts) == 3 {
					inner(depth - 1)
				}
				if got, err := asking(patiently(t), c, nlmsg.FlagAck, "text"); got != "text" || err != nil {
					t.Fatal(got, err)
				}
			}
			if want := numbers(10); !slices.Equal(texts, want) {
				t.Errorf("depth %d: %q", depth, texts)
			}
		}
		inner(40)
		if s := c.Stats(); s != (Stats{}) {
			t.Errorf("%+v", s)
		}
	})
}

// numbers returns the texts of manyParts.
func numbers(n int) (texts []string) {
	for i := range n {
		texts = append(texts, string([]byte{'0', '0', byte('0' + i/10), byte('0' + i%10)}))
	}
	return texts
}

// manyParts answers dumps with n datagrams of a given size.
func manyParts(n, size int) func(nlmsg.Msg) []event {
	return func(req nlmsg.Msg) (all []event) {
		if req.Flags()&nlmsg.FlagDump != nlmsg.FlagDump {
			return echo(req)
		}
		for _, number := range numbers(n) {
			all = append(all, event{b: message(req, nlmsg.FlagMulti, number+strings.Repeat("x", size-4))})
		}
		return append(all, event{b: done(req, nlmsg.FlagMulti, 0)})
	}
}

// A rest that does not fit into the queue remains in the socket, and the other exchanges
// fail.
func TestRestOfADumpThatExceedsTheQueueIsLeftToIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&fleet{reply: manyParts(99, 1000)}).single(t, WithQueue(10_000))
		r := c.Request(fakeType, 0, []byte("list"))
		defer r.Release()
		var texts []string
		for m, err := range c.Dump(patiently(t), r) {
			if err != nil {
				t.Fatal(err)
			}
			if texts = append(texts, said(m)[:4]); len(texts) == 1 {
				_, err := asking(patiently(t), c, 0, "text")
				isError(t, err, ErrBusy)
				_, err = listing(patiently(t), c, "text")
				isError(t, err, ErrBusy)
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_, err = asking(ctx, c, 0, "text")
				isError(t, err, context.Canceled)
			}
		}
		if !slices.Equal(texts, numbers(99)) {
			t.Errorf("%q", texts)
		}
		if got, err := asking(patiently(t), c, 0, "text"); got != "text" || err != nil {
			t.Error(got, err)
		}
	})
}

func TestRestOfADumpIsBoundedAlsoAfterSeveralAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&fleet{reply: manyParts(99, 1000)}).single(t, WithQueue(10_000))
		r := c.Request(fakeType, 0, []byte("list"))
		defer r.Release()
		n := 0
		for _, err := range c.Dump(patiently(t), r) {
			if err != nil {
				t.Fatal(err)
			}
			for range 20 {
				if _, err := asking(patiently(t), c, 0, "text"); n == 0 {
					isError(t, err, ErrBusy)
				}
			}
			n++
		}
		if n != 99 {
			t.Errorf("%d messages", n)
		}
	})
}
