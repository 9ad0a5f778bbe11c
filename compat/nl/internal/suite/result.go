// Package suite runs the tests of a package one by one, each in a separate process and
// network namespace, and compares the results of two builds of the package. A test that
// ends its process or changes its namespace does not affect the next one.
package suite

import (
	"cmp"
	"maps"
	"slices"
)

// An Outcome is the end of a test.
type Outcome string

// The outcomes of go test -json, and None for a test whose process ended too early.
const (
	Pass Outcome = "pass"
	Skip Outcome = "skip"
	Fail Outcome = "fail"
	None Outcome = "none"
)

// Results are outcomes by the names of tests and subtests.
type Results map[string]Outcome

// Count returns how many tests have an outcome.
func (r Results) Count(o Outcome) (n int) {
	for _, got := range r {
		if got == o {
			n++
		}
	}
	return n
}

// A Change is a test with different outcomes.
type Change struct {
	Test          string
	Before, After Outcome
}

// IsWorse reports whether the test passed before and does not after, or was skipped before
// and fails after. None counts as a failure.
func (c Change) IsWorse() bool { return rank(c.After) < rank(c.Before) }

func rank(o Outcome) int {
	switch o {
	case Pass:
		return 2
	case Skip:
		return 1
	}
	return 0
}

// Compare returns the tests with different outcomes, sorted by name.
func Compare(before, after Results) (changes []Change) {
	all := maps.Clone(before)
	maps.Copy(all, after)
	for test := range all {
		c := Change{test, cmp.Or(before[test], None), cmp.Or(after[test], None)}
		if c.Before != c.After {
			changes = append(changes, c)
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Test, b.Test) })
	return changes
}
