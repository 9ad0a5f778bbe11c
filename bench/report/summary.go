package report

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Summary returns all rows as a text table, and the absent columns.
func Summary(rows []Row, d *Details) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "case\tinput\tcolumn\tns/op\t±\tns/attr\tallocs\tMiB\tof nlwire\t")
	var nlwire float64
	for _, r := range rows {
		if r.Column == "nlwire" { // the first column of each input
			nlwire = r.NsOp
		}
		allocs := "?"
		if r.AllocsOp != nil {
			allocs = fmt.Sprintf("%.4g", *r.AllocsOp)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.4g\t%.0f%%\t%.3g\t%s\t%.1f\t%.3g\t\n",
			r.Case, r.Input, r.Column, r.NsOp, 100*r.Spread, r.NsAttr, allocs, float64(r.PeakRSS)/(1<<20), r.NsOp/nlwire)
	}
	w.Flush()
	for _, a := range d.Absent {
		fmt.Fprintf(&b, "no %s in %s of %s: %s\n", a.Column, a.Case, a.Input, a.Reason)
	}
	return b.String()
}
