package usersock

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// echo sends an echo request over a Conn and returns the reply.
func echo(w *world, c *conn.Conn, text string) (string, error) {
	r := c.Request(nlmsg.Type(w.family.ID()), nlmsg.FlagRequest|nlmsg.FlagAck, genlmsg.Append(nil, docexmpl.CmdEcho, docexmpl.Version))
	defer r.Release()
	r.B = nla.AppendCString(r.B, docexmpl.AttrMsg, text)
	m, err := c.Do(w.ctx(), r)
	return textOf(m), err
}

func wantEcho(w *world, c *conn.Conn, text string) {
	w.t.Helper()
	if got, err := echo(w, c, text); got != text || err != nil {
		w.t.Errorf("echo of %q: %q, %v", text, got, err)
	}
}

func TestDocExmpl(t *testing.T) {
	w := serve(t, bus.New())
	c, first := w.conn()
	f, err := ctrl.New(c).Family(w.ctx(), docexmpl.Name)
	if err != nil || f.ID != w.family.ID() {
		t.Fatalf("%+v, %v", f, err)
	}
	wantEcho(w, c, "hello")

	n := 0
	r := c.Request(nlmsg.Type(f.ID), nlmsg.FlagRequest, genlmsg.Append(nil, docexmpl.CmdEcho, docexmpl.Version))
	defer r.Release()
	for m, err := range c.Dump(w.ctx(), r) {
		if want := "dump entry number " + strconv.Itoa(n); err != nil || textOf(m) != want {
			t.Fatalf("%q, want %q, %v", textOf(m), want, err)
		}
		n++
	}
	if n != docexmpl.DumpLen {
		t.Errorf("a dump of %d messages", n)
	}

	group, _ := f.Group(docexmpl.Group)
	sub, err := c.Subscribe(group)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	for i := range 5 {
		wantEcho(w, c, "event "+strconv.Itoa(i))
	}
	n = 0
	for m, err := range sub.All(w.ctx()) {
		if want := "event " + strconv.Itoa(n); err != nil || textOf(m) != want || m.Seq() != 0 {
			t.Fatalf("%q, want %q, %v", textOf(m), want, err)
		}
		if n++; n == 5 {
			break
		}
	}
	if s := c.Stats(); s != (conn.Stats{}) {
		t.Errorf("statistics %+v", s)
	}
	if s := first.Stats(); s != (ClientStats{}) {
		t.Errorf("statistics %+v", s)
	}
	if s := w.server.Stats(); s.Malformed+s.Refused+s.Gone+s.Kernel+s.Lost != 0 || s.Clients == 0 {
		t.Errorf("statistics %+v", s)
	}
}

func TestOptionsReachTheBus(t *testing.T) {
	w := serve(t, bus.New())
	c, first := w.conn()
	r := c.Request(nlmsg.Type(w.family.ID()), nlmsg.FlagRequest, genlmsg.Append(nil, docexmpl.CmdEcho, docexmpl.Version))
	defer r.Release()
	var refusal *conn.Error
	if _, err := c.Do(w.ctx(), r); !errors.As(err, &refusal) || string(refusal.Msg) != "DOC_EXMPL_A_MSG is required" {
		t.Errorf("error %v", err)
	}
	if err := first.SetFlag(socket.ExtAck, false); err != nil {
		t.Fatal(err)
	}
	if on, _ := first.Flag(socket.ExtAck); on {
		t.Error("ExtAck is on")
	}
	if _, err := c.Do(w.ctx(), r); !errors.As(err, &refusal) || string(refusal.Msg) != "" {
		t.Errorf("error %v", err)
	}
	for _, f := range []socket.Flag{socket.ListenAllNSID, socket.BroadcastError, 77, -1} {
		if err := first.SetFlag(f, true); !errors.Is(err, syscall.ENOPROTOOPT) {
			t.Errorf("%v: error %v", f, err)
		}
	}
}

func TestReceiveBufferGrowsUpToTheLimit(t *testing.T) {
	w := serve(t, bus.New(), WithMaxBuffer(500_000))
	c := w.dial()
	before, err := c.ReceiveBuffer()
	if err != nil || before < 2*212992 {
		t.Errorf("%d, %v", before, err)
	}
	for asked, queue := range map[int]int{300_000: 600_000, 1 << 30: 1_000_000} {
		if err := c.SetReceiveBuffer(asked); err != nil || c.queue != queue {
			t.Errorf("asked for %d: queue %d, want %d, %v", asked, c.queue, queue, err)
		}
	}
}

