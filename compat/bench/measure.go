package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
)

// A case is a row of the table.
type benchCase struct {
	name, title string
	target      float64 // maximum ratio; 0: no target
	allocs      float64 // maximum allocations of compat; negative: no target
	isDump      bool    // count its receive calls
}

var measured = []benchCase{
	{"noop", "NOOP with ACK", 0.45, 1, false},
	{"family", "GetFamily (genetlink)", 0.55, -1, false},
	{"goroutines", "NOOP with ACK, 8 goroutines on one Conn (8 requests)", 0.45, -1, false},
	{"decode", "decoding 32 u32, AttributeDecoder", 0.40, 0, false},
	{"encode", "encoding 32 u32, AttributeEncoder", 0.25, -1, false},
	{"dump", "dump of 10,000 routes, Execute", 0.80, -1, true},
	{"dump-iter", "dump of 10,000 routes, ReceiveIter", 0.80, -1, true},
	{"nft-rules", "adding 1,000 rules (nftables)", 0.80, -1, false},
	{"large-nests", "encoding 500 nested attributes", 0, -1, false},
}

// A row contains the results of a case by build.
type row struct {
	benchCase
	ns, allocs, ratio []float64
	receives          []int
}

// perRound is the time of a build in a round, in nanoseconds.
const perRound = 20e6

// measure runs the rounds of a case.
func measure(c benchCase, workers []*worker, rounds int, smoke bool) (row, error) {
	r := row{benchCase: c}
	n := 1
	for _, w := range workers { // the first run warms up
		ns, _, err := w.run(c.name, 1)
		if err != nil {
			return r, err
		}
		if !smoke {
			n = max(n, int(perRound/ns))
		}
	}
	if !smoke {
		ns, _, err := workers[0].run(c.name, n)
		if err != nil {
			return r, err
		}
		n = max(1, int(perRound/ns))
	}
	times, ratios := make([][]float64, len(workers)), make([][]float64, len(workers))
	r.allocs = make([]float64, len(workers))
	for round := range rounds {
		round := rotate(workers, round)
		took := make([]float64, len(workers))
		for _, i := range round {
			ns, allocs, err := workers[i].run(c.name, n)
			if err != nil {
				return r, err
			}
			took[i], r.allocs[i] = ns, math.Round(allocs)
		}
		for i, ns := range took {
			times[i] = append(times[i], ns)
			ratios[i] = append(ratios[i], ns/took[0])
		}
	}
	for i := range workers {
		r.ns = append(r.ns, median(times[i]))
		r.ratio = append(r.ratio, median(ratios[i]))
	}
	if c.isDump && !smoke {
		for _, w := range workers {
			n, err := w.receives(c.name)
			if err != nil {
				return r, err
			}
			r.receives = append(r.receives, n)
		}
	}
	return r, nil
}

// rotate returns the indexes of the workers. Each round starts with the next worker.
func rotate(workers []*worker, round int) (order []int) {
	for i := range workers {
		order = append(order, (i+round)%len(workers))
	}
	return order
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// table returns the rows as Markdown.
func table(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "mdlayher/netlink v1.11.2 with socket v0.6.0, the same with socket v0.8.0, and compat/mdlayher.\n")
	fmt.Fprintf(&b, "%s, %d processors. Times are medians; ratios are medians of ratios to the original within a round.\n\n",
		runtime.Version(), runtime.NumCPU())
	b.WriteString("| | original | newest socket | compat | ratio | target | allocations: original, compat | receives: original, compat |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s (%.2f) | %s | **%.2f**%s | %s | %.0f, %.0f%s | %s |\n", r.title,
			duration(r.ns[0]), duration(r.ns[1]), r.ratio[1], duration(r.ns[2]), r.ratio[2], missed(r.target > 0 && r.ratio[2] > r.target),
			target(r.target), r.allocs[0], r.allocs[2], missed(r.benchCase.allocs >= 0 && r.allocs[2] > r.benchCase.allocs), receives(r.receives))
	}
	return b.String()
}

// missed returns the mark of a missed target.
func missed(is bool) string {
	if is {
		return " (missed)"
	}
	return ""
}

func target(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", v)
}

func receives(n []int) string {
	if len(n) == 0 || n[0] == 0 {
		return ""
	}
	return fmt.Sprintf("%d, %d", n[0], n[len(n)-1])
}

func duration(ns float64) string {
	switch {
	case ns < 1e4:
		return fmt.Sprintf("%.0f ns", ns)
	case ns < 1e6:
		return fmt.Sprintf("%.1f µs", ns/1e3)
	}
	return fmt.Sprintf("%.1f ms", ns/1e6)
}
