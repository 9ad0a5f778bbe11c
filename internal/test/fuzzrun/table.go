package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// printTable prints a row per target: executions, new inputs, all inputs, the share of each
// package's statements that the inputs reach, and findings.
func printTable(w io.Writer, results []result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nPACKAGE\tTARGET\tEXECUTIONS\tNEW\tCORPUS\t%s\tFINDINGS\n", strings.Join(covered, " %\t")+" %")
	total := result{target: "total", cover: coverage{}}
	for i := range results {
		r := &results[i]
		printRow(t, r, r.outcome())
		total.cover.merge(r.cover)
		total.execs += r.execs
		total.fresh += r.fresh
		total.corpus += r.corpus
	}
	printRow(t, &total, "")
	t.Flush()
}

func printRow(w io.Writer, r *result, outcome string) {
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t", r.pkg, r.target, r.execs, r.fresh, r.corpus)
	for _, p := range covered {
		fmt.Fprintf(w, "%s\t", percent(r.cover.of(p)))
	}
	fmt.Fprintln(w, outcome)
}

func (r *result) outcome() string {
	switch {
	case len(r.findings) > 0:
		return strings.Join(r.findings, " ")
	case r.failed:
		return "failed"
	}
	return "none"
}

// percent returns the share in percent, or "-" if the target does not reach the package.
func percent(ran, all int) string {
	if ran == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", 100*float64(ran)/float64(all))
}
