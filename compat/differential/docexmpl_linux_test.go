package differential

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bus/docexmpl"
)

// smallBuffer makes the bus split a dump into several datagrams.
var smallBuffer = netlink.Config{MessageBufferSize: 4096}

// echoOf returns an ECHO request with a text. The reply is equal to it.
func echoOf(t *testing.T, text string) genetlink.Message {
	t.Helper()
	return genetlink.Message{
		Header: genetlink.Header{Command: docexmpl.CmdEcho, Version: docexmpl.Version},
		Data:   attrs(t, func(e *netlink.AttributeEncoder) { e.String(docexmpl.AttrMsg, text) }),
	}
}

// textOf returns the text of a message. It uses the library's decoder.
func textOf(m genetlink.Message) (text string, err error) {
	d, err := netlink.NewAttributeDecoder(m.Data)
	if err != nil {
		return "", err
	}
	for d.Next() {
		if d.Type() != docexmpl.AttrMsg {
			return "", fmt.Errorf("attribute of type %d", d.Type())
		}
		text = d.String()
	}
	return text, d.Err()
}

func docFamily(t *testing.T, c *client) genetlink.Family {
	t.Helper()
	f, err := c.GetFamily(docexmpl.Name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDocExmplIsResolved(t *testing.T) {
	b := newBus(t)
	want := genetlink.Family{
		ID: uint16(b.docexmpl.ID()), Version: docexmpl.Version, Name: docexmpl.Name,
		Groups: []genetlink.MulticastGroup{{ID: b.docexmpl.GroupID(0), Name: docexmpl.Group}},
	}
	if diff := cmp.Diff(want, docFamily(t, dial(t, b))); diff != "" {
		t.Errorf("family (-want +got):\n%s", diff)
	}
	if want.ID != 19 || want.Groups[0].ID != 2 {
		t.Errorf("first family of a bus: %+v", want)
	}
}

func TestEcho(t *testing.T) {
	c := dial(t, newBus(t))
	f := docFamily(t, c)
	for length := range docexmpl.MaxMsg + 1 {
		request := echoOf(t, strings.Repeat("x", length))
		replies, err := c.Execute(request, f.ID, netlink.Request)
		if err != nil {
			t.Fatalf("%d bytes: %v", length, err)
		}
		if diff := cmp.Diff([]genetlink.Message{request}, replies); diff != "" {
			t.Fatalf("%d bytes (-want +got):\n%s", length, diff)
		}
	}
}

func TestEchoIsAcknowledged(t *testing.T) {
	c := dial(t, newBus(t))
	f := docFamily(t, c)
	request, err := c.Send(echoOf(t, "hello"), f.ID, netlink.Request|netlink.Acknowledge)
	if err != nil {
		t.Fatal(err)
	}
	_, reply, err := c.Receive()
	if err != nil {
		t.Fatal(err)
	}
	ack, err := c.nl.Receive()
	if err != nil {
		t.Fatal(err)
	}
	if len(reply) != 1 || len(ack) != 1 || ack[0].Header.Type != netlink.Error {
		t.Fatalf("reply %+v, acknowledgement %+v", reply, ack)
	}
	if err := netlink.Validate(request, append(reply, ack...)); err != nil {
		t.Error(err)
	}
}

func TestDumpOfTexts(t *testing.T) {
	c := dialWith(t, newBus(t), smallBuffer)
	f := docFamily(t, c)
	before := c.sock.datagrams.Load()
	request := genetlink.Message{Header: genetlink.Header{Command: docexmpl.CmdEcho, Version: docexmpl.Version}}
	messages, err := c.Execute(request, f.ID, netlink.Request|netlink.Dump)
	if err != nil {
		t.Fatal(err)
	}
	if len(messages) != docexmpl.DumpLen {
		t.Fatalf("%d messages", len(messages))
	}
	for i, m := range messages {
		if text, err := textOf(m); err != nil || text != "dump entry number "+strconv.Itoa(i) {
			t.Errorf("message %d: %q, %v", i, text, err)
		}
	}
	if n := c.sock.datagrams.Load() - before; n < 2 {
		t.Errorf("the dump arrived in %d datagrams, want several", n)
	}
	answersNow(t, c)
}

func TestASecondDumpIsBusy(t *testing.T) {
	c := dialWith(t, newBus(t), smallBuffer)
	f := docFamily(t, c)
	request := genetlink.Message{Header: genetlink.Header{Command: docexmpl.CmdEcho, Version: docexmpl.Version}}
	for range 2 {
		if _, err := c.Send(request, f.ID, netlink.Request|netlink.Dump); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.nl.Receive(); !errors.Is(err, unix.EBUSY) {
		t.Fatal(err)
	}
	rest, err := c.nl.Receive() // the first dump continues
	if err != nil || len(rest) == 0 {
		t.Fatalf("%d messages, %v", len(rest), err)
	}
	answersNow(t, c)
}

// The library reports the texts and offsets of the extended ACK.
func TestEchoIsRefused(t *testing.T) {
	tests := []struct {
		name  string
		data  []byte
		extra netlink.HeaderFlags
		want  netlink.OpError
	}{
		{name: "no text", want: netlink.OpError{Err: unix.EINVAL, Message: "DOC_EXMPL_A_MSG is required"}},
		{
			name: "a long text", data: echoOf(t, strings.Repeat("x", docexmpl.MaxMsg+1)).Data,
			want: netlink.OpError{Err: unix.EINVAL, Message: "Attribute failed policy validation", Offset: 20},
		},
		{
			name: "no NUL", data: attrs(t, func(e *netlink.AttributeEncoder) { e.Bytes(docexmpl.AttrMsg, []byte("text")) }),
			want: netlink.OpError{Err: unix.EINVAL, Message: "Attribute failed policy validation", Offset: 20},
		},
		{
			name: "an unknown attribute", data: append(echoOf(t, "text").Data, attrs(t, func(e *netlink.AttributeEncoder) { e.Uint32(2, 0) })...),
			want: netlink.OpError{Err: unix.EINVAL, Message: "Unknown attribute type", Offset: 32},
		},
		{
			name: "a reserved flag", data: echoOf(t, "text").Data, extra: netlink.Append,
			want: netlink.OpError{Err: unix.EINVAL, Message: "ambiguous or reserved bits set in nlmsg_flags"},
		},
	}
	c := dialWith(t, newBus(t), netlink.Config{Strict: true})
	f := docFamily(t, c)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request := genetlink.Message{Header: genetlink.Header{Command: docexmpl.CmdEcho, Version: docexmpl.Version}, Data: test.data}
			_, err := c.Execute(request, f.ID, netlink.Request|netlink.Acknowledge|test.extra)
			var got *netlink.OpError
			if !errors.As(err, &got) {
				t.Fatalf("error %v", err)
			}
			if got.Err != test.want.Err || got.Message != test.want.Message || got.Offset != test.want.Offset {
				t.Errorf("%v, want %v", got, &test.want)
			}
			answersNow(t, c)
		})
	}
}

