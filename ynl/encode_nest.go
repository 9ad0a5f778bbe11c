package ynl

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/nlwire/nlwire/nla"
)

// appendIndexed appends an indexed array: a nest with an attribute for each element. An element can
// have an index, as in decoded arrays: {"1": {...}}. The default is its position, from 0.
func appendIndexed(b []byte, vs *values, a *Attr, v Value) ([]byte, error) {
	items, indexes, ok := v.elements()
	if !ok {
		return b, wrongKind(v, "a list")
	}
	mark := len(b)
	b = nla.Begin(b, a.Value)
	for i, item := range items {
		index := i
		if indexes != nil {
			index = indexes[i]
		}
		if inner, numbers, ok := item.elements(); ok && item.Kind == KindObject && len(inner) == 1 && a.SubType == TypeNest && inner[0].Kind == KindObject {
			item, index = inner[0], numbers[0]
		}
		var err error
		if b, err = appendElement(b, vs, a, uint16(index)&nla.TypeMask, item); err != nil {
			return b[:mark], below(strconv.Itoa(i), err)
		}
	}
	return nla.TryEnd(b, mark)
}

func appendElement(b []byte, vs *values, a *Attr, index uint16, v Value) ([]byte, error) {
	if a.SubType == TypeNest {
		return appendNest(b, index, &values{set: a.Nested, object: v, outer: vs})
	}
	switch a.SubType {
	case TypeIndexedArray, TypeNestTypeValue, TypeSubMessage: // specs do not describe such elements
		p, err := parseHex(v)
		if err != nil {
			return b, err
		}
		return appendBytes(b, index, p)
	}
	element := *a
	element.Value, element.Type, element.SubType, element.Multi = index, a.SubType, TypeNone, false
	return appendOne(b, vs, &element, v)
}

// appendTypeValue appends nests with values of the object as types.
func appendTypeValue(b []byte, vs *values, a *Attr, v Value) ([]byte, error) {
	if v.Kind != KindObject {
		return b, wrongKind(v, "an object")
	}
	rest := Value{Kind: KindObject}
	marks := []int{len(b)}
	b = nla.Begin(b, a.Value)
	for _, name := range a.TypeValue {
		x, ok := v.Get(name)
		if !ok {
			return b[:marks[0]], below(name, errors.New("missing; it is the type number of a nest"))
		}
		n, err := parseInteger(x)
		if err != nil || n.negative || n.value > nla.TypeMask {
			return b[:marks[0]], below(name, fmt.Errorf("want a number of 0..%d", nla.TypeMask))
		}
		marks = append(marks, len(b))
		b = nla.Begin(b, uint16(n.value))
	}
	for _, p := range v.Pairs {
		if !slices.Contains(a.TypeValue, p.Name) {
			rest.Pairs = append(rest.Pairs, p)
		}
	}
	b, err := appendAttrs(b, &values{set: a.Nested, object: rest, outer: vs}, nil)
	for i := len(marks) - 1; i >= 0 && err == nil; i-- {
		b, err = nla.TryEnd(b, marks[i])
	}
	if err != nil {
		return b[:marks[0]], err
	}
	return b, nil
}

// appendSubMessage appends a payload in the format of its selector, or bytes in hex, which also work
// for kinds without a format. Like the kernel's own tool it sets the Nested bit only if the format
// has attributes.
func appendSubMessage(b []byte, vs *values, a *Attr, v Value) ([]byte, error) {
	if v.Kind == KindString {
		p, err := parseHex(v)
		if err != nil {
			return b, err
		}
		return appendBytes(b, a.Value, p)
	}
	value, ok := vs.lookup(a.Selector)
	if !ok && a.SubMessage.Format(anyValue) == nil {
		return b, fmt.Errorf("its format depends on %q, which is missing", a.Selector)
	}
	format := a.SubMessage.Format(value)
	if format == nil {
		return b, fmt.Errorf("no format for %s %q in the spec; give the bytes in hex", a.Selector, value)
	}
	if v.Kind != KindObject && v.Kind != KindNull {
		return b, wrongKind(v, "an object")
	}
	mark := len(b)
	b = nla.BeginNoFlag(b, a.Value)
	if format.Attrs != nil {
		b = nla.Begin(b[:mark], a.Value)
	}
	b, err := appendFormat(b, vs, format, v)
	if err != nil {
		return b[:mark], err
	}
	return nla.TryEnd(b, mark)
}

