package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// family is the JSON of a family, a stable interface for programs.
type family struct {
	Name    string  `json:"name"`
	ID      uint16  `json:"id"`
	Version uint32  `json:"version"`
	HdrSize uint32  `json:"hdrsize"`
	MaxAttr uint32  `json:"maxattr"`
	Ops     []op    `json:"ops"`
	Groups  []group `json:"groups"`
}

type op struct {
	ID    uint32   `json:"id"`
	Name  string   `json:"name,omitempty"` // of a family with a spec
	Flags []string `json:"flags"`
}

type group struct {
	Name string `json:"name"`
	ID   uint32 `json:"id"`
}

// flagNames are the names of an operation's flags, in printing order.
var flagNames = []struct {
	flag genlmsg.OpFlags
	name string
}{
	{genlmsg.OpDo, "do"},
	{genlmsg.OpDump, "dump"},
	{genlmsg.OpPolicy, "policy"},
	{genlmsg.OpAdmin, "admin"},
	{genlmsg.OpUnsAdmin, "uns-admin"},
}

// newFamily makes the JSON of f. Empty lists are [], not null.
func newFamily(f ctrl.Family) family {
	out := family{f.Name, uint16(f.ID), f.Version, f.HdrSize, f.MaxAttr, []op{}, []group{}}
	for _, o := range f.Ops {
		out.Ops = append(out.Ops, op{ID: o.ID, Flags: opFlags(o.Flags)})
	}
	for _, g := range f.Groups {
		out.Groups = append(out.Groups, group{g.Name, g.ID})
	}
	return out
}

// opFlags returns the names of the flags. Unnamed bits of newer kernels are returned as a
// number.
func opFlags(flags genlmsg.OpFlags) []string {
	names := []string{}
	for _, f := range flagNames {
		if flags&f.flag != 0 {
			names = append(names, f.name)
			flags &^= f.flag
		}
	}
	if flags != 0 {
		names = append(names, fmt.Sprintf("%#x", uint32(flags)))
	}
	return names
}

func list(ctx context.Context, c *cli.Command) error {
	if _, err := arguments(c, 0); err != nil {
		return err
	}
	client, err := open(c)
	if err != nil {
		return err
	}
	defer client.close()
	families, err := client.Families(ctx)
	if err != nil {
		return err
	}
	if !c.Bool("json") {
		return printList(c.Root().Writer, families)
	}
	out := []family{}
	for _, f := range families {
		out = append(out, newFamily(f))
	}
	return printJSON(c.Root().Writer, out)
}

func show(ctx context.Context, c *cli.Command) error {
	args, err := arguments(c, 1)
	if err != nil {
		return err
	}
	client, err := open(c)
	if err != nil {
		return err
	}
	defer client.close()
	f, err := familyOf(ctx, client, args[0])
	if err != nil {
		return err
	}
	out := newFamily(f)
	specs, err := openNames(c)
	if err != nil {
		return err
	}
	if spec := specs.family(f.Name); spec != nil {
		out.name(spec)
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, out)
	}
	return printFamily(c.Root().Writer, out)
}

// name adds the names of the operations.
func (f *family) name(spec *ynl.Spec) {
	for i := range f.Ops {
		if op := spec.OpByRequest(int(f.Ops[i].ID)); op != nil {
			f.Ops[i].Name = op.Name
		}
	}
}

// newTable returns a writer that aligns tab-separated columns. Its Flush returns the error
// of any earlier write.
func newTable(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

func printList(w io.Writer, families []ctrl.Family) error {
	t := newTable(w)
	fmt.Fprintln(t, "NAME\tID\tVERSION\tHDRSIZE\tMAXATTR\tOPS\tGROUPS")
	for _, f := range families {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%s\n", printable(f.Name), f.ID, f.Version, f.HdrSize, f.MaxAttr, len(f.Ops), groupNames(f))
	}
	return t.Flush()
}

func groupNames(f ctrl.Family) string {
	if len(f.Groups) == 0 {
		return "-"
	}
	var names []string
	for _, g := range f.Groups {
		names = append(names, printable(g.Name))
	}
	return strings.Join(names, ",")
}

func printFamily(w io.Writer, f family) error {
	t := newTable(w)
	fmt.Fprintf(t, "name\t%s\nid\t%d\nversion\t%d\nheader size\t%d\nmax attribute\t%d\n", printable(f.Name), f.ID, f.Version, f.HdrSize, f.MaxAttr)
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d operations\n", len(f.Ops))
	for _, o := range f.Ops {
		if o.Name == "" {
			fmt.Fprintf(t, "  %d\t%s\n", o.ID, strings.Join(o.Flags, " "))
			continue
		}
		fmt.Fprintf(t, "  %d\t%s\t%s\n", o.ID, o.Name, strings.Join(o.Flags, " "))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d multicast groups\n", len(f.Groups))
	for _, g := range f.Groups {
		fmt.Fprintf(t, "  %d\t%s\n", g.ID, printable(g.Name))
	}
	return t.Flush()
}
