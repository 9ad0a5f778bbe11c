package overlay

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A file is a source file of a package.
type file struct {
	name      string
	isForeign bool // for systems other than Linux
	text      []byte
	ast       *ast.File
	fset      *token.FileSet
}

// files is a package by the names of its files, those of tests included.
type files map[string]*file

func read(dir string) (files, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	pkg := files{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f := &file{name: filepath.Base(path)}
		if f.isForeign, err = isForeign(dir, f.name); err == nil {
			err = f.parse(text)
		}
		if err != nil {
			return nil, err
		}
		pkg[f.name] = f
	}
	return pkg, nil
}

func isForeign(dir, name string) (bool, error) {
	linux := build.Default
	linux.GOOS = "linux"
	ok, err := linux.MatchFile(dir, name)
	return !ok, err
}

func (f *file) parse(text []byte) (err error) {
	f.text, f.fset = text, token.NewFileSet()
	f.ast, err = parser.ParseFile(f.fset, f.name, text, parser.ParseComments|parser.SkipObjectResolution)
	return err
}

// isOther reports whether Apply ignores the file: it neither changes nor copies it.
func (f *file) isOther() bool { return f.isForeign || strings.HasSuffix(f.name, "_test.go") }

// isEmpty reports whether the file declares nothing.
func (f *file) isEmpty() bool { return len(f.declared()) == 0 }

// declared returns the names of the file's declarations. The name of a method includes its
// type: "RtAttr.Len".
func (f *file) declared() (names []string) {
	for _, d := range f.ast.Decls {
		names = append(names, declNames(d)...)
	}
	return names
}

func declNames(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		names = append(names, funcName(d))
	case *ast.GenDecl:
		for _, s := range d.Specs {
			names = append(names, specNames(s)...)
		}
	}
	return names
}

func funcName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	recv := d.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		recv = star.X
	}
	return recv.(*ast.Ident).Name + "." + d.Name.Name
}

func specNames(s ast.Spec) (names []string) {
	for _, id := range specIdents(s) {
		names = append(names, id.Name)
	}
	return names
}

func specIdents(s ast.Spec) []*ast.Ident {
	switch s := s.(type) {
	case *ast.TypeSpec:
		return []*ast.Ident{s.Name}
	case *ast.ValueSpec:
		return s.Names
	}
	return nil
}

// replace removes from pkg the declarations that ours contains, the methods of its types,
// and the declarations that become unused by that.
func (pkg files) replace(ours files) (removed []string, err error) {
	gone := map[string]bool{}
	for _, f := range ours {
		if !f.isOther() {
			for _, name := range f.declared() {
				gone[name] = true
			}
		}
	}
	before := pkg.used()
	for len(gone) > 0 {
		for _, f := range pkg {
			if f.isOther() {
				continue
			}
			names, err := f.remove(gone)
			if err != nil {
				return nil, err
			}
			removed = append(removed, names...)
		}
		gone = pkg.unused(before, ours.used())
	}
	slices.Sort(removed)
	return removed, nil
}

// used returns the identifiers that a package uses. The names in declarations do not count.
func (pkg files) used() map[string]bool {
	names := map[string]bool{}
	for _, f := range pkg {
		declares := f.declaring()
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && !declares[id] {
				names[id.Name] = true
			}
			return true
		})
	}
	return names
}

// declaring returns the identifiers that are names in the file's declarations.
func (f *file) declaring() map[*ast.Ident]bool {
	ids := map[*ast.Ident]bool{}
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			ids[d.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				for _, id := range specIdents(s) {
					ids[id] = true
				}
			}
		}
	}
	return ids
}

// unused returns the unexported functions and variables that were used before, but are now
// used neither by the package nor by ours.
func (pkg files) unused(before, byOurs map[string]bool) map[string]bool {
	now, names := pkg.used(), map[string]bool{}
	for _, f := range pkg {
		if f.isOther() {
			continue
		}
		for _, name := range f.declared() {
			if !ast.IsExported(name) && !strings.Contains(name, ".") && before[name] && !now[name] && !byOurs[name] {
				names[name] = true
			}
		}
	}
	return names
}

