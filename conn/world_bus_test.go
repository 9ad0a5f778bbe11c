package conn

import (
	"slices"
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// busWorld implements world on a bus. Its family has the two lists. Handlers run under the
// lock that families share.
type busWorld struct {
	bus    *bus.Bus
	family *bus.Family

	entries []uint32 // sorted
	links   []string
	changes uint32 // of the links
}

const (
	cmdAdd = 1 + iota
	cmdRemove
	cmdList
	cmdAddLink
	cmdListLinks
	cmdNothing
	cmdGuarded

	attrNumber = 1
	attrName   = 2
	attrPad    = 3 // padding, up to the length of a message about a route or a link

	routePad, linkPad = 20, 1200

	groupEntries, groupLinks, groupGuarded = 0, 1, 2
)

func newBus(tb testing.TB) *busWorld {
	tb.Helper()
	w := &busWorld{bus: bus.New(), links: []string{"lo"}, changes: 1}
	tb.Cleanup(func() { w.bus.Close() })
	policy := &policy.Policy{Attrs: []policy.Rule{attrNumber: {Kind: policy.KindU32}, attrName: {Kind: policy.KindNULString, Len: 15}}}
	w.family = &bus.Family{
		Name: "lists", Version: 1, Policy: policy,
		ResvStartOp: 0xff, // newer operations do not have the flags for adding
		Groups:      []bus.Group{{Name: "entries"}, {Name: "links"}, {Name: "guarded", Flags: bus.GroupNetAdmin}},
		Ops: []bus.Op{
			{Cmd: cmdAdd, Do: w.doAdd}, {Cmd: cmdRemove, Do: w.doRemove}, {Cmd: cmdList, Dump: w.dumpEntries},
			{Cmd: cmdAddLink, Do: w.doAddLink}, {Cmd: cmdListLinks, Dump: w.dumpLinks},
			{Cmd: cmdNothing, Do: doNothing}, {Cmd: cmdGuarded, Flags: genlmsg.OpAdmin, Do: doNothing},
		},
	}
	if err := w.bus.Register(w.family); err != nil {
		tb.Fatal(err)
	}
	return w
}

func doNothing(*bus.Info) error { return nil }

// doAdd handles a request as the kernel handles a route (fib_table_insert).
func (w *busWorld) doAdd(i *bus.Info) error {
	if err := i.Require(attrNumber); err != nil {
		return err
	}
	number, flags := i.Attrs.Uint32(attrNumber), i.Msg.Flags()
	at, exists := slices.BinarySearch(w.entries, number)
	switch {
	case exists && flags&nlmsg.FlagReplace != 0:
		return nil // it is identical
	case exists:
		return errno.EEXIST
	case flags&nlmsg.FlagCreate == 0:
		return errno.ENOENT
	}
	w.entries = slices.Insert(w.entries, at, number)
	return tellEntry(i, cmdAdd, number)
}

func (w *busWorld) doRemove(i *bus.Info) error {
	number := i.Attrs.Uint32(attrNumber)
	at, exists := slices.BinarySearch(w.entries, number)
	if !exists {
		return errno.ESRCH
	}
	w.entries = slices.Delete(w.entries, at, at+1)
	return tellEntry(i, cmdRemove, number)
}

func tellEntry(i *bus.Info, cmd uint8, number uint32) error {
	b := i.Begin(cmd)
	return i.Notify(groupEntries, appendEntry(b, number))
}

func appendEntry(b []byte, number uint32) []byte {
	var padding [routePad]byte
	return nla.AppendBytes(nla.AppendUint32(b, attrNumber, number), attrPad, padding[:])
}

// dumpEntries continues after the last number, even if that entry was removed.
func (w *busWorld) dumpEntries(d *bus.Dump) error {
	at, _ := slices.BinarySearch(w.entries, uint32(d.Args[0]))
	for _, number := range w.entries[at:] {
		b := d.Begin(nlmsg.FlagMulti, cmdAdd)
		if err := d.End(appendEntry(b, number)); err != nil {
			return err
		}
		d.Args[0] = int(number) + 1
	}
	return nil
}

func (w *busWorld) doAddLink(i *bus.Info) error {
	name := string(i.Attrs.Text(attrName))
	if slices.Contains(w.links, name) {
		return errno.EEXIST
	}
	w.links = append(w.links, name)
	w.changes++
	b := i.Begin(cmdAddLink)
	return i.Notify(groupLinks, appendLink(b, name))
}

func appendLink(b []byte, name string) []byte {
	var padding [linkPad]byte
	return nla.AppendBytes(nla.AppendCString(b, attrName, name), attrPad, padding[:])
}

func (w *busWorld) dumpLinks(d *bus.Dump) error {
	d.Generation = w.changes
	for ; d.Args[0] < len(w.links); d.Args[0]++ {
		b := d.Begin(nlmsg.FlagMulti, cmdAddLink)
		if err := d.End(appendLink(b, w.links[d.Args[0]])); err != nil {
			return err
		}
	}
	return nil
}

func (w *busWorld) generic(tb testing.TB) *Conn { return w.open(tb, 0) }

func (w *busWorld) open(tb testing.TB, receiveBuffer int, flags ...socket.Flag) *Conn {
	tb.Helper()
	return w.openWith(tb, bus.WithFlags(flags...), func(p *bus.Port) {
		if receiveBuffer != 0 {
			_ = p.SetReceiveBuffer(receiveBuffer) // never fails
		}
	})
}

// openWith makes a Conn. Its ports have the options.
func (w *busWorld) openWith(tb testing.TB, options ...bus.PortOption) *Conn {
	tb.Helper()
	options = append([]bus.PortOption{bus.WithFlags(socket.ExtAck, socket.CapAck)}, options...)
	dial := func() (Transport, error) {
		p, err := w.bus.Open(options...)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
	main, err := dial()
	if err != nil {
		tb.Fatal(err)
	}
	c := New(main, WithDialer(dial))
	tb.Cleanup(func() { c.Close() })
	return c
}

func (w *busWorld) dial() (wire, error) {
	p, err := w.bus.Open(bus.WithFlags(socket.ExtAck))
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (w *busWorld) victim(tb testing.TB) (Transport, func([]byte) error) {
	tb.Helper()
	t, err := w.bus.Open()
	if err != nil {
		tb.Fatal(err)
	}
	liar, err := w.bus.Open()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { liar.Close() })
	return t, func(b []byte) error { return liar.SendTo(t.PortID(), b) }
}

// request makes a request to the family.
func (w *busWorld) request(c *Conn, flags nlmsg.Flags, cmd uint8) *Request {
	var header [genlmsg.HeaderLen]byte
	return c.Request(nlmsg.Type(w.family.ID()), nlmsg.FlagRequest|flags, genlmsg.Append(header[:0], cmd, 1))
}

func (w *busWorld) nothing(c *Conn) *Request { return w.request(c, nlmsg.FlagAck, cmdNothing) }

func (w *busWorld) add(c *Conn, flags nlmsg.Flags, i int) *Request {
	r := w.request(c, flags, cmdAdd)
	r.B = nla.AppendUint32(r.B, attrNumber, uint32(i))
	return r
}

func (w *busWorld) remove(c *Conn, flags nlmsg.Flags, i int) *Request {
	r := w.request(c, flags, cmdRemove)
	r.B = nla.AppendUint32(r.B, attrNumber, uint32(i))
	return r
}

func (w *busWorld) list(c *Conn) *Request { return w.request(c, 0, cmdList) }

func (w *busWorld) entry(m nlmsg.Msg) (i uint32, isThere, ok bool) {
	h, _ := genlmsg.Consume(m.Payload())
	i, err := nla.Find(genlmsg.Attrs(m, 0), attrNumber).Uint32()
	return i, h.Cmd() == cmdAdd, err == nil
}

func (w *busWorld) addLink(c *Conn, name string) *Request {
	r := w.request(c, nlmsg.FlagAck, cmdAddLink)
	r.B = nla.AppendCString(r.B, attrName, name)
	return r
}

func (w *busWorld) listLinks(c *Conn) *Request { return w.request(c, 0, cmdListLinks) }

func (w *busWorld) isLink(m nlmsg.Msg) bool {
	h, _ := genlmsg.Consume(m.Payload())
	return h.Cmd() == cmdAddLink
}

func (w *busWorld) groups() (entries, links uint32) {
	return w.family.GroupID(groupEntries), w.family.GroupID(groupLinks)
}
