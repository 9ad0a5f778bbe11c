package conn_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// A request, its reply, and a refusal.
func ExampleConn_Do() {
	c, err := conn.Open(socket.Generic)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	for _, name := range []string{"nlctrl", "nosuch"} {
		id, err := resolve(context.Background(), c, name)
		fmt.Println(id, err, errors.Is(err, syscall.ENOENT))
	}
	// Output:
	// 16 <nil> false
	// 0 conn: id of nosuch: no such file or directory true
}

func resolve(ctx context.Context, c *conn.Conn, name string) (id uint16, err error) {
	r := c.Request(genlmsg.IDCtrl, nlmsg.FlagRequest, genlmsg.Append(nil, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion))
	defer r.Release()
	r.Op = "id of " + name
	r.B = nla.AppendCString(r.B, genlmsg.CtrlAttrFamilyName, name)
	m, err := c.Do(ctx, r)
	if err != nil {
		return 0, err // errno, the kernel's text, the bad attribute: see conn.Error
	}
	return nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyID).Uint16()
}

// A list that is requested again if it changes while it is read.
func ExampleConn_Dump() {
	c, err := conn.Open(socket.Generic)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	r := c.Request(genlmsg.IDCtrl, 0, genlmsg.Append(nil, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion))
	defer r.Release()
	var names []string
	for m, err := range c.Dump(context.Background(), r, conn.Retry(3, func() { names = nil })) {
		if err != nil {
			fmt.Println(err)
			return
		}
		name, _ := nla.Find(genlmsg.Attrs(m, 0), genlmsg.CtrlAttrFamilyName).CString()
		names = append(names, string(name))
	}
	fmt.Println(names[0])
	// Output:
	// nlctrl
}

// A state that follows notifications and is rebuilt after a loss.
func ExampleConn_Subscribe() {
	c, err := conn.Open(socket.Generic)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	families, err := c.Subscribe(genlmsg.IDCtrl) // the controller's group "notify"
	if err != nil {
		fmt.Println(err)
		return
	}
	defer families.Close()
	families.Resync = func(ctx context.Context, loss *conn.LossError) error {
		return nil // dump the families again
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a real program would continue to receive
	for m, err := range families.All(ctx) {
		if err != nil {
			fmt.Println(errors.Is(err, context.Canceled))
			break
		}
		h, _ := genlmsg.Consume(m.Payload())
		fmt.Println(h.Cmd() == genlmsg.CtrlCmdNewFamily)
	}
	// Output:
	// true
}
