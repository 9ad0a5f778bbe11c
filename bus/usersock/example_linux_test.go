package usersock_test

import (
	"context"
	"fmt"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/bus/usersock"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/socket"
)

// One process serves DOC_EXMPL, and another one looks it up. This example does both in one
// process.
func Example() {
	b := bus.New()
	defer b.Close()
	if err := b.Register(docexmpl.New()); err != nil {
		fmt.Println(err)
		return
	}
	s, err := socket.Open(socket.UserSock)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- usersock.NewServer(b, s).Serve(ctx) }()

	dial := func() (conn.Transport, error) { return usersock.Dial(s.PortID(), socket.ExtAck, socket.CapAck) }
	client, err := dial()
	if err != nil {
		fmt.Println(err)
		return
	}
	c := conn.New(client, conn.WithDialer(dial))
	family, err := ctrl.New(c).Family(ctx, docexmpl.Name)
	fmt.Println(family.Name, family.ID, err)

	fmt.Println(c.Close())
	stop()
	fmt.Println(<-served)
	// Output:
	// DOC_EXMPL 0x13 <nil>
	// <nil>
	// <nil>
}
