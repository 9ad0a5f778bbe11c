// Command nlctl inspects the Generic Netlink families of a kernel or of a bus in userspace,
// calls their operations, and decodes netlink messages.
//
//	nlctl list          list the Generic Netlink families, one per line
//	nlctl show NAME     show the operations and multicast groups of a family
//	nlctl policy NAME   show the attributes that the operations of a family accept
//	nlctl monitor       print families and groups as they are added and removed
//	nlctl call FAMILY CMD [TYPE=VALUE ...]
//	                    send a request to an operation and print its replies
//	nlctl decode FILE   print the messages in a capture, or in a file of hex or bytes
//	nlctl serve         serve a bus to other processes, until interrupted
//	nlctl -version      print the version of nlctl
//
// With the option -bus before the command, nlctl uses a bus instead of the kernel. -bus
// example makes a bus with the family DOC_EXMPL inside nlctl, on any system. -bus PORT
// selects the bus that an nlctl serve of this network namespace serves on that port ID:
//
//	nlctl -bus example call DOC_EXMPL 1 1=hello
//	nlctl serve -example
//	nlctl -bus 4711 list
//
// The format of a value of call depends on the kind of the attribute in the operation's
// policy: a number, a text, hex for binary, nothing for a flag. TYPE:KIND=VALUE selects
// another kind, and is required if the policy does not export the kind.
//
// With -json the commands print JSON for programs. The exit status is 0 for success; 1 if
// the kernel, the bus or the system reports an error, or a file is malformed; 2 if the
// command line is invalid.
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

// usageError is an error in the command line.
type usageError struct{ error }

// run runs one command line and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := command(stdout, stderr)
	err := cmd.Run(ctx, args)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "nlctl: %s\n", strings.Map(printableRune, err.Error())) // may contain peer-supplied text
	if usage := (usageError{}); errors.As(err, &usage) {
		fmt.Fprintln(stderr, "Run 'nlctl help' for the commands and their flags.")
		return exitUsage
	}
	return exitError
}

// command returns the tree of commands.
func command(stdout, stderr io.Writer) *cli.Command {
	badUsage := func(_ context.Context, _ *cli.Command, err error, _ bool) error { return usageError{err} }
	return &cli.Command{
		Name:                  "nlctl",
		Usage:                 "inspect the netlink families of a kernel or of a bus in userspace",
		Version:               version(),
		Writer:                stdout,
		ErrWriter:             stderr,
		EnableShellCompletion: true,
		OnUsageError:          badUsage,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {}, // run prints the error
		Action:                noCommand,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "bus", Usage: "use a bus instead of the kernel: \"example\", or the `PORT` of nlctl serve"},
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
			Usage:         "show the operations and multicast groups of a family",
			ArgsUsage:     "NAME",
			Action:        show,
			ShellComplete: completeFamilies,
		},
		{
			Name:          "policy",
			Usage:         "show the attributes that a family accepts, as the kernel exports them",
			ArgsUsage:     "NAME",
			Action:        showPolicy,
			ShellComplete: completeFamilies,
		},
		{
			Name:   "monitor",
			Usage:  "print families and groups as they are added and removed, until interrupted",
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

// noCommand runs if the first argument is not a command.
func noCommand(_ context.Context, c *cli.Command) error {
	if c.Args().Present() {
		return usageError{fmt.Errorf("unknown command %q", c.Args().First())}
	}
	return usageError{errors.New("no command given")}
}

// arguments returns the arguments of a command, which must be exactly n.
func arguments(c *cli.Command, n int) ([]string, error) {
	if args := c.Args().Slice(); len(args) == n {
		return args, nil
	}
	usage := strings.TrimSpace(c.FullName() + " " + c.ArgsUsage)
	return nil, usageError{fmt.Errorf("%d arguments given; usage: %s", c.Args().Len(), usage)}
}