// remove removes the declarations in gone, and then unused imports.
func (f *file) remove(gone map[string]bool) (removed []string, err error) {
	isKept := func(name string) bool {
		typ, _, isMethod := strings.Cut(name, ".")
		return !gone[name] && !(isMethod && gone[typ])
	}
	areGone := func(names []string) bool { return len(names) > 0 && !slices.ContainsFunc(names, isKept) }
	var cuts []ast.Node
	for _, d := range f.ast.Decls {
		if names := declNames(d); areGone(names) {
			cuts, removed = append(cuts, d), append(removed, names...)
			continue
		}
		list, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range list.Specs {
			if names := specNames(s); areGone(names) {
				if isCounted(list) {
					return nil, fmt.Errorf("%s: %v is part of a list with iota: replace the whole list", f.name, names)
				}
				cuts, removed = append(cuts, s), append(removed, names...)
			}
		}
	}
	if len(cuts) == 0 {
		return nil, nil
	}
	if err := f.cut(cuts); err != nil {
		return nil, err
	}
	return removed, f.cutImports()
}

// isCounted reports whether a list of constants contains one without an expression. Its
// value depends on its position in the list.
func isCounted(list *ast.GenDecl) bool {
	return list.Tok == token.CONST && slices.ContainsFunc(list.Specs, func(s ast.Spec) bool {
		return len(s.(*ast.ValueSpec).Values) == 0
	})
}

// cutImports removes imports that nothing uses.
func (f *file) cutImports() error {
	used := map[string]bool{}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				used[id.Name] = true
			}
		}
		return true
	})
	var cuts []ast.Node
	for _, d := range f.ast.Decls {
		d, ok := d.(*ast.GenDecl)
		if !ok || d.Tok != token.IMPORT {
			continue
		}
		var unused []ast.Node
		for _, s := range d.Specs {
			if !used[importName(s.(*ast.ImportSpec))] {
				unused = append(unused, s)
			}
		}
		if len(unused) == len(d.Specs) {
			unused = []ast.Node{d}
		}
		cuts = append(cuts, unused...)
	}
	return f.cut(cuts)
}

// importName returns the name of an imported package: the last element of its path, which
// is correct for all imports of package nl.
func importName(s *ast.ImportSpec) string {
	if s.Name != nil {
		return s.Name.Name
	}
	path := strings.Trim(s.Path.Value, `"`)
	return path[strings.LastIndexByte(path, '/')+1:]
}

// cut removes nodes with their comments from the text, and parses the rest.
func (f *file) cut(nodes []ast.Node) error {
	end := map[int]int{}
	for _, n := range nodes {
		doc, line := comments(n)
		from, to := n.Pos(), n.End()
		if doc != nil {
			from = doc.Pos()
		}
		if line != nil {
			to = line.End()
		}
		start, stop := f.line(f.fset.Position(from).Offset, f.fset.Position(to).Offset)
		end[start] = stop
	}
	var text []byte
	at := 0
	for _, from := range slices.Sorted(maps.Keys(end)) {
		text = append(text, f.text[at:from]...)
		at = end[from]
	}
	text, err := format.Source(append(text, f.text[at:]...))
	if err != nil {
		return err
	}
	return f.parse(text)
}

// line extends a range to whole lines if nothing else is on these lines.
func (f *file) line(from, to int) (start, stop int) {
	start = bytes.LastIndexByte(f.text[:from], '\n') + 1
	rest := bytes.TrimLeft(f.text[to:], " \t")
	if len(bytes.TrimSpace(f.text[start:from])) > 0 || len(rest) == 0 || rest[0] != '\n' {
		return from, to
	}
	return start, len(f.text) - len(rest) + 1
}

// comments returns the comments before and after a declaration.
func comments(n ast.Node) (doc, line *ast.CommentGroup) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return n.Doc, nil
	case *ast.GenDecl:
		return n.Doc, nil
	case *ast.TypeSpec:
		return n.Doc, n.Comment
	case *ast.ValueSpec:
		return n.Doc, n.Comment
	case *ast.ImportSpec:
		return n.Doc, n.Comment
	}
	return nil, nil
}
