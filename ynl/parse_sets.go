package ynl

import (
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/nlwire/nlwire/nla"
)

const (
	setKeys = "name name-prefix enum-name doc subset-of attr-cnt-name attr-max-name header attributes"

	attrKeys = "name type doc value type-value byte-order multi-attr nested-attributes enum " +
		"enum-as-flags checks sub-type display-hint name-prefix struct sub-message selector"

	checksKeys = "flags-mask min max min-len max-len exact-len unterminated-ok"
)

// pendingSet is a set whose attributes are not read yet.
type pendingSet struct {
	set    *Set
	object object
	parent string
	state  fillState
}

// fillState is the progress of reading a set.
type fillState uint8

const (
	declared fillState = iota
	filling
	filled
)

func (b *builder) declareSets(family object) {
	for _, n := range family.list("attribute-sets") {
		o := b.object(n, "attribute set", setKeys)
		if !o.require("name", "attributes") {
			continue
		}
		s := &Set{Name: o.name()}
		o.what = "attribute set " + strconv.Quote(s.Name)
		s.prefix = b.setPrefix(o, s.Name)
		b.spec.Sets = append(b.spec.Sets, s)
		declare(b, b.spec.names.sets, o.pos("name"), "attribute set", s.Name, s)
		b.subsets = append(b.subsets, pendingSet{set: s, object: o, parent: o.text("subset-of")})
	}
}

// setPrefix returns the prefix of the names of a set in C.
func (b *builder) setPrefix(o object, name string) string {
	switch {
	case o.has("name-prefix"):
		return o.text("name-prefix")
	case name == b.spec.Name:
		return b.spec.Name + "-a-"
	}
	return b.spec.Name + "-a-" + name + "-"
}

// fillSets reads the attributes of all sets, those of a parent before those of its subsets.
func (b *builder) fillSets() {
	sets := make(map[*Set]*pendingSet, len(b.subsets))
	for i := range b.subsets {
		sets[b.subsets[i].set] = &b.subsets[i]
	}
	for i := range b.subsets {
		b.fillAfterParent(&b.subsets[i], sets)
	}
}

func (b *builder) fillAfterParent(p *pendingSet, sets map[*Set]*pendingSet) {
	if p.state == filled {
		return
	}
	if p.state == filling {
		b.errorf(p.object.pos("subset-of"), "%s is a subset of itself", p.object.what)
		return
	}
	p.state = filling
	if p.parent == "" {
		b.fillSet(*p)
	} else if parent := lookup(b, b.spec.names.sets, p.object.pos("subset-of"), "attribute set", p.parent); parent != nil {
		b.fillAfterParent(sets[parent], sets)
		p.set.Parent = parent
		b.fillSubset(*p, parent)
	}
	p.state = filled
}

func (b *builder) fillSet(p pendingSet) {
	value := int64(1)
	for _, n := range p.object.list("attributes") {
		o := b.object(n, "attribute of "+strconv.Quote(p.set.Name), attrKeys)
		if !o.require("name", "type") {
			continue
		}
		a := &Attr{}
		b.attr(o, a)
		if v, ok := o.integer("value"); ok {
			value = v
		}
		if value < 0 || value > nla.TypeMask {
			b.errorf(o.pos("value"), "%s: number %d is not in 0..%d", o.what, value, nla.TypeMask)
			return
		}
		if p.set.Attr(a.Name) != nil {
			b.errorf(o.pos("name"), "%s: duplicate attribute %q", p.object.what, a.Name)
		}
		if x := p.set.ByValue(uint16(value)); x != nil {
			b.errorf(o.at, "%s: attribute %q has the number %d of %q", p.object.what, a.Name, value, x.Name)
		}
		a.Value = uint16(value)
		p.set.addAttr(a)
		value++
	}
}

