package differential

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
)

// past is an expired deadline.
var past = time.Unix(1, 0)

// getController is a request for the family nlctrl.
var getController = genetlink.Message{
	Header: genetlink.Header{Command: genlmsg.CtrlCmdGetFamily, Version: genlmsg.CtrlVersion},
	Data:   nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, genlmsg.CtrlName),
}

// send sends getController.
func send(t *testing.T, c *client) netlink.Message {
	t.Helper()
	sent, err := c.Send(getController, genlmsg.IDCtrl, netlink.Request)
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

func TestSendCompletesTheHeader(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		first, second := send(t, c), send(t, c)
		want := first.Header
		want.Sequence++
		if diff := cmp.Diff(want, second.Header); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
		if want.PID == 0 || want.PID != c.nl.PID() || want.Length != 32 {
			t.Errorf("header %+v of port %d", want, c.nl.PID())
		}
		for _, sent := range []netlink.Message{first, second} {
			replies, headers, err := c.Receive()
			if err != nil {
				t.Fatal(err)
			}
			if len(replies) != 1 || replies[0].Header != (genetlink.Header{Command: genlmsg.CtrlCmdNewFamily, Version: genlmsg.CtrlVersion}) {
				t.Errorf("replies %+v", replies)
			}
			// Validate also accepts a port ID of 0.
			if h := headers[0].Header; h.Sequence != sent.Header.Sequence || h.PID != sent.Header.PID {
				t.Errorf("sent %+v, received %+v", sent.Header, h)
			}
		}
	})
}

func TestManyRequestsInOneDatagram(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		data, err := getController.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		request := netlink.Message{Header: netlink.Header{Type: genlmsg.IDCtrl, Flags: netlink.Request}, Data: data}
		sent, err := c.nl.SendMessages([]netlink.Message{request, request, request})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range sent {
			replies, err := c.nl.Receive()
			if err != nil || len(replies) != 1 {
				t.Fatalf("%+v, %v", replies, err)
			}
			if err := netlink.Validate(m, replies); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestADumpIsLeft(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		if _, err := c.Send(genetlink.Message{Header: getController.Header}, genlmsg.IDCtrl, netlink.Request|netlink.Dump); err != nil {
			t.Fatal(err)
		}
		for m, err := range c.nl.ReceiveIter() {
			if err != nil || m.Header.Flags&netlink.Multi == 0 {
				t.Fatalf("%+v, %v", m, err)
			}
			break // the library receives the remaining messages
		}
		answersNow(t, c)
	})
}

func TestDeadlines(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		isTimeout := func(what string, err error) {
			t.Helper()
			var op *netlink.OpError
			if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &op) || !op.Timeout() {
				t.Fatalf("%s: %v", what, err)
			}
		}
		set := func(set func(time.Time) error, to time.Time) {
			t.Helper()
			if err := set(to); err != nil {
				t.Fatal(err)
			}
		}
		set(c.SetReadDeadline, time.Now().Add(time.Millisecond))
		_, _, err := c.Receive()
		isTimeout("receive", err)
		set(c.SetWriteDeadline, past)
		_, err = c.Send(getController, genlmsg.IDCtrl, netlink.Request)
		isTimeout("send", err)
		set(c.SetDeadline, past)
		_, err = c.GetFamily("nlctrl")
		isTimeout("execute", err)

		// A queued message stays in the queue after the deadline.
		set(c.SetWriteDeadline, time.Time{})
		sent := send(t, c)
		_, _, err = c.Receive()
		isTimeout("receive with a queued message", err)
		set(c.SetDeadline, time.Time{})
		_, replies, err := c.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.Validate(sent, replies); err != nil {
			t.Error(err)
		}
	})
}

