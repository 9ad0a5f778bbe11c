package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// packages are those whose names the documents use.
var packages = []string{
	"errno", "nla", "nla/policy", "nlmsg", "genlmsg", "socket", "conn", "ctrl",
	"bus", "bus/usersock", "bus/docexmpl",
}

var (
	fence = regexp.MustCompile("(?ms)^```.*?^```$")
	span  = regexp.MustCompile("`[^`\n]+`")
	name  = regexp.MustCompile(`\b(errno|nla|policy|nlmsg|genlmsg|socket|conn|ctrl|bus|usersock|docexmpl)((?:\.[A-Z]\w*)+)`)
)

// Every exported name that a document mentions in code font exists: `conn.Conn.Do` is a method
// or a field, `conn.Open` a function, a type, a constant or a variable. The changelog is left
// out, since it names what was removed.
func TestNames(t *testing.T) {
	exported := map[string]bool{}
	for _, dir := range packages {
		for _, n := range exportedNames(t, filepath.Join(root, dir)) {
			exported[filepath.Base(dir)+"."+n] = true
		}
	}
	found := 0
	for document, text := range documents(t) {
		if document == "CHANGELOG.md" {
			continue
		}
		for _, code := range span.FindAllString(fence.ReplaceAllString(text, ""), -1) {
			for _, n := range name.FindAllString(code, -1) {
				if found++; !exported[n] {
					t.Errorf("%s: %s is not an exported name", document, n)
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("%d names in all documents: the test does not find them", found)
	}
}

// exportedNames returns the exported names of a package, for every system, and Type.Name for
// methods and fields.
func exportedNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	isSource := func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }
	parsed, err := parser.ParseDir(token.NewFileSet(), dir, isSource, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parsed {
		for _, f := range p.Files {
			for _, d := range f.Decls {
				names = append(names, declared(d)...)
			}
		}
	}
	return names
}

func declared(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		typ := d.Recv.List[0].Type
		if star, ok := typ.(*ast.StarExpr); ok {
			typ = star.X
		}
		return []string{typ.(*ast.Ident).Name + "." + d.Name.Name}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					names = append(names, n.Name)
				}
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
				names = append(names, members(spec)...)
			}
		}
	}
	return names
}

// members returns the fields of a struct and the methods of an interface. The members of an
// embedded type are those of the type.
func members(spec *ast.TypeSpec) (names []string) {
	var list *ast.FieldList
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		return nil
	}
	for _, f := range list.List {
		for _, n := range f.Names {
			names = append(names, spec.Name.Name+"."+n.Name)
		}
	}
	return names
}
