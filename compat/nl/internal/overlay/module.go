package overlay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Nlwire is the module path of nlwire.
const Nlwire = "github.com/nlwire/nlwire"

// Fetched describes the module in the module cache of the go command.
type Fetched struct {
	Version string
	Dir     string // in the module cache
	Sum     string // hash of its tree
}

// Fetch finds the version of the module that src requires in the module cache or downloads
// it, and checks it against the go.sum of src.
func Fetch(src string) (f Fetched, err error) {
	out, err := run(src, "go", "mod", "download", "-json", Module)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(out, &f)
}

// Require makes the module in dir require nlwire and golang.org/x/sys in the versions that
// src requires. nlwire is replaced by the directory that src uses.
func Require(dir, src string) error {
	out, err := run(src, "go", "list", "-m", "-json", Nlwire, "golang.org/x/sys")
	if err != nil {
		return err
	}
	edit := []string{"mod", "edit"}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var m struct{ Path, Version, Dir, GoVersion string }
		if err := d.Decode(&m); err != nil {
			return err
		}
		edit = append(edit, "-require="+m.Path+"@"+m.Version)
		if m.Path == Nlwire {
			edit = append(edit, "-go="+m.GoVersion, "-replace="+Nlwire+"="+m.Dir)
		}
	}
	if _, err := run(dir, "go", edit...); err != nil {
		return err
	}
	return addSums(filepath.Join(dir, "go.sum"), filepath.Join(src, "go.sum"))
}

// addSums adds the lines of one go.sum to another, so that only modules are used that the
// go.sum of src verifies.
func addSums(to, from string) error {
	a, err := os.ReadFile(to)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, append(a, b...), 0o644)
}

// run runs a command in a directory, without a workspace, and returns its output.
func run(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return out, nil
}

// Environ returns the environment for go commands in a copy: without a workspace, and with
// permission to complete go.mod.
func Environ() []string { return append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod") }
