package usersock

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// guardTime limits the time of a test that waits for an event that does not occur.
const guardTime = 20 * time.Second

// world is a served bus with DOC_EXMPL. If possible, it has its own network namespace.
type world struct {
	t      testing.TB
	bus    *bus.Bus
	family *bus.Family
	server *Server
	id     uint32 // of the server
	place  []socket.Option
	stop   context.CancelFunc
	ended  chan error     // receives the error of Serve
	filler *socket.Socket // used by fill
}

func serve(t testing.TB, b *bus.Bus, options ...Option) *world {
	t.Helper()
	var place []socket.Option
	if os.Geteuid() == 0 {
		place = append(place, socket.WithNetNS(kerneltest.NewNetNS(t)))
	}
	return serveHere(t, b, place, options...)
}

func serveHere(t testing.TB, b *bus.Bus, place []socket.Option, options ...Option) *world {
	t.Helper()
	w := &world{t: t, bus: b, family: docexmpl.New(), place: place, ended: make(chan error, 1)}
	if err := b.Register(w.family); err != nil {
		t.Fatal(err)
	}
	s := w.socket()
	w.id = s.PortID()
	w.server = NewServer(b, s, options...)
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	over := make(chan struct{})
	go func() {
		defer close(over)
		w.ended <- w.server.Serve(ctx)
	}()
	t.Cleanup(func() { stop(); <-over; b.Close() })
	return w
}

// socket opens a socket with deadlines, so that the test cannot hang.
func (w *world) socket(options ...socket.Option) *socket.Socket {
	w.t.Helper()
	s, err := socket.Open(socket.UserSock, append(options, w.place...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { s.Close() })
	return s
}

func (w *world) dial(flags ...socket.Flag) *Client {
	w.t.Helper()
	c, err := dial(func() (*socket.Socket, error) { return w.socket(), nil }, w.id, flags)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// conn makes a Conn, and also returns its first Client.
func (w *world) conn() (*conn.Conn, *Client) {
	w.t.Helper()
	first := w.dial(socket.ExtAck, socket.CapAck)
	c := conn.New(first, conn.WithDialer(func() (conn.Transport, error) {
		sibling, err := first.Sibling()
		if err != nil {
			return nil, err
		}
		return sibling, nil
	}))
	w.t.Cleanup(func() { c.Close() })
	return c, first
}

// ctx returns a context that ends with the test or after guardTime.
func (w *world) ctx() context.Context {
	ctx, cancel := context.WithTimeout(w.t.Context(), guardTime)
	w.t.Cleanup(cancel)
	return ctx
}

// appendEcho appends an echo request.
func (w *world) appendEcho(b []byte, flags nlmsg.Flags, seq uint32, text string) []byte {
	mark := len(b)
	b = w.family.Begin(b, nlmsg.FlagRequest|flags, seq, 0, docexmpl.CmdEcho)
	return nlmsg.End(nla.AppendCString(b, docexmpl.AttrMsg, text), mark)
}

// await waits until a condition holds that depends on other goroutines.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(guardTime); !holds(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("condition did not become true: %s", what)
		}
	}
}

// receive receives a datagram from a Transport.
func receive(t testing.TB, from conn.Transport) ([]byte, socket.Info) {
	t.Helper()
	b := make([]byte, socket.BufferSize)
	if err := from.SetReadDeadline(time.Now().Add(guardTime)); err != nil {
		t.Fatal(err)
	}
	n, info, err := from.Receive(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n], info
}

// textOf returns the text of an echo reply.
func textOf(m nlmsg.Msg) string {
	text, _ := nla.Find(m.Attrs(4), docexmpl.AttrMsg).CString()
	return string(text)
}
