package ctrl

import (
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/socket"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// A world is the peer of a test: the Generic Netlink of the running kernel, or a bus.
type world interface {
	// open makes a Conn that can open further Transports. The end of the test closes it.
	open(tb testing.TB) *conn.Conn
	// openApart is open in another network namespace.
	openApart(tb testing.TB) *conn.Conn
	// transport opens a Transport, which the test closes.
	transport(tb testing.TB) conn.Transport
	// client makes a Client that Close closes. The end of the test closes it too.
	client(tb testing.TB) *Client
}

// onBoth runs a test on the running kernel and on a bus.
func onBoth(t *testing.T, f func(t *testing.T, w world)) {
	t.Helper()
	t.Run("kernel", func(t *testing.T) { f(t, newKernel(t)) })
	t.Run("bus", func(t *testing.T) { f(t, newBus(t, families()...)) })
}

// busWorld implements world on a bus.
type busWorld struct{ bus *bus.Bus }

func newBus(tb testing.TB, families ...*bus.Family) busWorld {
	tb.Helper()
	b := bus.New()
	tb.Cleanup(func() { b.Close() })
	for _, f := range families {
		if err := b.Register(f); err != nil {
			tb.Fatal(err)
		}
	}
	return busWorld{b}
}

func (w busWorld) open(tb testing.TB) *conn.Conn { return w.openWith(tb) }

func (w busWorld) openApart(tb testing.TB) *conn.Conn { return w.openWith(tb, bus.WithNetNS(1)) }

func (w busWorld) openWith(tb testing.TB, options ...bus.PortOption) *conn.Conn {
	tb.Helper()
	options = append(options, bus.WithFlags(socket.ExtAck, socket.CapAck))
	dial := func() (conn.Transport, error) { return w.bus.Open(options...) }
	main, err := dial()
	if err != nil {
		tb.Fatal(err)
	}
	c := conn.New(main, conn.WithDialer(dial))
	tb.Cleanup(func() { c.Close() })
	return c
}

func (w busWorld) transport(tb testing.TB) conn.Transport {
	tb.Helper()
	p, err := w.bus.Open()
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func (w busWorld) client(tb testing.TB) *Client {
	tb.Helper()
	return &Client{conn: w.open(tb), own: true}
}
