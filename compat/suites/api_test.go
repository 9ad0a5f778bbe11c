package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packagesOfOriginal lists the directories of the original's packages.
var packagesOfOriginal = []string{".", "nlenc", "nltest"}

// compat/mdlayher exports what the original exports, with the same types, and nothing else.
func TestAPI(t *testing.T) {
	from, err := fetch(originalModule, originalVersion)
	if err != nil {
		t.Skip("fetching the original: ", err)
	}
	for _, pkg := range packagesOfOriginal {
		want, err := exported(filepath.Join(from.Dir, pkg))
		if err != nil {
			t.Fatal(err)
		}
		got, err := exported(filepath.Join("..", "mdlayher", pkg))
		if err != nil {
			t.Fatal(err)
		}
		if len(want) < 5 {
			t.Fatalf("%s: only %q", pkg, want)
		}
		for _, name := range want {
			if !slices.Contains(got, name) {
				t.Errorf("%s lacks %s", pkg, name)
			}
		}
		for _, name := range got {
			if !slices.Contains(want, name) {
				t.Errorf("%s exports %s, which the original lacks", pkg, name)
			}
		}
	}
}

// exported returns the exported declarations of a package on Linux, one line each.
func exported(dir string) (all []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_others.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			all = append(all, declared(d)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// declared returns the exported part of a declaration. For constants and variables that is the name.
func declared(d ast.Decl) (all []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() || d.Recv != nil && !isExported(d.Recv.List[0].Type) {
			return nil
		}
		receiver := ""
		if d.Recv != nil {
			receiver = types.ExprString(d.Recv.List[0].Type) + "."
		}
		return []string{"func " + receiver + d.Name.Name + signature(d.Type)}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, name := range s.Names {
					if name.IsExported() {
						all = append(all, d.Tok.String()+" "+name.Name)
					}
				}
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					all = append(all, typeLines(s)...)
				}
			}
		}
	}
	return all
}

// isExported reports whether a receiver's type is exported.
func isExported(e ast.Expr) bool {
	if p, ok := e.(*ast.StarExpr); ok {
		e = p.X
	}
	name, ok := e.(*ast.Ident)
	return ok && name.IsExported()
}

// typeLines returns a type and its exported fields or methods.
func typeLines(s *ast.TypeSpec) (all []string) {
	name := "type " + s.Name.Name
	switch t := s.Type.(type) {
	case *ast.StructType:
		all = append(all, name+" struct")
		for _, f := range t.Fields.List {
			for _, n := range f.Names {
				if n.IsExported() {
					all = append(all, fmt.Sprintf("%s.%s %s", name, n.Name, types.ExprString(f.Type)))
				}
			}
		}
	case *ast.InterfaceType:
		all = append(all, name+" interface")
		for _, f := range t.Methods.List {
			for _, n := range f.Names {
				all = append(all, name+"."+n.Name+signature(f.Type.(*ast.FuncType)))
			}
		}
	case *ast.FuncType:
		all = append(all, name+" func"+signature(t))
	default:
		all = append(all, name+" "+types.ExprString(t))
	}
	return all
}

// signature returns the types of parameters and results without their names.
func signature(t *ast.FuncType) string {
	return "(" + fieldTypes(t.Params) + ") (" + fieldTypes(t.Results) + ")"
}

func fieldTypes(list *ast.FieldList) string {
	if list == nil {
		return ""
	}
	var all []string
	for _, f := range list.List {
		for range max(1, len(f.Names)) {
			all = append(all, types.ExprString(f.Type))
		}
	}
	return strings.Join(all, ", ")
}