func TestEventOfAnEcho(t *testing.T) {
	b := newBus(t)
	listener, sender := dial(t, b), dial(t, b)
	f := docFamily(t, listener)
	group := f.Groups[0].ID
	if err := listener.JoinGroup(group); err != nil {
		t.Fatal(err)
	}
	request := echoOf(t, "to everybody")
	if _, err := sender.Execute(request, f.ID, netlink.Request); err != nil {
		t.Fatal(err)
	}
	events, headers, err := listener.Receive()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]genetlink.Message{request}, events); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if h := headers[0].Header; h.Type != netlink.HeaderType(f.ID) || h.Flags != 0 || h.Sequence != 0 || h.PID != 0 {
		t.Errorf("header of the event %+v", h)
	}
	answersNow(t, sender) // sender is not a member of the group
	if err := listener.LeaveGroup(group); err != nil {
		t.Fatal(err)
	}
	if _, err := sender.Execute(request, f.ID, netlink.Request); err != nil {
		t.Fatal(err)
	}
	answersNow(t, listener)
}

func TestEventOfOnesOwnEcho(t *testing.T) {
	c := dial(t, newBus(t))
	f := docFamily(t, c)
	if err := c.JoinGroup(f.Groups[0].ID); err != nil {
		t.Fatal(err)
	}
	request := echoOf(t, "to myself, too")
	sent, err := c.Send(request, f.ID, netlink.Request|netlink.Acknowledge)
	if err != nil {
		t.Fatal(err)
	}
	var sequences []uint32
	for range 3 {
		messages, err := c.nl.Receive()
		if err != nil || len(messages) != 1 {
			t.Fatalf("%+v, %v", messages, err)
		}
		sequences = append(sequences, messages[0].Header.Sequence)
	}
	// The order is: event, reply, acknowledgement.
	if diff := cmp.Diff([]uint32{0, sent.Header.Sequence, sent.Header.Sequence}, sequences); diff != "" {
		t.Errorf("sequence numbers (-want +got):\n%s", diff)
	}
}
