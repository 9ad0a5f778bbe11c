package usersock

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// A process that knows the sequence number and both port IDs sends an error, an ACK and a
// reply before the server replies. The client ignores them.
func TestForgedAnswersAreNotBelieved(t *testing.T) {
	var forge atomic.Pointer[func(*bus.Info)]
	w := serve(t, bus.New(bus.WithBefore(func(i *bus.Info) { (*forge.Load())(i) })))
	third := w.socket()
	f := func(i *bus.Info) {
		fake := w.family.Begin(nil, 0, i.Seq, i.PortID, docexmpl.CmdEcho)
		fake = nlmsg.End(nla.AppendCString(fake, docexmpl.AttrMsg, "forged"), 0)
		opts := nlmsg.AckOptions{PortID: i.PortID, Cap: true}
		for _, b := range [][]byte{
			nlmsg.AppendAck(nil, &nlmsg.ExtAck{Errno: 2, Request: i.Msg}, opts), fake, nlmsg.AppendAck(nil, &nlmsg.ExtAck{Request: i.Msg}, opts),
			plain(nil, nlmsg.TypeOverrun, i.PortID), control{command: cmdBye, portID: i.PortID}.append(nil, 0, 0),
			appendInfo(nil, i.PortID, &socket.Info{Groups: 1}),
		} {
			if err := third.SendTo(b, socket.Addr{PortID: i.PortID}); err != nil {
				t.Error(err)
			}
		}
	}
	forge.Store(&f)
	c, first := w.conn()
	for range 10 {
		wantEcho(w, c, "true")
	}
	if got, s := c.Stats().Foreign, first.Stats(); got != 60 || s != (ClientStats{Foreign: 60}) {
		t.Errorf("%d datagrams of other senders, %+v", got, s)
	}
	b, info := nlmsg.Msg(nil), socket.Info{}
	if err := third.SendTo(plain(nil, nlmsg.TypeNoop, 1), socket.Addr{PortID: first.PortID()}); err != nil {
		t.Fatal(err)
	}
	if b, info = receive(t, first); info.PortID != third.PortID() || b.Type() != nlmsg.TypeNoop {
		t.Errorf("%v from %+v", b, info)
	}
}

// Datagrams without a sender would look like datagrams of the bus. The kernel does not send
// them here, so the test injects them after the socket.
func TestNoSenderIsNotTheBus(t *testing.T) {
	w := serve(t, bus.New())
	c := w.dial()
	left := 2
	err := c.fetch(func([]byte) (int, socket.Info, error) {
		if left--; left < 0 {
			return 0, socket.Info{}, socket.ErrEmpty
		}
		return 20, socket.Info{Size: 20}, nil
	})
	if s := c.Stats(); err != socket.ErrEmpty || s.Kernel != 2 {
		t.Errorf("error %v, %+v", err, s)
	}
	if err := w.server.take(w.appendEcho(nil, 0, 1, "x"), 0); err != nil {
		t.Error(err)
	}
	if s := w.server.Stats(); s.Kernel != 1 || s.Requests != 0 {
		t.Errorf("%+v", s)
	}
}

// Only the client and its registered second socket control it.
func TestOthersDoNotControl(t *testing.T) {
	w := serve(t, bus.New())
	c := w.dial()
	stranger := w.dial()
	group := w.family.GroupID(0)
	for _, m := range []control{
		{cmdJoin, c.PortID(), group}, {cmdBye, c.PortID(), 0}, {cmdSetFlag, c.PortID(), uint32(socket.ExtAck)},
		{cmdSetBuffer, c.PortID(), 1}, {cmdLeave, c.PortID(), group}, {99, c.PortID(), 0}, {cmdJoin, 4711, group},
	} {
		for _, s := range []*socket.Socket{stranger.sock, stranger.second, w.socket()} {
			if e := command(t, w, s, m); e != errno.EPERM {
				t.Errorf("%+v: %v", m, e)
			}
		}
	}
	if w.family.HasListeners(0) {
		t.Error("another client could join the group for it")
	}
	// Registering another client's second socket gives no control over that client.
	if errno := command(t, w, stranger.sock, control{cmdHello, 0, c.second.PortID()}); errno != 0 {
		t.Fatal(errno)
	}
	if err := c.Join(group); err != nil || !w.family.HasListeners(0) {
		t.Errorf("join: %v", err)
	}
	if errno := command(t, w, c.sock, control{cmdLeave, c.PortID(), group}); errno != 0 || w.family.HasListeners(0) {
		t.Errorf("leave: %v", errno)
	}
	if e := command(t, w, c.sock, control{99, c.PortID(), 0}); e != errno.EOPNOTSUPP {
		t.Errorf("unknown command: %v", e)
	}
}

