package conn

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// event is the result of one receive.
type event struct {
	b    []byte
	info socket.Info
	err  error
}

// fake is a Transport. A function is its peer: it answers each datagram with events. Tests
// can queue further events.
type fake struct {
	answer func(f *fake, reqs []nlmsg.Msg) []event

	mu       sync.Mutex
	queue    []event
	changed  chan struct{} // closed and replaced at every change
	deadline time.Time
	closed   bool
	sent     int
}

const fakePort = 4242

func newFake(answer func(f *fake, reqs []nlmsg.Msg) []event) *fake {
	return &fake{answer: answer, changed: make(chan struct{})}
}

// newFakeConn makes a Conn over a fake.
func newFakeConn(t testing.TB, answer func(f *fake, reqs []nlmsg.Msg) []event, options ...Option) (*Conn, *fake) {
	t.Helper()
	f := newFake(answer)
	c := New(f, options...)
	t.Cleanup(func() { c.Close() })
	return c, f
}

func (f *fake) change() {
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) put(events ...event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = append(f.queue, events...)
	f.change()
}

func (f *fake) Send(b []byte) error {
	var reqs []nlmsg.Msg
	for m, err := range nlmsg.All(b) {
		if err != nil {
			return err
		}
		reqs = append(reqs, m.Clone())
	}
	f.mu.Lock()
	closed := f.closed
	f.mu.Unlock()
	if closed {
		return os.ErrClosed
	}
	if reqs[0].Type() == nlmsg.TypeNoop { // a barrier; the kernel acknowledges it
		f.put(event{b: answer(reqs[0], 0, "")})
		return nil
	}
	f.mu.Lock()
	f.sent++
	f.mu.Unlock()
	f.put(f.answer(f, reqs)...)
	return nil
}

func (f *fake) TryReceive(b []byte) (int, socket.Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return 0, socket.Info{}, fmt.Errorf("fake: %w", os.ErrClosed)
	case len(f.queue) == 0:
		return 0, socket.Info{}, socket.ErrEmpty
	}
	e := f.queue[0]
	f.queue = f.queue[1:]
	if e.err != nil && e.b == nil {
		return 0, e.info, e.err
	}
	n := copy(b, e.b)
	e.info.Size = len(e.b)
	if n < len(e.b) && e.err == nil {
		e.err = socket.ErrTruncated
	}
	return n, e.info, e.err
}

func (f *fake) Receive(b []byte) (int, socket.Info, error) {
	for {
		f.mu.Lock()
		changed, wait := f.changed, time.Duration(-1)
		if !f.deadline.IsZero() {
			wait = max(0, time.Until(f.deadline))
		}
		f.mu.Unlock()
		if wait == 0 {
			return 0, socket.Info{}, fmt.Errorf("fake: %w", os.ErrDeadlineExceeded)
		}
		n, info, err := f.TryReceive(b)
		if err != socket.ErrEmpty {
			return n, info, err
		}
		<-changed // deadlines are only set to the past
	}
}

func (f *fake) SetReadDeadline(t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deadline = t
	f.change()
	return nil
}

func (f *fake) PortID() uint32 { return fakePort }

func (f *fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.change()
	return nil
}

// requests returns the number of datagrams that were sent.
func (f *fake) requests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

const fakeType = 0x20

// message makes a reply to req.
func message(req nlmsg.Msg, flags nlmsg.Flags, payload string) []byte {
	b := nlmsg.Begin(nil, fakeType, flags, req.Seq(), fakePort)
	return nlmsg.End(append(b, payload...), 0)
}

// answer makes the error or acknowledgement of req.
func answer(req nlmsg.Msg, e errno.Errno, text string) []byte {
	ext := nlmsg.ExtAck{Errno: e, Request: req}
	if text != "" {
		ext.Msg = []byte(text)
	}
	return nlmsg.AppendAck(nil, &ext, nlmsg.AckOptions{PortID: fakePort, Cap: true, Ext: true})
}

func done(req nlmsg.Msg, flags nlmsg.Flags, e errno.Errno) []byte {
	return nlmsg.AppendDone(nil, &nlmsg.ExtAck{Errno: e, Request: req}, flags, nlmsg.AckOptions{PortID: fakePort})
}

func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = pad(append(b, p...))
	}
	return b
}

func events(datagrams ...[]byte) []event {
	list := make([]event, len(datagrams))
	for i, b := range datagrams {
		list[i] = event{b: b}
	}
	return list
}

// text returns the payload of a message.
func text(m nlmsg.Msg) string { return string(m.Payload()) }

// collect ranges over a dump.
func collect(t testing.TB, c *Conn, on ...Interrupted) (texts []string, err error) {
	t.Helper()
	r := c.Request(fakeType, 0, nil)
	defer r.Release()
	for m, e := range c.Dump(t.Context(), r, on...) {
		if e != nil {
			return texts, e
		}
		texts = append(texts, text(m))
	}
	return texts, nil
}

// ask makes one request and returns the first reply.
func ask(t testing.TB, c *Conn, flags nlmsg.Flags, payload string) (string, error) {
	t.Helper()
	r := c.Request(fakeType, nlmsg.FlagRequest|flags, []byte(payload))
	defer r.Release()
	m, err := c.Do(t.Context(), r)
	return text(m), err
}

func isError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}