// fillSubset reads a subset: attributes of the parent, whose keys it can override.
func (b *builder) fillSubset(p pendingSet, parent *Set) {
	for _, n := range p.object.list("attributes") {
		o := b.object(n, "attribute of "+strconv.Quote(p.set.Name), attrKeys)
		if !o.require("name") {
			continue
		}
		base := parent.Attr(o.text("name"))
		if base == nil {
			b.errorf(o.pos("name"), "%s: its parent set %q has no attribute %q", p.object.what, parent.Name, o.text("name"))
			continue
		}
		a := *base
		b.attr(o, &a)
		p.set.addAttr(&a)
	}
}

// attr reads an attribute. a has the values of its parent in a subset, which the keys override.
func (b *builder) attr(o object, a *Attr) {
	a.Name = o.name()
	o.what = "attribute " + strconv.Quote(a.Name)
	names := &b.spec.names
	a.Layout = b.layout(o, a.Layout)
	if o.has("multi-attr") {
		a.Multi = o.boolean("multi-attr")
	}
	if o.has("nested-attributes") {
		a.Nested = lookup(b, names.sets, o.pos("nested-attributes"), "attribute set", o.text("nested-attributes"))
	}
	if o.has("type-value") {
		a.TypeValue = o.words("type-value")
	}
	if o.has("sub-message") {
		a.SubMessage = lookup(b, names.messages, o.pos("sub-message"), "sub-message", o.text("sub-message"))
	}
	if o.has("selector") {
		a.Selector = o.text("selector")
	}
	if o.has("name-prefix") {
		a.prefix = o.text("name-prefix")
	}
	if n := o.keys["checks"]; n != nil {
		a.Checks = b.checks(b.object(n, o.what, checksKeys), a.Checks)
	}
	for _, key := range a.missing() {
		if !o.has(key) { // otherwise the value is invalid, which is reported
			b.errorf(o.at, "%s: its type requires the key %q", o.what, key)
		}
	}
}

// missing returns the keys that the type of the attribute requires and that have no value.
func (a *Attr) missing() (keys []string) {
	require := func(ok bool, key string) {
		if !ok {
			keys = append(keys, key)
		}
	}
	switch a.Type {
	case TypeNone:
		require(false, "type")
	case TypeNest:
		require(a.Nested != nil, "nested-attributes")
	case TypeNestTypeValue:
		require(a.Nested != nil, "nested-attributes")
		require(len(a.TypeValue) > 0, "type-value")
	case TypeIndexedArray:
		require(a.SubType != TypeNone, "sub-type")
		require(a.SubType != TypeNest || a.Nested != nil, "nested-attributes")
	case TypeSubMessage:
		require(a.SubMessage != nil, "sub-message")
		require(a.Selector != "", "selector")
	}
	return keys
}

func (b *builder) declareSubMessages(family object) {
	for _, n := range family.list("sub-messages") {
		o := b.object(n, "sub-message", "name formats")
		if !o.require("name", "formats") {
			continue
		}
		m := &SubMessage{Name: o.name()}
		b.spec.SubMessages = append(b.spec.SubMessages, m)
		declare(b, b.spec.names.messages, o.pos("name"), "sub-message", m.Name, m)
	}
}

func (b *builder) fillSubMessages(family object) {
	for i, n := range family.list("sub-messages") {
		if i >= len(b.spec.SubMessages) || n.Kind != yaml.MappingNode {
			return // already reported
		}
		m := b.spec.SubMessages[i]
		o := b.object(n, "sub-message "+strconv.Quote(m.Name), "name formats")
		for _, f := range o.list("formats") {
			fo := b.object(f, "format of "+strconv.Quote(m.Name), "value fixed-header attribute-set")
			if fo.require("value") {
				b.format(m, fo)
			}
		}
	}
}

func (b *builder) format(m *SubMessage, o object) {
	f := &Format{Value: o.text("value")}
	f.FixedHeader = lookup(b, b.spec.names.structs, o.pos("fixed-header"), "struct", o.text("fixed-header"))
	f.Attrs = lookup(b, b.spec.names.sets, o.pos("attribute-set"), "attribute set", o.text("attribute-set"))
	if m.byValue[f.Value] != nil {
		b.errorf(o.pos("value"), "%s: duplicate value %q", o.what, f.Value)
	}
	m.addFormat(f)
}
