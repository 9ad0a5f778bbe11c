package main

import (
	"slices"
	"testing"
)

func TestNewFailures(t *testing.T) {
	r := report{
		original: outcome{results: map[string]string{"same": pass, "worse": pass, "hangs": pass, "gone": pass, "better": hang,
			"both fail": fail, "both skip": skipped, "skipped here": pass, "skipped there": skipped}},
		compat: outcome{results: map[string]string{"same": pass, "worse": fail, "hangs": hang, "better": pass,
			"both fail": fail, "both skip": skipped, "skipped here": skipped, "skipped there": pass, "more": fail}},
	}
	want := []string{"gone", "hangs", "skipped here", "skipped there", "worse"}
	if got := r.newFailures("module"); !slices.Equal(got, want) {
		t.Errorf("new failures %q, want %q", got, want)
	}
	if n := r.original.count(pass); n != 5 {
		t.Errorf("%d tests pass on the original", n)
	}
}

// Each documented difference belongs to a suite in the list and has a reason.
func TestDifferencesAreOfSuites(t *testing.T) {
	for _, d := range differences {
		if !slices.ContainsFunc(suites, func(s suite) bool { return s.module == d.module }) || d.test == "" || d.reason == "" {
			t.Errorf("%+v", d)
		}
	}
}
