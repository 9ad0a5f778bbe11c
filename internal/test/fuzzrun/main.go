// Command fuzzrun runs every fuzz target of the modules in the given directories and prints a
// table of the results. go test runs one target at a time and builds its package every time;
// fuzzrun builds each package once.
//
//	go run ./internal/test/fuzzrun -time 10s . fuzz/rivals
//
// The exit status is 1 if a target failed.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

func main() {
	var r runner
	flag.DurationVar(&r.time, "time", 10*time.Second, "fuzzing time per target")
	flag.IntVar(&r.parallel, "parallel", runtime.GOMAXPROCS(0), "number of workers")
	flag.StringVar(&r.only, "run", "", "run only targets that match this regular expression")
	flag.Parse()
	failed, err := r.run(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzzrun:", err)
	}
	if failed || err != nil {
		os.Exit(1)
	}
}

type runner struct {
	time     time.Duration
	parallel int
	only     string

	cache   string // go env GOCACHE
	scratch string
}

// run fuzzes all packages and reports whether a target failed.
func (r *runner) run(modules []string) (failed bool, err error) {
	if r.cache, err = goCommand(".", "env", "GOCACHE"); err != nil {
		return false, err
	}
	if r.scratch, err = os.MkdirTemp("", "fuzzrun"); err != nil {
		return false, err
	}
	defer os.RemoveAll(r.scratch)
	var results []result
	for _, module := range modules {
		packages, err := list(module, r.only)
		if err != nil {
			return false, err
		}
		for _, p := range packages {
			of, err := r.fuzzPackage(p)
			if err != nil {
				return false, err
			}
			results = append(results, of...)
		}
	}
	printTable(os.Stdout, results)
	for i := range results {
		failed = failed || results[i].failed
	}
	return failed, nil
}

// fuzzPackage builds a package twice, with instrumentation for the fuzzer and for coverage, and
// runs its targets.
func (r *runner) fuzzPackage(p pkg) (results []result, err error) {
	fuzzer, coverer := filepath.Join(r.scratch, "fuzz.test"), filepath.Join(r.scratch, "cover.test")
	if _, err := goCommand(p.Dir, "test", "-c", "-fuzz=.", "-o", fuzzer, "."); err != nil {
		return nil, err
	}
	if _, err := goCommand(p.Dir, "test", "-c", "-cover", "-coverpkg="+module+strings.Join(covered, ","+module), "-o", coverer, "."); err != nil {
		return nil, err
	}
	for _, target := range p.targets {
		fmt.Printf("== %s %s\n", p.short(), target)
		res := r.fuzz(fuzzer, p, target)
		if res.cover, err = r.coverage(coverer, p, target, res.failed); err != nil {
			return nil, err
		}
		results = append(results, res)
	}
	return results, nil
}
