// Package docs tests the documents of the repository: code blocks are parts of compiled and
// tested files, names exist, and links are valid.
package docs_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = ".."

// update writes the programs into the cookbook: go test ./docs -update
var update = flag.Bool("update", false, "write the programs of docs/cookbook into docs/cookbook.md")

// documents returns the documents by their paths in the repository.
func documents(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, path := range paths {
		name, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.ToSlash(name)] = read(t, path)
	}
	if all["README.md"] == "" || all["docs/cookbook.md"] == "" {
		t.Fatal("no README.md or no docs/cookbook.md")
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// block matches a Go code block and the comment before it, which contains the name of its
// file.
var block = regexp.MustCompile("(?s)(?:<!-- ([^\n]*) -->\n)?```go\n(.*?)```\n")

// Every Go code block is in the file that the comment before it names. A code block of a recipe
// is the whole file.
func TestCodeBlocks(t *testing.T) {
	counts := map[string]int{}
	for name, text := range documents(t) {
		for _, m := range block.FindAllStringSubmatch(text, -1) {
			path, code := m[1], m[2]
			counts[name]++
			if path == "" {
				t.Errorf("%s: a code block without the name of its file in a comment:\n%s", name, code)
				continue
			}
			source := read(t, filepath.Join(root, path))
			isRecipe := strings.HasPrefix(path, "docs/cookbook/")
			if isRecipe && code != source && *update {
				text = strings.Replace(text, code, source, 1)
				write(t, filepath.Join(root, name), text)
			} else if isRecipe && code != source {
				t.Errorf("%s: the code block differs from %s: go test ./docs -update writes it", name, path)
			}
			if !isRecipe && !contains(source, code) {
				t.Errorf("%s: not in %s:\n%s", name, path, code)
			}
		}
	}
	if counts["README.md"] < 2 || counts["docs/cookbook.md"] < 6 {
		t.Errorf("code blocks: %v, want 2 in the README and 6 recipes at least", counts)
	}
}

// contains reports whether a file contains lines with any indentation.
func contains(file, lines string) bool {
	for range 4 {
		if strings.Contains("\n"+file, "\n"+lines) {
			return true
		}
		lines = "\t" + strings.ReplaceAll(strings.TrimSuffix(lines, "\n"), "\n", "\n\t") + "\n"
		lines = strings.ReplaceAll(lines, "\n\t\n", "\n\n")
	}
	return false
}

// The cookbook contains every program of docs/cookbook.
func TestRecipes(t *testing.T) {
	text := documents(t)["docs/cookbook.md"]
	programs, err := filepath.Glob(filepath.Join(root, "docs/cookbook/*/main*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range programs {
		name, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.ToSlash(name)
		if !strings.HasSuffix(name, "_test.go") && !strings.Contains(text, "<!-- "+name+" -->\n```go\n") {
			t.Errorf("docs/cookbook.md lacks %s", name)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Every link to a file of the repository is valid.
func TestLinks(t *testing.T) {
	for name, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(name), target)); err != nil {
				t.Errorf("%s: link to %s: %v", name, m[1], err)
			}
		}
	}
}
