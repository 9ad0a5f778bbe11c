package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const module = "github.com/nlwire/nlwire/"

// pkg is a package with fuzz targets.
type pkg struct {
	ImportPath   string
	Dir          string
	TestGoFiles  []string
	XTestGoFiles []string

	targets []string
}

// short returns the import path relative to the module.
func (p *pkg) short() string { return strings.TrimPrefix(p.ImportPath, module) }

// list returns the packages of a module with targets that match the regular expression only.
func list(dir, only string) ([]pkg, error) {
	match, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	out, err := goCommand(dir, "list", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles", "./...")
	if err != nil {
		return nil, err
	}
	var packages []pkg
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		if err := p.find(match); err != nil {
			return nil, err
		}
		if len(p.targets) > 0 {
			packages = append(packages, p)
		}
	}
}

var targetFunc = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(\w+ \*testing\.F\)`)

// find collects the targets in the package's tests.
func (p *pkg) find(match *regexp.Regexp) error {
	for _, name := range append(p.TestGoFiles, p.XTestGoFiles...) {
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return err
		}
		for _, m := range targetFunc.FindAllSubmatch(text, -1) {
			if match.Match(m[1]) {
				p.targets = append(p.targets, string(m[1]))
			}
		}
	}
	return nil
}

// goCommand runs the go command in a directory and returns its output.
func goCommand(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}
