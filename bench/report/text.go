package report

import (
	"fmt"
	"strings"
)

// samples is how many lines a row has in the text: enough for benchstat to tell how
// sure it is.
const samples = 8

// Text returns the rows as lines that benchstat reads: benchstat -col /column compares
// the columns. Each line is the median of some rounds that followed each other.
func Text(rows []Row, d *Details) string {
	var b strings.Builder
	fmt.Fprintf(&b, "goos: linux\ngoarch: %s\npkg: github.com/nlwire/nlwire/bench\ncpu: %s\n",
		d.Machine["arch"], d.Machine["cpu"])
	for i, r := range rows {
		name := fmt.Sprintf("Benchmark%s/input=%s/column=%s", title(r.Case), r.Input, r.Column)
		for _, rounds := range groups(d.Rows[i].Rounds) {
			fmt.Fprintf(&b, "%s %d %.5g ns/op %.0f B/op %.0f allocs/op\n",
				name, len(rounds), Median(rounds), r.BytesOp, r.AllocsOp)
		}
	}
	return b.String()
}

// groups cuts the rounds into samples of about the same size.
func groups(rounds []float64) (all [][]float64) {
	for i := range samples {
		from, to := i*len(rounds)/samples, (i+1)*len(rounds)/samples
		if from < to {
			all = append(all, rounds[from:to])
		}
	}
	return all
}

// title makes "decode-deep" DecodeDeep.
func title(kase string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(kase, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