func TestInfoTellsTheGroup(t *testing.T) {
	w := serve(t, bus.New())
	c := w.dial(socket.PacketInfo)
	group := w.family.GroupID(0)
	if err := c.Join(group); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(w.appendEcho(nil, 0, 7, "x")); err != nil {
		t.Fatal(err)
	}
	b, info := receive(t, c)
	if textOf(b) != "x" || info != (socket.Info{Size: len(b), Group: group, Groups: groupMask(group)}) {
		t.Errorf("event %q with %+v", textOf(b), info)
	}
	b, info = receive(t, c)
	if nlmsg.Msg(b).Seq() != 7 || info != (socket.Info{Size: len(b)}) {
		t.Errorf("reply %v with %+v", nlmsg.Msg(b), info)
	}
	if err := c.Leave(group); err != nil {
		t.Fatal(err)
	}
	if w.family.HasListeners(0) {
		t.Error("still a member")
	}
	for _, group := range []uint32{0, 1 << 20} {
		if err := c.Join(group); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("group %d: error %v", group, err)
		}
	}
}

func groupMask(group uint32) uint32 {
	if group > 32 {
		return 0
	}
	return 1 << (group - 1)
}

// Operations that require a capability fail, unless the clients have the capability.
func TestClientsHaveNoCapabilities(t *testing.T) {
	for caps, want := range map[bus.Caps]error{0: syscall.EPERM, bus.Root: nil} {
		w := serve(t, bus.New(), WithCaps(caps))
		f := &bus.Family{
			Name: "admin", Groups: []bus.Group{{Name: "g", Flags: bus.GroupNetAdmin}},
			Ops: []bus.Op{{Cmd: 1, Flags: genlmsg.OpAdmin, Do: func(*bus.Info) error { return nil }}},
		}
		if err := w.bus.Register(f); err != nil {
			t.Fatal(err)
		}
		c, first := w.conn()
		r := c.Request(nlmsg.Type(f.ID()), nlmsg.FlagRequest|nlmsg.FlagAck, genlmsg.Append(nil, 1, 0))
		if _, err := c.Do(w.ctx(), r); !errors.Is(err, want) {
			t.Errorf("caps %d: request: %v", caps, err)
		}
		if err := first.Join(f.GroupID(0)); !errors.Is(err, want) {
			t.Errorf("caps %d: join: %v", caps, err)
		}
	}
}

func TestManyClients(t *testing.T) {
	const clients, echoes = 40, 25
	w := serve(t, bus.New())
	var wg sync.WaitGroup
	for i := range clients {
		c, _ := w.conn()
		wg.Go(func() {
			for n := range echoes {
				wantEcho(w, c, fmt.Sprint(i, n))
			}
		})
	}
	wg.Wait()
	if s := w.server.Stats(); s.Clients != clients || s.Requests != clients*echoes {
		t.Errorf("statistics %+v", s)
	}
}

func TestManyGoroutinesOnOneConn(t *testing.T) {
	w := serve(t, bus.New())
	c, _ := w.conn()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := range 50 {
				wantEcho(w, c, fmt.Sprint(i, n))
			}
		})
	}
	wg.Wait()
}

// A client that does not receive gets an error for its lost datagrams, and delays no other
// client.
func TestSlowClient(t *testing.T) {
	w := serve(t, bus.New())
	slow := w.dial()
	if err := slow.Join(w.family.GroupID(0)); err != nil {
		t.Fatal(err)
	}
	c, _ := w.conn()
	for w.server.bus.Stats().Overruns == 0 {
		wantEcho(w, c, "to everybody")
	}
	b, heard := make([]byte, socket.BufferSize), 0
	for {
		if err := slow.SetReadDeadline(time.Now().Add(guardTime)); err != nil {
			t.Fatal(err)
		}
		_, _, err := slow.Receive(b)
		if errors.Is(err, syscall.ENOBUFS) {
			break
		}
		if heard++; err != nil {
			t.Fatal(err)
		}
	}
	if s := slow.Stats(); heard == 0 || s.Lost != 1 {
		t.Errorf("%d events, %+v", heard, s)
	}
	await(t, "the queue is empty again", func() bool { // it is congested until then
		wantEcho(w, c, "again")
		_, _, err := slow.TryReceive(b)
		return err == nil && textOf(b) == "again"
	})
}

