package conn

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// patience is the time for which a test waits for an event.
const patience = 30 * time.Second

// patiently returns a context that ends if an exchange hangs.
func patiently(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// A double is a fake in no group. Its Receive respects every deadline, and its Send can be
// blocked.
type double struct {
	*fake
	hold     func(reqs []nlmsg.Msg) <-chan struct{} // Send waits until the channel is closed
	sendErr  error                                  // returned by Send, which sends nothing then
	protocol socket.Protocol
	flags    map[socket.Flag]bool
	gone     chan struct{} // closed by Close
	once     sync.Once
}

func (d *double) Send(b []byte) error {
	if d.hold != nil {
		var reqs []nlmsg.Msg
		for m := range nlmsg.All(b) {
			reqs = append(reqs, m)
		}
		if c := d.hold(reqs); c != nil {
			<-c
		}
	}
	if d.sendErr != nil {
		return d.sendErr
	}
	return d.fake.Send(b)
}

func (d *double) Receive(b []byte) (int, socket.Info, error) {
	for {
		d.mu.Lock()
		changed, deadline := d.changed, d.deadline
		d.mu.Unlock()
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			return 0, socket.Info{}, fmt.Errorf("double: %w", os.ErrDeadlineExceeded)
		}
		if n, info, err := d.TryReceive(b); err != socket.ErrEmpty {
			return n, info, err
		}
		var late <-chan time.Time
		if !deadline.IsZero() {
			timer := time.NewTimer(time.Until(deadline))
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-changed:
		case <-late:
		}
	}
}

func (d *double) Close() error {
	d.once.Do(func() { close(d.gone) })
	return d.fake.Close()
}

func (d *double) Groups() ([]uint32, error) { return nil, nil }

func (d *double) Protocol() socket.Protocol { return d.protocol }

func (d *double) Join(uint32) error { return nil }

func (d *double) ReadDeadline() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.deadline
}

func (d *double) SetFlag(f socket.Flag, on bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.flags == nil {
		d.flags = map[socket.Flag]bool{}
	}
	d.flags[f] = on
	return nil
}

func (d *double) isClosed() bool {
	select {
	case <-d.gone:
		return true
	default:
		return false
	}
}

// like makes the peer of a fake from the replies to one request. Like the kernel, it
// acknowledges an empty message.
func like(reply func(req nlmsg.Msg) []event) func(*fake, []nlmsg.Msg) []event {
	return func(_ *fake, reqs []nlmsg.Msg) (all []event) {
		for _, req := range reqs {
			switch {
			case req.Type() != nlmsg.TypeNoop:
				all = append(all, reply(req)...)
			case req.Flags()&nlmsg.FlagAck != 0:
				all = append(all, event{b: answer(req, 0, "")})
			}
		}
		return all
	}
}

// acknowledge returns only an acknowledgement.
func acknowledge(req nlmsg.Msg) []event {
	if req.Flags()&nlmsg.FlagAck == 0 {
		return nil
	}
	return events(answer(req, 0, ""))
}

// echo returns a reply with the payload of the request, and an acknowledgement if the
// request has FlagAck. For a dump it returns the reply as a list, and DONE.
func echo(req nlmsg.Msg) []event {
	if req.Flags()&nlmsg.FlagDump == nlmsg.FlagDump {
		return events(join(message(req, nlmsg.FlagMulti, string(req.Payload())), done(req, nlmsg.FlagMulti, 0)))
	}
	return append(events(message(req, 0, string(req.Payload()))), acknowledge(req)...)
}

// A fleet opens doubles.
type fleet struct {
	reply   func(req nlmsg.Msg) []event
	prepare func(number int, d *double) // may be nil

	mu    sync.Mutex
	all   []*double
	err   error // of dial
	tried int
}

func (f *fleet) open() *double {
	d := &double{fake: newFake(like(func(req nlmsg.Msg) []event { return f.reply(req) })), gone: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.prepare != nil {
		f.prepare(len(f.all), d)
	}
	f.all = append(f.all, d)
	return d
}

func (f *fleet) dial() (Transport, error) {
	f.mu.Lock()
	err := f.err
	f.tried++
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return f.open(), nil
}

// fail makes dial return an error from now on.
func (f *fleet) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fleet) doubles() []*double {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*double(nil), f.all...)
}

func (f *fleet) pool(t testing.TB, options ...Option) *Conn {
	t.Helper()
	return f.single(t, append([]Option{WithDialer(f.dial)}, options...)...)
}

func (f *fleet) single(t testing.TB, options ...Option) *Conn {
	t.Helper()
	c := New(f.open(), options...)
	t.Cleanup(func() { c.Close() })
	return c
}

// inBothForms runs a test with a pool of doubles and with a single one, in a synctest
// bubble.
func inBothForms(t *testing.T, f func(t *testing.T, open func(fl *fleet, options ...Option) *Conn)) {
	t.Helper()
	t.Run("pool", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f(t, func(fl *fleet, options ...Option) *Conn { return fl.pool(t, options...) })
		})
	})
	t.Run("single", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f(t, func(fl *fleet, options ...Option) *Conn { return fl.single(t, options...) })
		})
	})
}

// asking sends a request with a text and returns the text of the reply.
func asking(ctx context.Context, c *Conn, flags nlmsg.Flags, payload string) (string, error) {
	r := c.Request(fakeType, flags, []byte(payload))
	defer r.Release()
	m, err := c.Do(ctx, r)
	if m == nil {
		return "", err
	}
	return said(m), err
}

// said returns the text of a message without padding.
func said(m nlmsg.Msg) string { return strings.TrimRight(text(m), "\x00") }

// listing ranges over a dump and returns the texts.
func listing(ctx context.Context, c *Conn, payload string) (texts []string, err error) {
	r := c.Request(fakeType, 0, []byte(payload))
	defer r.Release()
	for m, err := range c.Dump(ctx, r) {
		if err != nil {
			return texts, err
		}
		texts = append(texts, said(m))
	}
	return texts, nil
}

// isAlive fails the test unless the Conn still works.
func isAlive(t testing.TB, c *Conn) {
	t.Helper()
	for _, s := range []string{"one", "two"} {
		if got, err := asking(patiently(t), c, 0, s); got != s || err != nil {
			t.Errorf("later: %q, %v", got, err)
		}
		if got, err := listing(patiently(t), c, s); len(got) != 1 || got[0] != s || err != nil {
			t.Errorf("later list: %q, %v", got, err)
		}
	}
}
