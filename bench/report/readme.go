package report

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
)

// The lines of the README between which the table stands.
const (
	begin = "<!-- bench: written by make bench-readme -->"
	end   = "<!-- /bench -->"
)

var (
	errMarkers = errors.New("there are no two lines with the markers of the table")
	errStale   = errors.New("the table is not the one of bench/results: make bench-readme writes it")
)

// WriteReadme writes the table into the README.
func WriteReadme(readme, results string) error {
	old, updated, err := replaced(readme, results)
	if err != nil || bytes.Equal(old, updated) {
		return err
	}
	return os.WriteFile(readme, updated, 0o644)
}

// CheckReadme fails if the README does not have the table of the results.
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

// Replace puts a text between the markers.
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
	label string
	kase  string
	input string  // "": the geometric mean over all inputs
	unit  float64 // of the time, in ns
	value func(*Row) float64
}

func perAttr(r *Row) float64 { return r.NsAttr }
func perOp(r *Row) float64   { return r.NsOp }

var lines = []line{
	{"decode, ns an attribute", "decode", "", 1, perAttr},
	{"decode u32/u64 at random, ns an attribute", "decode", "mixed", 1, perAttr},
	{"decode nests, ns an attribute", "decode-deep", "", 1, perAttr},
	{"decode with a policy, ns an attribute", "decode-policy", "", 1, perAttr},
	{"encode a GETFAMILY, ns", "encode", "request", 1, perOp},
	{"encode a NEWLINK with nests, ns", "encode", "mixed", 1, perOp},
	{"resolve a family, µs", "resolve", "", 1e3, perOp},
	{"list all families, µs", "families", "", 1e3, perOp},
	{"64 requests at once, µs each", "pipeline", "", 1e3, perOp},
	{"flood of events, µs each", "flood", "", 1e3, perOp},
	{"dump 10,000 routes, ms", "routes10k", "", 1e6, perOp},
	{"dump 1,000,000 routes, ms", "routes1m", "", 1e6, perOp},
}

// columns of the table, with their headings.
var columns = []struct{ name, heading string }{
	{"nlwire", "nlwire"},
	{"c-inline", "C by hand"},
	{"libmnl", "libmnl"},
	{"libnl", "libnl"},
	{"mdlayher", "mdlayher"},
	{"vishvananda", "vishvananda"},
	{"floor", "floor"},
}

// Table returns what the README says of the results.
func Table(rows []Row, d *Details) string {
	var b strings.Builder
	fmt.Fprintf(&b, "nlwire beside the others, medians of rounds in turns in one run, on the same bytes, with equal checksums. Where rounds are\n"+
		"short, those in which somebody else's work shared the core are set aside. %s, %s cores, Linux %s,\n%s, libmnl %s, libnl %s, mdlayher/netlink %s, vishvananda/netlink %s.\n\n",
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
	peak := line{"the same, MiB at most", "routes1m", "", 1 << 20, func(r *Row) float64 { return float64(r.PeakRSS) }}
	peak.write(&b, rows)
	b.WriteString("\n*C by hand* is gcc -O2 with the same checks, *floor* what the work cannot do without: to touch each cache line, " +
		"to copy the\nmessage, to receive without looking. *Allocations* are nlwire's. Where a column has several inputs, it is their geometric mean.\n" +
		"[bench/results](bench/results) has every row, with spread, system calls and memory.\n\n" +
		"![the same as bars](bench/results/rivals.svg)\n")
	return b.String()
}

func (l line) write(b *strings.Builder, rows []Row) {
	fmt.Fprintf(b, "| %s", l.label)
	for _, c := range columns {
		b.WriteString(" | " + Number(l.mean(rows, c.name)/l.unit))
	}
	var allocs float64
	for _, r := range l.rows(rows, "nlwire") {
		allocs = max(allocs, r.AllocsOp)
	}
	fmt.Fprintf(b, " | %.3g |\n", allocs)
}

// rows are those of a column that the line is about.
func (l line) rows(rows []Row, column string) (all []*Row) {
	for i := range rows {
		if r := &rows[i]; r.Case == l.kase && r.Column == column && (l.input == "" || l.input == r.Input) {
			all = append(all, r)
		}
	}
	return all
}

// mean is NaN if the column does not have the case.
func (l line) mean(rows []Row, column string) float64 {
	var values []float64
	for _, r := range l.rows(rows, column) {
		values = append(values, l.value(r))
	}
	return GeoMean(values)
}

// Number has two digits, more only before the point.
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
