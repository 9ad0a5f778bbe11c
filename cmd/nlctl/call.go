package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/literal"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

const callHelp = `FAMILY is a name of nlctl list or a spec such as rt-link, and OP an operation of nlctl ops;
both may be numbers. The attributes have names or numbers:

   NAME=VALUE     a number, a text, the name of an enum's value, an address,
                  or names and numbers of flags: up|0x100000
   NAME           a flag
   A.B=VALUE      the attribute B in the nest A
   A.0.B=VALUE    the attribute B in the first nest of the list A
   '{"A": {"B": 1}}'
                  all attributes as an object of JSON

A family without a spec has only numbers. The format of a VALUE then depends on the kind of
the attribute in the operation's policy: a number, a text, nothing for a flag, hex for
binary, VALUE/SELECTOR for a bitfield32, milliseconds for msecs. TYPE:KIND=VALUE selects
another kind, and is required if the policy does not export the kind: 5:u32=7.

A family header that no spec describes is sent as zeros. With -check nlctl validates the
request by the policy that the kernel exports, or else by the spec, before it sends it.`

const callExamples = `   nlctl call rt-link getlink -dump
   nlctl call rt-link newlink -flags create,excl ifname=v0 linkinfo.kind=veth
   nlctl call ethtool rings-get header.dev-name=eth0
   nlctl call nlctrl getfamily '{"family-name": "ethtool"}'
   nlctl -bus example call DOC_EXMPL 1 1=hello`

func callFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "dump", Usage: "send a dump request, which returns a list"},
		&cli.BoolFlag{Name: "check", Usage: "validate the request before it is sent"},
		&cli.StringSliceFlag{Name: "flags", Usage: "set these `FLAGS`: create, excl, replace, append, echo, root, match, atomic, bulk, nonrec"},
		&cli.Uint8Flag{Name: "version", HideDefault: true, Usage: "send the version `N` instead of the family's version"},
	}
}

// call sends a request to an operation and prints its replies.
func call(ctx context.Context, c *cli.Command) error {
	args := c.Args().Slice()
	if len(args) < 2 {
		_, err := arguments(c, 2)
		return err
	}
	flags, err := parseFlags(c.StringSlice("flags"))
	if err != nil {
		return usageError{err}
	}
	specs, err := openNames(c)
	if err != nil {
		return err
	}
	t, err := openTarget(ctx, c, specs, args[0], args[1])
	if err != nil {
		return err
	}
	defer t.close()
	t.flags = flags
	if c.Bool("dump") {
		t.flags |= nlmsg.FlagDump
	}
	r, err := t.request(ctx, c, args[2:])
	if err != nil {
		return err
	}
	defer r.Release()
	if c.Bool("check") {
		if err := t.check(ctx, c, r); err != nil {
			return err
		}
	}
	p := newPrinter(c, t)
	if c.Bool("dump") {
		return dump(ctx, t.conn, r, p)
	}
	return do(ctx, t.conn, r, p, c)
}

// policyOf returns the policy of the operation, or nil if none is exported.
func policyOf(ctx context.Context, client *ctrl.Client, f *ctrl.Family, cmd uint8, isDump bool) (*policy.Policy, error) {
	policies, err := client.Policies(ctx, f)
	if errors.Is(err, ctrl.ErrNotExported) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	op, _ := policies.Op(cmd)
	if isDump {
		return op.Dump, nil
	}
	return op.Do, nil
}

// maxHeader limits the size of a family's own header. The size may come from an untrusted
// peer.
const maxHeader = 256

// newRequest makes a request without attributes to an operation of a Generic Netlink
// family.
func newRequest(c *cli.Command, cn *conn.Conn, f *ctrl.Family, cmd uint8) (*conn.Request, error) {
	if f.HdrSize > maxHeader {
		return nil, fmt.Errorf("family %q: implausible header size of %d bytes", f.Name, f.HdrSize)
	}
	version := uint8(f.Version)
	if c.IsSet("version") {
		version = c.Uint8("version")
	}
	header := append(genlmsg.Append(nil, cmd, version), make([]byte, f.HdrSize)...)
	r := cn.Request(nlmsg.Type(f.ID), nlmsg.FlagRequest, header)
	r.Op = fmt.Sprintf("call %s %d", printable(f.Name), cmd)
	return r, nil
}

// hasNumbers reports whether an argument has the form TYPE:KIND, or all have numbers
// instead of names.
func hasNumbers(args []string) bool {
	areNumbers := func(path string) bool {
		return !slices.ContainsFunc(strings.Split(path, "."), func(part string) bool {
			_, isNumber := parseNumber(part, 16)
			return !isNumber
		})
	}
	isNamed := func(arg string) bool {
		path, _, _ := strings.Cut(arg, "=")
		return !areNumbers(path)
	}
	hasKind := func(arg string) bool {
		path, _, _ := strings.Cut(arg, "=")
		path, _, ok := strings.Cut(path, ":")
		return ok && areNumbers(path)
	}
	return slices.ContainsFunc(args, hasKind) || len(args) > 0 && !slices.ContainsFunc(args, isNamed)
}

func do(ctx context.Context, cn *conn.Conn, r *conn.Request, p *printer, c *cli.Command) error {
	m := nlmsg.Msg(r.B)
	m.SetFlags(m.Flags() | nlmsg.FlagAck)
	if _, err := cn.Do(ctx, r); err != nil {
		return err
	}
	if w := r.Warning(); w != nil {
		fmt.Fprintf(c.Root().ErrWriter, "nlctl: warning: %s\n", strings.Map(printableRune, w.Error()))
	}
	for m := range r.Replies() {
		if err := p.print(m); err != nil {
			return err
		}
	}
	return p.end()
}

func dump(ctx context.Context, cn *conn.Conn, r *conn.Request, p *printer) error {
	for m, err := range cn.Dump(ctx, r) {
		if err != nil {
			_ = p.out.Flush() // the error is reported
			return err
		}
		if err := p.print(m); err != nil {
			return err
		}
	}
	return p.end()
}

// parseNumber parses a number of an operation or a family.
func parseNumber(text string, bits int) (uint64, bool) {
	n, err := literal.Uint(text, bits)
	return n, err == nil
}
