package differential

import (
	"bytes"
	"strings"
	"syscall"
	"testing"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"

	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// TestOtherParsers splits datagrams with package syscall's parser and decodes their attributes with
// the library's decoder. The results must agree with nlmsg and nla.
func TestOtherParsers(t *testing.T) {
	b := newBus(t)
	id := b.docexmpl.ID()
	list := genetlink.Message{Header: genetlink.Header{Command: docexmpl.CmdEcho}}
	requests := []struct {
		name     string
		m        genetlink.Message
		family   nlmsg.Type
		flags    netlink.HeaderFlags
		messages int
	}{
		{"a family", getController, genlmsg.IDCtrl, netlink.Acknowledge, 2},
		{"all families", genetlink.Message{Header: getController.Header}, genlmsg.IDCtrl, netlink.Dump, 3},
		{"policies", genetlink.Message{Header: genetlink.Header{Command: genlmsg.CtrlCmdGetPolicy}, Data: getController.Data}, genlmsg.IDCtrl, netlink.Dump, 0},
		{"an echo and its event", echoOf(t, "hello"), id, netlink.Acknowledge, 3},
		{"texts", list, id, netlink.Dump, docexmpl.DumpLen + 1},
		{"a refusal", echoOf(t, strings.Repeat("x", 300)), id, netlink.Acknowledge, 1},
	}
	for _, r := range requests {
		t.Run(r.name, func(t *testing.T) {
			port, err := b.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer port.Close()
			if err := port.SetFlag(socket.ExtAck, true); err != nil {
				t.Fatal(err)
			}
			if err := port.Join(b.docexmpl.GroupID(0)); err != nil {
				t.Fatal(err)
			}
			nl := netlink.NewConn(&portSocket{port: port}, port.PortID())
			if _, err := genetlink.NewConn(nl).Send(r.m, uint16(r.family), netlink.Request|r.flags); err != nil {
				t.Fatal(err)
			}
			n, buf := 0, make([]byte, 4096)
			for {
				size, _, err := port.TryReceive(buf)
				if err == socket.ErrEmpty {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				n += parsedAlike(t, buf[:size])
			}
			if n == 0 || r.messages != 0 && n != r.messages {
				t.Errorf("%d messages, want %d", n, r.messages)
			}
		})
	}
}

// parsedAlike compares the parsers of messages. It returns the number of messages.
func parsedAlike(t *testing.T, datagram []byte) (n int) {
	t.Helper()
	messages, err := syscall.ParseNetlinkMessage(datagram)
	if err != nil {
		t.Fatalf("% x: %v", datagram, err)
	}
	for m, err := range nlmsg.All(datagram) {
		if err != nil {
			t.Fatal(err)
		}
		if n == len(messages) {
			t.Fatalf("syscall: %d messages, nlmsg: more", n)
		}
		other := messages[n]
		want := syscall.NlMsghdr{Len: uint32(len(m)), Type: uint16(m.Type()), Flags: uint16(m.Flags()), Seq: m.Seq(), Pid: m.PortID()}
		if other.Header != want || !bytes.Equal(other.Data, m.Payload()) {
			t.Errorf("message %d: %+v, want %v", n, other, m)
		}
		if m.Type() >= nlmsg.MinType {
			decodedAlike(t, genlmsg.Attrs(m, 0))
		}
		n++
	}
	if n != len(messages) {
		t.Errorf("syscall: %d messages, nlmsg: %d", len(messages), n)
	}
	return n
}

// decodedAlike compares the attributes, and recursively those with the flag NLA_F_NESTED.
func decodedAlike(t *testing.T, b []byte) {
	t.Helper()
	d, err := netlink.NewAttributeDecoder(b)
	if err != nil {
		t.Fatal(err)
	}
	for a, err := range nla.All(b) {
		if err != nil {
			t.Fatal(err)
		}
		if !d.Next() || d.Type() != a.Type() || !bytes.Equal(d.Bytes(), a.Payload()) {
			t.Errorf("attribute %d: %q, want %v", d.Type(), d.Bytes(), a)
		}
		if a.IsNested() {
			decodedAlike(t, a.Payload())
		}
	}
	if d.Next() || d.Err() != nil {
		t.Errorf("%d attributes: %v", d.Len(), d.Err())
	}
}
