package report

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		values []float64
		part   float64
		want   float64
	}{
		{[]float64{7}, 0.5, 7},
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{4, 1, 3, 2}, 0.5, 2.5},
		{[]float64{5, 1, 2, 4, 3}, 0.25, 2},
		{[]float64{5, 1, 2, 4, 3}, 0, 1},
		{[]float64{5, 1, 2, 4, 3}, 1, 5},
	} {
		if got := Quantile(c.values, c.part); got != c.want {
			t.Errorf("Quantile(%v, %v) = %v, want %v", c.values, c.part, got, c.want)
		}
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("Median(nil) = %v, want NaN", got)
	}
}

func TestQuantileLeavesTheValuesAsTheyAre(t *testing.T) {
	values := []float64{3, 1, 2}
	Median(values)
	if diff := cmp.Diff([]float64{3, 1, 2}, values); diff != "" {
		t.Error(diff)
	}
}

func TestRound(t *testing.T) {
	for v, want := range map[float64]float64{0: 0, 1.23456: 1.235, 123456: 123500, 0.000123456: 0.0001235, -9.99999: -10} {
		if got := Round(v); math.Abs(got-want) > 1e-9*math.Abs(want) {
			t.Errorf("Round(%v) = %v, want %v", v, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0.123: "0.12", 2: "2.0", 2.34: "2.3", 9.96: "10", 99.6: "100", 1234.5: "1234", math.NaN(): "–"} {
		if got := Number(v); got != want {
			t.Errorf("Number(%v) = %s, want %s", v, got, want)
		}
	}
}

// results returns rows for two inputs of the case decode and for one input of other cases.
func results() ([]Row, *Details) {
	none, one := 0.0, 1.0
	rows := []Row{
		{Case: "decode", Input: "families", Column: "nlwire", NsOp: 100, NsAttr: 2, AllocsOp: &none, PeakRSS: 5 << 20},
		{Case: "decode", Input: "families", Column: "libmnl", NsOp: 400, NsAttr: 8},
		{Case: "decode", Input: "families", Column: "libnl", NsOp: 200, NsAttr: 4},
		{Case: "decode", Input: "links", Column: "nlwire", NsOp: 100, NsAttr: 8, AllocsOp: &none},
		{Case: "decode", Input: "links", Column: "libmnl", NsOp: 1600, NsAttr: 128},
		{Case: "decode", Input: "mixed", Column: "nlwire", NsOp: 100, NsAttr: 1000, AllocsOp: &none},
		{Case: "request", Input: "nlctrl", Column: "nlwire", NsOp: 3000, NsAttr: 500, AllocsOp: &one},
		{Case: "request", Input: "nlctrl", Column: "nlwire-socket", NsOp: 2500, NsAttr: 500, AllocsOp: &none},
		{Case: "latency", Input: "1", Column: "nlwire", NsOp: 4000},
		{Case: "latency", Input: "64", Column: "nlwire", NsOp: 6000},
		{Case: "latency", Input: "64", Column: "mdlayher", NsOp: 60000},
	}
	d := &Details{
		Machine:  map[string]string{"cpu": "a CPU", "cores": "2", "kernel": "6.18", "arch": "amd64"},
		Versions: map[string]string{"go": "go1.26"},
		Absent:   []Absence{{"decode", "links", "libnl", "not installed"}},
	}
	return rows, d
}

func TestWriteAndRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	rows, d := results()
	if err := Write(dir, rows, d); err != nil {
		t.Fatal(err)
	}
	gotRows, got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, gotRows); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(d, got); diff != "" {
		t.Error(diff)
	}
	b, err := os.ReadFile(filepath.Join(dir, ResultsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"case": "decode"`, `"ns_op": 100`, `"allocs_op": 0`, `"allocs_op": null`, `"peak_rss": 5242880`} {
		if !strings.Contains(string(b), field) {
			t.Errorf("no %s in %s", field, b)
		}
	}
}

func TestTable(t *testing.T) {
	table := Table(results())
	for _, want := range []string{
		"| decode recorded messages, ns per attribute | 4.0 | – | – | – | 32 | 4.0 | – | – | – | 0 |\n", // geometric means
		"| request the ID of a family, µs | 3.0 | 2.5 | – | – | – | – | – | – | – | 1 |\n",
		"| 64 goroutines on one connection, p99 in µs | 6.0 | – | – | – | – | – | 60 | – | – | – |\n",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("no line %q in\n%s", want, table)
		}
	}
}

func TestReadme(t *testing.T) {
	dir := t.TempDir()
	rows, d := results()
	if err := Write(dir, rows, d); err != nil {
		t.Fatal(err)
	}
	readme := filepath.Join(dir, "README.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(readme, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + begin + "\nan old table\n" + end + "\nafter\n")
	if err := CheckReadme(readme, dir); !errors.Is(err, errStale) {
		t.Errorf("with an old table: %v", err)
	}
	if err := WriteReadme(readme, dir); err != nil {
		t.Fatal(err)
	}
	if err := CheckReadme(readme, dir); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n" + begin + "\n" + Table(rows, d) + end + "\nafter\n"; string(b) != want {
		t.Errorf("got\n%s", b)
	}
	write("no markers\n")
	if err := WriteReadme(readme, dir); !errors.Is(err, errMarkers) {
		t.Errorf("without markers: %v", err)
	}
}

func TestSummaryReportsAbsentColumns(t *testing.T) {
	if s := Summary(results()); !strings.Contains(s, "no libnl in decode of links: not installed") {
		t.Error(s)
	}
}

func TestPanels(t *testing.T) {
	rows, _ := results()
	panels := Panels(rows)
	if len(panels) != 2 {
		t.Fatalf("%d panels, want those of decode and request", len(panels))
	}
	want := []Bar{{"nlwire", 4}, {"libnl", 4}, {"libmnl", 32}}
	if diff := cmp.Diff(want, panels[0].Bars, cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })); diff != "" {
		t.Error(diff)
	}
}

func TestCurves(t *testing.T) {
	rows, _ := results()
	want := []Curve{{"nlwire", []float64{1, 64}, []float64{4, 6}}, {"mdlayher", []float64{64}, []float64{60}}}
	if diff := cmp.Diff(want, Curves(rows)); diff != "" {
		t.Error(diff)
	}
}
