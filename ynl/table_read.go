package ynl

import (
	"strconv"
	"strings"
)

// ParseTable reads a table in the form of [AppendTable]. The name of the file is only used in
// errors, which are Errors.
func ParseTable(file, text string) (*Spec, error) {
	b := newBuilder(file)
	r := tableReader{b: b}
	r.read(text)
	return b.finish()
}

// parseTables reads a table and another one that extends and corrects it: formats, attributes,
// structs and operations of the same family, in lines of the same form. Where both tables have
// an attribute, a struct, an operation or a format of one name, the second table is used.
func parseTables(file, text, extra string) (*Spec, error) {
	b := newBuilder(file)
	r := tableReader{b: b}
	r.read(text + "\n" + extra)
	return b.finish()
}

// tableLine is a line of a table: a kind, a name and words.
type tableLine struct {
	at    pos
	kind  string
	name  string
	words []string
}

// tableReader reads a table in two passes. The first pass declares names, because tables use names
// before they define them.
type tableReader struct {
	b     *builder
	lines []tableLine

	record  *Struct
	set     *Set
	message *SubMessage
	op      *Op
	next    int64 // default number of the next attribute
	notify  map[*Op]tableLine
}

func (r *tableReader) read(text string) {
	if len(text) > MaxSize {
		r.b.errs = append(r.b.errs, &Error{File: r.b.file, Text: "table larger than 1 MiB"})
		return
	}
	for line := 1; text != ""; line++ {
		var s string
		s, text, _ = strings.Cut(text, "\n")
		if words := strings.Fields(s); len(words) > 0 && words[0] != "#" {
			l := tableLine{at: pos{line, 1}, kind: words[0]}
			if len(words) > 1 {
				l.name, l.words = words[1], words[2:]
			}
			r.lines = append(r.lines, l)
		}
	}
	for i := range r.lines {
		r.declare(&r.lines[i])
	}
	r.notify = map[*Op]tableLine{}
	for i := range r.lines {
		r.fill(&r.lines[i])
	}
	for o, l := range r.notify {
		o.Notify = lookup(r.b, r.b.spec.names.ops, l.at, "operation", l.word("notify"))
	}
	if r.b.spec.Name == "" {
		r.b.errorf(pos{1, 1}, "no family in the table")
	}
}

// word returns the value of key=value, or "" if the line has no such word.
func (l *tableLine) word(key string) string {
	for _, w := range l.words {
		if k, v, ok := strings.Cut(w, "="); ok && k == key {
			return v
		}
	}
	return ""
}

// prefix returns the value of prefix=, or the default.
func (l *tableLine) prefix(usual string) string {
	for _, w := range l.words {
		if v, ok := strings.CutPrefix(w, "prefix="); ok {
			return v
		}
	}
	return usual
}

// list returns the elements of a value with commas.
func (l *tableLine) list(key string) []string {
	if v := l.word(key); v != "" {
		return strings.Split(v, ",")
	}
	return nil
}

// number parses a number; the default is alt.
func (r *tableReader) number(l *tableLine, text string, alt int64) int64 {
	if text == "" {
		return alt
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		r.b.errorf(l.at, "%q is not a number", text)
	}
	return n
}

// declare handles a line in the first pass. A second line with the same name extends the first.
func (r *tableReader) declare(l *tableLine) {
	s, n := r.b.spec, &r.b.spec.names
	switch l.kind {
	case "family":
		s.Name = l.name
		s.Level = levelByName[l.word("level")]
		s.Protocol = uint16(r.number(l, l.word("protocol"), GenericProtocol))
		s.Version = uint8(r.number(l, l.word("version"), 1))
		s.UAPIHeader = l.word("header")
		s.opPrefix = l.prefix(s.Name + "-cmd-")
		s.asyncPrefix = s.opPrefix
		if p := l.word("async"); p != "" {
			s.asyncPrefix = p
		}
	case "const":
		c := &Const{Name: l.name, Kernel: hasWord(strings.Join(l.words, " "), "kernel"), prefix: l.word("prefix")}
		if v, err := strconv.ParseInt(l.word("value"), 10, 64); err == nil {
			c.Value = v
		} else {
			c.Text = l.word("value")
		}
		s.Consts = append(s.Consts, c)
		n.consts[l.name] = c
	case "enum", "flags":
		r.enum(l)
	case "struct":
		if n.structs[l.name] == nil {
			n.structs[l.name] = &Struct{Name: l.name}
			s.Structs = append(s.Structs, n.structs[l.name])
			r.b.structAt[n.structs[l.name]] = l.at
		}
	case "set":
		if n.sets[l.name] == nil {
			n.sets[l.name] = &Set{Name: l.name}
			s.Sets = append(s.Sets, n.sets[l.name])
		}
	case "message":
		if n.messages[l.name] == nil {
			n.messages[l.name] = &SubMessage{Name: l.name}
			s.SubMessages = append(s.SubMessages, n.messages[l.name])
		}
	}
}

