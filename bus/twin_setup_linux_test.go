package bus

import (
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// addBridges adds devices, so that dumps do not fit into one datagram. It returns the names
// of all devices.
func addBridges(t *testing.T, n int) map[uint32]string {
	t.Helper()
	c, err := conn.Open(socket.Route)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	devices := map[uint32]string{1: "lo"}
	for i := range n {
		name, index := "twin"+strconv.Itoa(i), uint32(100+i)
		addBridge(t, c, name, index)
		devices[index] = name
	}
	return devices
}

func addBridge(t *testing.T, c *conn.Conn, name string, index uint32) {
	t.Helper()
	r := c.Request(unix.RTM_NEWLINK, nlmsg.FlagRequest|nlmsg.FlagAck|nlmsg.FlagCreate|nlmsg.FlagExcl, linkHeader(index))
	defer r.Release()
	r.B = nla.AppendCString(r.B, unix.IFLA_IFNAME, name)
	mark := len(r.B)
	r.B = nla.Begin(r.B, unix.IFLA_LINKINFO)
	r.B = nla.End(nla.AppendCString(r.B, unix.IFLA_INFO_KIND, "bridge"), mark)
	if _, err := c.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func deleteLink(t *testing.T, c *conn.Conn, index uint32) {
	t.Helper()
	r := c.Request(unix.RTM_DELLINK, nlmsg.FlagRequest|nlmsg.FlagAck, linkHeader(index))
	defer r.Release()
	if _, err := c.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func linkHeader(index uint32) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	return append(append(b[:4:4], nla.AppendUint32(nil, 0, index)[4:]...), b[8:]...)
}
