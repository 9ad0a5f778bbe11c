package conn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// A flood is a Transport that always has another datagram queued, up to a limit.
type flood struct {
	*double
	event event // if empty: a part of the reply to the latest request
	at    func(n int)
	own   []byte
	n     int
}

const enough = 1 << 18

func (f *flood) Send(b []byte) error {
	m, _ := nlmsg.Consume(b)
	f.own = message(m, nlmsg.FlagMulti, "")
	return nil
}

func (f *flood) TryReceive(b []byte) (int, socket.Info, error) {
	f.n++
	f.at(f.n)
	if f.n > enough {
		return 0, socket.Info{}, errFlood
	}
	e := f.event
	if e.b == nil && e.err == nil {
		e.b = f.own
	}
	return copy(b, e.b), e.info, e.err
}

func (f *flood) Receive(b []byte) (int, socket.Info, error) { return f.TryReceive(b) }

var errFlood = errors.New("the exchange did not end in the flood")

func TestContextsAndDeadlinesAreKeptInAFlood(t *testing.T) {
	forged := nlmsg.End(nlmsg.Begin(nil, fakeType, nlmsg.FlagMulti, 1, fakePort), 0)
	floods := map[string]event{
		"foreign":      {b: forged, info: socket.Info{PortID: 7}},
		"cut":          {b: forged, info: socket.Info{PortID: 7}, err: socket.ErrTruncated},
		"no sender":    {b: forged, err: socket.ErrSender},
		"late replies": {b: forged},
		"multicast":    {b: forged, info: socket.Info{Groups: 1}},
		"losses":       {err: errno.ENOBUFS},
		"interrupts":   {err: fmt.Errorf("receive: %w", errno.EINVAL)},
		"own replies":  {},
	}
	exchanges := map[string]func(ctx context.Context, c *Conn, r *Request) error{
		"Do": func(ctx context.Context, c *Conn, r *Request) error {
			_, err := c.Do(ctx, r)
			return err
		},
		"Dump": func(ctx context.Context, c *Conn, r *Request) error {
			for _, err := range c.Dump(ctx, r) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"Batch": func(ctx context.Context, c *Conn, r *Request) error { return c.Batch(ctx, r) },
	}
	for name, e := range floods {
		for op, exchange := range exchanges {
			t.Run(name+"/"+op, func(t *testing.T) { inAFlood(t, e, exchange) })
		}
	}
}

func inAFlood(t *testing.T, e event, exchange func(context.Context, *Conn, *Request) error) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	open := func(at func(n int)) (*Conn, *Request) {
		d := &double{fake: newFake(nil), gone: make(chan struct{})}
		c := New(&flood{double: d, event: e, at: at}, WithQueue(1<<30))
		t.Cleanup(func() { c.Close() })
		return c, c.Request(fakeType, nlmsg.FlagAck, nil)
	}
	c, r := open(func(n int) {
		if n == 50 {
			cancel()
		}
	})
	isError(t, exchange(ctx, c, r), context.Canceled)
	if errors.Is(e.err, errno.EINVAL) {
		return // that many in a row end the exchange earlier
	}
	c, r = open(func(int) {})
	r.Deadline = time.Now().Add(2 * time.Millisecond)
	isError(t, exchange(t.Context(), c, r), os.ErrDeadlineExceeded)
}

// An exchange that discards the rest of an abandoned dump also respects its context.
func TestContextsAreKeptWhileADumpWithoutEndIsDiscarded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d := &double{fake: newFake(nil), gone: make(chan struct{})}
	f := &flood{double: d, at: func(int) {}}
	c := New(f)
	defer c.Close()
	r := c.Request(fakeType, 0, nil)
	defer r.Release()
	for range c.Dump(t.Context(), r) {
		break
	}
	f.at = func(n int) {
		if n == 100 {
			cancel()
		}
	}
	_, err := c.Do(ctx, r)
	isError(t, err, context.Canceled)
}

// The loop of a Subscription respects its context in a flood.
func TestContextsAreKeptByASubscriptionInAFlood(t *testing.T) {
	for name, e := range map[string]event{
		"foreign": {b: []byte{1}, info: socket.Info{PortID: 7}}, "malformed": {b: []byte{1}}, "empty": {b: []byte{}},
		"losses": {err: errno.ENOBUFS}, "notifications": {b: nlmsg.End(nlmsg.Begin(nil, fakeType, 0, 0, 0), 0), info: socket.Info{Groups: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := New(newFake(nil), WithDialer(func() (Transport, error) {
				return &flood{double: &double{fake: newFake(nil), gone: make(chan struct{})}, event: e, at: func(n int) {
					if n == 100 {
						cancel()
					}
				}}, nil
			}))
			defer c.Close()
			s, err := c.Subscribe(1)
			if err != nil {
				t.Fatal(err)
			}
			var last error
			for _, err := range s.All(ctx) {
				last = err
			}
			isError(t, last, context.Canceled)
		})
	}
}
