// Package report stores the results of a run as JSON and formats them as the README's table, as charts
// and as a summary.
package report

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// A Row is the result of one column for one input of a case. An operation is a pass over the input, an
// encoded message, a request, a dump or an event.
type Row struct {
	Case     string   `json:"case"`
	Input    string   `json:"input"`
	Column   string   `json:"column"`
	NsOp     float64  `json:"ns_op"`     // median of the rounds; of "latency" the 99th percentile
	NsAttr   float64  `json:"ns_attr"`   // NsOp divided by the number of attributes
	Spread   float64  `json:"spread"`    // half the distance between the quartiles, divided by the median
	Rounds   int      `json:"rounds"`    // number of measured rounds
	AllocsOp *float64 `json:"allocs_op"` // allocations; null in C, where they are not counted
	BytesOp  *float64 `json:"bytes_op"`  // allocated bytes
	PeakRSS  int64    `json:"peak_rss"`  // of the row's process, in bytes
}

// Details describe a run.
type Details struct {
	Date     string            `json:"date"`
	Machine  map[string]string `json:"machine"`
	Versions map[string]string `json:"versions"`
	Absent   []Absence         `json:"absent"`
}

// An Absence is a column that is missing in a case, and the reason.
type Absence struct {
	Case   string `json:"case"`
	Input  string `json:"input"`
	Column string `json:"column"`
	Reason string `json:"reason"`
}

// Names of the files in the results directory.
const (
	ResultsFile = "latest.json"
	DetailsFile = "details.json"
)

// Write writes the results to a directory.
func Write(dir string, rows []Row, d *Details) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, ResultsFile), rows); err != nil {
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

// Read reads the files that Write wrote.
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

// Quantile returns the quantile of the values for part, between 0 and 1. It interpolates linearly.
// The quantile of no values is NaN.
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

// Median returns the quantile for 0.5.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// GeoMean returns the geometric mean.
func GeoMean(values []float64) float64 {
	var logs float64
	for _, v := range values {
		logs += math.Log(v)
	}
	return math.Exp(logs / float64(len(values)))
}

// Round rounds v to four significant digits. Further digits are noise.
func Round(v float64) float64 {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return v
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}
