package docs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/socket"
)

// The code blocks of the README are in this file.

func TestReadmeLinks(t *testing.T) {
	kerneltest.EnterNetNS(t)
	got := output(t, func() error { return printLinks(t.Context()) })
	if !strings.HasPrefix(got, "lo mtu 65536\n") { // some kernels add further links
		t.Errorf("links of a new namespace: %q", got)
	}
}

func printLinks(ctx context.Context) error {
	c, err := conn.Open(socket.Route)
	if err != nil {
		return err
	}
	defer c.Close()
	r := c.Request(syscall.RTM_GETLINK, 0, make([]byte, syscall.SizeofIfInfomsg))
	defer r.Release()
	attrs := nla.NewTable(syscall.IFLA_MTU)
	for m, err := range c.Dump(ctx, r) {
		if err != nil {
			return err // with the kernel's errno and text, and the path of the invalid attribute
		}
		if err := attrs.Read(m.Attrs(syscall.SizeofIfInfomsg)); err != nil {
			return err
		}
		fmt.Printf("%s mtu %d\n", attrs.Text(syscall.IFLA_IFNAME), attrs.Uint32(syscall.IFLA_MTU))
	}
	return nil
}

func TestReadmeFamily(t *testing.T) {
	c, err := ctrl.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	features, err := xdpFeatures(t.Context(), c, 1)
	if errors.Is(err, ctrl.ErrUnknown) {
		t.Skip("needs Linux 6.3, which has the family netdev: ", err)
	}
	if err != nil || features != 0 {
		t.Errorf("XDP features of the loopback link: %#x, %v, want 0", features, err)
	}
	if _, err := xdpFeatures(t.Context(), c, 1<<30); !errors.Is(err, syscall.ENODEV) {
		t.Errorf("XDP features of a link that does not exist: %v, want ENODEV", err)
	}
}

func xdpFeatures(ctx context.Context, c *ctrl.Client, link uint32) (uint64, error) {
	netdev, err := c.Family(ctx, "netdev")
	if err != nil {
		return 0, err
	}
	r := netdev.Request(c.Conn(), 1, 0) // NETDEV_CMD_DEV_GET
	defer r.Release()
	r.B = nla.AppendUint32(r.B, 1, link) // NETDEV_A_DEV_IFINDEX
	m, err := c.Conn().Do(ctx, r)
	if err != nil {
		return 0, err
	}
	return nla.Find(genlmsg.Attrs(m, 0), 3).Uint64() // NETDEV_A_DEV_XDP_FEATURES
}

// output returns what f prints.
func output(t *testing.T, f func() error) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	stdout := os.Stdout
	os.Stdout = w
	err = f()
	os.Stdout = stdout
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
