package ynl

import (
	"strconv"

	"go.yaml.in/yaml/v3"
)

// The known keys of all schema levels. Keys that only generators of C code and of documentation
// use are ignored.
const (
	familyKeys = "name protocol protonum version doc uapi-header c-family-name c-version-name " +
		"max-by-define cmd-max-name cmd-cnt-name kernel-policy kernel-family definitions " +
		"attribute-sets sub-messages operations mcast-groups"
	definitionKeys = "name type doc header scope value value-start entries members render-max " +
		"enum-name enum-cnt-name name-prefix"
	memberKeys = "name type len byte-order doc enum enum-as-flags display-hint struct"
	groupKeys  = "name c-define-name flags value"
)

var levelByName = byName[Level](levelNames)

// family reads a spec.
func (b *builder) family(n *yaml.Node) {
	o := b.object(n, "family", familyKeys)
	if !o.require("name", "attribute-sets", "operations") {
		return
	}
	s := b.spec
	s.Name = o.name()
	s.Level = oneOf(o, "protocol", levelByName)
	s.Version = uint8(o.within("version", 0, 255, 1))
	s.UAPIHeader = o.text("uapi-header")
	if s.Level == NetlinkRaw {
		o.require("protonum")
		s.Protocol = uint16(o.within("protonum", 0, 255, 0))
	}
	structs := b.declareDefinitions(o)
	b.declareSets(o)
	b.declareSubMessages(o)
	for _, d := range structs {
		b.members(d)
	}
	b.fillSets()
	b.fillSubMessages(o)
	b.operations(o)
	b.groups(o)
}

// declareDefinitions reads constants and enums, and declares structs. It returns the structs, which
// have no members yet.
func (b *builder) declareDefinitions(family object) []object {
	var structs []object
	for _, n := range family.list("definitions") {
		o := b.object(n, "definition", definitionKeys)
		if !o.require("name", "type") {
			continue
		}
		name := o.name()
		o.what = "definition " + strconv.Quote(name)
		switch kind := o.text("type"); kind {
		case "const":
			b.constant(o, name)
		case "enum", "flags":
			b.enum(o, name, kind == "flags")
		case "struct":
			x := &Struct{Name: name, byName: map[string]int{}}
			b.structAt[x] = o.pos("name")
			b.spec.Structs = append(b.spec.Structs, x)
			declare(b, b.spec.names.structs, o.pos("name"), "struct", name, x)
			structs = append(structs, o)
		default:
			b.errorf(o.pos("type"), "%s: unknown type %q", o.what, kind)
		}
	}
	return structs
}

func (b *builder) constant(o object, name string) {
	if !o.require("value") {
		return
	}
	c := &Const{Name: name, Kernel: o.text("scope") == "kernel", prefix: o.text("name-prefix")}
	text := o.text("value")
	v, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		c.Text = text
	}
	c.Value = v
	b.spec.Consts = append(b.spec.Consts, c)
	declare(b, b.spec.names.consts, o.pos("name"), "constant", name, c)
	if c.prefix != "" { // limits use the name with its prefix
		b.spec.names.consts[c.prefix+name] = c
	}
}

func (b *builder) enum(o object, name string, flags bool) {
	if !o.require("entries") {
		return
	}
	e := &Enum{Name: name, Flags: flags, prefix: b.spec.Name + "-" + name + "-"}
	if o.has("name-prefix") {
		e.prefix = o.text("name-prefix")
	}
	value, _ := o.integer("value-start")
	for _, n := range o.list("entries") {
		var entry string
		if n.Kind == yaml.ScalarNode {
			entry = o.word(n)
		} else {
			eo := b.object(n, "entry of "+strconv.Quote(name), "name value doc")
			entry = eo.name()
			if v, ok := eo.integer("value"); ok {
				value = v
			}
		}
		if _, twice := e.byName[entry]; twice {
			b.errorf(at(n), "%s: duplicate entry %q", o.what, entry)
		}
		if flags && (value < 0 || value > 63) {
			b.errorf(at(n), "%s: entry %q: bit %d is not in 0..63", o.what, entry, value)
		}
		e.addEntry(entry, value)
		value++
	}
	b.spec.Enums = append(b.spec.Enums, e)
	declare(b, b.spec.names.enums, o.pos("name"), "enum", name, e)
}

// members reads the members of a struct.
func (b *builder) members(o object) {
	s := b.spec.Struct(o.text("name"))
	if s == nil || !o.require("members") {
		return
	}
	for _, n := range o.list("members") {
		m := b.object(n, "member of "+strconv.Quote(s.Name), memberKeys)
		if m.require("name", "type") {
			b.member(s, m)
		}
	}
}

func (b *builder) member(s *Struct, o object) {
	m := Member{Name: o.name(), Layout: b.layout(o, Layout{})}
	o.what = "member " + strconv.Quote(m.Name)
	m.Len = int(o.within("len", 0, maxStruct, -1))
	switch m.Type {
	case TypeBinary, TypePad, TypeString:
		if m.Len < 0 && m.Struct == nil {
			b.errorf(o.at, "%s: a member of type %s needs a len", o.what, m.Type)
		}
	case TypeNone:
	default:
		if m.Type.Width() == 0 {
			b.errorf(o.pos("type"), "%s: type %s cannot be in a struct", o.what, m.Type)
		}
	}
	m.Len = max(m.Len, 0)
	if m.Type == TypePad {
		m.Name = "" // padding has no value
	}
	if _, twice := s.byName[m.Name]; twice && m.Name != "" {
		b.errorf(o.pos("name"), "struct %q: duplicate member %q", s.Name, m.Name)
	}
	s.byName[m.Name] = len(s.Members)
	s.Members = append(s.Members, m)
}

// layout reads the keys that attributes and members have in common. l has the values of the parent
// of an attribute of a subset, which the keys override.
func (b *builder) layout(o object, l Layout) Layout {
	if o.has("type") {
		l.Type = oneOf(o, "type", typeByName)
	}
	if o.has("sub-type") {
		l.SubType = oneOf(o, "sub-type", typeByName)
	}
	if o.has("byte-order") {
		l.Order = oneOf(o, "byte-order", orderByName)
	}
	if o.has("display-hint") {
		l.Hint = oneOf(o, "display-hint", hintByName)
	}
	if o.has("struct") {
		l.Struct = lookup(b, b.spec.names.structs, o.pos("struct"), "struct", o.text("struct"))
	}
	if o.has("enum") {
		l.Enum = lookup(b, b.spec.names.enums, o.pos("enum"), "enum", o.text("enum"))
	}
	if l.Enum != nil {
		l.Flags = l.Flags && !o.has("enum") || l.Enum.Flags
		if o.boolean("enum-as-flags") {
			l.Flags = true
		}
	}
	return l
}

func (b *builder) groups(family object) {
	n := family.keys["mcast-groups"]
	if n == nil {
		return
	}
	o := b.object(n, "mcast-groups", "list")
	for _, n := range o.list("list") {
		x := b.object(n, "multicast group", groupKeys)
		if !x.require("name") {
			continue
		}
		g := &Group{Name: x.name(), Value: uint32(x.within("value", 0, 1<<31-1, 0))}
		b.spec.Groups = append(b.spec.Groups, g)
		declare(b, b.spec.names.groups, x.pos("name"), "multicast group", g.Name, g)
	}
}
