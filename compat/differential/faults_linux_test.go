package differential

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/socket"
)

// TestFaults injects each fault and checks the library's results, which its users would see.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault         bus.Fault
		first, second func(error) bool // checks of two lookups
	}{
		{bus.NoFault, isNil, isNil},
		{bus.Lose, isError(os.ErrDeadlineExceeded), isNil},
		{bus.NoBuffers, isError(unix.ENOBUFS), isNil},
		{bus.Interrupt, isNil, isNil},
		{bus.Truncate, isError(socket.ErrTruncated), isNil},
		{bus.Duplicate, isNil, isOfOp("validate")}, // the second lookup receives the copy as its answer
		{bus.Forge, isSome, isSome},                // the library ignores the sender; the second lookup receives the genuine answer
	}
	for _, test := range tests {
		t.Run(test.fault.String(), func(t *testing.T) {
			c := dial(t, newBus(t, bus.WithFaults(bus.Script(test.fault))))
			for i, is := range []func(error) bool{test.first, test.second} {
				deadline := time.Time{}
				if i == 0 && test.fault == bus.Lose {
					deadline = time.Now().Add(5 * time.Millisecond)
				}
				if err := c.SetReadDeadline(deadline); err != nil {
					t.Fatal(err)
				}
				if f, err := c.GetFamily("nlctrl"); !is(err) {
					t.Errorf("lookup %d: %+v, %v", i, f, err)
				}
			}
		})
	}
}

func isNil(err error) bool  { return err == nil }
func isSome(err error) bool { return err != nil }

func isError(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) }
}

func isOfOp(name string) func(error) bool {
	return func(err error) bool {
		var op *netlink.OpError
		return errors.As(err, &op) && op.Op == name
	}
}

func TestInterruptedDump(t *testing.T) {
	c := dial(t, newBus(t, bus.WithFaults(bus.Script(bus.Inconsistent))))
	for _, want := range []netlink.HeaderFlags{netlink.DumpInterrupted, 0} {
		if _, err := c.Send(genetlink.Message{Header: getController.Header}, genlmsg.IDCtrl, netlink.Request|netlink.Dump); err != nil {
			t.Fatal(err)
		}
		_, messages, err := c.Receive()
		if err != nil || len(messages) != 2 {
			t.Fatalf("%+v, %v", messages, err)
		}
		for _, m := range messages {
			if got := m.Header.Flags & netlink.DumpInterrupted; got != want {
				t.Errorf("flags %v", m.Header.Flags)
			}
		}
	}
}

// A panic in a handler is an error for the requester only.
func TestPanickingHandler(t *testing.T) {
	b := newBus(t)
	f := &bus.Family{Name: "fragile", Ops: []bus.Op{{Cmd: 1, Do: func(*bus.Info) error { panic("no") }}}}
	register(t, b, f)
	c := dial(t, b)
	for range 2 {
		_, err := c.Execute(genetlink.Message{Header: genetlink.Header{Command: 1}}, uint16(f.ID()), netlink.Request|netlink.Acknowledge)
		if !errors.Is(err, unix.EIO) {
			t.Error(err)
		}
	}
	if _, err := dial(t, b).GetFamily(f.Name); err != nil {
		t.Error(err)
	}
}
