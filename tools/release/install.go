package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// install installs every command among the modules and runs it. The command must print its
// version, and must get a reply from its example bus.
func install(g *goTool, modules []releasedModule) error {
	installed := false
	for _, m := range modules {
		if !m.isCommand() {
			continue
		}
		if _, err := g.run(g.tmp, "go", "install", m.path+"@"+m.version); err != nil {
			return err
		}
		command := filepath.Join(g.bin, path.Base(m.path))
		out, err := g.run(g.tmp, command, "-version")
		if err == nil && !strings.Contains(out, m.version) {
			err = fmt.Errorf("%s -version: %q, want %s", command, out, m.version)
		}
		if err != nil {
			return err
		}
		out, err = g.run(g.tmp, command, "-bus", "example", "call", "DOC_EXMPL", "1", "1=hello")
		if err == nil && !strings.Contains(out, `"hello"`) {
			err = fmt.Errorf("%s: no reply from the example bus in %q", command, out)
		}
		if err != nil {
			return err
		}
		installed = true
	}
	if !installed {
		return errors.New("no module is a command")
	}
	return nil
}

func (m releasedModule) isCommand() bool { return strings.HasPrefix(m.dir, "cmd/") }

// outside builds every package of the released libraries and the code blocks of README.md,
// in a module outside of the repository.
func outside(g *goTool, root string, modules []releasedModule) error {
	dir := filepath.Join(g.tmp, "outside")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if _, err := g.run(dir, "go", "mod", "init", "example.org/outside"); err != nil {
		return err
	}
	for _, m := range modules {
		if err := require(g, dir, m); err != nil {
			return err
		}
	}
	packages, err := importable(g, dir)
	if err != nil {
		return err
	}
	if err := writeReadme(filepath.Join(root, "README.md"), dir, packages); err != nil {
		return err
	}
	_, err = g.run(dir, "go", "build", "./...")
	return err
}

// require adds a library to a module and builds its packages.
func require(g *goTool, dir string, m releasedModule) error {
	if m.isCommand() {
		return nil
	}
	get := []string{"get", m.path + "@" + m.version}
	if m.replaces() != m.path {
		get = []string{"get", m.replaces()}
		if _, err := g.run(dir, "go", "mod", "edit", "-require="+m.replaces()+"@v1.0.0",
			"-replace="+m.replaces()+"="+m.path+"@"+m.version); err != nil {
			return err
		}
	}
	if _, err := g.run(dir, "go", get...); err != nil {
		return err
	}
	_, err := g.run(dir, "go", "build", m.replaces()+"/...")
	return err
}

// importable returns the import paths of the packages that a code block may use: those of
// the standard library and of the root module, by their names.
func importable(g *goTool, dir string) (map[string]string, error) {
	out, err := g.run(dir, "go", "list", "-f", "{{.Name}} {{.ImportPath}}", "std", g.main+"/...")
	if err != nil {
		return nil, err
	}
	packages := map[string]string{}
	for line := range strings.Lines(out) {
		name, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "main" && !strings.Contains("/"+path+"/", "/internal/") && !strings.HasPrefix(path, "vendor/") {
			packages[name] = path
		}
	}
	return packages, nil
}