func TestClosedConn(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		for range 2 {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		_, receive := c.nl.Receive()
		_, send := c.Send(getController, genlmsg.IDCtrl, netlink.Request)
		_, execute := c.GetFamily("nlctrl")
		_, buffer := c.nl.ReadBuffer()
		for what, err := range map[string]error{
			"receive": receive, "send": send, "execute": execute, "join": c.JoinGroup(16), "leave": c.LeaveGroup(16),
			"option": c.SetOption(netlink.ExtendedAcknowledge, true), "set buffer": c.SetReadBuffer(4096), "buffer": buffer,
			"deadline": c.SetReadDeadline(past),
		} {
			if !isClosed(err) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestReadBuffer(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		for _, size := range []struct{ asked, got int }{{1 << 14, 1 << 15}, {1, 2304}, {1 << 15, 1 << 16}} {
			if err := c.SetReadBuffer(size.asked); err != nil {
				t.Fatal(err)
			}
			if got, err := c.nl.ReadBuffer(); err != nil || got != size.got {
				t.Errorf("asked for %d, got %d, %v; want %d", size.asked, got, err, size.got)
			}
		}
	})
}

func TestReceiveBufferOverrun(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		if err := c.SetReadBuffer(1 << 13); err != nil {
			t.Fatal(err)
		}
		const requests = 100
		for range requests {
			send(t, c)
		}
		if _, _, err := c.Receive(); !errors.Is(err, unix.ENOBUFS) {
			t.Fatalf("first receive: %v", err)
		}
		// After an overrun, the queue accepts no messages until it is empty.
		fitted := 0
		for ; fitted <= requests; fitted++ {
			sent := send(t, c)
			_, replies, err := c.Receive()
			if err != nil {
				t.Fatal(err)
			}
			if netlink.Validate(sent, replies) == nil {
				break
			}
		}
		if fitted == 0 || fitted >= requests {
			t.Errorf("%d of %d answers were queued", fitted, requests)
		}
		answersNow(t, c)
	})
}

func TestGroupsThatAreNone(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		for _, group := range []uint32{0, 1 << 20, 1<<32 - 1} {
			if err := c.JoinGroup(group); !errors.Is(err, unix.EINVAL) {
				t.Errorf("join %d: %v", group, err)
			}
			if err := c.LeaveGroup(group); !errors.Is(err, unix.EINVAL) {
				t.Errorf("leave %d: %v", group, err)
			}
		}
		for _, change := range []func(uint32) error{c.LeaveGroup, c.JoinGroup, c.JoinGroup, c.LeaveGroup, c.LeaveGroup} {
			if err := change(16); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestOptions(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		c := dial(t, p)
		for _, on := range []bool{true, false} {
			for option := range netlink.GetStrictCheck + 1 {
				if option == netlink.ListenAllNSID && os.Getuid() != 0 {
					continue
				}
				if err := c.SetOption(option, on); err != nil {
					t.Errorf("option %d: %v", option, err)
				}
			}
		}
		if err := c.SetOption(100, true); !errors.Is(err, unix.ENOPROTOOPT) {
			t.Errorf("unknown option: %v", err)
		}
		answersNow(t, c)
	})
}

func TestPortID(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		first := dialWith(t, p, netlink.Config{PID: 1<<31 + 77})
		if id := first.nl.PID(); id != 1<<31+77 {
			t.Errorf("port ID %d", id)
		}
		if c, err := p.dial(t, netlink.Config{PID: 1<<31 + 77}); !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("second Conn with the same port ID: %v, %v", c, err)
		}
		second := dial(t, p)
		if second.nl.PID() == first.nl.PID() || second.nl.PID() == 0 {
			t.Errorf("port IDs %d and %d", first.nl.PID(), second.nl.PID())
		}
		for _, c := range []*client{first, second} {
			if _, err := c.GetFamily("nlctrl"); err != nil {
				t.Error(err)
			}
		}
	})
}

// The library returns an error for operations that a port does not support.
func TestNotSupported(t *testing.T) {
	c := dial(t, newBus(t))
	if err := c.SetBPF(nil); err == nil {
		t.Error("SetBPF returned no error")
	}
	if _, err := c.SyscallConn(); err == nil {
		t.Error("SyscallConn returned no error")
	}
	if err := c.SetWriteBuffer(1 << 14); err == nil {
		t.Error("SetWriteBuffer returned no error")
	}
	answersNow(t, c)
}
