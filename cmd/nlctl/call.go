package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nlwire/nlwire/nla/policy"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nlmsg"
)

const callHelp = `CMD and TYPE are numbers; nlctl show and nlctl policy print them. The format of a
VALUE depends on the kind of the attribute in the operation's policy:

   numbers        17, 0x11, -1
   string         the text; a NUL is added
   flag           no value: 3
   binary         hex: 00ff, or 00:ff
   bitfield32     VALUE/SELECTOR: 0x1/0x3
   msecs          milliseconds

TYPE:KIND=VALUE selects another kind, and is required if the policy does not export
the kind: 5:u32=7, 6:binary=00ff. Nested attributes are not supported.

The family's own header is sent as zeros.`

func callFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "dump", Usage: "send a dump request, which returns a list"},
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
	cmd, err := strconv.ParseUint(args[1], 0, 8)
	if err != nil {
		return usageError{fmt.Errorf("command %q is not a number from 0 to 255", args[1])}
	}
	values, err := parseArguments(args[2:])
	if err != nil {
		return usageError{err}
	}
	client, err := open(c)
	if err != nil {
		return err
	}
	defer client.close()
	f, err := client.Family(ctx, args[0])
	if err != nil {
		return err
	}
	policy, err := policyOf(ctx, client.Client, &f, uint8(cmd), c.Bool("dump"))
	if err != nil {
		return err
	}
	r, err := newRequest(c, client.Conn(), &f, uint8(cmd))
	if err != nil {
		return err
	}
	defer r.Release()
	for _, v := range values {
		if r.B, err = v.append(r.B, policy); err != nil {
			return usageError{err}
		}
	}
	p := newPrinter(c, &f, policy)
	if c.Bool("dump") {
		return dump(ctx, client.Conn(), r, p)
	}
	return do(ctx, client.Conn(), r, p, c)
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
			return err
		}
		if err := p.print(m); err != nil {
			return err
		}
	}
	return p.end()
}
