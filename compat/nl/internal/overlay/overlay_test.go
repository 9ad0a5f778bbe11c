package overlay

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// theirs and ours are two versions of a package nl, by file.
var (
	theirs = map[string]string{
		"a_linux.go": `// Package nl is theirs.
package nl

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	// Kept stays.
	Kept  = 1
	Moved = 2 // goes
)

// Value goes with its methods.
type Value struct{ n int }

// Len goes.
func (v *Value) Len() int { return helper(v.n) }

// Extra goes with its type.
func (v Value) Extra() int { return v.n }

// helper is used by Len only.
func helper(n int) int { return deeper(n) }

// deeper is used by helper only.
func deeper(n int) int { return bytes.Compare(nil, nil) + n }

// shared is used by Stays.
func shared() string { return fmt.Sprint(unix.EINVAL) }

// Stays is only in this version.
func Stays() string { return shared() }

// dead is never used.
func dead() {}
`,
		"b_linux.go":      "package nl\n\n// Parse goes, and the file with it.\nfunc Parse() {}\n",
		"other.go":        "// +build !linux\n\npackage nl\n\n// Parse stays: it is for other systems.\nfunc Parse() {}\n",
		"unrelated.go":    "package nl\n\nfunc   NotFormatted() {}\n",
		"a_linux_test.go": "package nl\n\nfunc inTest() {}\n",
	}
	ours = map[string]string{
		"doc.go":             "// Package nl is ours.\npackage nl\n",
		"value_linux.go":     "package nl\n\nconst Moved = 2\n\ntype Value struct{}\n\nfunc (v *Value) Len() int { return 0 }\n\nfunc Parse() {}\n",
		"extra_linux.go":     "package nl\n\nfunc (v Value) Extra() int { return 0 }\n",
		"some_linux_test.go": "package nl\n\nfunc Stays() {}\n",
	}
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestApply(t *testing.T) {
	dir, src := t.TempDir(), t.TempDir()
	pkg := filepath.Join(dir, Package)
	write(t, pkg, theirs)
	write(t, src, ours)
	removed, err := Apply(dir, src)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"Moved", "Parse", "Value", "Value.Extra", "Value.Len", "deeper", "helper"}; !slices.Equal(removed, want) {
		t.Errorf("removed %v, want %v", removed, want)
	}
	files, err := read(pkg)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"a_linux.go", "a_linux_test.go", "nlwire_extra_linux.go", "nlwire_value_linux.go", "other.go", "unrelated.go"}
	if !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	a := files["a_linux.go"]
	if got, want := a.declared(), []string{"Kept", "shared", "Stays", "dead"}; !slices.Equal(got, want) {
		t.Errorf("a_linux.go declares %v, want %v", got, want)
	}
	if text := string(a.text); strings.Contains(text, `"bytes"`) || strings.Contains(text, "goes") || !strings.Contains(text, `"golang.org/x/sys/unix"`) {
		t.Errorf("a_linux.go:\n%s", text)
	}
	if text := string(files["other.go"].text); !strings.Contains(text, "//go:build !linux") || !strings.Contains(text, "func Parse") {
		t.Errorf("other.go:\n%s", text)
	}
	if text := string(files["unrelated.go"].text); text != theirs["unrelated.go"] {
		t.Errorf("unrelated.go was changed:\n%s", text)
	}
}

// TestApplyCounted checks that removing a constant from a list with iota is an error,
// because that would change the others.
func TestApplyCounted(t *testing.T) {
	dir, src := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, Package), map[string]string{"a.go": "package nl\n\nconst (\n\tA = iota\n\tB\n\tC\n)\n"})
	write(t, src, map[string]string{"b.go": "package nl\n\nconst B = 1\n"})
	if _, err := Apply(dir, src); err == nil || !strings.Contains(err.Error(), "[B] is part of a list") {
		t.Errorf("error %v", err)
	}
}

func TestCopy(t *testing.T) {
	src, dst := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	write(t, filepath.Join(src, "deep"), map[string]string{"a": "x"})
	if err := os.Chmod(filepath.Join(src, "deep", "a"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := Copy(dst, src); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dst, "deep"), map[string]string{"a": "y"}) // not read-only
	if err := os.Symlink("a", filepath.Join(src, "link")); err != nil {
		t.Fatal(err)
	}
	if err := Copy(dst, src); err == nil {
		t.Error("a symbolic link was copied")
	}
}
