package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// packages lists the packages with names that the documents use.
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
// or a field, `conn.Open` a function, a type, a constant or a variable. The changelog is not
// checked, because it may contain removed names.
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

// exportedNames returns the exported names of a package on all systems, and Type.Name for
// methods and fields, including those of embedded types of the package.
func exportedNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	embedded := map[string]string{} // by the type that embeds it
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			names = append(names, declared(d, embedded)...)
		}
	}
	for outer, inner := range embedded {
		for _, n := range names {
			if member, ok := strings.CutPrefix(n, inner+"."); ok {
				names = append(names, outer+"."+member)
			}
		}
	}
	return names
}

func declared(d ast.Decl, embedded map[string]string) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		return []string{typeName(d.Recv.List[0].Type) + "." + d.Name.Name}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					names = append(names, n.Name)
				}
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
				names = append(names, members(spec, embedded)...)
			}
		}
	}
	return names
}

// members returns the fields of a struct and the methods of an interface.
func members(spec *ast.TypeSpec, embedded map[string]string) (names []string) {
	var list *ast.FieldList
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		return nil
	}
	outer := spec.Name.Name
	for _, f := range list.List {
		for _, n := range f.Names {
			names = append(names, outer+"."+n.Name)
		}
		if len(f.Names) == 0 {
			embedded[outer] = typeName(f.Type)
			names = append(names, outer+"."+typeName(f.Type))
		}
	}
	return names
}

// typeName returns the name of a type without its package and its pointer.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}
