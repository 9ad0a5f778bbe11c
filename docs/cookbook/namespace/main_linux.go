// Command namespace connects another network namespace to the present one by a pair of
// virtual links, and prints the links of the other namespace:
//
//	ip netns add blue
//	namespace /run/netns/blue
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"golang.org/x/sys/unix"
)

func main() {
	if err := run(context.Background(), os.Stdout, os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: namespace FILE, such as /run/netns/NAME or /proc/PID/ns/net")
	}
	ns, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer ns.Close()
	here, err := conn.Open(socket.Route)
	if err != nil {
		return err
	}
	defer here.Close()
	if err := connect(ctx, here, "here", "there", ns); err != nil {
		return err
	}

	// A socket stays in the namespace in which it was opened. Every goroutine can use this
	// Conn, and none has to enter the other namespace.
	there, err := conn.Open(socket.Route, conn.WithSocket(socket.WithNetNS(int(ns.Fd()))))
	if err != nil {
		return err
	}
	defer there.Close()
	r := there.Request(unix.RTM_GETLINK, 0, make([]byte, unix.SizeofIfInfomsg))
	defer r.Release()
	r.Op = "list links of " + args[0]
	for m, err := range there.Dump(ctx, r) {
		if err != nil {
			return err
		}
		name, err := nla.Find(m.Attrs(unix.SizeofIfInfomsg), unix.IFLA_IFNAME).Text()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\n", name)
	}
	return nil
}

// connect adds a veth pair with one end in another namespace:
//
//	NEWLINK { IFNAME, LINKINFO { KIND "veth", DATA { PEER { ifinfomsg, IFNAME, NET_NS_FD } } } }
func connect(ctx context.Context, c *conn.Conn, name, peer string, ns *os.File) error {
	const vethInfoPeer = 1 // VETH_INFO_PEER of linux/veth.h
	ifinfomsg := make([]byte, unix.SizeofIfInfomsg)
	r := c.Request(unix.RTM_NEWLINK, nlmsg.FlagAck|nlmsg.FlagCreate|nlmsg.FlagExcl, ifinfomsg)
	defer r.Release()
	r.Op = "add link " + name
	b := nla.AppendCString(r.B, unix.IFLA_IFNAME, name)
	info := len(b)
	b = nla.Begin(b, unix.IFLA_LINKINFO)
	b = nla.AppendCString(b, unix.IFLA_INFO_KIND, "veth")
	data := len(b)
	b = nla.Begin(b, unix.IFLA_INFO_DATA)
	other := len(b)
	b = nla.Begin(b, vethInfoPeer)
	b = append(b, ifinfomsg...) // this nest begins with a fixed header
	b = nla.AppendCString(b, unix.IFLA_IFNAME, peer)
	b = nla.AppendUint32(b, unix.IFLA_NET_NS_FD, uint32(ns.Fd()))
	b = nla.End(b, other)
	b = nla.End(b, data)
	r.B = nla.End(b, info)
	_, err := c.Do(ctx, r)
	return err
}
