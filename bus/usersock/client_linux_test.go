package usersock

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// A Noop that requests an ACK is a barrier for the replies to earlier requests. The server
// does not treat it as a probe.
func TestNoopIsABarrier(t *testing.T) {
	w := serve(t, bus.New())
	c := w.dial()
	if !c.RepliesLate() {
		t.Error("replies are not late")
	}
	noop := nlmsg.Begin(nil, nlmsg.TypeNoop, nlmsg.FlagRequest|nlmsg.FlagAck, 3, 0)
	for _, b := range [][]byte{w.appendEcho(nil, 0, 1, "one"), w.appendEcho(nil, nlmsg.FlagAck, 2, "two"), nlmsg.End(noop, 0)} {
		if err := c.Send(b); err != nil {
			t.Fatal(err)
		}
	}
	var got []uint32
	for range 4 {
		b, _ := receive(t, c)
		got = append(got, nlmsg.Msg(b).Seq())
		if a, err := nlmsg.ParseAck(b); nlmsg.Msg(b).Type() == nlmsg.TypeError && (err != nil || a.Errno != 0) {
			t.Errorf("errno %d, %v", a.Errno, err)
		}
	}
	if !slices.Equal(got, []uint32{1, 2, 2, 3}) {
		t.Errorf("replies to %v", got)
	}
}

// Wait consumes nothing, drops messages that are not for the receiver, and respects the
// deadline and Close.
func TestClientWait(t *testing.T) {
	w := serve(t, bus.New())
	c := w.dial()
	for range 3 { // probes are not datagrams of the bus
		if err := w.server.sock.TrySendTo(plain(nil, nlmsg.TypeNoop, c.PortID()), socket.Addr{PortID: c.PortID()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Send(w.appendEcho(nil, nlmsg.FlagAck, 9, "x")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Unix(1, 0)
	if err := c.SetReadDeadline(deadline); err != nil || !c.ReadDeadline().Equal(deadline) {
		t.Fatal(err)
	}
	if err := c.Wait(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("wait: %v", err)
	}
	if _, _, err := c.Receive(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("receive: %v", err)
	}
	b := make([]byte, 100)
	if n, _, err := c.TryReceive(b); err != nil || textOf(b[:n]) != "x" {
		t.Errorf("%q, %v", b[:n], err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil || !c.ReadDeadline().IsZero() {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil { // for the ACK
		t.Fatal(err)
	}
	receive(t, c)
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- c.Wait() }()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// A datagram that Wait has fetched is not received after Close.
func TestCloseAfterWait(t *testing.T) {
	w := serve(t, bus.New())
	c := w.dial()
	if err := c.Send(w.appendEcho(nil, 0, 9, "x")); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, err := c.Receive(nil)
	_, _, tried := c.TryReceive(nil)
	for what, err := range map[string]error{"receive": err, "try": tried, "wait": c.Wait(), "close": c.Close(), "send": c.Send([]byte{1})} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
