package report

import (
	"fmt"
	"strings"
)

// Text returns every round as a line that benchstat reads: benchstat -col /column
// compares the columns.
func Text(rows []Row, d *Details) string {
	var b strings.Builder
	fmt.Fprintf(&b, "goos: linux\ngoarch: %s\npkg: github.com/nlwire/nlwire/bench\ncpu: %s\n",
		d.Machine["arch"], d.Machine["cpu"])
	for i, r := range rows {
		name := fmt.Sprintf("Benchmark%s/input=%s/column=%s", title(r.Case), r.Input, r.Column)
		for _, ns := range d.Rows[i].Rounds {
			fmt.Fprintf(&b, "%s 1 %.5g ns/op %.0f B/op %.0f allocs/op\n", name, ns, r.BytesOp, r.AllocsOp)
		}
	}
	return b.String()
}

// title makes "decode-deep" DecodeDeep.
func title(kase string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(kase, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
