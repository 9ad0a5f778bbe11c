package main

import (
	"archive/tar"
	"context"
	"errors"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// testedModules are the Go modules with tests for the guest.
var testedModules = []string{".", "cmd/nlctl", "compat/differential"}

// sourceTests are packages that test the source with the go command, which the guest lacks.
var sourceTests = []string{"nlwire", "arch", "fuzzrun", "guard", "original", "testrun", "kernels"}

// environment sets the number of requests of the comparisons with the kernel, by package.
var environment = map[string]string{
	"fuzz": "NLWIRE_REQUESTS=100000", "bus": "NLWIRE_REQUESTS=50000",
	"docexmpl": "NLWIRE_REQUESTS=20000", "exercise": "NLWIRE_REQUESTS=20000",
	"conn": "NLWIRE_STRESS_REQUESTS=100000",
}

// ofTheKernel selects the tests with the kernel in packages that have many others, by package.
var ofTheKernel = map[string]string{
	"fuzz": "-test.run=Kernel", "nlctl": "-test.skip=^TestDecode|^Fuzz", "bus": "-test.skip=^Fuzz",
}

// testedPackage is a package with tests: its import path and its directory in the repository.
type testedPackage struct{ path, dir string }

// binary is the name that go test -c gives to the tests.
func (p testedPackage) binary() string { return path.Base(p.path) + ".test" }

// payload compiles the tests and writes the archive for the guest. ownModules are the compiled
// modules of internal/test/module.
func (m *machine) payload(ctx context.Context, file string, ownModules []string) error {
	bin := filepath.Join(m.dir(), "bin")
	if err := errors.Join(os.RemoveAll(bin), os.MkdirAll(bin, 0o755)); err != nil {
		return err
	}
	var packages []testedPackage
	for _, dir := range testedModules {
		these, err := m.testedPackages(ctx, dir)
		if err != nil {
			return err
		}
		args := []string{"test", "-c", "-o", bin + "/"}
		for _, p := range these {
			args = append(args, p.path)
		}
		if _, err := output(m.goCommand(ctx, dir, args...)); err != nil {
			return err
		}
		packages = append(packages, these...)
	}
	if _, err := output(m.goCommand(ctx, "cmd/nlctl", "build", "-o", filepath.Join(bin, "nlctl"), ".")); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := tarWriter{tar.NewWriter(f)}
	err = errors.Join(
		w.json(planFile, m.plan(packages, ownModules)), addRepository(ctx, w), addDir(w, "bin", bin),
		addFiles(w, "modules", ownModules), w.Close())
	return errors.Join(err, f.Close())
}

// goCommand runs go in a directory of the repository, for the guest's processor and without C.
func (m *machine) goCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+m.arch)
	return cmd
}

// testedPackages lists the packages of a Go module whose tests run in the guest: those with tests
// for Linux, or all.
func (m *machine) testedPackages(ctx context.Context, dir string) (packages []testedPackage, err error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	const format = "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}} {{.TestGoFiles}}{{.XTestGoFiles}}{{end}}"
	out, err := output(m.goCommand(ctx, dir, "list", "-f", format, "./..."))
	for line := range strings.Lines(string(out)) {
		importPath, rest, _ := strings.Cut(line, " ")
		where, files, _ := strings.Cut(rest, " ")
		isOther := !m.allTests && !strings.Contains(files, "_linux_test.go")
		if files == "" || isOther || slices.Contains(sourceTests, path.Base(importPath)) || !m.has(path.Base(importPath)) {
			continue
		}
		rel, err := filepath.Rel(root, where)
		if err != nil {
			return nil, err
		}
		packages = append(packages, testedPackage{importPath, rel})
	}
	return packages, err
}

// plan lists the steps of the guest. The modules of this project are loaded after the other
// tests, so that those meet the kernel's own families.
func (m *machine) plan(packages []testedPackage, ownModules []string) (steps []step) {
	steps = append(steps, step{Name: "nlctl-list", Args: []string{workDir + "/bin/nlctl", "list", "-json"}})
	var late []step
	for _, p := range packages {
		name := path.Base(p.path)
		s := step{Name: name, Dir: "repo/" + p.dir, Args: []string{workDir + "/bin/" + p.binary(), "-test.v", "-test.timeout=8m"}}
		if arg := ofTheKernel[name]; m.pattern != "" {
			s.Args = append(s.Args, "-test.run="+m.pattern)
		} else if arg != "" && !m.allTests {
			s.Args = append(s.Args, arg)
		}
		if env := environment[name]; env != "" {
			s.Env = []string{env}
		}
		if name == "docexmpl" || name == "exercise" {
			late = append(late, s)
		} else {
			steps = append(steps, s)
		}
	}
	for i := range steps {
		if len(ownModules) > 0 && steps[i].Name == "ctrl" {
			steps[i].Env = []string{"NLWIRE_MODULES=" + workDir + "/modules"}
		}
	}
	for i := range late {
		for _, file := range ownModules {
			late[i].Modules = append(late[i].Modules, "modules/"+filepath.Base(file))
		}
	}
	return append(steps, late...)
}

// addRepository adds the files of the repository, which some tests read.
func addRepository(ctx context.Context, w tarWriter) error {
	out, err := output(exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"))
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		info, statErr := os.Stat(name)
		if statErr != nil || !info.Mode().IsRegular() {
			continue // deleted, or a link to a directory
		}
		err = errors.Join(err, w.copy("repo/"+name, name))
	}
	return err
}

// addDir adds the files of a directory.
func addDir(w tarWriter, name, dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, w.copy(name+"/"+e.Name(), filepath.Join(dir, e.Name())))
	}
	return err
}

func addFiles(w tarWriter, name string, files []string) (err error) {
	for _, file := range files {
		err = errors.Join(err, w.copy(name+"/"+filepath.Base(file), file))
	}
	return err
}
