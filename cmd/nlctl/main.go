// Command nlctl shows what a kernel says over netlink.
//
//	nlctl list          every Generic Netlink family, a line each
//	nlctl show NAME     one family in full: operations and multicast groups
//	nlctl policy NAME   which attributes its operations accept
//	nlctl monitor       families and groups as they come and go
//
// With -json they print the same for programs. The exit status is 0, 1 if the
// kernel or the network refused, 2 if the command line is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/urfave/cli/v3"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
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
	fmt.Fprintf(stderr, "nlctl: %v\n", err)
	if usage := (usageError{}); errors.As(err, &usage) {
		fmt.Fprintln(stderr, "Run 'nlctl help' for the commands and their flags.")
		return exitUsage
	}
	return exitError
}

// command is the tree of commands.
func command(stdout, stderr io.Writer) *cli.Command {
	badUsage := func(_ context.Context, _ *cli.Command, err error, _ bool) error { return usageError{err} }
	jsonFlag := func() cli.Flag { return &cli.BoolFlag{Name: "json", Usage: "print JSON for programs"} }
	return &cli.Command{
		Name:                  "nlctl",
		Usage:                 "look at a kernel's netlink",
		Writer:                stdout,
		ErrWriter:             stderr,
		EnableShellCompletion: true,
		OnUsageError:          badUsage,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {}, // run does it
		Action:                noCommand,
		Commands: []*cli.Command{
			{
				Name:         "list",
				Usage:        "list the Generic Netlink families",
				Flags:        []cli.Flag{jsonFlag()},
				OnUsageError: badUsage,
				Action:       list,
			},
			{
				Name:          "show",
				Usage:         "show one family in full",
				ArgsUsage:     "NAME",
				Flags:         []cli.Flag{jsonFlag()},
				OnUsageError:  badUsage,
				Action:        show,
				ShellComplete: completeFamilies,
			},
			{
				Name:          "policy",
				Usage:         "show which attributes a family accepts, as the kernel tells it",
				ArgsUsage:     "NAME",
				Flags:         []cli.Flag{jsonFlag()},
				OnUsageError:  badUsage,
				Action:        policy,
				ShellComplete: completeFamilies,
			},
			{
				Name:         "monitor",
				Usage:        "print families and groups as they come and go, until interrupted",
				Flags:        []cli.Flag{jsonFlag()},
				OnUsageError: badUsage,
				Action:       monitor,
			},
		},
	}
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
