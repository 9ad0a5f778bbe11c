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

// client is a client of the controller of the kernel or of a bus.
type client struct {
	*ctrl.Client
	bus *bus.Bus // the bus inside nlctl, or nil
}

func (c *client) close() {
	_ = c.Conn().Close() // all replies have been received
	if c.bus != nil {
		_ = c.bus.Close()
	}
}

// open connects to the kernel, or to the bus that -bus selects.
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

// openExample makes the bus of -bus example and a client of it.
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

// openPort connects to the bus that another process serves.
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

const serveHelp = `The first line of the output is the port ID for -bus. Any process of the network
namespace can be a client. Clients have no privileges on the bus.`

func serveFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "example", Usage: "register the family DOC_EXMPL on the bus"},
		&cli.Uint32Flag{Name: "port", HideDefault: true, Usage: "serve on the port `ID` instead of one that the kernel selects"},
	}
}

// serve serves a bus until it is interrupted.
func serve(ctx context.Context, c *cli.Command) error {
	if _, err := arguments(c, 0); err != nil {
		return err
	}
	if c.IsSet("bus") {
		return usageError{errors.New("-bus is not allowed with serve, which makes its own bus")}
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
