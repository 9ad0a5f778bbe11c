package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/bus/docexmpl"
	"github.com/nlwire/nlwire/bus/usersock"
	"github.com/nlwire/nlwire/socket"
)

const serveHelp = `The first line of the output is the port ID for -bus. Any process of the network
namespace can be a client. Clients have no privileges on the bus.

With -spec, the bus has the families of the specs, with their groups, and with the policies
that the specs imply. Replies have sample values for numbers, texts, flags and nests, or are
those of the file of -replies, an object of JSON: each operation has an object of values, or
a list of them for a dump. The text {"errno": N, "message": TEXT} instead of values is an
error. An operation that requires privileges in the kernel requires none here.`

const serveExamples = `   nlctl serve -example
   echo '{"rings-get": {"header": {"dev-index": 1}, "rx": 512}}' >replies.json
   nlctl serve -spec ethtool.yaml -replies replies.json
   nlctl -bus PORT call ethtool rings-get header.dev-index=1`

func serveFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "example", Usage: "register the family DOC_EXMPL on the bus"},
		&cli.StringFlag{Name: "replies", Usage: "read the replies of operations from `FILE`"},
		&cli.Uint32Flag{Name: "port", HideDefault: true, Usage: "serve on the port `ID` instead of one that the kernel selects"},
	}
}

// serve serves a bus until it is interrupted.
func serve(ctx context.Context, c *cli.Command) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	if _, err := arguments(c, 0); err != nil {
		return err
	}
	if c.IsSet("bus") {
		return usageError{errors.New("-bus is not allowed with serve, which makes its own bus")}
	}
	if c.IsSet("replies") && !c.IsSet("spec") {
		return usageError{errors.New("-replies needs -spec")}
	}
	b := bus.New()
	defer b.Close()
	if c.Bool("example") {
		if err := b.Register(docexmpl.New()); err != nil {
			return err
		}
	}
	if c.IsSet("spec") {
		warn := warnOnce(c.Root().ErrWriter)
		if err := registerSpecs(b, c.StringSlice("spec"), c.String("replies"), warn); err != nil {
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

func printPort(c *cli.Command, portID uint32) error {
	o := standardOutput(c)
	if c.Bool("json") {
		o.text("{")
		o.keyInt("port", int64(portID))
		o.text("}\n")
	} else {
		o.text(fmt.Sprintln(portID))
	}
	return o.Flush() // the server runs until it is interrupted
}
