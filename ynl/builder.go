package ynl

import (
	"fmt"
	"sort"

	"go.yaml.in/yaml/v3"
)

// pos is a position in a file.
type pos struct{ line, column int }

func at(n *yaml.Node) pos { return pos{n.Line, n.Column} }

// builder builds a Spec. It declares all names before it reads definitions, because specs use
// names before they define them.
type builder struct {
	file string
	spec *Spec
	errs Errors
	seen map[string]bool // texts of warnings: each is reported once

	subsets  []pendingSet
	structAt map[*Struct]pos
}

func newBuilder(file string) *builder {
	s := &Spec{Protocol: GenericProtocol, Version: 1}
	s.names = names{
		consts: map[string]*Const{}, enums: map[string]*Enum{}, structs: map[string]*Struct{},
		sets: map[string]*Set{}, messages: map[string]*SubMessage{}, ops: map[string]*Op{},
		groups: map[string]*Group{},
	}
	return &builder{file: file, spec: s, structAt: map[*Struct]pos{}}
}

func (b *builder) errorf(p pos, format string, args ...any) {
	b.errs = append(b.errs, &Error{b.file, p.line, p.column, fmt.Sprintf(format, args...)})
}

func (b *builder) warnf(p pos, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if b.seen[text] {
		return
	}
	if b.seen == nil {
		b.seen = map[string]bool{}
	}
	b.seen[text] = true
	b.spec.Warnings = append(b.spec.Warnings, &Error{b.file, p.line, p.column, text})
}

// declare registers a definition under its name, which must be new.
func declare[T any](b *builder, m map[string]*T, p pos, what, name string, x *T) {
	if name == "" {
		return
	}
	if _, taken := m[name]; taken {
		b.errorf(p, "%s %q is defined twice", what, name)
		return
	}
	m[name] = x
}

// lookup returns the definition with a name, or reports an error and returns nil.
func lookup[T any](b *builder, m map[string]*T, p pos, what, name string) *T {
	if name == "" {
		return nil
	}
	x, ok := m[name]
	if !ok {
		b.errorf(p, "no %s %q in this spec", what, name)
	}
	return x
}

// finish returns the Spec, or the errors.
func (b *builder) finish() (*Spec, error) {
	if len(b.errs) == 0 {
		b.sizeStructs()
		b.index()
		b.spec.indexOps()
	}
	if len(b.errs) == 0 {
		return b.spec, nil
	}
	sort.SliceStable(b.errs, func(i, j int) bool {
		x, y := b.errs[i], b.errs[j]
		return x.Line < y.Line || x.Line == y.Line && x.Column < y.Column
	})
	return nil, b.errs[:min(len(b.errs), maxErrors)]
}
