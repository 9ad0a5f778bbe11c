package conn

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/socket"
)

// The namespace may lose its name and its other users.
func TestNamespaceGone(t *testing.T) {
	netNS := kerneltest.NewNetNS(t)
	again, err := unix.FcntlInt(uintptr(netNS), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := openConn(t, socket.Route, socket.WithNetNS(again))
	unix.Close(again)
	addRoutes(t, c, 20)
	if n := countRoutes(t, c); n < 20 || n > 30 {
		t.Errorf("%d routes: not in the namespace", n)
	}
}
