package report

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// Summary returns all rows as a table for people.
func Summary(rows []Row, d *Details) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "case\tinput\tcolumn\tns/op\t±\tns/attr\tallocs\tbytes\tsyscalls\tMiB\tof best\tof floor\t")
	for i, r := range rows {
		e := &d.Rows[i]
		calls := "?"
		if r.SyscallsOp != nil {
			calls = fmt.Sprintf("%.4g", *r.SyscallsOp)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.4g\t%.0f%%\t%.3g\t%.4g\t%.4g\t%s\t%.1f\t%.3g\t%.3g\t\n",
			r.Case, r.Input, r.Column, r.NsOp, 50*(e.Quartile[1]-e.Quartile[0])/r.NsOp, r.NsAttr,
			r.AllocsOp, r.BytesOp, calls, float64(r.PeakRSS)/(1<<20), e.Best, e.Floor)
	}
	w.Flush()
	for _, a := range d.Absent {
		fmt.Fprintf(&b, "no %s in %s of %s: %s\n", a.Column, a.Case, a.Input, a.Reason)
	}
	for _, note := range d.Notes {
		fmt.Fprintln(&b, "note:", note)
	}
	return b.String()
}
