// Command suites runs the unmodified test suites of modules that use
// github.com/mdlayher/netlink, each on the original and on compat/mdlayher, and compares
// the results test by test.
//
//	go run ./compat/suites [-short] [-run REGEXP] [-timeout DURATION] [-v]
//
// It runs in the root of the project, as root on Linux: each package is tested in a new
// network namespace. The suites are fetched as modules, with the checksums of the Go
// checksum database; a suite that cannot be fetched is named and not run.
//
// The last line is for programs:
//
//	suites: N passed original=A compat=B new-failures=F
//
// N is the number of suites without a new failure, A and B are the numbers of tests that
// passed, subtests included. A new failure is a test that passes on the original and not on
// compat/mdlayher, or that is skipped on one of them only, unless differences.go lists it. A
// test that hangs counts as one that does not pass. The exit status is 1 if there is a new
// failure, or if no suite was run.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// options are the flags.
type options struct {
	short   bool
	timeout time.Duration
	verbose bool
	root    string // of the project
}

func main() {
	var o options
	pattern := flag.String("run", "", "run the suites whose `module` matches")
	flag.BoolVar(&o.short, "short", false, "run the suites that take little time, with -test.short")
	flag.BoolVar(&o.verbose, "v", false, "write the names of tests that do not pass on both")
	flag.DurationVar(&o.timeout, "timeout", 30*time.Second, "after which the tests of a package hang")
	flag.Parse()
	selected, err := regexp.Compile(*pattern)
	if err == nil {
		o.root, err = filepath.Abs(".")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
		os.Exit(2)
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "suites: network namespaces need root")
		os.Exit(2)
	}
	os.Exit(runAll(o, selected))
}

// runAll runs the selected suites and returns the exit status.
func runAll(o options, selected *regexp.Regexp) int {
	var passed, original, compat, failures int
	for _, s := range suites {
		if !selected.MatchString(s.module) || o.short && s.isLong {
			continue
		}
		r, err := s.run(o)
		if err != nil {
			fmt.Printf("== %s %s\n   not run: %v\n", s.module, s.version, err)
			continue
		}
		new := r.newFailures(s.module)
		r.print(o.verbose, new)
		original += r.original.count(pass)
		compat += r.compat.count(pass)
		failures += len(new)
		if len(new) == 0 {
			passed++
		}
	}
	fmt.Printf("suites: %d passed original=%d compat=%d new-failures=%d\n", passed, original, compat, failures)
	if failures > 0 || passed == 0 {
		return 1
	}
	return 0
}
