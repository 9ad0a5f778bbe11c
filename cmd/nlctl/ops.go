package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/ynl"
)

const opsHelp = `The names and numbers are those of the family's spec; the family need not exist in the
kernel. With OP, a name or a number, nlctl shows the attributes of the operation's requests
and replies. Without FAMILY, nlctl shows the families that have a spec.`

const opsExamples = `   nlctl ops
   nlctl ops rt-link
   nlctl ops rt-link newlink`

// operationJSON is the JSON of an operation, a stable interface for programs.
type operationJSON struct {
	Name    string    `json:"name"`
	Request *int      `json:"request"` // null if the kernel sends it
	Reply   *int      `json:"reply"`   // null if there is none
	Kinds   []string  `json:"kinds"`   // do, dump, notify, event
	Flags   []string  `json:"flags"`
	Group   string    `json:"group,omitempty"`
	Do      *modeJSON `json:"do,omitempty"`
	Dump    *modeJSON `json:"dump,omitempty"`
	Event   []string  `json:"event,omitempty"` // attributes of a notification or event
}

// modeJSON contains the attributes of the requests and replies of an operation.
type modeJSON struct {
	Request []string `json:"request"`
	Reply   []string `json:"reply"`
}

// ops prints the operations of a spec, or the names of all specs.
func ops(_ context.Context, c *cli.Command) error {
	args := c.Args().Slice()
	if len(args) > 2 {
		_, err := arguments(c, 1)
		return err
	}
	specs, err := openNames(c)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return printNames(c, specs.library.Names())
	}
	spec, err := specs.spec(args[0])
	if err != nil {
		return err
	}
	if len(args) == 2 {
		return operationOf(c, spec, args[1])
	}
	all := []operationJSON{}
	for _, op := range spec.Ops {
		if !op.IsReserved() {
			all = append(all, newOperation(op))
		}
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, all)
	}
	return printOperations(c.Root().Writer, all)
}

func printNames(c *cli.Command, all []string) error {
	w := c.Root().Writer
	if c.Bool("json") {
		return printJSON(w, append([]string{}, all...))
	}
	for _, name := range all {
		fmt.Fprintln(w, name) // the output reports its error at the end
	}
	return nil
}

func newOperation(op *ynl.Op) operationJSON {
	out := operationJSON{Name: op.Name, Request: numberOrNil(op.Request), Reply: numberOrNil(op.Reply), Kinds: []string{}, Flags: []string{}, Group: op.Group}
	out.Flags = append(out.Flags, op.Flags...)
	if op.Do != nil {
		out.Kinds = append(out.Kinds, "do")
		out.Do = newMode(op.Do)
	}
	if op.Dump != nil {
		out.Kinds = append(out.Kinds, "dump")
		out.Dump = newMode(op.Dump)
	}
	switch {
	case op.Notify != nil:
		out.Kinds = append(out.Kinds, "notify")
	case op.Event != nil:
		out.Kinds = append(out.Kinds, "event")
	}
	out.Event = eventAttributes(op)
	return out
}

func newMode(m *ynl.Mode) *modeJSON {
	return &modeJSON{append([]string{}, m.Request...), append([]string{}, m.Reply...)}
}

func numberOrNil(n int) *int {
	if n == ynl.NoNumber {
		return nil
	}
	return &n
}

func printOperations(w io.Writer, all []operationJSON) error {
	t := newTable(w)
	fmt.Fprintln(t, "OPERATION\tREQUEST\tREPLY\tKIND\tFLAGS\tGROUP")
	for _, op := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", op.Name, numberText(op.Request), numberText(op.Reply),
			strings.Join(op.Kinds, ","), orDash(strings.Join(op.Flags, ",")), orDash(op.Group))
	}
	return t.Flush()
}

func numberText(n *int) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// operationOf prints an operation with the types of its attributes.
func operationOf(c *cli.Command, spec *ynl.Spec, name string) error {
	op, err := findOp(spec, name)
	if err != nil {
		return err
	}
	out := newOperation(op)
	w := c.Root().Writer
	if c.Bool("json") {
		return printJSON(w, out)
	}
	if err := printOperations(w, []operationJSON{out}); err != nil {
		return err
	}
	t := newTable(w)
	if op.FixedHeader != nil {
		fmt.Fprintf(t, "\nheader %s\n", op.FixedHeader.Name)
		for _, m := range op.FixedHeader.Members {
			if m.Name != "" {
				fmt.Fprintf(t, "  %s\t%s\n", m.Name, typeText(&m.Layout))
			}
		}
	}
	for _, mode := range []struct {
		title string
		names []string
	}{
		{"do request", namesIn(op.Do, true)}, {"do reply", namesIn(op.Do, false)},
		{"dump request", namesIn(op.Dump, true)}, {"dump reply", namesIn(op.Dump, false)}, {"event", eventAttributes(op)},
	} {
		printAttributes(t, mode.title, op.Set, mode.names)
	}
	return t.Flush()
}

// findOp returns the operation with a name or number: that of its request, or of its reply.
func findOp(spec *ynl.Spec, name string) (*ynl.Op, error) {
	op := spec.Op(name)
	if op == nil {
		op = spec.Op(strings.ReplaceAll(name, "_", "-"))
	}
	if n, isNumber := parseNumber(name, 16); op == nil && isNumber {
		if op = spec.OpByRequest(int(n)); op == nil {
			op = spec.OpByNotification(int(n))
		}
	}
	if op == nil {
		return nil, usageError{fmt.Errorf("%s has no operation %q; nlctl ops %s lists them", spec.Name, name, spec.Name)}
	}
	return op, nil
}

// namesIn returns the names of the attributes of a mode's request or reply.
func namesIn(m *ynl.Mode, isRequest bool) []string {
	switch {
	case m == nil:
		return nil
	case isRequest:
		return m.Request
	}
	return m.Reply
}

// eventAttributes returns the names of the attributes of a notification.
func eventAttributes(op *ynl.Op) []string {
	if !op.Async {
		return nil
	}
	return op.ReplyAttrs()
}

// typeText describes the type of a value.
func typeText(l *ynl.Layout) string {
	text := l.Type.String()
	if l.Order != ynl.Native {
		text += " " + l.Order.String()
	}
	switch {
	case l.Struct != nil:
		text += " " + l.Struct.Name
	case l.Enum != nil:
		text += " " + l.Enum.Name
	case l.Hint != ynl.HintNone:
		text += " " + l.Hint.String()
	}
	return text
}

// printAttributes prints the attributes of a request or reply.
func printAttributes(w io.Writer, title string, set *ynl.Set, names []string) {
	if len(names) == 0 || set == nil {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, name := range names {
		a := set.Attr(name)
		if a == nil {
			continue // a member of the header
		}
		text := typeText(&a.Layout)
		switch {
		case a.Nested != nil:
			text += " " + a.Nested.Name
		case a.SubMessage != nil:
			text += " selected by " + a.Selector
		}
		if a.Multi {
			text += ", may repeat"
		}
		fmt.Fprintf(w, "  %d\t%s\t%s\n", a.Value, name, text)
	}
}
