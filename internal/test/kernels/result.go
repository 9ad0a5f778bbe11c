package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// report is what the tests on one kernel found.
type report struct {
	Target       string
	Kernel       string
	Families     int
	Tests        int      // tests and subtests
	Failed       []string // with their packages
	Skipped      []skip
	Counts       map[string]count // by comparison: agreement, twin, module
	Wanted       map[string]int   // requests of the comparisons, at least
	Seconds      float64          // all
	GuestSeconds float64          // of the guest, with booting
}

// skip is a skipped test with its reason.
type skip struct{ test, reason string }

// count is the number of requests of a comparison, and of answers that are not explained.
type count struct{ requests, unexplained int }

func (c count) String() string { return fmt.Sprintf("%d/%d", c.requests, c.unexplained) }

// line is the summary that programs read.
func (r *report) line() string {
	return fmt.Sprintf("kernel=%s families=%d tests=%d failed=%d agreement=%v twin=%v module=%v",
		r.Kernel, r.Families, r.Tests, len(r.Failed), r.Counts["agreement"], r.Counts["twin"], r.Counts["module"])
}

func (r *report) ok() bool { return r.problem() == "" }

// problem returns why the run is no success, or nothing.
func (r *report) problem() string {
	switch {
	case len(r.Failed) > 0:
		return "failed: " + strings.Join(r.Failed, ", ")
	case r.Families == 0 || r.Tests == 0:
		return "no families, or no tests"
	case len(r.Skipped)*100 > r.Tests*3:
		return fmt.Sprintf("%d of %d tests were skipped, more than 3 %%", len(r.Skipped), r.Tests)
	}
	for name, c := range r.Counts {
		if c.unexplained > 0 {
			return fmt.Sprintf("%s: %d answers differ", name, c.unexplained)
		}
	}
	for name, n := range r.Wanted {
		if got := r.Counts[name].requests; got < n {
			return fmt.Sprintf("%s: %d requests, want %d", name, got, n)
		}
	}
	return ""
}

// wanted returns the numbers of requests of a complete run.
func (m *machine) wanted() map[string]int {
	switch {
	case m.options != (options{}):
		return nil
	case m.noModules:
		return map[string]int{"agreement": 100_000, "twin": 50_000}
	}
	return map[string]int{"agreement": 100_000, "twin": 50_000, "module": 40_000}
}

// readReport unpacks the results of a machine.
func (m *machine) readReport() (*report, error) {
	dir := filepath.Join(m.dir(), "results")
	disk, err := os.Open(m.resultsDisk())
	if err != nil {
		return nil, err
	}
	defer disk.Close()
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := untar(disk, dir); err != nil {
		return nil, err
	}
	var results []result
	if err := readJSON(filepath.Join(dir, resultsFile), &results); err != nil {
		return nil, err
	}
	r := &report{Target: m.name, Kernel: m.version, Counts: map[string]count{}, Wanted: m.wanted()}
	for _, step := range results {
		out, err := os.ReadFile(filepath.Join(dir, step.Name))
		if err != nil {
			return nil, err
		}
		if step.Name == "nlctl-list" {
			var families []json.RawMessage
			if err := json.Unmarshal(out, &families); err != nil {
				return nil, fmt.Errorf("nlctl list: %w", err)
			}
			r.Families = len(families)
			continue
		}
		r.read(step, out)
	}
	return r, nil
}

var (
	runLine    = regexp.MustCompile(`^=== (?:RUN|CONT|NAME) +(\S+)`)
	resultLine = regexp.MustCompile(`^ *--- (PASS|FAIL|SKIP): (\S+) \(`)
	logLine    = regexp.MustCompile(`^ +\S+\.go:\d+: (.*)`)
	countLine  = regexp.MustCompile(`^(agreement|twin|module): .*\brequests=(\d+) .*\b(?:unexplained|different)=(\d+)`)
)

// read adds the output of a package's tests, which go test -v prints.
func (r *report) read(step result, out []byte) {
	failed := len(r.Failed)
	var current string
	last := map[string]string{} // the last line that a test logged
	s := bufio.NewScanner(bytes.NewReader(out))
	for s.Buffer(nil, 64<<20); s.Scan(); {
		line := s.Text()
		if m := runLine.FindStringSubmatch(line); m != nil {
			current = m[1]
		} else if m := resultLine.FindStringSubmatch(line); m != nil {
			r.count(step.Name, m[1], m[2], last)
		} else if m := logLine.FindStringSubmatch(line); m != nil {
			last[current] = m[1]
		} else if m := countLine.FindStringSubmatch(line); m != nil {
			c := r.Counts[m[1]]
			requests, _ := strconv.Atoi(m[2])
			unexplained, _ := strconv.Atoi(m[3])
			r.Counts[m[1]] = count{c.requests + requests, c.unexplained + unexplained}
		}
	}
	if step.Status != "" && len(r.Failed) == failed { // a panic, a timeout, or a leak
		r.Failed = append(r.Failed, step.Name+": "+step.Status)
	}
}

// count adds the result of one test.
func (r *report) count(pkg, status, test string, logged map[string]string) {
	r.Tests++
	switch status {
	case "FAIL":
		r.Failed = append(r.Failed, pkg+" "+test)
	case "SKIP":
		reason, _, _ := strings.Cut(logged[test], ": ")
		r.Skipped = append(r.Skipped, skip{pkg + " " + test, reason})
	}
}
