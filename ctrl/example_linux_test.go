package ctrl_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The id of a family is the type of its messages.
func ExampleClient_Family() {
	c, err := ctrl.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	f, err := c.Family(context.Background(), "nlctrl")
	fmt.Println(f.ID, f.Version, err)
	id, ok := f.Group("notify")
	fmt.Println(id, ok)

	_, err = c.Family(context.Background(), "nosuch")
	fmt.Println(errors.Is(err, syscall.ENOENT))
	// Output:
	// 0x10 2 <nil>
	// 16 true
	// true
}

// The same lookup with only a socket and the codec. Only the socket and the buffer
// allocate.
func Example_byHand() {
	id, err := resolve("nlctrl")
	fmt.Println(id, err)
	_, err = resolve("nosuch")
	fmt.Println(errors.Is(err, syscall.ENOENT))
	// Output:
	// 16 <nil>
	// true
}

func resolve(name string) (id uint16, err error) {
	s, err := socket.Open(socket.Generic, socket.WithFlags(socket.ExtAck))
	if err != nil {
		return 0, err
	}
	defer s.Close()
	buf := make([]byte, socket.BufferSize)

	b := nlmsg.Begin(buf[:0], genlmsg.IDCtrl, nlmsg.FlagRequest, 1, 0)
	b = genlmsg.Append(b, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, name)
	b = nlmsg.End(b, 0)
	if err := s.Send(b); err != nil {
		return 0, err
	}

	n, from, err := s.Receive(buf)
	if err != nil {
		return 0, err
	}
	if from.PortID != 0 { // port ID 0 is the kernel; any process can send to this socket
		return 0, fmt.Errorf("a message from port %d, not from the kernel", from.PortID)
	}
	msg, n := nlmsg.Consume(buf[:n])
	if n < 0 {
		return 0, nlmsg.ParseError(n)
	}
	if msg.Type() == nlmsg.TypeError {
		ack, _ := nlmsg.ParseAck(msg)
		return 0, fmt.Errorf("%w: %s", ack.Errno, ack.Msg)
	}
	return nla.Find(genlmsg.Attrs(msg, 0), genlmsg.CtrlAttrFamilyID).Uint16()
}
