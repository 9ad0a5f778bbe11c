package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"github.com/nlwire/nlwire/ynl"
)

// names finds the specs of families and of message types.
type names struct {
	library *ynl.Library
	types   map[typeKey]*ynl.Spec // of protocols other than Generic Netlink; nil if there is none
	loaded  map[socket.Protocol][]*ynl.Spec
	warn    func(error) // reports a spec that is malformed, or nil
	given   []string    // paths of -spec
}

type typeKey struct {
	protocol socket.Protocol
	typ      nlmsg.Type
}

func newNames(library *ynl.Library) *names {
	return &names{library: library, types: map[typeKey]*ynl.Spec{}, loaded: map[socket.Protocol][]*ynl.Spec{}}
}

// systemSpecs is the directory in which distributions install the specs of their kernel.
const systemSpecs = "/usr/share/ynl/specs"

// openNames returns the specs that the option -spec, the environment variable NLCTL_SPECS,
// and the system provide, and the built-in ones. Earlier ones take precedence.
func openNames(c *cli.Command) (*names, error) {
	paths := c.StringSlice("spec")
	paths = append(paths, filepath.SplitList(os.Getenv("NLCTL_SPECS"))...)
	if files, err := filepath.Glob(systemSpecs + "/*.yaml"); err == nil && len(files) > 0 {
		paths = append(paths, systemSpecs)
	}
	library, err := ynl.NewLibrary(paths...)
	if err != nil {
		return nil, fmt.Errorf("specs: %w", err)
	}
	n := newNames(library)
	n.warn = warnOnce(c.Root().ErrWriter)
	n.given = c.StringSlice("spec")
	return n, nil
}

// warnOnce returns a function that prints a warning the first time that it gets its text.
func warnOnce(stderr io.Writer) func(error) {
	seen := map[string]bool{}
	return func(err error) {
		for line := range strings.Lines(describe(err)) {
			if line = strings.TrimRight(line, "\n"); !seen[line] {
				seen[line] = true
				fmt.Fprintf(stderr, "nlctl: warning: %s\n", line)
			}
		}
	}
}

// check reports an error of a spec. Its messages are then printed with numbers.
func (n *names) check(err error) {
	if err != nil && n.warn != nil && !errors.Is(err, fs.ErrNotExist) {
		n.warn(err)
	}
}

// builtinNames are the built-in specs, for callers without a command line.
var builtinNames = sync.OnceValue(func() *ynl.Library {
	library, err := ynl.NewLibrary()
	if err != nil {
		panic(err) // without paths there is no error
	}
	return library
})

// family returns the spec of a Generic Netlink family, or nil.
func (n *names) family(name string) *ynl.Spec {
	s, err := n.spec(name)
	n.check(err)
	if err != nil || s.Protocol != ynl.GenericProtocol {
		return nil
	}
	return s
}

// spec returns the spec with that name. The error is fs.ErrNotExist if there is none.
func (n *names) spec(name string) (*ynl.Spec, error) {
	s, err := n.library.Family(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noSpecError(name)
	}
	if err == nil {
		n.warnings(s)
	}
	return s, err
}

// warnings reports the warnings of a spec of -spec. The specs of the environment and of the system can
// be those of a newer kernel, which would be the same warning for each command.
func (n *names) warnings(s *ynl.Spec) {
	for _, w := range s.Warnings {
		isGiven := slices.ContainsFunc(n.given, func(path string) bool {
			relative, err := filepath.Rel(path, w.File)
			return err == nil && filepath.IsLocal(relative)
		})
		if isGiven && n.warn != nil {
			n.warn(w)
		}
	}
}

// noSpecError is the error for a family without a spec. It matches fs.ErrNotExist.
type noSpecError string

func (e noSpecError) Error() string {
	return fmt.Sprintf("no spec of family %q; -spec selects further specs", string(e))
}

// Is reports whether target is fs.ErrNotExist.
func (e noSpecError) Is(target error) bool { return target == fs.ErrNotExist }

// message returns the spec of a message of a protocol other than Generic Netlink, or nil.
func (n *names) message(protocol socket.Protocol, typ nlmsg.Type) *ynl.Spec {
	key := typeKey{protocol, typ}
	s, ok := n.types[key]
	if !ok {
		s = n.find(protocol, typ)
		n.types[key] = s
	}
	return s
}

// find prefers a spec in which the type is a request to one in which it is only a reply.
func (n *names) find(protocol socket.Protocol, typ nlmsg.Type) *ynl.Spec {
	var reply *ynl.Spec
	for _, s := range n.protocol(protocol) {
		if s.OpByRequest(int(typ)) != nil {
			return s
		}
		if reply == nil && (s.OpByReply(int(typ)) != nil || shares(s, int(typ))) {
			reply = s
		}
	}
	return reply
}

// shares reports whether several operations share a number, and the first byte of the header
// distinguishes them.
func shares(s *ynl.Spec, n int) bool {
	return slices.ContainsFunc(s.Ops, func(op *ynl.Op) bool { return op.First != nil && (op.Request == n || op.Reply == n) })
}

// protocol returns the specs of a protocol.
func (n *names) protocol(protocol socket.Protocol) []*ynl.Spec {
	all, ok := n.loaded[protocol]
	if !ok {
		var err error
		all, err = n.library.Protocol(uint16(protocol))
		n.check(err)
		for _, s := range all {
			n.warnings(s)
		}
		n.loaded[protocol] = all
	}
	return all
}
