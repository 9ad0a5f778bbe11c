// Command nlctl inspects the netlink families of a kernel or of a bus in userspace, calls
// their operations, and decodes netlink messages.
//
//	nlctl list                list the Generic Netlink families, one per line
//	nlctl show FAMILY         show the operations and multicast groups of a family
//	nlctl policy FAMILY       show the attributes that the operations of a family accept
//	nlctl ops FAMILY          show the operations of a family and their attributes by name
//	nlctl call FAMILY OP [ATTRIBUTE=VALUE ...]
//	                          send a request to an operation and print its replies
//	nlctl monitor [PROTOCOL|FAMILY[:GROUP] ...]
//	                          print notifications as they arrive
//	nlctl capture             record all netlink traffic of the network namespace
//	nlctl decode FILE         print the messages in a capture, a dump, a list of bytes, ...
//	nlctl serve               serve a bus to other processes, until interrupted
//
// Families, operations, attributes and values have the names of the kernel's netlink specs.
// nlctl contains the names of Linux 7.3; the option -spec, the environment variable
// NLCTL_SPECS and the directory /usr/share/ynl/specs provide others.
//
// With the option -bus before the command, nlctl uses a bus instead of the kernel. -bus
// example makes a bus with the family DOC_EXMPL inside nlctl, on any system. -bus PORT
// selects the bus that an nlctl serve of this network namespace serves on that port ID:
//
//	nlctl -bus example call DOC_EXMPL 1 1=hello
//	nlctl serve -example
//	nlctl -bus 4711 list
//
// With -json the commands print JSON for programs. The exit status is 0 for success; 1 if
// the kernel, the bus or the system reports an error, or a file is malformed; 2 if the
// command line is invalid. nlctl help COMMAND describes a command, nlctl man prints the
// manual page, and nlctl completion bash the completion for a shell.
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

	"github.com/nlwire/nlwire/ynl"
)

func main() {
	os.Exit(run(context.Background(), os.Args, newOutput(os.Stdout), os.Stderr))
}

// interruptible returns a context that SIGINT and SIGTERM end. Commands that have nothing to
// do at their end do not need it: the signals end them.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
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
	out, ok := stdout.(*output)
	if !ok {
		out = &output{w: stdout}
	}
	err := command(args, out, stderr).Run(ctx, args)
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "nlctl: %s\n", describe(err))
	if usage := (usageError{}); errors.As(err, &usage) {
		fmt.Fprintf(stderr, "Run 'nlctl help%s' for the arguments and flags.\n", prefix(commandOf(args)))
		return exitUsage
	}
	return exitError
}

// describe returns the text of an error for users. The error may contain text of a peer, and
// may be of the standard library.
func describe(err error) string {
	text := err.Error()
	var path *os.PathError
	switch {
	case errors.As(err, &path) && errors.Is(err, os.ErrNotExist):
		text = fmt.Sprintf("%s: no such file", path.Path)
	case errors.Is(err, context.Canceled):
		text = strings.ReplaceAll(text, context.Canceled.Error(), "canceled")
	case errors.Is(err, context.DeadlineExceeded):
		text = strings.ReplaceAll(text, context.DeadlineExceeded.Error(), "no answer in time")
	}
	text = packages.Replace(" " + text)[1:]
	if problems := (ynl.Errors{}); errors.As(err, &problems) {
		return strings.Map(printableLine, text) // a line for each problem of a spec
	}
	return strings.Map(printableRune, text)
}

// packages removes the names of packages, which are of no interest to users.
var packages = strings.NewReplacer(" conn: ", " ", "(conn: ", "(", " ctrl: ", " ", " ynl: ", " ", " socket: ", " ", " bus: ", " ")
