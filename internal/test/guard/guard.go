// Package guard checks the guarantees of the codec packages: functions that do not allocate,
// functions that are inlined, and packages that are not imported. Each package calls these checks
// in its tests.
package guard

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Allocs calls every row a hundred times and fails if one allocates. The rows are the exported
// functions and methods ("Consume", "Attr.Type") of the package in the working directory; a
// missing or outdated row is an error, too. exempt lists the functions that may allocate, with
// the reason.
func Allocs(t *testing.T, rows map[string]func(), exempt map[string]string) {
	t.Helper()
	checkRows(t, rows, exempt)
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, rows[name]); n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
}

// Edges runs every row as a subtest; an access to inaccessible memory fails it. The rows are
// those of Allocs: a missing or outdated row is an error, too. exempt lists the functions that
// are tested by the row of another one, with the reason.
func Edges(t *testing.T, rows map[string]func(*testing.T), exempt map[string]string) {
	t.Helper()
	checkRows(t, rows, exempt)
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		t.Run(name, func(t *testing.T) {
			defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
			rows[name](t)
		})
	}
}

// checkRows compares the names of rows with those of the package.
func checkRows[F any](t *testing.T, rows map[string]F, exempt map[string]string) {
	t.Helper()
	exported := exportedFuncs(t)
	for _, name := range exported {
		if _, ok := rows[name]; !ok && exempt[name] == "" {
			t.Errorf("%s has no row", name)
		}
	}
	for name := range rows {
		if !slices.Contains(exported, name) {
			t.Errorf("row %s: no such exported function", name)
		}
	}
	for name := range exempt {
		if !slices.Contains(exported, name) {
			t.Errorf("exempt %s: no such exported function", name)
		}
	}
}

// Inlining fails if the compiler does not inline one of the named functions ("Consume",
// "Attr.Type", "(*T).M") of the package in the working directory. It compiles for amd64 and
// arm64, independent of the architecture of the test. On processors without unaligned loads
// (32-bit arm, mips) each integer needs more code, and the larger functions are not inlined.
func Inlining(t *testing.T, names ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles the package twice")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command: ", err)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		inlined := inlinedFuncs(t, arch)
		for _, name := range names {
			if !inlined[name] {
				t.Errorf("%s is not inlined on %s", name, arch)
			}
		}
	}
}

// inlinedFuncs returns the functions that the compiler reports as inlinable.
func inlinedFuncs(t *testing.T, arch string) map[string]bool {
	t.Helper()
	build := exec.Command("go", "build", "-gcflags=-m", ".")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	inlined := map[string]bool{}
	for _, m := range regexp.MustCompile(`can inline (\S+)`).FindAllStringSubmatch(string(out), -1) {
		inlined[m[1]] = true
	}
	if len(inlined) == 0 {
		t.Fatalf("the compiler reports no inlinable function:\n%s", out)
	}
	return inlined
}

// Imports fails if a file of the package in the working directory, except tests, imports one of
// the given paths.
func Imports(t *testing.T, banned ...string) {
	t.Helper()
	for name, file := range sources(t, parser.ImportsOnly) {
		for _, spec := range file.Imports {
			if path, _ := strconv.Unquote(spec.Path.Value); slices.Contains(banned, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

// OnlyIn fails if a file of the package in the working directory, other than the given files,
// imports path.
func OnlyIn(t *testing.T, path string, files ...string) {
	t.Helper()
	for name, f := range sources(t, parser.ImportsOnly) {
		for _, spec := range f.Imports {
			if imported, _ := strconv.Unquote(spec.Path.Value); imported == path && !slices.Contains(files, name) {
				t.Errorf("%s imports %s, which only %v may import", name, path, files)
			}
		}
	}
}

// exportedFuncs returns the exported functions and the exported methods of exported types.
func exportedFuncs(t *testing.T) []string {
	var names []string
	for _, file := range sources(t, 0) {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.IsExported() {
				if name := receiver(f) + f.Name.Name; ast.IsExported(name) {
					names = append(names, name)
				}
			}
		}
	}
	if len(names) == 0 {
		t.Fatal("no exported function in the working directory")
	}
	return names
}

// receiver returns "Attr." for a method of Attr or *Attr, and "" for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	return typ.(*ast.Ident).Name + "."
}

// sources parses the package in the working directory without its tests.
func sources(t *testing.T, mode parser.Mode) map[string]*ast.File {
	t.Helper()
	isSource := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
	//lint:ignore SA1019 build tags do not matter here: every file is checked
	packages, err := parser.ParseDir(token.NewFileSet(), ".", isSource, mode)
	if err != nil || len(packages) != 1 {
		t.Fatalf("%d packages in the working directory, error %v", len(packages), err)
	}
	for _, p := range packages {
		return p.Files
	}
	return nil
}
