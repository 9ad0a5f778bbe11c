package report

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
)

// The marker lines before and after the table in the README.
const (
	begin = "<!-- bench: written by make bench-readme -->"
	end   = "<!-- /bench -->"
)

var (
	errMarkers = errors.New("the README lacks the marker lines of the table")
	errStale   = errors.New("the README's table does not match bench/results; run make bench-readme")
)

// WriteReadme replaces the table in the README.
func WriteReadme(readme, results string) error {
	old, updated, err := replaced(readme, results)
	if err != nil || bytes.Equal(old, updated) {
		return err
	}
	return os.WriteFile(readme, updated, 0o644)
}

// CheckReadme returns an error if the README's table does not match the results.
func CheckReadme(readme, results string) error {
	old, updated, err := replaced(readme, results)
	if err == nil && !bytes.Equal(old, updated) {
		err = fmt.Errorf("%s: %w", readme, errStale)
	}
	return err
}

func replaced(readme, results string) (old, updated []byte, err error) {
	rows, details, err := Read(results)
	if err != nil {
		return nil, nil, err
	}
	old, err = os.ReadFile(readme)
	if err != nil {
		return nil, nil, err
	}
	updated, err = Replace(old, Table(rows, details))
	if err != nil {
		err = fmt.Errorf("%s: %w", readme, err)
	}
	return old, updated, err
}

// Replace replaces the text between the markers.
func Replace(text []byte, table string) ([]byte, error) {
	before, rest, ok := bytes.Cut(text, []byte(begin+"\n"))
	_, after, okToo := bytes.Cut(rest, []byte(end+"\n"))
	if !ok || !okToo {
		return nil, errMarkers
	}
	return []byte(string(before) + begin + "\n" + table + end + "\n" + string(after)), nil
}

// A line of the table.
type line struct {
	label  string
	kase   string
	inputs []string // the line is the geometric mean of these inputs; nil: of all inputs
	unit   float64  // divisor of the value, for times in ns
	value  func(*Row) float64
}

func perAttr(r *Row) float64 { return r.NsAttr }
func perOp(r *Row) float64   { return r.NsOp }

var lines = []line{
	{"decode recorded messages, ns per attribute", "decode", []string{"families", "policy", "links", "routes10k"}, 1, perAttr},
	{"decode u32 and u64 at random, 4,096 attributes", "decode", []string{"mixed"}, 1, perAttr},
	{"the same, 131,072 attributes", "decode", []string{"mixed-large"}, 1, perAttr},
	{"decode nests, ns per attribute", "decode-deep", nil, 1, perAttr},
	{"decode with a policy, ns per attribute", "decode-policy", nil, 1, perAttr},
	{"a table of a small message, ns per attribute", "table-small", nil, 1, perAttr},
	{"a link into a struct, ns per attribute", "typed-link", nil, 1, perAttr},
	{"the same with copied strings, 19 links", "typed-link-copied", nil, 1, perAttr},
	{"a route with next hops into a struct", "typed-route", nil, 1, perAttr},
	{"an nftables rule into a struct", "typed-nft", nil, 1, perAttr},
	{"a conntrack flow into a struct", "typed-flow", nil, 1, perAttr},
	{"append strings of 0 to 32 bytes, ns each", "append", []string{"0", "1", "4", "8", "16", "17", "24", "32"}, 1, perAttr},
	{"append strings of 33 to 256 bytes, ns each", "append", []string{"33", "64", "128", "256"}, 1, perAttr},
	{"encode a GETFAMILY, ns", "encode", []string{"request"}, 1, perOp},
	{"encode a NEWLINK with nests, ns", "encode", []string{"mixed"}, 1, perOp},
	{"encode a filter with actions, ns", "encode", []string{"tc"}, 1, perOp},
	{"encode 1,000 nftables rules, µs", "encode", []string{"nft"}, 1e3, perOp},
	{"request the ID of a family, µs", "request", nil, 1e3, perOp},
	{"resolve a whole family, µs", "resolve", nil, 1e3, perOp},
	{"64 requests at once, µs each", "batch", nil, 1e3, perOp},
	{"64 goroutines on one connection, p99 in µs", "latency", []string{"64"}, 1e3, perOp},
	{"a flood of events, µs each", "events", nil, 1e3, perOp},
	{"dump 10,000 routes, ms", "routes10k", nil, 1e6, perOp},
	{"dump 1,000,000 routes, ms", "routes1m", nil, 1e6, perOp},
	{"the same, peak MiB", "routes1m", nil, 1 << 20, func(r *Row) float64 { return float64(r.PeakRSS) }},
}

