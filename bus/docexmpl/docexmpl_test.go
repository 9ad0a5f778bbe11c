package docexmpl_test

import (
	"bytes"
	"errors"
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
