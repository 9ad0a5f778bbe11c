package report

import (
	"cmp"
	"math"
	"slices"
)

// A Panel is a chart: the time of each column in one case, the shortest first.
type Panel struct {
	Title string
	Bars  []Bar
}

// A Bar is a column in a panel.
type Bar struct {
	Column string
	Value  float64
}

// panels says which lines of the table are drawn, by their place in it.
var panels = []int{0, 3, 4, 5, 6, 10}

// Panels returns the charts of the results.
func Panels(rows []Row) (all []Panel) {
	for _, i := range panels {
		l := lines[i]
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
