// Command routes keeps a copy of the IPv4 routing tables and prints every change, until it
// is interrupted. The copy stays correct when the kernel drops notifications.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"os/signal"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"golang.org/x/sys/unix"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	c, err := conn.Open(socket.Route)
	if err != nil {
		return err
	}
	defer c.Close()

	// Subscribe before the dump, so that no change is missed. When a link or an address is
	// removed, the kernel removes its IPv4 routes without notifications (fib_table_flush), so
	// the notifications of links and addresses are needed, too.
	changes, err := c.Subscribe(unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR)
	if err != nil {
		return err
	}
	defer changes.Close()
	w := &watcher{conn: c, out: out, routes: map[key]route{}, attrs: nla.NewTable(unix.RTA_TABLE)}

	// After ENOBUFS, All calls Resync and then continues with the notifications after the loss.
	changes.Resync = func(ctx context.Context, loss *conn.LossError) error {
		fmt.Fprintln(out, "notifications lost, listing again")
		return w.list(ctx)
	}
	if err := w.list(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, len(w.routes), "routes")

	for m, err := range changes.All(ctx) {
		if err != nil {
			return err
		}
		switch m.Type() {
		case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
			err = w.change(m)
		default: // a link or an address
			if err = w.wait(ctx); err == nil {
				err = w.list(ctx)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// key identifies a route in the kernel, unless several were added with NLM_F_APPEND.
type key struct {
	table  uint32
	dst    netip.Prefix
	tos    uint8
	metric uint32
}

type route struct {
	gateway netip.Addr
	link    uint32
}

type watcher struct {
	conn   *conn.Conn
	out    io.Writer
	routes map[key]route
	attrs  *nla.Table
}

// wait waits until the change of a link or an address is complete. The kernel sends the event
// first and removes the routes afterwards, and newer kernels (such as 7.3) do not make a dump of
// routes wait for that. A request for a link does: it needs the lock (rtnl) that the change holds.
func (w *watcher) wait(ctx context.Context) error {
	const loopback = 1
	h := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(h[4:], loopback) // ifi_index
	r := w.conn.Request(unix.RTM_GETLINK, 0, h)
	defer r.Release()
	r.Op = "get the loopback device"
	_, err := w.conn.Do(ctx, r)
	return err
}

// list dumps the routes and prints the differences from the copy.
func (w *watcher) list(ctx context.Context) error {
	r := w.conn.Request(unix.RTM_GETROUTE, 0, append([]byte{unix.AF_INET}, make([]byte, unix.SizeofRtMsg-1)...))
	defer r.Release()
	r.Op = "list routes"
	routes := map[key]route{}
	for m, err := range w.conn.Dump(ctx, r, conn.Retry(10, func() { clear(routes) })) {
		if err != nil {
			return err
		}
		k, route, err := w.parse(m)
		if err != nil {
			return err
		}
		routes[k] = route
	}
	for k, route := range w.routes {
		if _, ok := routes[k]; !ok {
			w.print("del", k, route)
		}
	}
	for k, route := range routes {
		if old, ok := w.routes[k]; !ok || old != route {
			w.print("new", k, route)
		}
	}
	w.routes = routes
	return nil
}

// change applies a notification. After a dump, the dump may already contain the change.
func (w *watcher) change(m nlmsg.Msg) error {
	k, route, err := w.parse(m)
	if err != nil {
		return err
	}
	old, ok := w.routes[k]
	switch {
	case m.Type() == unix.RTM_DELROUTE && ok:
		delete(w.routes, k)
		w.print("del", k, old)
	case m.Type() == unix.RTM_NEWROUTE && (!ok || old != route):
		w.routes[k] = route
		w.print("new", k, route)
	}
	return nil
}

// parse reads a struct rtmsg of linux/rtnetlink.h and the attributes after it.
func (w *watcher) parse(m nlmsg.Msg) (key, route, error) {
	h := m.Payload()
	if len(h) < unix.SizeofRtMsg {
		return key{}, route{}, fmt.Errorf("message of %d bytes without a struct rtmsg", len(m))
	}
	if err := w.attrs.Read(m.Attrs(unix.SizeofRtMsg)); err != nil {
		return key{}, route{}, err
	}
	dst := w.attrs.Addr(unix.RTA_DST)
	if !dst.IsValid() { // the default route has no RTA_DST
		dst = netip.IPv4Unspecified()
	}
	k := key{w.attrs.Uint32(unix.RTA_TABLE), netip.PrefixFrom(dst, int(h[1])), h[3], w.attrs.Uint32(unix.RTA_PRIORITY)}
	return k, route{w.attrs.Addr(unix.RTA_GATEWAY), w.attrs.Uint32(unix.RTA_OIF)}, nil
}

func (w *watcher) print(what string, k key, r route) {
	fmt.Fprintf(w.out, "%s %v table %d metric %d", what, k.dst, k.table, k.metric)
	if r.gateway.IsValid() {
		fmt.Fprintf(w.out, " via %v", r.gateway)
	}
	fmt.Fprintf(w.out, " link %d\n", r.link)
}
