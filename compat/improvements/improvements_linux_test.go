package improvements

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// improvements contains the checks that the original fails. A check returns an error for wrong
// behavior.
var improvements = map[string]func(t *testing.T) error{
	"recovery after a deadline":            recovery,
	"recovery after a deadline of a dump":  recoveryOfDump,
	"GET with ACK":                         getWithAck,
	"MULTI without DONE":                   multiWithoutDone,
	"notification before the reply":        notification,
	"Send during a blocked Receive":        sendDuringReceive,
	"CAP_ACK with EXT_ACK":                 capAckWithExtAck,
	"forged sender":                        forgedSender,
	"16-bit overflow of MarshalAttributes": overflowMarshal,
	"16-bit overflow of AttributeEncoder":  overflowEncoder,
	"linear time for nests":                linearNests,
	"zero AttributeEncoder":                zeroEncoder,
	"closed errors match os.ErrClosed":     closedErrors,
	"no stale ACK is received after a GET": receiveAfterGet,
}

func TestImprovements(t *testing.T) {
	for name, f := range improvements {
		t.Run(name, func(t *testing.T) {
			err := f(t)
			switch {
			case isOriginal() && err == nil:
				t.Error("the original passes too: remove it from the list of improvements")
			case isOriginal():
				t.Log("the original: ", err)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

// A late reply, after the deadline, must not answer the next request.
func recovery(t *testing.T) error {
	c := dial(t, unix.NETLINK_GENERIC, nil)
	for range 3 {
		must(t, c.SetReadDeadline(time.Unix(1, 0)))
		if _, err := c.Execute(noop); !isTimeout(err) {
			t.Fatalf("Execute after the deadline returned %v", err)
		}
	}
	must(t, c.SetReadDeadline(time.Time{}))
	for range 2 {
		if _, err := c.Execute(noop); err != nil {
			return err
		}
	}
	return nil
}

// An abandoned dump continues with each receive. The kernel rejects another dump until it has ended.
func recoveryOfDump(t *testing.T) error {
	const addresses = 300 // too many for one datagram
	inNamespace(t)
	c := dial(t, unix.NETLINK_ROUTE, nil)
	for i := range byte(addresses / 2) {
		for k := range byte(2) {
			b := append([]byte{unix.AF_INET, 32, 0, 0, 1, 0, 0, 0}, attr(unix.IFA_LOCAL, []byte{10, k, 0, i})...)
			_, err := c.Execute(netlink.Message{Data: b, Header: netlink.Header{
				Type: unix.RTM_NEWADDR, Flags: netlink.Request | netlink.Acknowledge | netlink.Create}})
			must(t, err)
		}
	}
	dump := netlink.Message{Data: []byte{unix.AF_INET, 0, 0, 0, 0, 0, 0, 0},
		Header: netlink.Header{Type: unix.RTM_GETADDR, Flags: netlink.Request | netlink.Dump}}
	for range 2 {
		must(t, c.SetReadDeadline(time.Unix(1, 0)))
		if _, err := c.Execute(dump); !isTimeout(err) {
			t.Fatalf("Execute after the deadline returned %v", err)
		}
		must(t, c.SetReadDeadline(time.Time{}))
		msgs, err := c.Execute(dump)
		if err != nil {
			return err
		}
		if len(msgs) != addresses {
			t.Errorf("%d addresses, want %d", len(msgs), addresses)
		}
	}
	return nil
}

// The kernel acknowledges a GET in a separate datagram after the reply.
func getWithAck(t *testing.T) error {
	c := dial(t, unix.NETLINK_GENERIC, nil)
	for range 2 {
		msgs, err := c.Execute(getFamily(netlink.Acknowledge))
		if err != nil {
			return err
		}
		if len(msgs) != 1 || msgs[0].Header.Type != unix.GENL_ID_CTRL {
			t.Fatalf("%d messages: %+v", len(msgs), msgs)
		}
	}
	return nil
}

// nfacct sets MULTI in the reply to a request for one object and sends no DONE
// (nfnl_acct_fill_info). conntrack does the same.
func multiWithoutDone(t *testing.T) error {
	const typeNew, typeGet = unix.NFNL_SUBSYS_ACCT << 8, unix.NFNL_SUBSYS_ACCT<<8 | 1
	inNamespace(t)
	c := dial(t, unix.NETLINK_NETFILTER, nil)
	body := append([]byte{0, 0, 0, 0}, attr(1, []byte("nlwire\x00"))...)
	_, err := c.Execute(netlink.Message{Data: body, Header: netlink.Header{
		Type: typeNew, Flags: netlink.Request | netlink.Acknowledge | netlink.Create}})
	if err != nil {
		t.Skip("the kernel lacks nfacct: ", err)
	}
	for _, flags := range []netlink.HeaderFlags{0, netlink.Acknowledge} {
		within(t, c, patience)
		msgs, err := c.Execute(netlink.Message{Data: body, Header: netlink.Header{Type: typeGet, Flags: netlink.Request | flags}})
		if err != nil {
			return err
		}
		if len(msgs) != 1 || msgs[0].Header.Flags&netlink.Multi == 0 {
			t.Fatalf("%d messages: %+v", len(msgs), msgs)
		}
	}
	_, err = c.Execute(noop)
	return err
}

// Notifications may be queued on a group member's socket before it sends a request.
func notification(t *testing.T) error {
	inNamespace(t)
	c, other := dial(t, unix.NETLINK_ROUTE, &netlink.Config{Groups: unix.RTMGRP_LINK}), dial(t, unix.NETLINK_ROUTE, nil)
	_, err := other.Execute(link(unix.RTM_NEWLINK, netlink.Acknowledge, true))
	must(t, err)
	within(t, c, guard)
	msgs, err := c.Execute(link(unix.RTM_GETLINK, 0, false))
	if err != nil {
		return err
	}
	if len(msgs) != 1 || msgs[0].Header.PID != c.PID() {
		t.Fatalf("%d messages: %+v", len(msgs), msgs)
	}
	// Neither this notification nor the one of the member's own request is lost.
	_, err = c.Execute(link(unix.RTM_NEWLINK, netlink.Acknowledge, false))
	must(t, err)
	for _, flags := range []uint32{unix.IFF_UP, 0} {
		msgs, err = c.Receive()
		must(t, err)
		if len(msgs) != 1 || msgs[0].Header.Type != unix.RTM_NEWLINK || ne.Uint32(msgs[0].Data[8:])&unix.IFF_UP != flags {
			t.Fatalf("%d messages: %+v, want the notification with the flags %#x", len(msgs), msgs, flags)
		}
	}
	return nil
}

// A Receive waits for a notification, and an Execute waits for the Receive. A Send must not wait for
// the Execute.
func sendDuringReceive(t *testing.T) error {
	c := dial(t, unix.NETLINK_GENERIC, nil)
	received, executed, sent := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() { _, err := c.Receive(); received <- err }()
	waitBlocked(t, "netlink.(*Conn).Receive", "IO wait")
	go func() { _, err := c.Execute(noop); executed <- err }()
	waitBlocked(t, "netlink.(*Conn).Execute", "Mutex", "semacquire")
	go func() { _, err := c.Send(noop); sent <- err }()
	select {
	case err := <-sent:
		must(t, err)
	case <-time.After(patience):
		must(t, c.Close())
		for _, ended := range []chan error{received, executed, sent} {
			<-ended
		}
		return errors.New("Send waits for Execute, which waits for Receive")
	}
	must(t, <-received) // the acknowledgement of the sent message
	must(t, <-executed)
	return nil
}

// With both options, an error contains the request's header and then the extended ACK.
func capAckWithExtAck(t *testing.T) error {
	c := dial(t, unix.NETLINK_ROUTE, nil)
	must(t, c.SetOption(netlink.ExtendedAcknowledge, true))
	must(t, c.SetOption(netlink.CapAcknowledge, true))
	tooShort := attr(unix.IFLA_MTU, []byte{1, 2})
	_, err := c.Execute(link(unix.RTM_GETLINK, 0, false, tooShort...))
	var e *netlink.OpError
	if !errors.As(err, &e) {
		t.Fatalf("the kernel accepted an MTU of two bytes: %v", err)
	}
	return want(errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ERANGE) && e.Message != "", "%v", err)
}

// Without a check of the sender, another process can forge messages of the kernel.
func forgedSender(t *testing.T) error {
	inNamespace(t)
	c := dial(t, unix.NETLINK_GENERIC, nil)
	m := netlink.Message{Header: netlink.Header{Length: 20, Type: unix.GENL_ID_CTRL, Sequence: 7, PID: c.PID()}, Data: make([]byte, 4)}
	b, err := m.MarshalBinary()
	must(t, err)
	sendTo(t, unix.NETLINK_GENERIC, c.PID(), b)
	within(t, c, patience)
	msgs, err := c.Receive()
	if err == nil {
		return want(false, "received %+v from another process", msgs)
	}
	if !isTimeout(err) {
		t.Fatal(err)
	}
	return nil
}

func overflowMarshal(*testing.T) error {
	b, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: 1, Data: make([]byte, 1<<16)}})
	return want(err != nil, "%d bytes, the first ones %x", len(b), b[:min(len(b), 4)])
}

func overflowEncoder(*testing.T) error {
	const longest = 1<<16 - 1 - 4 // payload in bytes
	ae := netlink.NewAttributeEncoder()
	ae.String(1, string(make([]byte, longest)))
	b, err := ae.Encode()
	return want(err != nil && err.Error() == "string is too large to fit in a netlink attribute",
		"%d bytes, the first ones %x, %v", len(b), b[:min(len(b), 4)], err)
}

// The check compares the allocated memory, because times are not reproducible.
func linearNests(t *testing.T) error {
	encode := func(depth int) (bytes uint64) {
		var nest func(ae *netlink.AttributeEncoder, left int)
		nest = func(ae *netlink.AttributeEncoder, left int) {
			ae.Nested(1, func(nae *netlink.AttributeEncoder) error {
				if left > 0 {
					nest(nae, left-1)
				}
				return nil
			})
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ae := netlink.NewAttributeEncoder()
		nest(ae, depth)
		if _, err := ae.Encode(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	few, many := encode(1000), encode(8000)
	return want(many < 16*few, "1,000 nests allocate %d bytes, 8,000 nests %d", few, many)
}

func zeroEncoder(t *testing.T) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = want(false, "panic: %v", p)
		}
	}()
	var ae netlink.AttributeEncoder
	ae.Uint32(1, 2)
	b, err := ae.Encode()
	return errors.Join(err, want(string(b) == string(attr(1, ne.AppendUint32(nil, 2))), "%x", b))
}

func closedErrors(t *testing.T) error {
	c := dial(t, unix.NETLINK_GENERIC, nil)
	ended := make(chan error, 1)
	go func() { _, err := c.Receive(); ended <- err }()
	waitBlocked(t, "netlink.(*Conn).Receive", "IO wait")
	must(t, c.Close())
	err := <-ended
	return want(isClosed(err), "%v", err)
}

// The reply to a GET and its acknowledgement are separate datagrams.
func receiveAfterGet(t *testing.T) error {
	c := dial(t, unix.NETLINK_GENERIC, nil)
	_, err := c.Execute(getFamily(netlink.Acknowledge))
	must(t, err)
	_, err = c.Send(noop)
	must(t, err)
	for m, err := range c.ReceiveIter() {
		must(t, err)
		request := m.Data[4:] // repeated by the acknowledgement
		return want(ne.Uint16(request[4:]) == uint16(netlink.Noop), "received the acknowledgement of the GET first")
	}
	return errors.New("received no message")
}
