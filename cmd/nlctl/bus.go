package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/bus/usersock"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/socket"
)

// client asks the controller of the kernel or of a bus.
type client struct {
	*ctrl.Client
	bus *bus.Bus // one of our own, or nil
}

func (c *client) close() {
	_ = c.Conn().Close() // what matters has been received
	if c.bus != nil {
		_ = c.bus.Close()
	}
}

// open opens what -bus names.
func open(c *cli.Command) (*client, error) {
	name := c.String("bus")
	portID, err := strconv.ParseUint(name, 0, 32)
	switch {
	case !c.IsSet("bus"):
		cn, err := conn.Open(socket.Generic)
		if err != nil {
			return nil, err
		}
		return &client{Client: ctrl.New(cn)}, nil
	case name == "example":
		return openExample()
	case err != nil || portID == 0:
		return nil, usageError{fmt.Errorf("-bus %q is neither \"example\" nor a port ID", name)}
	}
	return openPort(uint32(portID))
}

// openExample makes the bus of -bus example.
func openExample() (*client, error) {
	b := bus.New()
	if err := b.Register(docexmpl.New()); err != nil {
		return nil, err
	}
	cn, err := newConn(func() (conn.Transport, error) { return b.Open(bus.WithFlags(socket.ExtAck, socket.CapAck)) })
	if err != nil {
		return nil, err
	}
	return &client{ctrl.New(cn), b}, nil
}

// openPort asks the bus that another process serves.
func openPort(portID uint32) (*client, error) {
	cn, err := newConn(func() (conn.Transport, error) { return usersock.Dial(portID, socket.ExtAck, socket.CapAck) })
	if err != nil {
		return nil, err
	}
	return &client{Client: ctrl.New(cn)}, nil
}

func newConn(dial conn.Dialer) (*conn.Conn, error) {
	first, err := dial()
	if err != nil {
		return nil, err
	}
	return conn.New(first, conn.WithDialer(dial)), nil
}

const serveHelp = `The first line of the output is the port ID, for -bus. Any process of the network
namespace can be a client, and none of them has a privilege on the bus.`

func serveFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "example", Usage: "have the family DOC_EXMPL on the bus"},
		&cli.Uint32Flag{Name: "port", HideDefault: true, Usage: "the port `ID` to serve on, in place of one that the kernel chooses"},
	}
}

// serve serves a bus until it is interrupted.
func serve(ctx context.Context, c *cli.Command) error {
	if _, err := arguments(c, 0); err != nil {
		return err
	}
	if c.IsSet("bus") {
		return usageError{errors.New("serve makes a bus of its own: -bus has no meaning for it")}
	}
	b := bus.New()
	defer b.Close()
	if c.Bool("example") {
		if err := b.Register(docexmpl.New()); err != nil {
			return err
		}
	}
	return serveBus(ctx, c, b)
}

func serveBus(ctx context.Context, c *cli.Command, b *bus.Bus) error {
	s, err := socket.Open(socket.UserSock, socket.WithPortID(c.Uint32("port")))
	if err != nil {
		return err
	}
	if err := printPort(c, s.PortID()); err != nil {
		_ = s.Close()
		return err
	}
	return usersock.NewServer(b, s).Serve(ctx)
}

func printPort(c *cli.Command, portID uint32) (err error) {
	w := c.Root().Writer
	if c.Bool("json") {
		return newEncoder(w).Encode(struct {
			Port uint32 `json:"port"`
		}{portID})
	}
	_, err = fmt.Fprintln(w, portID)
	return err
}
