package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/ynl"
)

// completeFamilies prints the names of the families for shell completion: those of the
// kernel or bus, and those of specs.
func completeFamilies(ctx context.Context, c *cli.Command) {
	var list []string
	if client, err := open(c); err == nil {
		families, _ := client.Families(ctx) // no completion is better than an error message on the command line
		for _, f := range families {
			list = append(list, f.Name)
		}
		client.close()
	}
	if specs, err := openNames(c); err == nil && c.Name != "show" && c.Name != "policy" && !c.IsSet("bus") {
		list = append(list, specs.library.Names()...)
	}
	slices.Sort(list)
	for _, name := range slices.Compact(list) {
		fmt.Fprintln(c.Root().Writer, name)
	}
}

// completeOperations prints the families, the operations of a family, or the attributes of
// an operation, for the next argument.
func completeOperations(ctx context.Context, c *cli.Command) {
	args := c.Args().Slice()
	if len(args) == 0 {
		completeFamilies(ctx, c)
		return
	}
	specs, err := openNames(c)
	if err != nil {
		return
	}
	spec, err := specs.spec(args[0])
	if err != nil {
		return
	}
	if len(args) == 1 {
		for _, op := range spec.Ops {
			if op.Request != ynl.NoNumber && !op.IsReserved() {
				fmt.Fprintln(c.Root().Writer, op.Name)
			}
		}
		return
	}
	if op := spec.Op(args[1]); op != nil && c.Name == "call" {
		completeAttributes(c, op)
	}
}

// completeAttributes prints the attributes of a request with the sign after the name: "=",
// or "." for a nest.
func completeAttributes(c *cli.Command, op *ynl.Op) {
	mode := op.Do
	if c.Bool("dump") || mode == nil {
		mode = op.Dump
	}
	if mode == nil || op.Set == nil {
		return
	}
	for _, name := range mode.Request {
		a := op.Set.Attr(name)
		switch {
		case a == nil:
			fmt.Fprintln(c.Root().Writer, name+"=") // a member of the header
		case a.Type == ynl.TypeFlag:
			fmt.Fprintln(c.Root().Writer, name)
		case a.Nested != nil && a.Type == ynl.TypeNest:
			for _, inner := range a.Nested.Attrs {
				fmt.Fprintln(c.Root().Writer, name+"."+inner.Name+strings.Repeat("=", min(1, int(inner.Type))))
			}
		default:
			fmt.Fprintln(c.Root().Writer, name+"=")
		}
	}
}
