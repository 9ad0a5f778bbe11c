package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// covered lists the packages in the coverage columns.
var covered = []string{"nla", "nlmsg", "genlmsg", "conn", "ctrl", "bus", "socket", "ynl"}

// coverage contains the statements that ran, as blocks by their position in the source.
type coverage map[string]block

type block struct {
	statements int
	ran        bool
}

// coverage runs a target once over its seeds and over the inputs that fuzzing has kept. It
// runs in a directory with a copy of them, and of the package's other test data. If the
// fuzzer has failed, a failure here is the same one, which has been reported.
func (r *runner) coverage(binary string, p pkg, target string, hasFailed bool) (coverage, error) {
	dir := filepath.Join(r.scratch, "corpus")
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	data, corpus := "testdata", filepath.Join("testdata", "fuzz", target)
	for from, to := range map[string]string{
		filepath.Join(p.Dir, data):           data,
		filepath.Join(p.Dir, corpus):         corpus,
		filepath.Join(r.cacheDir(p), target): corpus,
	} {
		if err := copyFiles(filepath.Join(dir, to), from); err != nil {
			return nil, err
		}
	}
	profile := filepath.Join(r.scratch, "profile")
	cmd := exec.Command(binary, "-test.run=^"+target+"$", "-test.coverprofile="+profile)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		os.Stdout.Write(out)
		if !hasFailed {
			return nil, fmt.Errorf("%s passes in the fuzzer and fails for its coverage: %w", target, err)
		}
		return coverage{}, nil
	}
	f, err := os.Open(profile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := coverage{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		c.add(lines.Text())
	}
	return c, nil
}

// add parses a line of a profile: position, number of statements, count.
func (c coverage) add(line string) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return
	}
	statements, err := strconv.Atoi(fields[1])
	if err != nil {
		return
	}
	c[fields[0]] = block{statements, c[fields[0]].ran || fields[2] != "0"}
}

// merge adds the blocks of another run.
func (c coverage) merge(other coverage) {
	for place, b := range other {
		c[place] = block{b.statements, c[place].ran || b.ran}
	}
}

// of returns the number of statements of a package that ran, and of all its statements.
func (c coverage) of(pkg string) (ran, all int) {
	for place, b := range c {
		if path.Dir(place[:strings.LastIndexByte(place, ':')]) != module+pkg {
			continue
		}
		if all += b.statements; b.ran {
			ran += b.statements
		}
	}
	return ran, all
}

// copyFiles copies the files of a directory, without its directories, if it exists.
func copyFiles(to, from string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), b, 0o644); err != nil {
			return err
		}
	}
	return err
}