// columns lists the columns of the table and their headings.
var columns = []struct{ heading, name string }{
	{"nlwire", "nlwire"},
	{"nlwire, socket", "nlwire-socket"},
	{"C", "c-inline"},
	{"C, predicted", "c-predicted"},
	{"libmnl", "libmnl"},
	{"libnl", "libnl"},
	{"mdlayher", "mdlayher"},
	{"vishvananda", "vishvananda"},
	{"jsimonetti", "jsimonetti"},
}

// Table returns the README's section with the table.
func Table(rows []Row, d *Details) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Medians of interleaved rounds in one run, on the same bytes, with equal checksums. %s, %s cores, Linux %s,\n"+
		"%s, libmnl %s, libnl %s, mdlayher/netlink %s, vishvananda/netlink %s.\n\n",
		d.Machine["cpu"], d.Machine["cores"], d.Machine["kernel"], strings.Replace(d.Versions["go"], "go", "Go ", 1),
		d.Versions["libmnl"], d.Versions["libnl"], d.Versions["mdlayher/netlink"], d.Versions["vishvananda/netlink"])
	b.WriteString("|")
	for _, c := range columns {
		b.WriteString(" | " + c.heading)
	}
	b.WriteString(" | allocations |\n|" + strings.Repeat("---|", len(columns)+2) + "\n")
	for _, l := range lines {
		l.write(&b, rows)
	}
	b.WriteString("\nThe column *nlwire* measures the default of users: the loop that the documentation recommends, conn and ctrl. *Socket* is nlwire\n" +
		"without conn: a socket and the codec. *C* is gcc -O2 with the same checks. *C, predicted* is the same loop with a predicted step.\n" +
		"libmnl and libnl are the distribution's shared objects. *Allocations* are those of nlwire in one operation. If a row has several\n" +
		"inputs, it shows their geometric mean. [bench/results](bench/results) contains every row with its spread.\n" +
		"[docs/benchmarks.md](docs/benchmarks.md) describes the method and its limits.\n\n" +
		"![the same as charts](bench/results/rivals.svg)\n")
	return b.String()
}

func (l line) write(b *strings.Builder, rows []Row) {
	fmt.Fprintf(b, "| %s", l.label)
	for _, c := range columns {
		b.WriteString(" | " + Number(l.mean(rows, c.name)/l.unit))
	}
	if l.kase == "latency" { // an operation consists of thousands of requests
		b.WriteString(" | – |\n")
		return
	}
	var allocs float64
	for _, r := range l.rows(rows, "nlwire") {
		if r.AllocsOp != nil {
			allocs = max(allocs, *r.AllocsOp)
		}
	}
	fmt.Fprintf(b, " | %.3g |\n", allocs)
}

// rows returns the rows of a column that belong to the line.
func (l line) rows(rows []Row, column string) (all []*Row) {
	for i := range rows {
		r := &rows[i]
		if r.Case == l.kase && r.Column == column && (l.inputs == nil || slices.Contains(l.inputs, r.Input)) {
			all = append(all, r)
		}
	}
	return all
}

// mean returns the geometric mean of a column, or NaN if the column lacks the case.
func (l line) mean(rows []Row, column string) float64 {
	var logs float64
	all := l.rows(rows, column)
	for _, r := range all {
		logs += math.Log(l.value(r))
	}
	return math.Exp(logs / float64(len(all)))
}

// Number formats v with two significant digits. Values from 10 upwards are rounded to an integer.
func Number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v < 1:
		return fmt.Sprintf("%.2g", v)
	case v < 9.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
