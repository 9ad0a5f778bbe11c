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

// addAttr adds an attribute to its set. Some subsets have an attribute twice; the last entry
// counts.
func (s *Set) addAttr(a *Attr) {
	if s.byName == nil {
		s.byName, s.byValue = map[string]*Attr{}, map[uint16]*Attr{}
	}
	a.set, a.place = s, len(s.Attrs)
	s.Attrs = append(s.Attrs, a)
	s.byName[a.Name], s.byValue[a.Value] = a, a
}

// replaceAttr adds an attribute, or replaces the attribute of the same name.
func (s *Set) replaceAttr(a *Attr) {
	old := s.byName[a.Name]
	if old == nil {
		s.addAttr(a)
		return
	}
	if s.byValue[old.Value] == old {
		delete(s.byValue, old.Value)
	}
	a.set, a.place = s, old.place
	s.Attrs[a.place] = a
	s.byName[a.Name], s.byValue[a.Value] = a, a
}

// addEntry adds an entry to an enum. If a value has several names, the last one is printed.
func (e *Enum) addEntry(name string, value int64) {
	if e.byName == nil {
		e.byName, e.byValue = map[string]int{}, map[int64]int{}
	}
	i := len(e.Entries)
	e.Entries = append(e.Entries, EnumEntry{name, value})
	e.byName[name], e.byValue[value] = i, i
}

// isDense reports whether a table by number is worth its memory.
func isDense(highest, count int) bool { return highest <= 4*count+16 }

// index fills the tables by number of sets and enums.
func (b *builder) index() {
	for _, s := range b.spec.Sets {
		highest := 0
		for v := range s.byValue {
			highest = max(highest, int(v))
		}
		if isDense(highest, len(s.byValue)) {
			s.dense = make([]*Attr, highest+1)
			for v, a := range s.byValue {
				s.dense[v] = a
			}
		}
	}
	for _, e := range b.spec.Enums {
		highest := int64(0)
		for v := range e.byValue {
			highest = max(highest, v)
		}
		if highest < 1<<16 && isDense(int(highest), len(e.byValue)) {
			e.dense = make([]string, highest+1)
			for v, i := range e.byValue {
				if v >= 0 {
					e.dense[v] = e.Entries[i].Name
				}
			}
		}
	}
}

// addFormat adds a format to a sub-message.
func (m *SubMessage) addFormat(f *Format) {
	if m.byValue == nil {
		m.byValue = map[string]*Format{}
	}
	m.Formats = append(m.Formats, f)
	m.byValue[f.Value] = f
}

// maxStruct is the size of the largest struct: that of the largest attribute.
const maxStruct = 1<<16 - 1

// sizeStructs computes the offsets of the members of all structs. A struct may contain other
// structs, but not itself.
func (b *builder) sizeStructs() {
	state := map[*Struct]int{}
	var size func(*Struct) bool
	size = func(s *Struct) bool {
		switch state[s] {
		case 1:
			b.errorf(b.structAt[s], "struct %q contains itself", s.Name)
			return false
		case 2:
			return true
		}
		state[s] = 1
		n := 0
		s.align = 1
		s.byName = make(map[string]int, len(s.Members))
		for i := range s.Members {
			m := &s.Members[i]
			m.Offset = n
			s.byName[m.Name] = i
			if m.Struct != nil {
				if !size(m.Struct) {
					return false
				}
				m.Len = m.Struct.Size
				s.align = max(s.align, m.Struct.align)
			} else if w := m.Type.Width(); w > 0 {
				m.Len = w
				s.align = max(s.align, w)
			}
			if n += m.Len; n > maxStruct {
				b.errorf(b.structAt[s], "struct %q is larger than an attribute", s.Name)
				return false
			}
		}
		s.Size = n
		state[s] = 2
		return true
	}
	for _, s := range b.spec.Structs {
		if !size(s) {
			return
		}
	}
}
