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

// Library finds families by name: in files and directories of specs, and then
// among the built-in ones. It reads each when it is first asked for, and may be
// used by many goroutines.
type Library struct {
	mu    sync.Mutex
	files map[string]string // of specs, by the name of the family
	specs map[string]*Spec
}

// NewLibrary returns a Library with the specs at these paths: files, directories of
// files that end in .yaml, or trees of the kernel's source. Earlier paths take
// precedence.
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

// addFile adds a spec under the name of its family, which often differs from that
// of the file. Only the first lines are read.
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

// familyName returns the value of the key name at the top of a spec, "" if it is
// not in a line of its own.
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

// Family returns the family with that name. The error of a name that is not there
// is fs.ErrNotExist.
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

// Protocol returns the families of a netlink protocol other than Generic Netlink,
// in the order of their names. Several share a protocol, each with types of its own.
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
