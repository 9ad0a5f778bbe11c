package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The results of a test: those of test2json, and hang.
const (
	pass    = "pass"
	fail    = "fail"
	skipped = "skip"
	hang    = "hang"
	absent  = ""
)

// An outcome contains the test results of a copy, by package and name.
type outcome struct {
	results map[string]string
	took    time.Duration
}

func (o outcome) count(result string) (n int) {
	for _, r := range o.results {
		if r == result {
			n++
		}
	}
	return n
}

func (o outcome) String() string {
	text := ""
	for _, result := range []string{pass, fail, skipped, hang} {
		text += fmt.Sprintf("%s %4d  ", result, o.count(result))
	}
	return text + fmt.Sprintf("%6.1f s", o.took.Seconds())
}

// A report contains the results of a suite on both implementations.
type report struct {
	suite            *suite
	sum              string
	original, compat outcome
	unstable         []string // tests with another result in a repetition
}

// isWorse reports whether the result of a test on compat is worse than on the original. The same tests
// must be skipped on both.
func isWorse(original, compat string) bool {
	return original == pass && compat != pass || (original == skipped) != (compat == skipped)
}

// tests returns the names of all tests in alphabetical order.
func (r *report) tests() []string {
	all := maps.Clone(r.original.results)
	maps.Copy(all, r.compat.results)
	return slices.Sorted(maps.Keys(all))
}

// newFailures returns the tests with a worse result on compat that are not documented.
func (r *report) newFailures(module string) (all []string) {
	for _, test := range r.tests() {
		if isWorse(r.original.results[test], r.compat.results[test]) && documented(module, test) == "" {
			all = append(all, test)
		}
	}
	return all
}

// repeats is the number of repetitions of a test with a worse result.
const repeats = 3

// repeat runs the tests with a worse result again, on both implementations. Some tests of other
// projects depend on timing. If the result differs between runs, the test is reported as unstable.
func (r *report) repeat(o options, original, compat string) {
	var roots []string
	for _, test := range r.newFailures(r.suite.module) {
		pkg, name, _ := strings.Cut(test, ":")
		name, _, _ = strings.Cut(name, "/")
		if root := key(pkg, name); !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	for _, root := range roots {
		pkg, name, _ := strings.Cut(root, ":")
		if r.suite.isStable(o, original, pkg, name, r.original.results) && r.suite.isStable(o, compat, pkg, name, r.compat.results) {
			continue
		}
		r.unstable = append(r.unstable, root)
	}
}

// key returns the key of a test in results: the package's directory and the test's name.
func key(pkg, test string) string { return pkg + ":" + test }

// isStable repeats a test and reports whether all runs have the same result. A test that passes in one
// of the runs counts as passed.
func (s *suite) isStable(o options, dir, pkg, name string, results map[string]string) bool {
	binary := filepath.Join(dir, pkg, "suite.test")
	if _, err := command(filepath.Join(dir, pkg), nil, "go", "test", "-c", "-tags", s.tags, "-o", binary, "."); err != nil {
		return true
	}
	isStable := true
	for range repeats {
		again := map[string]string{}
		if _, err := s.runBinary(o, filepath.Join(dir, pkg), pkg, name, nil, again); err != nil {
			return isStable
		}
		for test, result := range again {
			if results[test] != result {
				isStable = false
				if result == pass {
					results[test] = pass
				}
			}
		}
	}
	return isStable
}

// print writes the report.
func (r *report) print(verbose bool, new []string) {
	fmt.Printf("== %s %s %s\n", r.suite.module, r.suite.version, r.sum)
	fmt.Printf("   original  %v\n   compat    %v\n", r.original, r.compat)
	for _, test := range r.unstable {
		fmt.Printf("   unstable: %s\n", test)
	}
	for _, test := range r.tests() {
		original, compat := r.original.results[test], r.compat.results[test]
		switch {
		case slices.Contains(new, test):
			fmt.Printf("   NEW FAILURE: %s: %s on the original, %s on compat\n", test, name(original), name(compat))
		case isWorse(original, compat):
			fmt.Printf("   documented: %s: %s on the original, %s on compat: %s\n", test, name(original), name(compat),
				documented(r.suite.module, test))
		case original != compat:
			fmt.Printf("   better: %s: %s on the original, %s on compat\n", test, name(original), name(compat))
		case verbose && original != pass:
			fmt.Printf("   both %s: %s\n", name(original), test)
		}
	}
}

// name returns the name of a result.
func name(result string) string {
	if result == absent {
		return "absent"
	}
	return result
}
