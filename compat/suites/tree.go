package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A fetched module. Dir is its directory in the module cache, and Sum is the hash of its files.
type fetched struct {
	Dir, Sum, Error string
}

// fetch downloads a module. The go command verifies the hash.
func fetch(module, version string) (f fetched, err error) {
	out, err := command("", nil, "go", "mod", "download", "-json", module+"@"+version)
	if jsonErr := json.Unmarshal(out, &f); jsonErr != nil {
		return f, fmt.Errorf("%w: %s", err, out)
	}
	if f.Error != "" {
		return f, fmt.Errorf("%s", f.Error)
	}
	return f, err
}

// command runs a program with GOWORK=off. It returns the output even if there is an error.
func command(dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod"), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, err
}

// copyTree copies the matching files in from to the directory to and makes them writable.
func copyTree(to, from string, match func(path string) bool) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil || !d.IsDir() && !match(rel) {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, b, info.Mode().Perm()|0o600)
	})
}

func everything(string) bool { return true }

func isTest(path string) bool {
	return strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata/")
}

// trees makes two copies of the suite in dir. One uses the original, the other uses compat/mdlayher.
// Only go.mod and go.sum are changed. For the original's own suite, the second copy combines the tests
// of the original with the files of compat/mdlayher.
func (s *suite) trees(o options, dir, from string) (original, compat string, err error) {
	original, compat = filepath.Join(dir, "original"), filepath.Join(dir, "compat")
	adapter := filepath.Join(o.root, "compat", "mdlayher")
	if err := copyTree(original, from, everything); err != nil {
		return "", "", err
	}
	if s.isItself {
		if err := copyTree(compat, adapter, func(path string) bool { return !isTest(path) && path != "go.work" }); err != nil {
			return "", "", err
		}
		if err := copyTree(compat, from, isTest); err != nil {
			return "", "", err
		}
		return original, compat, edit(compat, "-replace=github.com/nlwire/nlwire="+o.root)
	}
	if err := copyTree(compat, from, everything); err != nil {
		return "", "", err
	}
	// Both copies use the same versions of the common dependencies.
	common := []string{"-require=" + originalModule + "@" + originalVersion,
		"-require=golang.org/x/sys@v0.47.0", "-require=golang.org/x/net@v0.53.0"}
	if err := edit(original, common...); err != nil {
		return "", "", err
	}
	return original, compat, edit(compat, append(common,
		"-replace="+originalModule+"="+adapter, "-replace=github.com/nlwire/nlwire="+o.root)...)
}

// edit changes the go.mod in dir and runs go mod tidy.
func edit(dir string, args ...string) error {
	if _, err := command(dir, nil, "go", append([]string{"mod", "edit"}, args...)...); err != nil {
		return err
	}
	_, err := command(dir, nil, "go", "mod", "tidy")
	return err
}
