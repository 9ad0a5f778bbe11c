package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree writes files into a new directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestReleased(t *testing.T) {
	const root = "module example.org/m\n"
	for _, tt := range []struct {
		name    string
		files   map[string]string
		want    string // directories and versions
		wantErr string
	}{
		{"root and a command", map[string]string{
			"go.mod": root, "cmd/x/go.mod": "module example.org/m/cmd/x\nrequire example.org/m v0.1.0\n",
		}, ". v0.1.0, cmd/x v0.1.0", ""},
		{"not released", map[string]string{
			"go.mod": root, "a/go.mod": "module example.org/m/a\nrequire example.org/m v0.2.0\n",
			"b/go.mod":                  "// Tests. Not released.\nmodule example.org/m/b\nreplace example.org/m => ..\n",
			"testdata/go.mod":           "module example.org/testdata\n",
			"a/.hidden/deeper/x/go.mod": "not a go.mod",
		}, ". v0.2.0, a v0.2.0", ""},
		{"replace", map[string]string{
			"go.mod": root, "a/go.mod": "module example.org/m/a\nrequire example.org/m v0.1.0\nreplace example.org/m => ..\n",
		}, "", "a/go.mod has a replace"},
		{"order of requirements", map[string]string{
			"go.mod": root, "a/go.mod": "module example.org/m/a\nrequire (\nexample.org/m v0.1.0\nexample.org/m/b v0.1.0\n)\n",
			"b/go.mod": "module example.org/m/b\nrequire example.org/m v0.1.0\n",
		}, ". v0.1.0, b v0.1.0, a v0.1.0", ""},
		{"cycle", map[string]string{
			"go.mod": root, "a/go.mod": "module example.org/m/a\nrequire example.org/m/b v0.1.0\n",
			"b/go.mod": "module example.org/m/b\nrequire example.org/m/a v0.1.0\n",
		}, "", "in a cycle"},
		{"two versions", map[string]string{
			"go.mod": root, "a/go.mod": "module example.org/m/a\nrequire example.org/m v0.1.0\n",
			"b/go.mod": "module example.org/m/b\nrequire example.org/m v0.2.0\n",
		}, "", "another requirement is v0.1.0"},
		{"a module that is not released is required", map[string]string{
			"go.mod": root, "a/go.mod": "module example.org/m/a\nrequire example.org/m/b v0.1.0\n",
			"b/go.mod": "// Not released.\nmodule example.org/m/b\n",
		}, "", "not a released module"},
		{"no version", map[string]string{"go.mod": root}, "", "version of the release is unknown"},
		{"no root", map[string]string{"a/go.mod": root}, "", "no go.mod of a released module"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			modules, err := released(tree(t, tt.files))
			var got []string
			for _, m := range modules {
				got = append(got, m.dir+" "+m.version)
			}
			if strings.Join(got, ", ") != tt.want || (err == nil) != (tt.wantErr == "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("released: %q, %v, want %q, %q", got, err, tt.want, tt.wantErr)
			}
		})
	}
}

func TestProgram(t *testing.T) {
	packages := map[string]string{"fmt": "fmt", "context": "context", "rand": "math/rand"}
	for _, tt := range []struct{ name, block, want string }{
		{"file", "package main\n\nfunc main() {}\n", "package main\n\nfunc main() {}\n"},
		{"declarations", "func f() { fmt.Println(undefined) }\n", "package readme\nimport \"fmt\"\nfunc f() { fmt.Println(undefined) }\n"},
		{
			"declarations with an import", "import \"crypto/rand\"\nvar x = rand.Int\n",
			"package readme\nimport \"crypto/rand\"\nvar x = rand.Int\n",
		},
		{
			"statements", "x, _ := fmt.Println(ctx)\n",
			"package readme\nimport \"context\"\nimport \"fmt\"\nfunc _(ctx context.Context) error {\nx, _ := fmt.Println(ctx)\n_ = x\nreturn nil\n}\n",
		},
	} {
		if got, err := program(tt.block, packages); got != tt.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	if got, err := program("func f( {\n", packages); err == nil {
		t.Errorf("a syntax error: %q, want an error", got)
	}
}

func TestGoBlocks(t *testing.T) {
	got := goBlocks("text\n```go\na\nb\n```\n```\nnot Go\n```\n\n```go\nc\n```\n")
	if strings.Join(got, "|") != "a\nb\n|c\n" {
		t.Errorf("goBlocks: %q", got)
	}
}

func TestWithSums(t *testing.T) {
	const before, after = "example.org/a v1.0.0 h1:a\n", "example.org/n v1.0.0 h1:n\n"
	lines := []string{"example.org/m v0.1.0 h1:m\n", "example.org/m v0.1.0/go.mod h1:o\n"}
	want := before + lines[0] + lines[1] + after
	for _, goSum := range []string{before + after, want, before + "example.org/m v0.0.9 h1:old\n" + after} {
		if got := withSums(goSum, "example.org/m", lines); got != want {
			t.Errorf("withSums of %q: %q, want %q", goSum, got, want)
		}
	}
}

// TestWriteSums checks that a module's checksum is computed after the checksums in its go.sum.
func TestWriteSums(t *testing.T) {
	root := tree(t, map[string]string{
		"go.mod": "module example.org/m\n", "LICENSE": "license\n",
		"a/go.mod": "module example.org/m/a\nrequire (\nexample.org/m v0.1.0\nexample.org/m/b v0.1.0\n)\n", "a/go.sum": "",
		"b/go.mod": "module example.org/m/b\nrequire example.org/m v0.1.0\n", "b/go.sum": "",
	})
	write := func() string {
		t.Helper()
		if err := run(root, true); err != nil {
			t.Fatal(err)
		}
		goSum, err := os.ReadFile(filepath.Join(root, "a", "go.sum"))
		if err != nil {
			t.Fatal(err)
		}
		return string(goSum)
	}
	first := write()
	if strings.Count(first, "\n") != 4 || strings.Count(first, "example.org/m/b v0.1.0") != 2 {
		t.Errorf("a/go.sum: %q, want two lines for each required module", first)
	}
	if second := write(); second != first {
		t.Errorf("the second run changes the checksums %q to %q", first, second)
	}
}
