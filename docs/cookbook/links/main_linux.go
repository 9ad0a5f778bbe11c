// Command links lists the network links with index, name, MTU and MAC address.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"os"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/socket"
	"golang.org/x/sys/unix"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	c, err := conn.Open(socket.Route)
	if err != nil {
		return err
	}
	defer c.Close()
	links, err := list(ctx, c)
	if err != nil {
		return err
	}
	for _, l := range links {
		fmt.Fprintf(out, "%d %s mtu %d mac %s\n", l.index, l.name, l.mtu, l.mac)
	}
	return nil
}

type link struct {
	index uint64
	name  string
	mtu   uint32
	mac   net.HardwareAddr
}

// list returns all links. If a link changes during the dump, the kernel marks the dump as
// inconsistent, and Dump repeats it.
func list(ctx context.Context, c *conn.Conn) (links []link, err error) {
	const skipStats = 8 // RTEXT_FILTER_SKIP_STATS: omit the counters
	r := c.Request(unix.RTM_GETLINK, 0, make([]byte, unix.SizeofIfInfomsg))
	defer r.Release()
	r.Op = "list links"
	r.B = nla.AppendUint32(r.B, unix.IFLA_EXT_MASK, skipStats)

	attrs := nla.NewTable(unix.IFLA_MTU) // reused for every message
	again := func() { links = nil }
	for m, err := range c.Dump(ctx, r, conn.Retry(3, again)) {
		if err != nil {
			return nil, err
		}
		// struct ifinfomsg of linux/rtnetlink.h: ifi_index is at offset 4.
		index, err := nla.FieldUint(m.Payload(), 4, 4, binary.NativeEndian)
		if err != nil {
			return nil, err
		}
		if err := attrs.Read(m.Attrs(unix.SizeofIfInfomsg)); err != nil {
			return nil, err
		}
		links = append(links, link{
			index: index,
			name:  string(attrs.Text(unix.IFLA_IFNAME)), // a copy: attrs contains views
			mtu:   attrs.Uint32(unix.IFLA_MTU),
			mac:   append(net.HardwareAddr(nil), attrs.Bytes(unix.IFLA_ADDRESS)...),
		})
	}
	return links, nil
}