func appendFormat(b []byte, vs *values, format *Format, v Value) ([]byte, error) {
	var err error
	if format.FixedHeader != nil {
		if format.Attrs == nil {
			err = format.FixedHeader.checkNames(v)
		}
		if err == nil {
			b, err = appendStruct(b, format.FixedHeader, v)
		}
		if err != nil {
			return b, err
		}
	}
	if format.Attrs == nil {
		return b, nil
	}
	return appendAttrs(b, &values{set: format.Attrs, object: v, outer: vs}, format.FixedHeader)
}

// lookup returns the value of a selector from the innermost object that has it.
func (vs *values) lookup(name string) (string, bool) {
	for ; vs != nil; vs = vs.outer {
		a := vs.set.Attr(name)
		if a == nil {
			continue
		}
		v, ok := vs.object.Get(name)
		if !ok {
			v, ok = vs.object.Get(strconv.Itoa(int(a.Value)))
		}
		if !ok {
			continue
		}
		if n, err := parseInteger(v); err == nil && a.Enum != nil {
			if name, ok := a.Enum.ByValue(int64(n.value)); ok {
				return name, true
			}
		}
		return v.Text, true
	}
	return "", false
}

// checkNames returns an error for a key that is not a member of the struct.
func (s *Struct) checkNames(v Value) error {
	for _, p := range v.Pairs {
		if !s.has(p.Name) {
			return below(p.Name, fmt.Errorf("no member %q in the struct %q", p.Name, s.Name))
		}
	}
	return nil
}

// appendStruct appends the members of a struct. Members that v lacks are 0.
func appendStruct(b []byte, s *Struct, v Value) ([]byte, error) {
	start := len(b)
	b = append(b, make([]byte, s.Size)...)
	for i := range v.Pairs {
		p := &v.Pairs[i]
		if !s.has(p.Name) {
			continue
		}
		m := &s.Members[s.byName[p.Name]]
		room := b[start+m.Offset : start+m.Offset : start+m.Offset+m.Len]
		got, err := appendMember(room, m, p.Value)
		if err == nil && len(got) > m.Len {
			err = fmt.Errorf("%d bytes, but the member has %d", len(got), m.Len)
		}
		if err != nil {
			return b[:start], below(p.Name, err)
		}
	}
	return b, nil
}

// appendMember appends the value of a member. It may be shorter than the member.
func appendMember(b []byte, m *Member, v Value) ([]byte, error) {
	switch {
	case m.Type.IsInteger():
		if v.Kind == KindNull {
			return b, nil
		}
		return appendScalar(b, &m.Layout, m.Type, v)
	case m.Struct != nil && v.Kind == KindObject:
		if err := m.Struct.checkNames(v); err != nil {
			return b, err
		}
		return appendStruct(b, m.Struct, v)
	case m.Type == TypeString:
		switch v.Kind {
		case KindString, KindNumber, KindNull:
			return append(b, v.Text...), nil
		}
		return b, wrongKind(v, "a text")
	}
	p, err := parseBytes(v, m.Hint)
	return append(b, p...), err
}

// appendBitfield appends struct nla_bitfield32: an object of value and selector.
func appendBitfield(b []byte, a *Attr, v Value) ([]byte, error) {
	if v.Kind != KindObject {
		return b, wrongKind(v, "an object of value and selector")
	}
	var field nla.Bitfield32
	for _, p := range v.Pairs {
		n, err := scalar(&a.Layout, p.Value)
		if err == nil && (n.negative || n.value > 1<<32-1) {
			err = fmt.Errorf("%s does not fit into 32 bits", p.Value.Text)
		}
		switch {
		case err != nil:
		case p.Name == "value":
			field.Value = uint32(n.value)
		case p.Name == "selector":
			field.Selector = uint32(n.value)
		default:
			err = errors.New("want value or selector")
		}
		if err != nil {
			return b, below(p.Name, err)
		}
	}
	return nla.AppendBitfield32(b, a.Value, field), nil
}
