package ctrl

import (
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/socket"
)

// kernel implements world on the running kernel.
type kernel struct{}

func newKernel(testing.TB) world { return kernel{} }

func (kernel) open(tb testing.TB) *conn.Conn { return openKernel(tb) }

func (kernel) openApart(tb testing.TB) *conn.Conn {
	tb.Helper()
	return openKernel(tb, socket.WithNetNS(kerneltest.NewNetNS(tb)))
}

func openKernel(tb testing.TB, options ...socket.Option) *conn.Conn {
	tb.Helper()
	c, err := conn.Open(socket.Generic, conn.WithSocket(options...))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

func (kernel) transport(tb testing.TB) conn.Transport {
	tb.Helper()
	s, err := socket.Open(socket.Generic)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func (kernel) client(tb testing.TB) *Client {
	tb.Helper()
	c, err := Open()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}
