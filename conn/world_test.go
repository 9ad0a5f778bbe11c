package conn

import (
	"context"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/kerneltest"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// A world is the peer of a test: the running kernel or a bus. It has the controller of
// Generic Netlink and two lists that nothing else changes. One has entries by number (the
// kernel's IPv4 routes). The other has links by name and initially one link; its dumps are
// marked as inconsistent if a link is added meanwhile.
type world interface {
	// generic makes a Conn to the controller.
	generic(tb testing.TB) *Conn
	// victim opens a Transport to the controller. lie sends forged datagrams to it.
	victim(tb testing.TB) (t Transport, lie func(b []byte) error)

	// open makes a Conn to the lists. receiveBuffer is its receive buffer in bytes; 0 is
	// the default. Further Transports have the same properties.
	open(tb testing.TB, receiveBuffer int, flags ...socket.Flag) *Conn
	// dial opens a Transport to the lists.
	dial() (wire, error)

	nothing(c *Conn) *Request // a request that changes nothing and is acknowledged
	// add makes a request for an entry, with nlmsg.FlagCreate, Excl and Replace. Without
	// nlmsg.FlagAck only a refusal is answered.
	add(c *Conn, flags nlmsg.Flags, i int) *Request
	remove(c *Conn, flags nlmsg.Flags, i int) *Request
	list(c *Conn) *Request
	// entry parses an entry in a list or a notification.
	entry(m nlmsg.Msg) (i uint32, isThere, ok bool)

	addLink(c *Conn, name string) *Request
	listLinks(c *Conn) *Request
	isLink(m nlmsg.Msg) bool

	// groups returns the multicast groups that receive changes.
	groups() (entries, links uint32)
}

// wire is a Transport with all optional methods.
type wire interface {
	Transport
	joiner
	bufferer
}

// onBoth runs a test on the running kernel and on a bus.
func onBoth(t *testing.T, f func(t *testing.T, w world)) {
	t.Helper()
	t.Run("kernel", func(t *testing.T) { f(t, newKernel(t)) })
	t.Run("bus", func(t *testing.T) { f(t, newBus(t)) })
}

// The errnos in answers, with the numbers of Linux.
const (
	errSearch    = errno.ESRCH
	errBusy      = errno.EBUSY
	errExist     = errno.EEXIST
	errInvalid   = errno.EINVAL
	errRange     = errno.ERANGE
	errOperation = errno.EOPNOTSUPP
)

// ctrlRequest makes a request to the controller.
func ctrlRequest(c *Conn, flags nlmsg.Flags, cmd uint8) *Request {
	return c.Request(genlmsg.IDCtrl, nlmsg.FlagRequest|flags, genlmsg.Append(nil, cmd, genlmsg.CtrlVersion))
}

// resolve requests the controller's own family.
func resolve(ctx context.Context, tb testing.TB, c *Conn) {
	var header [genlmsg.HeaderLen]byte
	r := c.Request(genlmsg.IDCtrl, nlmsg.FlagRequest, genlmsg.Append(header[:0], genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion))
	r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName)
	m, err := c.Do(ctx, r)
	if err != nil {
		tb.Fatal(err)
	}
	familyID(tb, m)
	r.Release()
}

func familyID(tb testing.TB, m nlmsg.Msg) {
	id, err := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyID).Uint16()
	if id != genlmsg.IDCtrl || err != nil {
		tb.Fatal(id, err)
	}
}

// thousandGoodRequests checks that requests succeed after a fault.
func thousandGoodRequests(t *testing.T, c *Conn) {
	t.Helper()
	for range 1000 {
		resolve(t.Context(), t, c)
	}
}

// fill adds n entries starting with first, in batches.
func fill(tb testing.TB, w world, c *Conn, first, n int) {
	tb.Helper()
	start := w.nothing(c)
	defer start.Release()
	if _, err := c.Do(tb.Context(), start); err != nil { // sets the link of the routes up
		tb.Fatal(err)
	}
	const perBatch = 500
	for end := first + n; first < end; first += perBatch {
		var batch []*Request
		for i := first; i < min(first+perBatch, end); i++ {
			flags := nlmsg.FlagCreate
			if i == end-1 {
				flags |= nlmsg.FlagAck
			}
			batch = append(batch, w.add(c, flags, i))
		}
		if err := c.Batch(tb.Context(), batch...); err != nil {
			tb.Fatal(err)
		}
		for _, r := range batch {
			r.Release()
		}
	}
}

// count dumps the entries and counts them.
func count(tb testing.TB, w world, c *Conn) (n int) {
	tb.Helper()
	r := w.list(c)
	defer r.Release()
	for m, err := range c.Dump(tb.Context(), r) {
		if err != nil {
			tb.Fatal(err)
		}
		if _, isThere, ok := w.entry(m); ok && isThere {
			n++
		}
	}
	return n
}

// addLink adds a link.
func addLink(t *testing.T, w world, c *Conn, name string) {
	t.Helper()
	r := w.addLink(c, name)
	defer r.Release()
	if _, err := c.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}
