package ynl

import (
	"strings"

	"github.com/nlwire/nlwire/nla"
)

// attr reads an attribute of the current set.
func (r *tableReader) attr(l *tableLine) {
	if r.set == nil {
		r.b.errorf(l.at, "an attribute outside of a set")
		return
	}
	a := &Attr{}
	name, value, _ := strings.Cut(l.name, "=")
	if len(l.words) == 0 {
		base := (*Attr)(nil)
		if r.set.Parent != nil {
			base = r.set.Parent.Attr(name)
		}
		if base == nil {
			r.b.errorf(l.at, "attribute %q has no type and no parent set", name)
			return
		}
		*a = *base
		r.set.addAttr(a)
		return
	}
	a.Name = name
	r.next = r.number(l, value, r.next)
	if r.next < 0 || r.next > nla.TypeMask {
		r.b.errorf(l.at, "number %d of %q is not in 0..%d", r.next, name, nla.TypeMask)
		return
	}
	a.Value = uint16(r.next)
	r.next++
	for _, w := range r.layout(l, &a.Layout) {
		r.attrWord(l, a, w)
	}
	for _, key := range a.missing() {
		r.b.errorf(l.at, "attribute %q: its type requires %s", name, key)
	}
	r.set.replaceAttr(a)
}

// attrWord reads a word that is specific to attributes.
func (r *tableReader) attrWord(l *tableLine, a *Attr, w string) {
	names := &r.b.spec.names
	k, v, _ := strings.Cut(w, "=")
	switch k {
	case "multi":
		a.Multi = true
		return
	case "nest":
		a.Nested = lookup(r.b, names.sets, l.at, "set", v)
		return
	case "message":
		a.SubMessage = lookup(r.b, names.messages, l.at, "message", v)
		return
	case "selector":
		a.Selector = v
		return
	case "values":
		a.TypeValue = strings.Split(v, ",")
		return
	case "prefix":
		a.prefix = v
		return
	}
	if a.Checks == nil {
		a.Checks = &Checks{}
	}
	switch k {
	case "checked":
		return
	case "unterminated":
		a.Checks.UnterminatedOK = true
		return
	case "mask":
		a.Checks.Mask = lookup(r.b, names.enums, l.at, "flags", v)
		return
	}
	for _, x := range a.Checks.limits() {
		if x.name == k {
			n := r.number(l, v, 0)
			*x.limit = &n
			return
		}
	}
	r.b.errorf(l.at, "unknown word %q", w)
}
