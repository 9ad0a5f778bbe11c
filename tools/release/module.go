package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// A releasedModule is a module with a version, under the path that its users require.
type releasedModule struct {
	dir     string // slash-separated, relative to the root of the repository
	path    string // the path of the root module and dir
	version string
	goMod   *modfile.File
}

// replaces returns the path by which the module's packages are imported. It differs from
// path if the module replaces another library.
func (m releasedModule) replaces() string { return m.goMod.Module.Mod.Path }

// requires returns the modules of this list that m requires.
func (m releasedModule) requires(modules []releasedModule) (required []releasedModule) {
	for _, r := range m.goMod.Require {
		for _, other := range modules {
			if other.path == r.Mod.Path {
				required = append(required, other)
			}
		}
	}
	return required
}

// released returns the modules that are released, the root module first, and each module
// after those that it requires. All have the same version.
func released(root string) ([]releasedModule, error) {
	modules, err := findModules(root)
	if err != nil {
		return nil, err
	}
	if len(modules) == 0 || modules[0].dir != "." {
		return nil, fmt.Errorf("%s has no go.mod of a released module", root)
	}
	main := modules[0].goMod.Module.Mod.Path
	for i, m := range modules {
		modules[i].path = path.Join(main, m.dir)
		if err := check(m); err != nil {
			return nil, err
		}
	}
	version, err := requiredVersion(modules)
	if err != nil {
		return nil, err
	}
	for i := range modules {
		modules[i].version = version
	}
	return inOrder(modules)
}

// requiredVersion returns the version with which the modules require each other.
func requiredVersion(modules []releasedModule) (version string, err error) {
	main := modules[0].path
	for _, m := range modules {
		for _, r := range m.goMod.Require {
			if r.Mod.Path != main && !strings.HasPrefix(r.Mod.Path, main+"/") {
				continue
			}
			if !slices.ContainsFunc(modules, func(o releasedModule) bool { return o.path == r.Mod.Path }) {
				return "", fmt.Errorf("%s/go.mod requires %s, which is not a released module", m.dir, r.Mod.Path)
			}
			if version != "" && r.Mod.Version != version {
				return "", fmt.Errorf("%s/go.mod requires %s %s, another requirement is %s", m.dir, r.Mod.Path, r.Mod.Version, version)
			}
			version = r.Mod.Version
		}
	}
	if version == "" {
		return "", fmt.Errorf("no released module requires %s: the version of the release is unknown", main)
	}
	return version, nil
}

// inOrder returns the modules sorted so that each is after the modules that it requires.
func inOrder(modules []releasedModule) (sorted []releasedModule, err error) {
	has := func(path string) bool {
		return slices.ContainsFunc(sorted, func(m releasedModule) bool { return m.path == path })
	}
	for len(sorted) < len(modules) {
		next := slices.IndexFunc(modules, func(m releasedModule) bool {
			missing := func(r releasedModule) bool { return !has(r.path) }
			return !has(m.path) && !slices.ContainsFunc(m.requires(modules), missing)
		})
		if next < 0 {
			return nil, errors.New("released modules require each other in a cycle")
		}
		sorted = append(sorted, modules[next])
	}
	return sorted, nil
}

// findModules returns the released modules of a directory tree, in the order of their
// directories.
func findModules(root string) (modules []releasedModule, err error) {
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && file != root && (name == "testdata" || strings.HasPrefix(name, ".")) {
			return fs.SkipDir
		}
		if !entry.IsDir() {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(file, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		f, err := modfile.Parse(filepath.Join(file, "go.mod"), data, nil)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, file)
		if err == nil && !unreleased(f) {
			modules = append(modules, releasedModule{dir: filepath.ToSlash(dir), goMod: f})
		}
		return err
	})
	return modules, err
}

func unreleased(f *modfile.File) bool {
	if f.Module == nil {
		return true
	}
	for _, c := range f.Module.Syntax.Before {
		if strings.Contains(c.Token, "Not released") {
			return true
		}
	}
	return false
}

// check returns an error if a module cannot be released. The go command refuses to install a
// command if its go.mod contains replace or exclude directives, and ignores those of a
// library.
func check(m releasedModule) error {
	if len(m.goMod.Replace)+len(m.goMod.Exclude) > 0 {
		return fmt.Errorf("%s/go.mod has a replace or exclude directive: remove it, or add \"Not released.\" to the comment on its module directive", m.dir)
	}
	return nil
}
