// Command features prints the enabled offload features of a link, or turns one on or off:
//
//	features eth0
//	features eth0 tx-checksum-ip-generic off
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
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
	c, err := conn.Open(socket.Generic)
	if err != nil {
		return err
	}
	defer c.Close()
	ethtool, err := ctrl.New(c).Family(ctx, unix.ETHTOOL_GENL_NAME)
	if err != nil {
		return err
	}
	switch {
	case len(args) == 1:
		return list(ctx, c, &ethtool, out, args[0])
	case len(args) == 3 && (args[2] == "on" || args[2] == "off"):
		return set(ctx, c, &ethtool, args[0], args[1], args[2] == "on")
	}
	return errors.New("usage: features LINK [FEATURE on|off]")
}

// list reads nests inside nests:
//
//	request  FEATURES_GET       { HEADER { DEV_NAME } }
//	reply    FEATURES_GET_REPLY { ..., ACTIVE { NOMASK, SIZE, BITS { BIT { INDEX, NAME } ... } } }
func list(ctx context.Context, c *conn.Conn, ethtool *ctrl.Family, out io.Writer, link string) error {
	r := ethtool.Request(c, unix.ETHTOOL_MSG_FEATURES_GET, 0)
	defer r.Release()
	r.Op = "features of " + link
	r.B = appendHeader(r.B, link)
	m, err := c.Do(ctx, r)
	if err != nil {
		return err
	}
	// Find returns nil for an absent attribute, and the payload of nil is empty.
	active := nla.Find(genlmsg.Attrs(m, 0), unix.ETHTOOL_A_FEATURES_ACTIVE)
	bits := nla.Find(active.Payload(), unix.ETHTOOL_A_BITSET_BITS)
	cursor := nla.Walk(bits.Payload())
	for ; cursor.More(); cursor = cursor.Next() {
		name, err := nla.Find(cursor.Attr().Payload(), unix.ETHTOOL_A_BITSET_BIT_NAME).Text()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\n", name)
	}
	return cursor.Err()
}

// set writes nests inside nests. The mark of a nest is the length of the buffer before it:
//
//	request  FEATURES_SET { HEADER { DEV_NAME }, WANTED { BITS { BIT { NAME, VALUE } } } }
func set(ctx context.Context, c *conn.Conn, ethtool *ctrl.Family, link, feature string, on bool) error {
	r := ethtool.Request(c, unix.ETHTOOL_MSG_FEATURES_SET, nlmsg.FlagAck)
	defer r.Release()
	r.Op = "set " + feature + " of " + link
	b := appendHeader(r.B, link)
	wanted := len(b)
	b = nla.Begin(b, unix.ETHTOOL_A_FEATURES_WANTED)
	bits := len(b)
	b = nla.Begin(b, unix.ETHTOOL_A_BITSET_BITS)
	bit := len(b)
	b = nla.Begin(b, unix.ETHTOOL_A_BITSET_BITS_BIT)
	b = nla.AppendCString(b, unix.ETHTOOL_A_BITSET_BIT_NAME, feature)
	if on {
		b = nla.AppendFlag(b, unix.ETHTOOL_A_BITSET_BIT_VALUE)
	}
	b = nla.End(b, bit)
	b = nla.End(b, bits)
	r.B = nla.End(b, wanted)
	_, err := c.Do(ctx, r)
	return err
}

func appendHeader(b []byte, link string) []byte {
	header := len(b)
	b = nla.Begin(b, unix.ETHTOOL_A_FEATURES_HEADER)
	b = nla.AppendCString(b, unix.ETHTOOL_A_HEADER_DEV_NAME, link)
	return nla.End(b, header)
}
