package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/ynl"
)

// command returns the tree of commands for a command line. If it names a command first, the
// tree has only that one: building and linking the others takes as long as a short command.
func command(args []string, stdout, stderr io.Writer) *cli.Command {
	root := &cli.Command{
		Name:                  "nlctl",
		Usage:                 "inspect the netlink families of a kernel or of a bus in userspace",
		Writer:                stdout,
		ErrWriter:             stderr,
		EnableShellCompletion: true,
		OnUsageError:          badUsage,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {}, // run prints the error
		Action:                noCommand,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "bus", Usage: "use a bus instead of the kernel: \"example\", or the `PORT` of nlctl serve"},
			&cli.StringSliceFlag{Name: "spec", Usage: "read names from `FILE|DIR`: a spec, a directory of specs, or a tree of the kernel's source"},
			&cli.BoolFlag{Name: "version", Usage: "print the version", Local: true},
		},
	}
	root.ConfigureShellCompletionCommand = describeCompletion
	first := ""
	if len(args) > 1 && args[1] != "man" && isCommand(args[1]) {
		first = args[1]
		if !slices.Contains(args, completionFlag) {
			root.EnableShellCompletion, root.ConfigureShellCompletionCommand = false, nil
		}
	}
	for _, c := range commands {
		if first == "" || c.name == first {
			root.Commands = append(root.Commands, c.command())
		}
	}
	return root
}

// isCommand reports whether a command has the name.
func isCommand(name string) bool {
	return slices.ContainsFunc(commands, func(c subcommand) bool { return c.name == name })
}

// commandOf returns the first argument that is the name of a command, "" if there is none.
func commandOf(args []string) string {
	for _, a := range args[min(1, len(args)):] {
		if isCommand(a) {
			return a
		}
	}
	return ""
}

// completionFlag is the argument with which the scripts of nlctl completion request words.
const completionFlag = "--generate-shell-completion"

func badUsage(_ context.Context, _ *cli.Command, err error, _ bool) error {
	return usageError{errors.New(flagMessage(err.Error()))}
}

// isUnknownTopic reports whether help was called for a command that does not exist.
func isUnknownTopic(err error) bool {
	var exit cli.ExitCoder
	return errors.As(err, &exit)
}

// flagMessage replaces the texts of packages that parse the value of a flag.
func flagMessage(text string) string {
	if before, _, ok := strings.Cut(text, ": parsing error"); ok {
		return before
	}
	if before, rest, ok := strings.Cut(text, ": strconv."); ok {
		if _, reason, ok := strings.Cut(rest, "\": "); ok {
			return before + ": " + strings.TrimPrefix(reason, "invalid syntax")
		}
		return strings.TrimSuffix(before, ": ") + ": not a valid number"
	}
	return text
}

// examples returns a description with examples.
func examples(text, examples string) string {
	if text != "" {
		text += "\n\n"
	}
	return text + "Examples:\n\n" + examples
}

// subcommand makes a command.
type subcommand struct {
	name string
	make func() *cli.Command
}

// commands are the commands in the order of the help.
var commands = []subcommand{
	{"list", func() *cli.Command {
		return &cli.Command{
			Usage:       "list the Generic Netlink families",
			Description: examples("", "   nlctl list\n   nlctl list -json"),
			Action:      list,
		}
	}},
	{"show", func() *cli.Command {
		return &cli.Command{
			Usage:         "show the operations and multicast groups of a family",
			ArgsUsage:     "FAMILY",
			Description:   examples("", "   nlctl show ethtool\n   nlctl show 16"),
			Action:        show,
			ShellComplete: completeFamilies,
		}
	}},
	{"policy", func() *cli.Command {
		return &cli.Command{
			Usage:         "show the attributes that a family accepts, as the kernel exports them",
			ArgsUsage:     "FAMILY",
			Description:   examples("", "   nlctl policy ethtool"),
			Action:        showPolicy,
			ShellComplete: completeFamilies,
		}
	}},
	{"ops", func() *cli.Command {
		return &cli.Command{
			Usage:         "show the operations of a family and their attributes by name",
			ArgsUsage:     "[FAMILY [OP]]",
			Description:   examples(opsHelp, opsExamples),
			Action:        ops,
			ShellComplete: completeOperations,
		}
	}},
	{"call", func() *cli.Command {
		return &cli.Command{
			Usage:         "send a request to an operation and print its replies",
			ArgsUsage:     "FAMILY OP [ATTRIBUTE=VALUE ... | JSON]",
			Description:   examples(callHelp, callExamples),
			Flags:         callFlags(),
			Action:        call,
			ShellComplete: completeOperations,
		}
	}},
	{"monitor", func() *cli.Command {
		return &cli.Command{
			Usage:         "print notifications as they arrive, until interrupted",
			ArgsUsage:     "[PROTOCOL|FAMILY[:GROUP] ...]",
			Description:   examples(monitorHelp, monitorExamples),
			Flags:         monitorFlags(),
			Action:        monitor,
			ShellComplete: completeMemberships,
		}
	}},
	{"capture", func() *cli.Command {
		return &cli.Command{
			Usage:       "record all netlink traffic of the network namespace, until interrupted",
			Description: examples(captureHelp, captureExamples),
			Flags:       captureFlags(),
			Action:      capture,
		}
	}},
	{"decode", func() *cli.Command {
		return &cli.Command{
			Usage:       "print the messages in a file: a capture, a dump, a list of bytes, or the output of strace",
			ArgsUsage:   "FILE",
			Description: examples(decodeHelp, decodeExamples),
			Flags:       decodeFlags(),
			Action:      decode,
		}
	}},
	{"serve", func() *cli.Command {
		return &cli.Command{
			Usage:       "serve a bus to other processes over NETLINK_USERSOCK, until interrupted",
			Description: examples(serveHelp, serveExamples),
			Flags:       serveFlags(),
			Action:      serve,
		}
	}},
	{"man", func() *cli.Command {
		return &cli.Command{
			Usage:       "print the manual page, in the format of man(7)",
			Description: examples("", "   nlctl man >nlctl.8 && man ./nlctl.8"),
			Action:      manual,
		}
	}},
}

// command returns the command with the settings that all commands share.
func (s subcommand) command() *cli.Command {
	c := s.make()
	c.Name = s.name
	if s.name != "man" {
		c.Flags = append(c.Flags, &cli.BoolFlag{Name: "json", Usage: "print JSON for programs"})
	}
	c.OnUsageError = badUsage
	c.HideHelpCommand = true // "help" would be a family or a file
	return c
}

// noCommand runs if the first argument is not a command.
func noCommand(_ context.Context, c *cli.Command) error {
	switch {
	case c.Bool("version"):
		return printVersion(c)
	case c.Args().Present():
		return usageError{fmt.Errorf("unknown command %q", c.Args().First())}
	}
	return usageError{errors.New("no command given")}
}

// printVersion prints the version of nlctl and of its names.
func printVersion(c *cli.Command) error {
	_, err := fmt.Fprintf(c.Root().Writer, "nlctl version %s\nnames of Linux %s\n", version(), ynl.LinuxRelease)
	return err
}

// arguments returns the arguments of a command, which must be exactly n.
func arguments(c *cli.Command, n int) ([]string, error) {
	if args := c.Args().Slice(); len(args) == n {
		return args, nil
	}
	usage := strings.TrimSpace(c.FullName() + " " + c.ArgsUsage)
	return nil, usageError{fmt.Errorf("%d arguments given; usage: %s", c.Args().Len(), usage)}
}
