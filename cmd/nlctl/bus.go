package main

import (
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/bus/usersock"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/internal/literal"
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
	portID, err := literal.Uint(name, 32)
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
