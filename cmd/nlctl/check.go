package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// check validates the request by the policy that the kernel exports. If there is none, as for
// all protocols except Generic Netlink, check compares the request with the spec, and prints
// differences as warnings, because kernels are newer than specs.
func (t *target) check(ctx context.Context, c *cli.Command, r *conn.Request) error {
	if t.client != nil {
		checker, err := t.client.Checker(ctx, &t.family, t.cmd, t.flags&nlmsg.FlagDump == nlmsg.FlagDump)
		if err == nil {
			return t.explain(r, checker.Check(nlmsg.Msg(r.B)))
		}
		if !errors.Is(err, ctrl.ErrNotExported) {
			return err
		}
	}
	if t.op == nil {
		return errors.New("the request cannot be checked: neither the kernel nor a spec has its policy")
	}
	for _, problem := range t.spec.Check(whole(r.B), t.op) {
		fmt.Fprintf(c.Root().ErrWriter, "nlctl: warning: %s: %s\n", r.Op, problem)
	}
	return nil
}

// whole returns a message with its length in the header, which the Conn writes only when
// it sends the message.
func whole(b []byte) nlmsg.Msg { return nlmsg.End(append([]byte(nil), b...), 0) }

// explain returns the error of a check with the name of the attribute.
func (t *target) explain(r *conn.Request, err error) error {
	var refused *policy.Error
	if !errors.As(err, &refused) {
		return err
	}
	attribute := ""
	if t.op != nil {
		decoded := t.spec.DecodeOp(whole(r.B), t.op)
		attribute, _ = decoded.PathAt(refused.Offset)
	}
	if attribute == "" && refused.HasAttr {
		attribute = strconv.Itoa(int(refused.Type)) + " at offset " + strconv.Itoa(refused.Offset)
	}
	text := r.Op + ": not sent: " + refused.Errno.Error()
	for _, part := range []struct{ before, text string }{{"", refused.Msg}, {"attribute ", attribute}} {
		if part.text != "" {
			text += ": " + part.before + part.text
		}
	}
	if refused.Policy != nil {
		text += ": it must be " + refused.Policy.String()
	}
	return errors.New(text)
}