func (r *tableReader) enum(l *tableLine) {
	s := r.b.spec
	e := s.Enum(l.name)
	if e == nil {
		e = &Enum{Name: l.name, Flags: l.kind == "flags", prefix: l.prefix(s.Name + "-" + l.name + "-")}
		s.names.enums[l.name] = e
		s.Enums = append(s.Enums, e)
	}
	next := int64(0)
	for i, w := range l.words {
		name, value, _ := strings.Cut(w, "=")
		if i == 0 && name == "prefix" {
			continue
		}
		next = r.number(l, value, next)
		if e.Flags && (next < 0 || next > 63) {
			r.b.errorf(l.at, "bit %d of %q is not in 0..63", next, name)
		}
		e.addEntry(name, next)
		next++
	}
}

// fill handles a line in the second pass.
func (r *tableReader) fill(l *tableLine) {
	names := &r.b.spec.names
	switch l.kind {
	case "family", "const", "enum", "flags":
	case "struct":
		r.record = names.structs[l.name]
		r.record.Members = nil // a second definition replaces the first
	case "m":
		r.member(l)
	case "set":
		r.set, r.next = names.sets[l.name], 1
		if parent := l.word("in"); parent != "" {
			r.set.Parent = lookup(r.b, names.sets, l.at, "set", parent)
		}
		if r.set.prefix == "" {
			r.set.prefix = l.prefix(r.b.spec.Name + "-a-" + l.name + "-")
			if l.name == r.b.spec.Name {
				r.set.prefix = l.prefix(l.name + "-a-")
			}
		}
	case "a":
		r.attr(l)
	case "message":
		r.message = names.messages[l.name]
	case "f":
		r.format(l)
	case "op":
		r.operation(l)
	case "do-request", "dump-request", "event":
		r.mode(l, l.kind, "")
	case "group":
		g := &Group{Name: l.name, Value: uint32(r.number(l, l.word("value"), 0))}
		r.b.spec.Groups = append(r.b.spec.Groups, g)
		names.groups[l.name] = g
	default:
		kind, n, _ := strings.Cut(l.kind, "=")
		if kind != "do-reply" && kind != "dump-reply" {
			r.b.errorf(l.at, "unknown kind of line %q", l.kind)
			return
		}
		r.mode(l, kind, n)
	}
}

// layout reads the words of a layout and returns the other words.
func (r *tableReader) layout(l *tableLine, x *Layout) (rest []string) {
	names := &r.b.spec.names
	for i, w := range l.words {
		k, v, _ := strings.Cut(w, "=")
		switch k {
		case "of":
			x.SubType = typeByName[v]
		case "big-endian", "little-endian":
			x.Order = orderByName[k]
		case "enum":
			x.Enum = lookup(r.b, names.enums, l.at, "enum", v)
			x.Flags = x.Flags || x.Enum != nil && x.Enum.Flags
		case "bits":
			x.Flags = true
		case "hint":
			x.Hint = hintByName[v]
		case "struct":
			x.Struct = lookup(r.b, names.structs, l.at, "struct", v)
		default:
			if t, ok := typeByName[w]; ok && i == 0 {
				x.Type = t
				continue
			}
			rest = append(rest, w)
		}
	}
	return rest
}

func (r *tableReader) member(l *tableLine) {
	if r.record == nil {
		r.b.errorf(l.at, "a member outside of a struct")
		return
	}
	m := Member{Name: l.name}
	r.layout(l, &m.Layout)
	m.Len = int(r.number(l, l.word("len"), 0))
	if m.Name == "-" {
		m.Name = ""
	}
	if m.Type == TypeNone || m.Type.Width() == 0 && m.Struct == nil && (m.Len < 0 || m.Len > maxStruct) {
		r.b.errorf(l.at, "member %q has no type or no length", l.name)
	}
	r.record.Members = append(r.record.Members, m)
}

func (r *tableReader) format(l *tableLine) {
	if r.message == nil {
		r.b.errorf(l.at, "a format outside of a message")
		return
	}
	f := &Format{Value: l.name}
	f.FixedHeader = lookup(r.b, r.b.spec.names.structs, l.at, "struct", l.word("header"))
	f.Attrs = lookup(r.b, r.b.spec.names.sets, l.at, "set", l.word("set"))
	if old := r.message.byValue[l.name]; old != nil {
		*old = *f
		return
	}
	r.message.addFormat(f)
}
