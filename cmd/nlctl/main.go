// Command nlctl shows what a kernel says over netlink, or a bus in userspace, and
// can ask it.
//
//	nlctl list          every Generic Netlink family, a line each
//	nlctl show NAME     one family in full: operations and multicast groups
//	nlctl policy NAME   which attributes its operations accept
//	nlctl monitor       families and groups as they come and go
//	nlctl call FAMILY CMD [TYPE=VALUE ...]
//	                    send a request to an operation and print its replies
//	nlctl decode FILE   print the messages in a capture, or in a file of hex or bytes
//	nlctl serve         serve a bus to other processes, until interrupted
//	nlctl -version      print the version of nlctl
//
// In front of the command, -bus example has them ask a bus of nlctl's own, with the
// family DOC_EXMPL, on any system; -bus PORT the one that an nlctl serve of this
// network namespace serves on that port ID:
//
//	nlctl -bus example call DOC_EXMPL 1 1=hello
//	nlctl serve -example
//	nlctl -bus 4711 list
//
// A value of call is written as the policy of the operation tells its kind: a
// number, a text, hex for binary, nothing for a flag. TYPE:KIND=VALUE says
// otherwise, or says it where no kind is told.
//
// With -json they print the same for programs. The exit status is 0, 1 if the
// kernel, the bus or the network refused, or a file makes no sense, 2 if the command
// line is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// The exit statuses.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// usageError is a mistake on the command line.
type usageError struct{ error }

// run runs one command line and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := command(stdout, stderr)
	err := cmd.Run(ctx, args)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "nlctl: %s\n", strings.Map(printableRune, err.Error())) // it may have words of who was asked
	if usage := (usageError{}); errors.As(err, &usage) {
		fmt.Fprintln(stderr, "Run 'nlctl help' for the commands and their flags.")
		return exitUsage
	}
	return exitError
}

// command is the tree of commands.
func command(stdout, stderr io.Writer) *cli.Command {
	badUsage := func(_ context.Context, _ *cli.Command, err error, _ bool) error { return usageError{err} }
	return &cli.Command{
		Name:                  "nlctl",
		Usage:                 "look at a kernel's netlink, or at a bus in userspace",
		Version:               version(),
		Writer:                stdout,
		ErrWriter:             stderr,
		EnableShellCompletion: true,
		OnUsageError:          badUsage,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {}, // run does it
		Action:                noCommand,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "bus", Usage: "ask a bus in place of the kernel: \"example\", or the `PORT` of nlctl serve"},
		},
		Commands: commands(badUsage),
	}
}

func commands(badUsage cli.OnUsageErrorFunc) []*cli.Command {
	jsonFlag := &cli.BoolFlag{Name: "json", Usage: "print JSON for programs"}
	all := []*cli.Command{
		{
			Name:   "list",
			Usage:  "list the Generic Netlink families",
			Action: list,
		},
		{
			Name:          "show",
			Usage:         "show one family in full",
			ArgsUsage:     "NAME",
			Action:        show,
			ShellComplete: completeFamilies,
		},
		{
			Name:          "policy",
			Usage:         "show which attributes a family accepts, as the kernel tells it",
			ArgsUsage:     "NAME",
			Action:        showPolicy,
			ShellComplete: completeFamilies,
		},
		{
			Name:   "monitor",
			Usage:  "print families and groups as they come and go, until interrupted",
			Action: monitor,
		},
		{
			Name:          "call",
			Usage:         "send a request to an operation and print its replies",
			ArgsUsage:     "FAMILY CMD [TYPE[:KIND]=VALUE ...]",
			Description:   callHelp,
			Flags:         callFlags(),
			Action:        call,
			ShellComplete: completeFamilies,
		},
		{
			Name:        "decode",
			Usage:       "print the messages in a file: a capture, hex, or the bytes of a datagram",
			ArgsUsage:   "FILE",
			Description: decodeHelp,
			Flags:       decodeFlags(),
			Action:      decode,
		},
		{
			Name:        "serve",
			Usage:       "serve a bus to other processes over NETLINK_USERSOCK, until interrupted",
			Description: serveHelp,
			Flags:       serveFlags(),
			Action:      serve,
		},
	}
	for _, c := range all {
		c.Flags = append(c.Flags, jsonFlag)
		c.OnUsageError = badUsage
	}
	return all
}

// noCommand is what runs when the first argument is no command.
func noCommand(_ context.Context, c *cli.Command) error {
	if c.Args().Present() {
		return usageError{fmt.Errorf("unknown command %q", c.Args().First())}
	}
	return usageError{errors.New("no command given")}
}

// arguments returns the n arguments of a command, no more and no less.
func arguments(c *cli.Command, n int) ([]string, error) {
	if args := c.Args().Slice(); len(args) == n {
		return args, nil
	}
	usage := strings.TrimSpace(c.FullName() + " " + c.ArgsUsage)
	return nil, usageError{fmt.Errorf("%d arguments given, want: %s", c.Args().Len(), usage)}
}