// command sends a control message from a socket and returns the errno of the reply.
func command(t *testing.T, w *world, s *socket.Socket, m control) errno.Errno {
	t.Helper()
	if err := s.SendTo(m.append(nil, nlmsg.FlagRequest|nlmsg.FlagAck, 99), socket.Addr{PortID: w.id}); err != nil {
		t.Fatal(err)
	}
	b, _ := receive(t, s)
	a, err := nlmsg.ParseAck(b)
	if err != nil || nlmsg.Msg(b).Seq() != 99 {
		t.Fatalf("answer %v, %v", nlmsg.Msg(b), err)
	}
	return errno.Errno(a.Errno)
}

// If a server ends before it has received a client's hello, the client does not wait for
// it.
func TestDialOfAServerThatEnds(t *testing.T) {
	w := &world{t: t}
	deaf := w.socket()
	dialed := make(chan error, 1)
	s := w.socket()
	go func() {
		_, err := NewClient(s, deaf.PortID())
		dialed <- err
	}()
	receive(t, deaf) // the hello, which is not answered
	if err := deaf.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-dialed; !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v", err)
	}
}

// Datagrams from another port of the bus keep that port's ID.
func TestPortsOfTheBusAreMarked(t *testing.T) {
	w := serve(t, bus.New())
	p, err := w.bus.Open()
	if err != nil {
		t.Fatal(err)
	}
	c, raw := w.dial(), w.socket()
	if err := raw.SendTo(w.appendEcho(nil, 0, 1, "x"), socket.Addr{PortID: w.id}); err != nil {
		t.Fatal(err)
	}
	receive(t, raw)
	for _, to := range []uint32{c.PortID(), raw.PortID()} {
		if err := p.SendTo(to, w.appendEcho(nil, 0, 5, "from a port")); err != nil {
			t.Fatal(err)
		}
	}
	if b, info := receive(t, c); textOf(b) != "from a port" || info != (socket.Info{PortID: p.PortID(), Size: len(b)}) {
		t.Errorf("%q with %+v", textOf(b), info)
	}
	await(t, "the datagram is counted", func() bool { return w.server.Stats().Foreign == 1 })
	if _, _, err := raw.TryReceive(nil); err != socket.ErrEmpty {
		t.Errorf("error %v", err)
	}
}

// A socket without control messages becomes a client with its first datagram.
func TestPlainSocketIsAClient(t *testing.T) {
	w := serve(t, bus.New())
	s := w.socket()
	request := w.appendEcho(w.appendEcho(nil, 0, 1, "one"), nlmsg.FlagAck, 2, "two")
	if err := s.SendTo(request, socket.Addr{PortID: w.id}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"one", "two"} {
		if b, info := receive(t, s); textOf(b) != want || nlmsg.Msg(b).Seq() != uint32(i+1) || info.PortID != w.id {
			t.Errorf("%q from %+v", textOf(b), info)
		}
	}
	if b, _ := receive(t, s); nlmsg.Msg(b).Type() != nlmsg.TypeError {
		t.Errorf("%v", nlmsg.Msg(b))
	}
}

// Random datagrams do not stop the server.
func TestRubbish(t *testing.T) {
	w := serve(t, bus.New())
	c, _ := w.conn()
	s := w.socket()
	random := rand.New(rand.NewPCG(1, 2))
	valid := [][]byte{
		w.appendEcho(nil, nlmsg.FlagAck, 1, "x"), control{cmdJoin, s.PortID(), 3}.append(nil, nlmsg.FlagRequest|nlmsg.FlagAck, 1),
		control{cmdHello, s.PortID(), 3}.append(nil, nlmsg.FlagRequest|nlmsg.FlagAck, 1), plain(nil, typeControl, 1), plain(nil, nlmsg.TypeOverrun, 1),
	}
	b := make([]byte, socket.BufferSize)
	for range 5000 {
		data := bytes.Clone(valid[random.IntN(len(valid))])
		for range random.IntN(4) {
			data[random.IntN(len(data))] = byte(random.Uint32())
		}
		data = data[:1+random.IntN(len(data))]
		if err := s.SendTo(data, socket.Addr{PortID: w.id}); err != nil {
			t.Fatal(err)
		}
		for err := error(nil); err == nil; {
			_, _, err = s.TryReceive(b)
		}
	}
	wantEcho(w, c, "still there")
	if got := w.server.Stats(); got.Malformed == 0 || got.Refused == 0 || got.Requests < 2 {
		t.Errorf("%+v", got)
	}
}