// A reply longer than any buffer is reported as lost; after that, replies of this length
// fit.
func TestLongReply(t *testing.T) {
	w := serve(t, bus.New())
	f := &bus.Family{Name: "long", Ops: []bus.Op{{Cmd: 1, Do: func(i *bus.Info) error {
		b := i.Begin(1)
		for range 3 {
			b = nla.AppendBytes(b, 1, make([]byte, 60_000))
		}
		return i.Reply(b)
	}}}}
	if err := w.bus.Register(f); err != nil {
		t.Fatal(err)
	}
	c, _ := w.conn()
	ask := func() (nlmsg.Msg, error) {
		r := c.Request(nlmsg.Type(f.ID()), nlmsg.FlagRequest, genlmsg.Append(nil, 1, 0))
		return c.Do(w.ctx(), r)
	}
	var loss *conn.LossError
	for try := 0; ; try++ {
		m, err := ask()
		if err == nil {
			if len(m) < 180_000 || try == 0 {
				t.Errorf("%d bytes at try %d", len(m), try)
			}
			return
		}
		if !errors.As(err, &loss) || try == 4 {
			t.Fatal(err)
		}
	}
}

func TestServerEndsInTheMiddle(t *testing.T) {
	w := serve(t, bus.New())
	c, first := w.conn()
	sub, err := c.Subscribe(w.family.GroupID(0))
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan error, 1)
	go func() {
		for _, err := range sub.All(w.ctx()) {
			if err != nil {
				heard <- err
			}
		}
		close(heard)
	}()
	w.stop()
	if err := <-w.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := <-heard; !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("subscription: %v", err)
	}
	if _, err := echo(w, c, "x"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("request: %v", err)
	}
	if err := first.Join(1); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("join: %v", err)
	}
	if _, err := first.Sibling(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("sibling: %v", err)
	}
	if s := w.server.Stats(); s.Clients != 0 {
		t.Errorf("statistics %+v", s)
	}
}

func TestBusClosesInTheMiddle(t *testing.T) {
	w := serve(t, bus.New())
	c := w.dial()
	w.bus.Close()
	if _, _, err := c.Receive(make([]byte, 100)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v", err)
	}
	s := w.socket()
	if err := s.SendTo(w.appendEcho(nil, 0, 1, "x"), socket.Addr{PortID: w.id}); err != nil {
		t.Fatal(err)
	}
	if b, _ := receive(t, s); nlmsg.Msg(b).Type() != nlmsg.TypeError {
		t.Errorf("answer %v", nlmsg.Msg(b))
	}
	if err := <-w.ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
}

func TestServeNeedsUserSock(t *testing.T) {
	s, err := socket.Open(socket.Generic)
	if err != nil {
		t.Fatal(err)
	}
	if err := NewServer(bus.New(), s).Serve(t.Context()); err == nil {
		t.Error("served over another protocol")
	}
}

func TestDialErrors(t *testing.T) {
	if c, err := Dial(0); c != nil || !errors.Is(err, syscall.EINVAL) {
		t.Errorf("%v, %v", c, err)
	}
	if c, err := Dial(1<<31 - 5); c != nil || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, %v", c, err)
	}
}

// A port of the server's process may have the ID that the kernel gives to a client.
func TestPortIDsOfTheServersProcess(t *testing.T) {
	w := serve(t, bus.New())
	s := w.socket()
	p, err := w.bus.Open(bus.WithPortID(s.PortID()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewClient(s, w.id); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("error %v", err)
	}
	first := true
	c, err := dial(func() (*socket.Socket, error) {
		if first {
			first = false
			return w.socket(socket.WithPortID(p.PortID())), nil
		}
		return w.socket(), nil
	}, w.id, nil)
	if err != nil || c.PortID() == p.PortID() {
		t.Fatal(err)
	}
	defer c.Close()
}
