package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// run runs the suite on both implementations.
func (s *suite) run(o options) (*report, error) {
	from, err := fetch(s.module, s.version)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "suites")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	original, compat, err := s.trees(o, dir, from.Dir)
	if err != nil {
		return nil, err
	}
	r := &report{suite: s, sum: from.Sum}
	if r.original, err = s.runTree(o, original); err != nil {
		return nil, err
	}
	if r.compat, err = s.runTree(o, compat); err != nil {
		return nil, err
	}
	r.repeat(o, original, compat)
	return r, nil
}

// runTree runs the tests of all packages of a copy.
func (s *suite) runTree(o options, dir string) (outcome, error) {
	start := time.Now()
	packages, err := s.packages(dir)
	if err != nil {
		return outcome{}, err
	}
	all := outcome{results: map[string]string{}}
	for _, p := range packages {
		if err := s.runPackage(o, dir, p, all.results); err != nil {
			return outcome{}, err
		}
	}
	all.took = time.Since(start)
	return all, nil
}

// packages returns the directories of the packages with tests, relative to dir.
func (s *suite) packages(dir string) ([]string, error) {
	out, err := command(dir, nil, "go", "list", "-tags", s.tags, "-f",
		"{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}", "./...")
	if err != nil {
		return nil, err
	}
	var all []string
	for _, path := range strings.Fields(string(out)) {
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return nil, err
		}
		all = append(all, rel)
	}
	return all, nil
}

// maxHangs limits the number of attempts for a package with tests that hang.
const maxHangs = 10

// runPackage compiles and runs the tests of a package. If tests hang, it runs the others again.
func (s *suite) runPackage(o options, dir, pkg string, results map[string]string) error {
	binary := filepath.Join(dir, pkg, "suite.test")
	if out, err := command(filepath.Join(dir, pkg), nil, "go", "test", "-c", "-tags", s.tags, "-o", binary, "."); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	defer os.Remove(binary)
	var skip []string
	for range maxHangs {
		hung, err := s.runBinary(o, filepath.Join(dir, pkg), pkg, "", skip, results)
		if err != nil || len(hung) == 0 {
			return err
		}
		skip = append(skip, hung...)
	}
	return fmt.Errorf("%s: too many tests hang: %s", pkg, strings.Join(skip, ", "))
}

// runBinary runs the test binary in dir, in a new network namespace with the interface lo up. It adds
// the test results to results and returns the tests that hung.
func (s *suite) runBinary(o options, dir, pkg, only string, skip []string, results map[string]string) (hung []string, err error) {
	args := []string{"unshare", "--net", "sh", "-c", `ip link set lo up && exec "$@"`, "sh", "go", "tool", "test2json", "-p", pkg,
		"./suite.test", "-test.v=test2json", "-test.timeout", o.timeout.String(), "-test.count=1"}
	if o.short {
		args = append(args, "-test.short")
	}
	if only != "" {
		args = append(args, "-test.run", "^"+only+"$")
	}
	if len(skip) > 0 {
		args = append(args, "-test.skip", "^("+strings.Join(skip, "|")+")$")
	}
	out, err := command(dir, nil, args[0], append(args[1:], s.args[pkg]...)...)
	unfinished, events := map[string]bool{}, 0
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	isOver := false
	for lines.Scan() {
		var e struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		events++
		isOver = isOver || strings.HasPrefix(e.Output, "panic: test timed out")
		if e.Test == "" {
			continue
		}
		switch e.Action {
		case "run":
			unfinished[e.Test] = true
		case pass, fail, skipped:
			delete(unfinished, e.Test)
			results[key(pkg, e.Test)] = e.Action
			if isOver && e.Action == fail {
				unfinished[e.Test] = true // test2json reports the panic as a failure of the running test
			}
		}
	}
	if events == 0 {
		return nil, errors.Join(err, fmt.Errorf("%s: no test ran", pkg))
	}
	if !isOver {
		return nil, lines.Err()
	}
	for test := range unfinished {
		results[key(pkg, test)] = hang
		if !strings.Contains(test, "/") {
			hung = append(hung, test)
		}
	}
	if len(hung) == 0 {
		return nil, fmt.Errorf("%s: timeout without a running test", pkg)
	}
	return hung, lines.Err()
}
