package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// writeReadme writes every Go code block of a document into a separate package, in a
// directory below dir.
func writeReadme(readme, dir string, packages map[string]string) error {
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	blocks := goBlocks(string(text))
	if len(blocks) == 0 {
		return fmt.Errorf("%s has no Go code block", readme)
	}
	for i, block := range blocks {
		code, err := program(block, packages)
		if err != nil {
			return fmt.Errorf("%s: code block %d: %w", filepath.Base(readme), i+1, err)
		}
		sub := filepath.Join(dir, fmt.Sprintf("readme%d", i+1))
		if err := os.Mkdir(sub, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(sub, "block.go"), []byte(code), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// goBlocks returns the Go code blocks of a Markdown document.
func goBlocks(text string) (blocks []string) {
	for {
		_, rest, found := strings.Cut(text, "\n```go\n")
		if !found {
			return blocks
		}
		block, rest, _ := strings.Cut(rest, "\n```")
		blocks = append(blocks, block+"\n")
		text = rest
	}
}

// program returns a Go file with a code block. It adds a package clause and the missing
// imports, unless the block has a package clause. Statements are put into a function with a
// ctx.
func program(block string, packages map[string]string) (string, error) {
	if _, err := parser.ParseFile(token.NewFileSet(), "", block, parser.PackageClauseOnly); err == nil {
		return block, nil
	}
	f, declErr := parser.ParseFile(token.NewFileSet(), "", "package readme\n"+block, 0)
	if declErr != nil {
		open, end := "func _(ctx context.Context) error {\n", "return nil\n}\n"
		f, err := parser.ParseFile(token.NewFileSet(), "", "package readme\n"+open+block+end, 0)
		if err != nil {
			return "", errors.Join(declErr, err)
		}
		block = open + block + uses(f) + end
		return "package readme\n" + imports(f, packages) + block, nil
	}
	return "package readme\n" + imports(f, packages) + block, nil
}

// imports returns import declarations for the packages that a file uses but does not import.
func imports(f *ast.File, packages map[string]string) string {
	have := map[string]bool{}
	for _, spec := range f.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		have[path.Base(p)] = true
	}
	var lines strings.Builder
	for _, name := range f.Unresolved {
		if p := packages[name.Name]; p != "" && !have[name.Name] {
			fmt.Fprintf(&lines, "import %q\n", p)
			have[name.Name] = true
		}
	}
	return lines.String()
}

// uses returns statements that use the variables defined in the function of f.
func uses(f *ast.File) string {
	var lines strings.Builder
	for _, statement := range f.Decls[0].(*ast.FuncDecl).Body.List {
		assign, ok := statement.(*ast.AssignStmt)
		if !ok || assign.Tok != token.DEFINE {
			continue
		}
		for _, v := range assign.Lhs {
			if name := v.(*ast.Ident).Name; name != "_" {
				fmt.Fprintf(&lines, "_ = %s\n", name)
			}
		}
	}
	return lines.String()
}
