package docexmpl_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// newConn makes a bus with the family, and a Conn to it.
func newConn(t *testing.T) *conn.Conn {
	t.Helper()
	b := bus.New()
	t.Cleanup(func() { b.Close() })
	if err := b.Register(docexmpl.New()); err != nil {
		t.Fatal(err)
	}
	dial := func() (conn.Transport, error) { return b.Open(bus.WithFlags(socket.ExtAck, socket.CapAck)) }
	main, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	c := conn.New(main, conn.WithDialer(dial))
	t.Cleanup(func() { c.Close() })
	return c
}

func TestEcho(t *testing.T) {
	c := newConn(t)
	f, err := ctrl.New(c).Family(t.Context(), docexmpl.Name)
	if err != nil {
		t.Fatal(err)
	}
	group, ok := f.Group(docexmpl.Group)
	if !ok {
		t.Fatalf("groups %v", f.Groups)
	}
	sub, err := c.Subscribe(group)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	r := c.Request(nlmsg.Type(f.ID), nlmsg.FlagRequest|nlmsg.FlagAck, genlmsg.Append(nil, docexmpl.CmdEcho, docexmpl.Version))
	defer r.Release()
	r.B = nla.AppendCString(r.B, docexmpl.AttrMsg, "hello bus")
	m, err := c.Do(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	isEcho := func(m nlmsg.Msg) {
		t.Helper()
		if text, err := nla.Find(genlmsg.Attrs(m, 0), docexmpl.AttrMsg).CString(); err != nil || !bytes.Equal(text, []byte("hello bus")) {
			t.Errorf("%v: text %q, %v", m, text, err)
		}
	}
	isEcho(m)
	for m, err := range sub.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		isEcho(m)
		break
	}
}

func TestEchoNeedsAText(t *testing.T) {
	c := newConn(t)
	f, err := ctrl.New(c).Family(t.Context(), docexmpl.Name)
	if err != nil {
		t.Fatal(err)
	}
	r := c.Request(nlmsg.Type(f.ID), nlmsg.FlagRequest, genlmsg.Append(nil, docexmpl.CmdEcho, docexmpl.Version))
	defer r.Release()
	_, err = c.Do(t.Context(), r)
	var refusal *conn.Error
	if !errors.As(err, &refusal) || refusal.Errno != 22 || string(refusal.Msg) != "DOC_EXMPL_A_MSG is required" {
		t.Errorf("error %v", err)
	}
}

// A member of the group receives the event of its own request before the reply, and the
// Done of a dump in a separate datagram.
func TestOrder(t *testing.T) {
	b := bus.New()
	defer b.Close()
	f := docexmpl.New()
	if err := b.Register(f); err != nil {
		t.Fatal(err)
	}
	p, err := b.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Join(f.GroupID(0)); err != nil {
		t.Fatal(err)
	}
	send := func(flags nlmsg.Flags) (seqs []uint32, last int) {
		m := nlmsg.Begin(nil, f.ID(), nlmsg.FlagRequest|flags, 7, 0)
		m = nla.AppendCString(genlmsg.Append(m, docexmpl.CmdEcho, 1), docexmpl.AttrMsg, "x")
		if err := p.Send(nlmsg.End(m, 0)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 64<<10)
		for n, _, err := p.TryReceive(buf); err == nil; n, _, err = p.TryReceive(buf) {
			seqs, last = append(seqs, nlmsg.Msg(buf).Seq()), n
		}
		return seqs, last
	}
	if seqs, _ := send(0); !slices.Equal(seqs, []uint32{0, 7}) {
		t.Errorf("sequence numbers %d, want the event with 0, then the reply", seqs)
	}
	if _, last := send(nlmsg.FlagDump); last != nlmsg.HeaderLen+4 {
		t.Errorf("the last datagram of the dump has %d bytes, want only a Done", last)
	}
}
