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
		t.Errorf("Median of nothing is %v", got)
	}
}

func TestQuantileLeavesTheValuesAsTheyAre(t *testing.T) {
	values := []float64{3, 1, 2}
	Median(values)
	if diff := cmp.Diff([]float64{3, 1, 2}, values); diff != "" {
		t.Error(diff)
	}
}

func TestGeoMean(t *testing.T) {
	if got := GeoMean([]float64{1, 4, 16}); math.Abs(got-4) > 1e-12 {
		t.Errorf("got %v, want 4", got)
	}
	if got := GeoMean(nil); !math.IsNaN(got) {
		t.Errorf("of nothing: %v", got)
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

// results are two inputs of a case, and one of another.
func results() ([]Row, *Details) {
	calls := 2.0
	rows := []Row{
		{Case: "decode", Input: "a", Column: "nlwire", NsOp: 100, NsAttr: 2, SyscallsOp: &calls, PeakRSS: 5 << 20},
		{Case: "decode", Input: "a", Column: "libmnl", NsOp: 400, NsAttr: 8},
		{Case: "decode", Input: "a", Column: "libnl", NsOp: 200, NsAttr: 4},
		{Case: "decode", Input: "a", Column: "floor", NsOp: 10, NsAttr: 0.2},
		{Case: "decode", Input: "b", Column: "nlwire", NsOp: 100, NsAttr: 8},
		{Case: "decode", Input: "b", Column: "libmnl", NsOp: 1600, NsAttr: 128},
		{Case: "resolve", Input: "c", Column: "nlwire", NsOp: 3000, NsAttr: 500, AllocsOp: 1},
	}
	d := &Details{
		Machine:  map[string]string{"cpu": "a CPU", "cores": "2", "kernel": "6.18", "arch": "amd64"},
		Versions: map[string]string{"go": "go1.26"},
		Absent:   []Absence{{"decode", "b", "libnl", "not installed"}},
	}
	for _, r := range rows {
		d.Rows = append(d.Rows, Detail{Case: r.Case, Input: r.Input, Column: r.Column, Rounds: []float64{r.NsOp, r.NsOp + 1}})
	}
	return rows, d
}

func TestRatio(t *testing.T) {
	rows, _ := results()
	if got := Ratio(rows, "decode", "nlwire", "libmnl"); math.Abs(got-0.125) > 1e-12 {
		t.Errorf("over libmnl: %v, want the mean of 1/4 and 1/16", got)
	}
	if got := Ratio(rows, "decode", "nlwire", "libnl"); got != 0.5 {
		t.Errorf("over libnl, which has one input: %v", got)
	}
	if got := Ratio(rows, "decode", "nlwire", "nobody"); !math.IsNaN(got) {
		t.Errorf("over nobody: %v", got)
	}
}

func TestCompare(t *testing.T) {
	rows, d := results()
	Compare(rows, d)
	if got := d.Rows[0]; got.Best != 0.5 || got.Floor != 10 {
		t.Errorf("%v of the best rival, %v of the floor", got.Best, got.Floor)
	}
	if got := d.Rows[6]; got.Best != 0 || got.Floor != 0 {
		t.Errorf("without others: %v, %v", got.Best, got.Floor)
	}
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
	for i := range d.Rows {
		d.Rows[i].Rounds = nil // they are in the text
	}
	if diff := cmp.Diff(d, got); diff != "" {
		t.Error(diff)
	}
	b, err := os.ReadFile(filepath.Join(dir, ResultsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"case": "decode"`, `"ns_op": 100`, `"syscalls_op": 2`, `"syscalls_op": null`, `"peak_rss": 5242880`} {
		if !strings.Contains(string(b), field) {
			t.Errorf("no %s in %s", field, b)
		}
	}
}

func TestText(t *testing.T) {
	rows, d := results()
	text := Text(rows, d)
	for _, want := range []string{
		"goarch: amd64\n", "cpu: a CPU\n",
		"BenchmarkDecode/input=a/column=libmnl 1 400 ns/op 0 B/op 0 allocs/op\n",
		"BenchmarkDecode/input=a/column=libmnl 1 401 ns/op 0 B/op 0 allocs/op\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if got := title("decode-deep"); got != "DecodeDeep" {
		t.Error(got)
	}
}

func TestGroups(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1, 5: 5, 8: 8, 9: 8, 201: 8} {
		rounds := make([]float64, n)
		total, got := 0, groups(rounds)
		for _, g := range got {
			total += len(g)
		}
		if len(got) != want || total != n {
			t.Errorf("%d rounds make %d groups with %d", n, len(got), total)
		}
	}
}

func TestTable(t *testing.T) {
	table := Table(results())
	for _, want := range []string{
		"| decode, ns an attribute | 4.0 | – | 32 | 4.0 | – | – | 0.2 | 0 |\n", // geometric means
		"| resolve a family, µs | 3.0 | – | – | – | – | – | – | 1 |\n",
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

func TestSummaryTellsWhatIsAbsent(t *testing.T) {
	rows, d := results()
	if s := Summary(rows, d); !strings.Contains(s, "no libnl in decode of b: not installed") {
		t.Error(s)
	}
}

func TestPanels(t *testing.T) {
	rows, _ := results()
	panels := Panels(rows)
	if len(panels) != 2 {
		t.Fatalf("%d panels, want those of decode and resolve", len(panels))
	}
	want := []Bar{{"floor", 0.2}, {"nlwire", 4}, {"libnl", 4}, {"libmnl", 32}}
	if diff := cmp.Diff(want, panels[0].Bars, cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })); diff != "" {
		t.Error(diff)
	}
}
