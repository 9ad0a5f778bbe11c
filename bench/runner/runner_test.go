package runner

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestCompareSums(t *testing.T) {
	with := func(column string, samples ...sample) *process { return &process{column: column, samples: samples} }
	same := []*process{
		with("nlwire", sample{ops: 3, sum: 30}, sample{ops: 3, sum: 30}),
		with("libmnl", sample{ops: 7, sum: 70}),
	}
	if err := compareSums(same); err != nil {
		t.Error(err)
	}
	for name, other := range map[string]*process{
		"another column": with("libnl", sample{ops: 7, sum: 71}),
		"another round":  with("libnl", sample{ops: 7, sum: 70}, sample{ops: 7, sum: 71}),
	} {
		if err := compareSums(append(same, other)); err == nil || !strings.Contains(err.Error(), "libnl") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLibrariesThatAreNotInstalledHaveAReason(t *testing.T) {
	_, err := pkgConfig("libthatdoesnotexist")
	if err == nil || !strings.Contains(err.Error(), "libthatdoesnotexist is not installed") {
		t.Error(err)
	}
	if got := version("libthatdoesnotexist"); got != "not installed" {
		t.Error(got)
	}
	r := &run{Options: Options{Log: io.Discard}, programs: programs{"libnl": {why: "it is not installed"}}}
	processes, err := r.start(&Case{Name: "decode", Columns: []string{"libnl"}}, &input{name: "u32"})
	if err != nil || len(processes) != 0 {
		t.Fatal(processes, err)
	}
	if got := r.details.Absent; len(got) != 1 || got[0].Reason != "it is not installed" || got[0].Input != "u32" {
		t.Errorf("%+v", got)
	}
}

// Every column of every case must exist in a program. Otherwise a mistyped name would fail a run
// after minutes.
func TestCasesAreWhole(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Cases {
		if c.Columns[0] != "nlwire" {
			t.Errorf("%s: the first column is not nlwire", c.Name)
		}
		if names[c.Name] || len(c.Inputs) == 0 || c.Rounds < 1 || c.Units < 1 {
			t.Errorf("%+v", c)
		}
		names[c.Name] = true
		for _, column := range []string{"nlwire", "libmnl", "c-inline"} {
			if !slices.Contains(c.Columns, column) && c.Name != "resolve" && c.Name != "latency" {
				t.Errorf("%s has no column %s", c.Name, column)
			}
		}
		if sorted := slices.Sorted(slices.Values(c.Columns)); len(slices.Compact(sorted)) != len(c.Columns) {
			t.Errorf("%s has a column twice: %q", c.Name, c.Columns)
		}
	}
}
