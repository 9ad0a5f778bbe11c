package ynl_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/ynl"
)

// writeFiles writes files into a new directory.
func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// spec returns a spec of a family with a version.
func spec(name string, version int) string {
	return strings.NewReplacer("name: demo", "name: "+name, "doc: a family", fmt.Sprintf("version: %d\ndoc: a family", version)).Replace(good)
}

// TestLibrary checks the precedence: earlier paths before later ones, and files before the
// built-in families.
func TestLibrary(t *testing.T) {
	root := writeFiles(t, map[string]string{
		"file.yaml":     spec("demo", 11),
		"dir/demo.yaml": spec("demo", 12),
		"dir/x.yaml":    spec("other-name", 13), // not the name of the file
		"dir/notes.txt": "not a spec",
		"linux/Documentation/netlink/specs/demo.yaml":    spec("demo", 14),
		"linux/Documentation/netlink/specs/rt-link.yaml": spec("rt-link", 15),
	})
	file, dir, tree := filepath.Join(root, "file.yaml"), filepath.Join(root, "dir"), filepath.Join(root, "linux")
	tests := []struct {
		paths  []string
		family string
		want   uint8
	}{
		{[]string{file, dir, tree}, "demo", 11},
		{[]string{dir, file, tree}, "demo", 12},
		{[]string{tree, dir}, "demo", 14},
		{[]string{tree, dir}, "other-name", 13},
		{[]string{tree}, "rt-link", 15},
		{[]string{dir}, "rt-link", 1},
		{nil, "ethtool", 1},
	}
	for _, tt := range tests {
		l, err := ynl.NewLibrary(tt.paths...)
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Family(tt.family)
		if err != nil || s.Version != tt.want {
			t.Errorf("%s from %v: %v, want version %d", tt.family, tt.paths, err, tt.want)
		}
		if again, err := l.Family(tt.family); again != s {
			t.Errorf("%s: a second call reads it again: %v", tt.family, err)
		}
	}
}

func TestLibraryNames(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.yaml": spec("demo", 1)})
	l, err := ynl.NewLibrary(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(l.Names()), len(ynl.BuiltinNames())+1; got != want {
		t.Errorf("%d names, want %d", got, want)
	}
	var names []string
	list, err := l.Protocol(0)
	for _, s := range list {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); err != nil || got != "demo rt-addr rt-link rt-neigh rt-route rt-rule tc" {
		t.Errorf("families of protocol 0: %s, %v", got, err)
	}
}

func TestLibraryErrors(t *testing.T) {
	root := writeFiles(t, map[string]string{
		"empty/x.txt":     "",
		"broken/a.yaml":   "name: broken\nprotocol: new\n",
		"nameless/a.yaml": "protocol: genetlink\n",
		"list/a.yaml":     "- name: x\n",
	})
	for _, path := range []string{"absent", "empty", "nameless", "list"} {
		if _, err := ynl.NewLibrary(filepath.Join(root, path)); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
	l, err := ynl.NewLibrary(filepath.Join(root, "broken"))
	if err != nil {
		t.Fatal(err)
	}
	var list ynl.Errors
	if _, err := l.Family("broken"); !errors.As(err, &list) || list[0].Line == 0 {
		t.Errorf("a broken spec: %v, want an error with its position", err)
	}
	if _, err := l.Family("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an unknown family: %v, want fs.ErrNotExist", err)
	}
}

// TestLoad reads specs from files, file systems and directories.
func TestLoad(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.yaml": spec("a", 1), "b.yaml": spec("b", 2), "c.yaml": "name: c\n"})
	if s, err := ynl.LoadFS(os.DirFS(dir), "b.yaml"); err != nil || s.Version != 2 {
		t.Errorf("LoadFS: %v", err)
	}
	specs, err := ynl.LoadDir(dir)
	var list ynl.Errors
	if len(specs) != 2 || !errors.As(err, &list) || len(list) != 2 || !strings.HasSuffix(list[0].File, "c.yaml") {
		t.Errorf("LoadDir: %d specs, %v, want 2 and two missing keys of c.yaml", len(specs), err)
	}
	large := writeFiles(t, map[string]string{"x.yaml": strings.Repeat("#", ynl.MaxSize+1)})
	if _, err := ynl.Load(filepath.Join(large, "x.yaml")); !errors.As(err, &list) {
		t.Errorf("a large file: %v", err)
	}
	if _, err := ynl.Load(filepath.Join(dir, "absent.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
}
