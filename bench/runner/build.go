package runner

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A program implements some of the columns.
type program struct {
	path string
	why  string // the reason, if it could not be built
}

// programs contains the Go worker and, by column, the C programs.
type programs map[string]program

// The C programs: the pkg-config name of the library, the sources in c/, and the columns.
var cPrograms = []struct {
	name, library string
	sources       []string
	columns       []string
}{
	{"inline", "", []string{"inline.c", "encode.c", "live.c", "typed.c"}, []string{"c-inline", "c-predicted"}},
	{"mnl", "libmnl", []string{"mnl.c"}, []string{"libmnl"}},
	{"nl", "libnl-genl-3.0", []string{"nl.c"}, []string{"libnl"}},
}

// worker is the key of the Go worker in programs.
const worker = "worker"

// build compiles all programs to dir. source is the directory of the bench module. If a library is
// not installed, its columns have no program.
func build(source, dir string) (programs, error) {
	all := programs{}
	path := filepath.Join(dir, "worker")
	if err := command(source, "go", "build", "-o", path, "./worker"); err != nil {
		return nil, err
	}
	all[worker] = program{path: path}
	for _, c := range cPrograms {
		p := program{path: filepath.Join(dir, c.name)}
		flags, err := pkgConfig(c.library)
		if err != nil {
			p.why = err.Error()
		} else if err := compile(source, c.sources, flags, p); err != nil {
			return nil, err
		}
		for _, column := range c.columns {
			all[column] = p
		}
	}
	return all, nil
}

// of returns the program of a column.
func (p programs) of(column string) program {
	if c, ok := p[column]; ok {
		return c
	}
	return p[worker]
}

func compile(source string, sources, flags []string, p program) error {
	args := []string{"-O2", "-Wall", "-Wextra"}
	for _, name := range append([]string{"main.c"}, sources...) {
		args = append(args, filepath.Join("c", name))
	}
	args = append(args, flags...)
	return command(source, "gcc", append(args, "-o", p.path)...)
}

// pkgConfig returns the compiler flags for a library.
func pkgConfig(library string) ([]string, error) {
	if library == "" {
		return nil, nil
	}
	out, err := exec.Command("pkg-config", "--cflags", "--libs", library).Output()
	if err != nil {
		return nil, fmt.Errorf("%s is not installed (pkg-config: %v)", library, err)
	}
	return strings.Fields(string(out)), nil
}

// version returns the version of a library according to pkg-config, or "not installed".
func version(library string) string {
	out, err := exec.Command("pkg-config", "--modversion", library).Output()
	if err != nil {
		return "not installed"
	}
	return strings.TrimSpace(string(out))
}

func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}
