package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"golang.org/x/sys/unix"
)

// The program prints into a pipe. While the test does not read from it, the program does not
// read its notifications, and the kernel must drop some. The program still prints all routes.
func TestRoutes(t *testing.T) {
	kerneltest.EnterNetNS(t)
	c, err := conn.Open(socket.Route) // in the namespace, also for other goroutines
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := setLoopback(t.Context(), c, true); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	in, out := io.Pipe()
	driven := make(chan error, 1)
	go func() {
		driven <- drive(ctx, c, bufio.NewScanner(in))
		in.Close() // a program that still prints gets an error instead of waiting
		cancel()
	}()
	if err := run(ctx, out); !errors.Is(err, context.Canceled) {
		t.Errorf("run: %v", err)
	}
	out.Close()
	if err := <-driven; err != nil {
		t.Error(err)
	}
}

// drive changes the routes and compares the lines of the program.
func drive(ctx context.Context, c *conn.Conn, lines *bufio.Scanner) error {
	const many = 4000
	for !strings.HasSuffix(lines.Text(), " routes") { // the end of the first list
		if !lines.Scan() {
			return fmt.Errorf("the output ends before the number of routes: %v", lines.Err())
		}
	}
	for i := range many {
		if err := addRoute(ctx, c, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)); err != nil {
			return err
		}
	}
	printed, lost := map[string]bool{}, false
	for len(printed) < many {
		if !lines.Scan() {
			return fmt.Errorf("the output ends after %d routes: %v", len(printed), lines.Err())
		}
		line := lines.Text()
		lost = lost || strings.HasPrefix(line, "notifications lost")
		if strings.HasPrefix(line, "new 10.") {
			if printed[line] {
				return fmt.Errorf("twice: %s", line)
			}
			printed[line] = true
		}
	}
	if !lost {
		return errors.New("no notification was lost: the test needs more routes")
	}

	// The kernel removes the routes of a link that goes down without a notification.
	if err := setLoopback(ctx, c, false); err != nil {
		return err
	}
	for len(printed) > 0 {
		if !lines.Scan() {
			return fmt.Errorf("the output ends with %d routes left: %v", len(printed), lines.Err())
		}
		if rest, ok := strings.CutPrefix(lines.Text(), "del 10."); ok {
			delete(printed, "new 10."+rest)
		}
	}
	return nil
}

func setLoopback(ctx context.Context, c *conn.Conn, up bool) error {
	h := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(h[4:], 1) // ifi_index
	if up {
		binary.NativeEndian.PutUint32(h[8:], unix.IFF_UP) // ifi_flags
	}
	binary.NativeEndian.PutUint32(h[12:], unix.IFF_UP) // ifi_change
	r := c.Request(unix.RTM_NEWLINK, nlmsg.FlagAck, h)
	defer r.Release()
	_, err := c.Do(ctx, r)
	return err
}

func addRoute(ctx context.Context, c *conn.Conn, dst netip.Prefix) error {
	h := []byte{unix.AF_INET, byte(dst.Bits()), 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, unix.RT_SCOPE_LINK, unix.RTN_UNICAST, 0, 0, 0, 0}
	r := c.Request(unix.RTM_NEWROUTE, nlmsg.FlagAck|nlmsg.FlagCreate|nlmsg.FlagExcl, h)
	defer r.Release()
	r.B = nla.AppendAddr(r.B, unix.RTA_DST, dst.Addr())
	r.B = nla.AppendUint32(r.B, unix.RTA_OIF, 1)
	_, err := c.Do(ctx, r)
	return err
}
