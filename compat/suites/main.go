// Command suites runs the unmodified test suites of modules that use github.com/mdlayher/netlink. It
// runs each suite on the original and on compat/mdlayher and compares the results of each test.
//
//	go run ./compat/suites [-short] [-run REGEXP] [-timeout DURATION] [-v]
//
// Run it in the root directory of the project, as root on Linux. Each package is tested in a new
// network namespace. The suites are fetched as modules and verified with the Go checksum database. A
// suite that cannot be fetched is reported and not run.
//
// The last line of the output is for programs:
//
//	suites: N passed original=A compat=B new-failures=F
//
// N is the number of suites without a new failure. A and B are the numbers of passed tests, subtests
// included. A new failure is a test that passes on the original but not on compat/mdlayher, or that is
// skipped on only one of them, unless differences.go lists it. A test that hangs has not passed. The
// exit status is 1 after a new failure, or if no suite ran.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// options contains the values of the flags.
type options struct {
	short   bool
	timeout time.Duration
	verbose bool
	root    string // root directory of the project
}

func main() {
	var o options
	pattern := flag.String("run", "", "run only suites with a matching `module` path")
	flag.BoolVar(&o.short, "short", false, "run only the short suites, with -test.short")
	flag.BoolVar(&o.verbose, "v", false, "also print tests that do not pass on the original")
	flag.DurationVar(&o.timeout, "timeout", 30*time.Second, "time limit for the tests of a package")
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
		fmt.Fprintln(os.Stderr, "suites: network namespaces require root")
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
