package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf16"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
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
		out.Ops = append(out.Ops, op{o.ID, opFlags(o.Flags)})
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
	out := []family{}
	for _, f := range families {
		out = append(out, newFamily(f))
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, out)
	}
	return printList(c.Root().Writer, out)
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
	f, err := client.Family(ctx, args[0])
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, newFamily(f))
	}
	return printFamily(c.Root().Writer, newFamily(f))
}

// completeFamilies prints the family names for shell completion.
func completeFamilies(ctx context.Context, c *cli.Command) {
	client, err := open(c)
	if err != nil {
		return // no completion is better than an error message on the user's command line
	}
	defer client.close()
	families, _ := client.Families(ctx)
	for _, f := range families {
		fmt.Fprintln(c.Root().Writer, f.Name)
	}
}

func printJSON(w io.Writer, v any) error {
	e := newEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// newEncoder returns a JSON encoder with ASCII output: all other characters are escaped, so
// that they cannot affect a terminal. encoding/json escapes only the control characters
// below space.
func newEncoder(w io.Writer) *json.Encoder { return json.NewEncoder(asciiWriter{w}) }

// asciiWriter escapes the non-ASCII characters of JSON. Each Write must contain a complete
// value.
type asciiWriter struct{ w io.Writer }

func (w asciiWriter) Write(p []byte) (int, error) {
	out := make([]byte, 0, len(p))
	for _, r := range string(p) {
		switch {
		case r < 0x7f:
			out = append(out, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	_, err := w.w.Write(out)
	return len(p), err
}

// newTable returns a writer that aligns tab-separated columns. Its Flush returns the error
// of any earlier write.
func newTable(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

func printList(w io.Writer, families []family) error {
	t := newTable(w)
	fmt.Fprintln(t, "NAME\tID\tVERSION\tHDRSIZE\tMAXATTR\tOPS\tGROUPS")
	for _, f := range families {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%s\n", printable(f.Name), f.ID, f.Version, f.HdrSize, f.MaxAttr, len(f.Ops), groupNames(f))
	}
	return t.Flush()
}

func groupNames(f family) string {
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
		fmt.Fprintf(t, "  %d\t%s\n", o.ID, strings.Join(o.Flags, " "))
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

// printableRune replaces characters that could affect a terminal.
func printableRune(r rune) rune {
	if r < ' ' || r > 0x7e {
		return '?'
	}
	return r
}

// printable quotes a name that could affect a terminal or a table: any process that
// registers a family can choose its name.
func printable(name string) string {
	for _, r := range name {
		if r <= ' ' || r == 0x7f || r > 0x7e {
			return strconv.QuoteToASCII(name)
		}
	}
	return name
}
