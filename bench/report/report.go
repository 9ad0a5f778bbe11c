// Package report holds the results of a run: as JSON, as text for benchstat, as the
// table of the README, as charts.
package report

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// A Row is the result of one column for one input of a case. An operation is one pass
// over the input, one message encoded, one request, one dump or one event.
type Row struct {
	Case       string   `json:"case"`
	Input      string   `json:"input"`
	Column     string   `json:"column"`
	NsOp       float64  `json:"ns_op"`       // median of the rounds that count
	NsAttr     float64  `json:"ns_attr"`     // the same by attributes
	AllocsOp   float64  `json:"allocs_op"`   // of C columns those of malloc
	BytesOp    float64  `json:"bytes_op"`    // that were allocated
	SyscallsOp *float64 `json:"syscalls_op"` // null where they could not be counted
	PeakRSS    int64    `json:"peak_rss"`    // in bytes, of the process of this row
}

// Details are what a run knows besides its rows.
type Details struct {
	Date     string            `json:"date"`
	Machine  map[string]string `json:"machine"`
	Versions map[string]string `json:"versions"`
	Notes    []string          `json:"notes,omitempty"`
	Rows     []Detail          `json:"rows"`
	Absent   []Absence         `json:"absent"`
}

// A Detail is the spread of a row, and what proves its work.
type Detail struct {
	Case     string     `json:"case"`
	Input    string     `json:"input"`
	Column   string     `json:"column"`
	Rounds   []float64  `json:"-"` // each round's ns_op; in the text file
	Counted  int        `json:"rounds"`
	SetAside int        `json:"rounds_set_aside"` // besides these: the core was shared with others
	Least    float64    `json:"least_ns_op"`
	Quartile [2]float64 `json:"quartiles_ns_op"` // the first and the third
	Greatest float64    `json:"greatest_ns_op"`
	Checksum string     `json:"checksum"` // equal in all columns of an input but floor
	Attrs    float64    `json:"attrs_op"`
	Best     float64    `json:"of_best_rival,omitempty"` // ns_op over that of the fastest other library
	Floor    float64    `json:"of_floor,omitempty"`
}

// An Absence is a column that a case does not have, and why.
type Absence struct {
	Case   string `json:"case"`
	Input  string `json:"input"`
	Column string `json:"column"`
	Reason string `json:"reason"`
}

// Names of the files in the directory of results.
const (
	ResultsFile = "latest.json"
	DetailsFile = "details.json"
	TextFile    = "latest.txt"
)

// Write writes the results into a directory.
func Write(dir string, rows []Row, d *Details) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, ResultsFile), rows); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, TextFile), []byte(Text(rows, d)), 0o644); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, DetailsFile), d)
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// Read reads what Write wrote.
func Read(dir string) (rows []Row, d *Details, err error) {
	if err := readJSON(filepath.Join(dir, ResultsFile), &rows); err != nil {
		return nil, nil, err
	}
	return rows, d, readJSON(filepath.Join(dir, DetailsFile), &d)
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// Quantile returns the value below which that part of the values lies, between two
// of them in proportion. Of no values it is NaN.
func Quantile(values []float64, part float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := part * float64(len(sorted)-1)
	below := int(at)
	if below == len(sorted)-1 {
		return sorted[below]
	}
	return sorted[below] + (at-float64(below))*(sorted[below+1]-sorted[below])
}

// Median is the quantile of a half.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// GeoMean is the geometric mean.
func GeoMean(values []float64) float64 {
	var logs float64
	for _, v := range values {
		logs += math.Log(v)
	}
	return math.Exp(logs / float64(len(values)))
}

// Ratio returns the time of one column over that of another, as the geometric mean
// over the inputs of a case that both have, NaN if there are none.
func Ratio(rows []Row, kase, column, over string) float64 {
	var ratios []float64
	for _, input := range inputs(rows, kase) {
		own, base := find(rows, kase, input, column), find(rows, kase, input, over)
		if own != nil && base != nil {
			ratios = append(ratios, own.NsOp/base.NsOp)
		}
	}
	return GeoMean(ratios)
}

func find(rows []Row, kase, input, column string) *Row {
	for i := range rows {
		if r := &rows[i]; r.Case == kase && r.Input == input && r.Column == column {
			return r
		}
	}
	return nil
}

// inputs returns those of a case, in their order.
func inputs(rows []Row, kase string) (all []string) {
	for _, r := range rows {
		if r.Case == kase && !slices.Contains(all, r.Input) {
			all = append(all, r.Input)
		}
	}
	return all
}

// own are this project's columns and those that no library is behind.
var own = []string{"nlwire", "nlwire-all", "nlwire-consume", "nlwire-table", "nlwire-conn", "c-inline", "c-predicted", "c-threads", "floor"}

// best returns the fastest row of another library, nil if there is none.
func best(rows []Row, kase, input string) *Row {
	var rivals []*Row
	for i := range rows {
		if r := &rows[i]; r.Case == kase && r.Input == input && !slices.Contains(own, r.Column) {
			rivals = append(rivals, r)
		}
	}
	if len(rivals) == 0 {
		return nil
	}
	return slices.MinFunc(rivals, func(a, b *Row) int { return cmp.Compare(a.NsOp, b.NsOp) })
}

// Compare fills in the ratios of the details.
func Compare(rows []Row, d *Details) {
	for i := range d.Rows {
		e := &d.Rows[i]
		r := find(rows, e.Case, e.Input, e.Column)
		if b := best(rows, e.Case, e.Input); b != nil {
			e.Best = Round(r.NsOp / b.NsOp)
		}
		if f := find(rows, e.Case, e.Input, "floor"); f != nil {
			e.Floor = Round(r.NsOp / f.NsOp)
		}
	}
}

// Round keeps four digits: more would be noise.
func Round(v float64) float64 {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return v
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}