// A client that repeatedly sends hello and bye with a full socket uses at most one
// goroutine.
func TestFullSocketsCostOneGoroutine(t *testing.T) {
	w := serve(t, bus.New())
	s := w.socket(socket.WithReceiveBuffer(1))
	sendTo := func(b []byte) {
		if err := s.SendTo(b, socket.Addr{PortID: w.id}); err != nil {
			t.Fatal(err)
		}
	}
	before := runtime.NumGoroutine()
	for range 50 {
		sendTo(control{cmdHello, s.PortID(), 0}.append(nil, nlmsg.FlagRequest, 1))
		for range 20 {
			sendTo(w.appendEcho(nil, 0, 1, strings.Repeat("x", 200)))
		}
		sendTo(control{cmdBye, s.PortID(), 0}.append(nil, nlmsg.FlagRequest, 1))
	}
	c, _ := w.conn() // served after all these datagrams
	wantEcho(w, c, "served")
	if n := runtime.NumGoroutine(); n > before+4 {
		t.Errorf("%d goroutines, before %d", n, before)
	}
	if n := w.server.Stats().Clients; n < 1 || n > 2 { // the last bye may have ended the first client
		t.Errorf("%d clients", n)
	}
}

// The places of clients that closed their socket without a bye are freed when one is
// needed.
func TestPlaces(t *testing.T) {
	w := serve(t, bus.New(), WithMaxClients(2))
	request := w.appendEcho(nil, 0, 1, "x")
	var all []*socket.Socket
	for range 2 {
		s := w.socket()
		if err := s.SendTo(request, socket.Addr{PortID: w.id}); err != nil {
			t.Fatal(err)
		}
		receive(t, s)
		all = append(all, s)
	}
	all[0].Close()
	c := w.dial() // gets the place of all[0]
	s := w.socket()
	if _, err := NewClient(s, w.id); !errors.Is(err, errno.EUSERS) {
		t.Errorf("error %v", err)
	}
	s = w.socket()
	if err := s.SendTo(request, socket.Addr{PortID: w.id}); err != nil {
		t.Fatal(err)
	}
	b, _ := receive(t, s)
	if a, err := nlmsg.ParseAck(b); err != nil || a.Errno != errno.EUSERS || nlmsg.Msg(b).Seq() != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	c.Close() // sends a bye
	await(t, "a place is free", func() bool { return w.server.Stats().Clients == 1 })
	if got := w.server.Stats(); got.Gone != 1 || got.Refused == 0 {
		t.Errorf("%+v", got)
	}
	w.dial()
}

// envClient makes the test binary a client of a server: see TestKilledClient.
const envClient = "NLWIRE_USERSOCK_CLIENT"

// The server detects that a client was killed during a dump and with a full queue, and
// continues to serve the other clients.
func TestKilledClient(t *testing.T) {
	if id, err := strconv.ParseUint(os.Getenv(envClient), 10, 32); err == nil {
		beKilled(t, uint32(id))
	}
	w := serveHere(t, bus.New(), nil) // in the namespace of the other process
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run", "^TestKilledClient$")
	cmd.Env = append(os.Environ(), envClient+"="+strconv.Itoa(int(w.id)))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if n, err := out.Read(make([]byte, 1)); n != 1 {
		t.Errorf("the client did not start: %v", err)
	}
	c, _ := w.conn()
	wantEcho(w, c, "before")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	await(t, "the server has detected the killed client", func() bool {
		wantEcho(w, c, "to the dead")
		return w.server.Stats().Gone == 1
	})
	await(t, "the group has no members", func() bool { return !w.family.HasListeners(0) })
}

func beKilled(t *testing.T, server uint32) {
	c, err := Dial(server)
	if err != nil {
		t.Fatal(err)
	}
	for group := range uint32(40) {
		_ = c.Join(group) // one of them is the group of DOC_EXMPL
	}
	request := nlmsg.Begin(nil, 16, nlmsg.FlagRequest|nlmsg.FlagDump, 1, 0)
	request = nlmsg.End(append(request, 3, 2, 0, 0), 0)
	if err := c.Send(request); err != nil {
		t.Fatal(err)
	}
	os.Stdout.Write([]byte("!"))
	_, _ = io.Copy(io.Discard, os.Stdin) // blocks until the process is killed
	os.Exit(1)
}
