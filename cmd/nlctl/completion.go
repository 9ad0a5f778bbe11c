package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/socket"
	"github.com/nlwire/nlwire/ynl"
)

const completionHelp = `The script completes commands, options, families, operations and attributes. It runs nlctl
for the words that can follow. Load it where the shell starts.`

const completionExamples = `   source <(nlctl completion bash)
   nlctl completion zsh
   nlctl completion fish >~/.config/fish/completions/nlctl.fish`

// describeCompletion sets the help of the command that prints the scripts for shells.
func describeCompletion(c *cli.Command) {
	c.Hidden = false
	c.Usage = "print a script that completes command lines in a shell"
	c.ArgsUsage = "bash|zsh|fish|pwsh"
	c.UsageText = "nlctl completion " + c.ArgsUsage
	c.Description = examples(completionHelp, completionExamples)
	c.HideHelpCommand = true
	for _, shell := range c.Commands {
		shell.Usage = "print the script for " + shell.Name
		shell.HideHelpCommand = true
	}
}

// completeFamilies prints the names of the families for shell completion: those of the
// kernel or bus, and for call and ops those of specs.
func completeFamilies(ctx context.Context, c *cli.Command) {
	var list []string
	for _, f := range familiesOf(ctx, c) {
		list = append(list, f.Name)
	}
	if specs, err := openNames(c); err == nil && c.Name != "show" && c.Name != "policy" && !c.IsSet("bus") {
		list = append(list, specs.library.Names()...)
	}
	printWords(c, list)
}

// familiesOf returns the families of the kernel or bus. There are none after an error: no
// completion is better than an error message on the command line.
func familiesOf(ctx context.Context, c *cli.Command) []ctrl.Family {
	client, err := open(c)
	if err != nil {
		return nil
	}
	defer client.close()
	families, _ := client.Families(ctx)
	return families
}

// completeMemberships prints the protocols, and the families that have groups. The scripts of
// the shells read a colon as the beginning of a description, so that groups cannot be completed.
func completeMemberships(ctx context.Context, c *cli.Command) {
	var list []string
	for p := range maxProtocol {
		list = append(list, p.String())
	}
	for _, f := range familiesOf(ctx, c) {
		if len(f.Groups) > 0 {
			list = append(list, f.Name)
		}
	}
	if specs, err := openNames(c); err == nil && !c.IsSet("bus") {
		for _, s := range specs.protocol(socket.Route) {
			list = append(list, s.Name)
		}
	}
	printWords(c, list)
}

// printWords prints the words that can follow, each once.
func printWords(c *cli.Command, list []string) {
	slices.Sort(list)
	for _, name := range slices.Compact(list) {
		fmt.Fprintln(c.Root().Writer, strings.Map(printableRune, name))
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

// completeAttributes prints the attributes of a request.
func completeAttributes(c *cli.Command, op *ynl.Op) {
	mode := op.Do
	if c.Bool("dump") || mode == nil {
		mode = op.Dump
	}
	if mode == nil || op.Set == nil {
		return
	}
	var list []string
	for _, name := range mode.Request {
		if a := op.Set.Attr(name); a != nil {
			list = appendWords(list, "", a, 0)
		} else {
			list = append(list, name+"=") // a member of the header
		}
	}
	printWords(c, list)
}

// completionDepth is the depth of the nests whose attributes are completed.
const completionDepth = 2

// appendWords appends the arguments that an attribute can be: its name with "=", the names
// of the attributes in a nest, or the name of a flag.
func appendWords(list []string, before string, a *ynl.Attr, depth int) []string {
	switch {
	case a.Type == ynl.TypeUnused || a.Type == ynl.TypePad:
		return list
	case a.Type == ynl.TypeFlag:
		return append(list, before+a.Name)
	case a.Type == ynl.TypeNest && depth < completionDepth:
		for _, inner := range a.Nested.Attrs {
			list = appendWords(list, before+a.Name+".", inner, depth+1)
		}
		return list
	}
	return append(list, before+a.Name+"=")
}
