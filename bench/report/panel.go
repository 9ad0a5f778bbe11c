package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// A Panel is a bar chart: the time of each column in one case, in ascending order.
type Panel struct {
	Title string
	Bars  []Bar
}

// A Bar is a column in a panel.
type Bar struct {
	Column string
	Value  float64
}

// panels lists the lines of the table that have a chart.
var panels = []string{
	"decode recorded messages, ns per attribute", "a link into a struct, ns per attribute", "encode a NEWLINK with nests, ns",
	"request the ID of a family, µs", "dump 10,000 routes, ms",
}

// Panels returns the charts of the results.
func Panels(rows []Row) (all []Panel) {
	for _, l := range lines {
		if !slices.Contains(panels, l.label) {
			continue
		}
		p := Panel{Title: l.label}
		for _, c := range columns {
			if v := l.mean(rows, c.name) / l.unit; !math.IsNaN(v) {
				p.Bars = append(p.Bars, Bar{c.heading, v})
			}
		}
		slices.SortFunc(p.Bars, func(a, b Bar) int { return cmp.Compare(a.Value, b.Value) })
		if len(p.Bars) > 0 {
			all = append(all, p)
		}
	}
	return all
}

// A Curve is the 99th percentile of the request time in µs, by the number of goroutines.
type Curve struct {
	Column     string
	Goroutines []float64
	Micros     []float64
}

// Curves returns a curve for each column of the case "latency".
func Curves(rows []Row) (all []Curve) {
	for _, r := range rows {
		goroutines, err := strconv.ParseFloat(r.Input, 64)
		if r.Case != "latency" || err != nil {
			continue
		}
		i := slices.IndexFunc(all, func(c Curve) bool { return c.Column == r.Column })
		if i < 0 {
			i = len(all)
			all = append(all, Curve{Column: r.Column})
		}
		all[i].Goroutines = append(all[i].Goroutines, goroutines)
		all[i].Micros = append(all[i].Micros, r.NsOp/1e3)
	}
	return all
}
