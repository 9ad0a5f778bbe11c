package ynl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// Library finds families by name: first in spec files, then among the built-in families. It reads
// a family on its first use and keeps it. Goroutines may share a Library.
type Library struct {
	mu    sync.Mutex
	files map[string]string // paths of specs by name of the family
	specs map[string]*Spec
}

// NewLibrary returns a Library with the specs at the paths. A path is a spec file, a directory
// with files that end in .yaml, or a tree of the kernel's source. If several paths have a
// family, the first one is used. NewLibrary reads only the beginning of each file, so that
// errors of a spec are reported by [Library.Family].
func NewLibrary(paths ...string) (*Library, error) {
	l := &Library{files: map[string]string{}, specs: map[string]*Spec{}}
	for _, p := range paths {
		if err := l.add(p); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *Library) add(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return l.addFile(path)
	}
	if tree := filepath.Join(path, "Documentation", "netlink", "specs"); isDir(tree) {
		path = tree
	}
	files, err := filepath.Glob(filepath.Join(escapeGlob(path), "*.yaml"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("ynl: %s: no files that end in .yaml", path)
	}
	for _, f := range files {
		err = errors.Join(err, l.addFile(f))
	}
	return err
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// escapeGlob returns a path as a pattern that only matches itself.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// addFile adds a spec under the name of its family, which can differ from the name of the file.
func (l *Library) addFile(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return err
	}
	name := familyName(head)
	if name == "" {
		spec, err := Load(file)
		if err != nil {
			return err
		}
		name = spec.Name
	}
	if _, taken := l.files[name]; !taken {
		l.files[name] = file
	}
	return nil
}

// familyName returns the value of the top-level key name, or "" if it is not at the start of a
// line.
func familyName(head []byte) string {
	for line := range bytes.Lines(head) {
		if rest, ok := bytes.CutPrefix(line, []byte("name: ")); ok {
			return strings.Trim(strings.TrimSpace(string(rest)), `"'`)
		}
	}
	return ""
}

// Names returns the names of all families in alphabetical order.
func (l *Library) Names() []string {
	names := BuiltinNames()
	for name := range l.files {
		names = append(names, name)
	}
	return sorted(names)
}

// Family returns the family with a name. The error for an unknown name wraps fs.ErrNotExist; the
// errors of a spec are [Errors].
func (l *Library) Family(name string) (*Spec, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.family(name)
}

func (l *Library) family(name string) (*Spec, error) {
	if s := l.specs[name]; s != nil {
		return s, nil
	}
	var s *Spec
	var err error
	switch file, ok := l.files[name]; {
	case ok:
		s, err = Load(file)
	case slices.Contains(BuiltinNames(), name):
		s, err = Builtin(name)
	default:
		err = fmt.Errorf("ynl: family %q: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	l.specs[name] = s
	return s, nil
}

// Protocol returns the families of a netlink protocol other than Generic Netlink, sorted by name.
// Families that share a protocol have different message types. It reads all specs of the
// library.
func (l *Library) Protocol(protocol uint16) ([]*Spec, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []*Spec
	for _, name := range l.Names() {
		s, err := l.family(name)
		if err != nil {
			return nil, err
		}
		if s.Level == NetlinkRaw && s.Protocol == protocol {
			list = append(list, s)
		}
	}
	return list, nil
}
