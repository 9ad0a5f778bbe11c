package main

import (
	"os"

	"github.com/urfave/cli/v3"
)

// The columns of a terminal that does not report them, and the least that is used.
const (
	defaultWidth = 80
	minWidth     = 20
)

// standardOutput returns the output of a command.
func standardOutput(c *cli.Command) *output {
	if o, ok := c.Root().Writer.(*output); ok {
		return o
	}
	return &output{w: c.Root().Writer}
}

// newOutput returns the output that writes to w. Colors are only for terminals, and not if
// the user refuses them (no-color.org).
func newOutput(w *os.File) *output {
	o := &output{w: w, width: terminalWidth(w)}
	o.color = o.width > 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return o
}
