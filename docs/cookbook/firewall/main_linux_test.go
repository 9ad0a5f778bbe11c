package main

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strconv"
	"testing"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"golang.org/x/sys/unix"
)

func TestFirewall(t *testing.T) {
	kerneltest.EnterNetNS(t)
	loopbackUp(t)
	err := run(t.Context())
	if errors.Is(err, errno.EOPNOTSUPP) || errors.Is(err, errno.EPROTONOSUPPORT) {
		t.Skip("this kernel has no nftables: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		send(t, port)
	}
	send(t, port+1)
	if got := counters(t); len(got) != 1 || got[0] != 3 {
		t.Errorf("counters of the rules: %d, want one of 3 datagrams", got)
	}

	// The second batch is refused as a whole: its rule is not added.
	if err := run(t.Context()); !errors.Is(err, errno.EEXIST) {
		t.Errorf("the same batch again: %v, want EEXIST", err)
	}
	if got := counters(t); len(got) != 1 {
		t.Errorf("%d rules after a refused batch, want 1", len(got))
	}
}

// send sends a datagram to a port where nothing listens. It is delivered, or dropped, within
// the system call.
func send(t *testing.T, port int) {
	t.Helper()
	c, err := net.Dial("udp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
}

// counters returns the packet counter of each rule of the chain.
func counters(t *testing.T) (packets []uint64) {
	t.Helper()
	c := open(t, socket.Netfilter)
	r := c.Request(message(unix.NFT_MSG_GETRULE), 0, []byte{unix.NFPROTO_INET, 0, 0, 0})
	defer r.Release()
	r.B = nla.AppendCString(r.B, unix.NFTA_RULE_TABLE, table)
	r.B = nla.AppendCString(r.B, unix.NFTA_RULE_CHAIN, chain)
	for m, err := range c.Dump(t.Context(), r) {
		if err != nil {
			t.Fatal(err)
		}
		for expr := range nla.All(nla.Find(m.Attrs(4), unix.NFTA_RULE_EXPRESSIONS).Payload()) {
			name, _ := nla.Find(expr.Payload(), unix.NFTA_EXPR_NAME).Text()
			if string(name) != "counter" {
				continue
			}
			n, err := nla.Find(nla.Find(expr.Payload(), unix.NFTA_EXPR_DATA).Payload(), unix.NFTA_COUNTER_PACKETS).BE64()
			if err != nil {
				t.Fatal(err)
			}
			packets = append(packets, n)
		}
	}
	return packets
}

func loopbackUp(t *testing.T) {
	t.Helper()
	c := open(t, socket.Route)
	h := make([]byte, unix.SizeofIfInfomsg)
	for offset, v := range map[int]uint32{4: 1, 8: unix.IFF_UP, 12: unix.IFF_UP} { // index, flags, change
		binary.NativeEndian.PutUint32(h[offset:], v)
	}
	r := c.Request(unix.RTM_NEWLINK, nlmsg.FlagAck, h)
	defer r.Release()
	if _, err := c.Do(context.Background(), r); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, protocol socket.Protocol) *conn.Conn {
	t.Helper()
	c, err := conn.Open(protocol)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
