package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// result is the result of one target.
type result struct {
	pkg, target string
	execs       int
	fresh       int // inputs that increased the coverage in this run
	corpus      int // all inputs kept, including seeds and those of earlier runs
	findings    []string
	failed      bool
	cover       coverage
}

// cacheDir returns the directory where go test -fuzz keeps interesting inputs.
func (r *runner) cacheDir(p pkg) string { return filepath.Join(r.cache, "fuzz", p.ImportPath) }

// fuzz runs one target and shows its output. On a busy machine go test may reach the end of
// -fuzztime before it has executed the seeds. Then fuzz runs the target again, once.
func (r *runner) fuzz(binary string, p pkg, target string) result {
	res, out := r.fuzzOnce(binary, p, target)
	if res.failed && res.execs == 0 && len(res.findings) == 0 && deadline.Match(out) && !bytes.Contains(out, []byte("panic")) {
		fmt.Println("time expired before the first execution, running again")
		res, _ = r.fuzzOnce(binary, p, target)
	}
	return res
}

func (r *runner) fuzzOnce(binary string, p pkg, target string) (result, []byte) {
	cmd := exec.Command(binary, "-test.run=^$", "-test.fuzz=^"+target+"$", "-test.fuzztime="+r.time.String(),
		"-test.fuzzminimizetime=100x", "-test.fuzzcachedir="+r.cacheDir(p), "-test.parallel="+strconv.Itoa(r.parallel))
	cmd.Dir = p.Dir
	var out bytes.Buffer
	cmd.Stdout = io.MultiWriter(os.Stdout, &out)
	cmd.Stderr = cmd.Stdout
	err := cmd.Run()
	res := parse(out.Bytes())
	res.pkg, res.target = p.short(), target
	switch {
	case err == nil:
	case res.isEndOfTime(out.Bytes()):
		fmt.Println("time expired")
	default:
		res.failed = true
		fmt.Println(err)
	}
	return res, out.Bytes()
}

var (
	statusLine  = regexp.MustCompile(`execs: (\d+) .*new interesting: (\d+) \(total: (\d+)\)`)
	findingLine = regexp.MustCompile(`Failing input written to (\S+)`)
	deadline    = regexp.MustCompile(`(?m)^ *context deadline exceeded$`)
)

// parse reads the last status line and the findings.
func parse(out []byte) (r result) {
	if all := statusLine.FindAllSubmatch(out, -1); len(all) > 0 {
		last := all[len(all)-1]
		for i, n := range []*int{&r.execs, &r.fresh, &r.corpus} {
			*n, _ = strconv.Atoi(string(last[i+1]))
		}
	}
	for _, m := range findingLine.FindAllSubmatch(out, -1) {
		r.findings = append(r.findings, string(m[1]))
	}
	return r
}

// isEndOfTime reports whether a failure is a bug of go test: it sometimes reports the end of
// -fuzztime as a failure (golang.org/issue/75804), with this text and without a failing input.
func (r *result) isEndOfTime(out []byte) bool {
	return len(r.findings) == 0 && deadline.Match(out) && !bytes.Contains(out, []byte("panic")) && r.execs > 0
}
