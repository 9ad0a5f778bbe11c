package ynl

import "github.com/nlwire/nlwire/nla"

// scalar decodes a number. A payload of another size remains bytes.
func (d *Decoder) scalar(f *Field, t Type) {
	l := f.layout
	switch n := len(f.Raw); {
	case t.Width() == n && n > 0:
	case (t == TypeUint || t == TypeSint) && (n == 4 || n == 8):
	default:
		f.Untyped = true
		return
	}
	f.number, f.integer = readInteger(f.Raw, t, l.Order), true
	switch {
	case l.Enum != nil && l.Flags:
		f.Form = FormBits
		if w := len(f.Raw); w < 8 {
			f.number &= 1<<(8*w) - 1
		}
	case l.Enum != nil:
		f.Form = FormEnum
	case l.Hint == HintHex, l.Hint == HintIPv4, l.Hint == HintIPv6, l.Hint == HintIP:
		f.Form = FormHint
	case t.IsSigned():
		f.Form = FormInt
	default:
		f.Form = FormUint
	}
}

// binary decodes a binary payload: a struct, an array in C, or bytes with a hint.
func (d *Decoder) binary(f *Field, l *Layout, payload int) {
	switch {
	case l.Struct != nil:
		d.structure(f, l.Struct, payload)
	case l.SubType != TypeNone:
		d.elements(f, l, payload)
	default:
		d.hint(f)
	}
}

// hint sets FormHint if the bytes can be printed by their hint: addresses and UUIDs must have their
// sizes.
func (d *Decoder) hint(f *Field) {
	n := len(f.Raw)
	switch f.layout.Hint {
	case HintMAC, HintHex:
		f.Form = FormHint
	case HintIPv4, HintIPv6, HintIP:
		if n == 4 || n == 16 {
			f.Form = FormHint
		}
	case HintUUID:
		if n == 16 {
			f.Form = FormHint
		}
	}
}

// elements decodes an array in C: consecutive numbers.
func (d *Decoder) elements(f *Field, l *Layout, payload int) {
	w := l.SubType.Width()
	if w == 0 || len(f.Raw)%w != 0 {
		f.Untyped = true
		return
	}
	start := len(d.stack)
	for i := 0; i < len(f.Raw); i += w {
		e := Field{Member: true, Offset: payload + i, Len: w, Raw: f.Raw[i : i+w], layout: l}
		if index := i / w; index < 1<<16 {
			e.Type = uint16(index)
		}
		d.scalar(&e, l.SubType)
		d.stack = append(d.stack, e)
	}
	f.Form, f.Fields = FormArray, d.finish(start)
}

// structure decodes a struct as an object.
func (d *Decoder) structure(f *Field, s *Struct, payload int) {
	start := len(d.stack)
	n := d.members(s, f.Raw, payload)
	f.Rest = s.rest(len(f.Raw), n)
	f.Form, f.Fields = FormObject, d.finish(start)
}

// rest returns the number of bytes after the members of a payload, and 0 if they are only the
// padding that C adds at the end.
func (s *Struct) rest(length, members int) int {
	if length <= s.padded() {
		return 0
	}
	return length - members
}

// members decodes the members of a struct in b and returns their size. b can be shorter or longer
// than the struct of the spec, because newer kernels append members. A truncated member remains
// bytes.
func (d *Decoder) members(s *Struct, b []byte, offset int) int {
	for i := range s.Members {
		m := &s.Members[i]
		if m.Offset >= len(b) {
			break
		}
		end := min(m.Offset+m.Len, len(b))
		f := Field{Name: m.Name, Member: true, Offset: offset + m.Offset, Len: end - m.Offset, Raw: b[m.Offset:end], layout: &m.Layout}
		switch {
		case m.Type == TypePad:
			f.Form = FormPad
		case f.Len < m.Len:
			f.Untyped = true
		case m.Struct != nil:
			d.structure(&f, m.Struct, f.Offset)
		case m.Type == TypeString:
			f.Form = FormString
		case m.Type == TypeBinary:
			d.hint(&f)
		default:
			d.scalar(&f, m.Type)
		}
		d.stack = append(d.stack, f)
	}
	return min(s.Size, len(b))
}

// bitfield decodes struct nla_bitfield32 as an object of value and selector.
func (d *Decoder) bitfield(f *Field, l *Layout, payload int) {
	if len(f.Raw) != 8 {
		f.Untyped = true
		return
	}
	start := len(d.stack)
	for i, name := range []string{"value", "selector"} {
		e := Field{Name: name, Member: true, Offset: payload + 4*i, Len: 4, Raw: f.Raw[4*i : 4*i+4], layout: l}
		d.scalar(&e, TypeU32)
		d.stack = append(d.stack, e)
	}
	f.Form, f.Fields = FormObject, d.finish(start)
}

// subMessage decodes a payload in the format of its selector. Without a format it remains bytes.
func (d *Decoder) subMessage(f *Field, spec *Attr, payload int) {
	value, ok := d.lookup(spec.Selector)
	if !ok {
		value = anyValue
	}
	format := spec.SubMessage.Format(value)
	if format == nil || d.deep() {
		f.Untyped = true
		return
	}
	start := len(d.stack)
	n := 0
	if format.FixedHeader != nil {
		n = d.members(format.FixedHeader, f.Raw, payload)
	}
	if format.Attrs != nil {
		f.set = format.Attrs
		d.attrs(format.Attrs, f.Raw[n:], payload+n)
	} else if format.FixedHeader != nil {
		f.Rest = format.FixedHeader.rest(len(f.Raw), n)
	} else {
		f.Rest = len(f.Raw)
	}
	f.Form, f.Fields = FormObject, d.finish(start)
}

// lookup returns the value of a selector from the innermost nest that has the attribute.
func (d *Decoder) lookup(name string) (string, bool) {
	for i := len(d.scopes) - 1; i >= 0; i-- {
		sc := &d.scopes[i]
		if sc.set == nil {
			continue
		}
		a := sc.set.Attr(name)
		if a == nil {
			continue
		}
		if sc.selector != a {
			sc.selector = a
			sc.value, sc.found = selectorValue(a, nla.Find(sc.body, a.Value))
		}
		if sc.found {
			return sc.value, true
		}
	}
	return "", false
}

// selectorValue returns the value of a selector as formats have it: a text, or the name of an enum's
// value.
func selectorValue(spec *Attr, a nla.Attr) (string, bool) {
	if a == nil {
		return "", false
	}
	if !spec.Type.IsInteger() {
		text, err := a.Text()
		return string(text), err == nil
	}
	f := Field{Raw: a.Payload(), layout: &spec.Layout}
	new(Decoder).scalar(&f, spec.Type)
	if name, ok := f.EnumName(); ok {
		return name, true
	}
	return utoa(f.number), !f.Untyped
}
