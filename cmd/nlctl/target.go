package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
	"github.com/nlwire/nlwire/ynl"
)

// target is the operation that call requests.
type target struct {
	conn   *conn.Conn
	client *client // of a Generic Netlink family, nil for other protocols
	family ctrl.Family
	cmd    uint8
	spec   *ynl.Spec // nil if there is none
	op     *ynl.Op   // nil if the spec lacks the operation
	flags  nlmsg.Flags
	sent   nlmsg.Msg      // the request, if it was made by names
	policy *policy.Policy // that the kernel exports, if the request was made by it
}

func (t *target) close() {
	if t.client != nil {
		t.client.close()
		return
	}
	_ = t.conn.Close() // all replies have been received
}

// openTarget connects to a family and finds an operation of it.
func openTarget(ctx context.Context, c *cli.Command, specs *names, family, op string) (*target, error) {
	spec, err := specs.spec(family)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if spec != nil && spec.Protocol != ynl.GenericProtocol {
		return openRaw(c, spec, op)
	}
	t := &target{spec: spec}
	number, isNumber := parseNumber(op, 8)
	noNames := usageError{fmt.Errorf("no spec has names for the family %q: write a command from 0 to 255 instead of %q; nlctl ops lists the families with names", family, op)}
	if err := t.find(op, int(number), isNumber); err != nil {
		return nil, err
	}
	if t.client, err = open(c); err != nil {
		return nil, err
	}
	t.conn = t.client.Conn()
	if t.family, err = familyOf(ctx, t.client, family); err != nil {
		t.close()
		return nil, err
	}
	if t.spec == nil {
		t.spec = specs.family(t.family.Name) // the argument may be the family's ID
		if err = t.find(op, int(number), isNumber); err == nil && t.op == nil && !isNumber {
			err = noNames
		}
		if err != nil {
			t.close()
			return nil, err
		}
	}
	t.cmd = uint8(number)
	if t.op != nil {
		t.cmd = uint8(t.op.Request)
	}
	return t, nil
}

// openRaw connects to a protocol other than Generic Netlink.
func openRaw(c *cli.Command, spec *ynl.Spec, op string) (*target, error) {
	if c.IsSet("bus") {
		return nil, usageError{fmt.Errorf("-bus is not allowed with %s: a bus has only Generic Netlink families", spec.Name)}
	}
	t := &target{spec: spec}
	number, isNumber := parseNumber(op, 16)
	err := t.find(op, int(number), isNumber)
	if err != nil {
		return nil, err
	}
	t.conn, err = conn.Open(socket.Protocol(spec.Protocol))
	return t, err
}

// find finds the operation with that name or number in the spec, if there is one.
func (t *target) find(name string, number int, isNumber bool) error {
	switch {
	case t.spec == nil:
		return nil
	case isNumber:
		if t.op = t.spec.OpByRequest(number); t.op == nil && t.spec.Protocol != ynl.GenericProtocol {
			return usageError{fmt.Errorf("%s has no request of type %d", t.spec.Name, number)}
		}
		return nil
	}
	var err error
	if t.op, err = findOp(t.spec, name); err == nil && (t.op.Request == ynl.NoNumber || t.op.Set == nil) {
		err = usageError{fmt.Errorf("%s %s is a notification; nlctl monitor prints it", t.spec.Name, t.op.Name)}
	}
	return err
}

// familyOf returns the family with that name or ID.
func familyOf(ctx context.Context, client *client, name string) (ctrl.Family, error) {
	if id, ok := parseNumber(name, 16); ok && id >= uint64(nlmsg.MinType) {
		if f, err := client.FamilyByID(ctx, nlmsg.Type(id)); err == nil {
			return f, nil
		}
	}
	return client.Family(ctx, name)
}

// request makes the request with the attributes of the arguments.
func (t *target) request(ctx context.Context, c *cli.Command, args []string) (*conn.Request, error) {
	if t.op == nil || hasNumbers(args) && t.client != nil {
		return t.numbers(ctx, c, args)
	}
	value, err := requestValue(args)
	if err != nil {
		return nil, usageError{err}
	}
	payload, headers, err := t.spec.AppendPayload(nil, t.op, value, c.Uint8("version"))
	if err != nil {
		return nil, usageError{err}
	}
	typ := nlmsg.Type(t.op.Request)
	if t.client != nil {
		typ = t.family.ID
	}
	r := t.conn.Request(typ, t.flags|nlmsg.FlagRequest, payload[:headers])
	r.B = append(r.B, payload[headers:]...)
	r.Op = "call " + printable(t.spec.Name) + " " + t.op.Name
	r.Name, t.sent = t.name, whole(r.B)
	return r, nil
}

// requestValue returns the values of the arguments: an object of JSON, or names with
// values.
func requestValue(args []string) (ynl.Value, error) {
	if len(args) == 1 && strings.HasPrefix(strings.TrimSpace(args[0]), "{") {
		return parseJSON([]byte(args[0]))
	}
	return ynl.ParseArgs(args)
}

// parseJSON parses a value. Its errors describe the text.
func parseJSON(text []byte) (ynl.Value, error) {
	v, err := ynl.ParseJSON(text)
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &syntax) && syntax.Offset >= int64(len(text)):
		return v, errors.New("the JSON is incomplete")
	case errors.As(err, &syntax):
		return v, fmt.Errorf("malformed JSON near byte %d", syntax.Offset)
	}
	return v, err
}

// name returns the name of an attribute of the request from the types of the nests around
// it and its own. The last one may be missing in the request.
func (t *target) name(path []uint16) string {
	m := t.spec.DecodeOp(t.sent, t.op)
	var names []string
	fields, nest := m.Fields, 0
	for i, typ := range path {
		k := slices.IndexFunc(fields, func(f ynl.Field) bool { return f.Type == typ && !f.Member })
		if k < 0 {
			missing, ok := m.MissingPath(nest, typ)
			if i+1 < len(path) || !ok {
				return ""
			}
			return strings.Join(append(names, lastName(missing)), ".")
		}
		f := &fields[k]
		name := f.Name
		if f.Attr == nil { // the type is an index, or the spec lacks the attribute
			name = strconv.Itoa(int(typ))
		}
		names, fields, nest = append(names, name), f.Fields, f.Offset
	}
	return strings.Join(names, ".")
}

// lastName returns the last name of a path.
func lastName(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// numbers makes the request of an operation without names. The values have the kinds of
// the policy that the kernel exports.
func (t *target) numbers(ctx context.Context, c *cli.Command, args []string) (*conn.Request, error) {
	values, problem := parseArguments(args)
	if problem != nil {
		return nil, usageError{problem}
	}
	isDump := t.flags&nlmsg.FlagDump == nlmsg.FlagDump
	var err error
	t.policy, err = policyOf(ctx, t.client.Client, &t.family, t.cmd, isDump)
	if err != nil {
		return nil, err
	}
	r, err := newRequest(c, t.conn, &t.family, t.cmd)
	if err != nil {
		return nil, err
	}
	if r.B, err = appendArguments(r.B, values, t.policy); err != nil {
		r.Release()
		return nil, usageError{err}
	}
	m := nlmsg.Msg(r.B)
	m.SetFlags(m.Flags() | t.flags)
	return r, nil
}
