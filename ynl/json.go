package ynl

import "github.com/nlwire/nlwire/internal/literal"

// AppendJSON appends the message as a JSON object in the form of the kernel's own tool (pyynl
// --output-json): attributes in the order of the message, then the members of the fixed header. An
// attribute that may repeat is a list. Bytes are in hex. Unknown attributes and values are
// UnknownAttr(7) and Unknown(7). If another attribute repeats, the last one counts.
func (m *Message) AppendJSON(dst []byte) []byte {
	n := 0 // number of header members, which are printed last
	for n < len(m.Fields) && m.Fields[n].Member {
		n++
	}
	return appendObject(dst, m.Fields[n:], m.Fields[:n])
}

// AppendJSON appends the value of the field as JSON; see Message.AppendJSON.
func (f *Field) AppendJSON(dst []byte) []byte {
	switch f.Form {
	case FormFlag:
		return append(dst, "true"...)
	case FormUint:
		return appendUint(dst, f.number)
	case FormInt:
		return appendInt(dst, int64(f.number))
	case FormEnum:
		dst = append(dst, '"')
		dst = f.appendEnum(dst)
		return append(dst, '"')
	case FormBits:
		return f.appendBits(dst)
	case FormString:
		return literal.AppendString(dst, f.Bytes())
	case FormHint:
		dst = append(dst, '"')
		dst = f.appendHint(dst)
		return append(dst, '"')
	case FormObject:
		return appendObject(dst, f.Fields, nil)
	case FormArray:
		return f.appendArray(dst)
	}
	dst = append(dst, '"')
	dst = appendHex(dst, f.Raw)
	return append(dst, '"')
}

// appendArray appends the elements of an array. Nests have their index.
func (f *Field) appendArray(dst []byte) []byte {
	dst = append(dst, '[')
	indexed := f.Attr != nil && f.Attr.Type == TypeIndexedArray && f.Attr.SubType == TypeNest
	for i := range f.Fields {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		e := &f.Fields[i]
		if indexed && e.Form != FormInvalid {
			dst = append(dst, `{"`...)
			dst = appendUint(dst, uint64(e.Type))
			dst = append(dst, `": `...)
			dst = e.AppendJSON(dst)
			dst = append(dst, '}')
			continue
		}
		dst = e.AppendJSON(dst)
	}
	return append(dst, ']')
}

// appendObject appends the fields of head and tail as an object.
func appendObject(dst []byte, head, tail []Field) []byte {
	if repeats(head, tail) {
		return appendSlots(dst, head, tail)
	}
	dst = append(dst, '{')
	empty := true
	for _, list := range [2][]Field{head, tail} {
		for i := range list {
			f := &list[i]
			if f.Form == FormPad {
				continue
			}
			if !empty {
				dst = append(dst, ", "...)
			}
			empty = false
			dst = f.appendKey(dst)
			if f.Attr != nil && f.Attr.Multi {
				dst = append(dst, '[')
				dst = f.AppendJSON(dst)
				dst = append(dst, ']')
				continue
			}
			dst = f.AppendJSON(dst)
		}
	}
	return append(dst, '}')
}

// appendKey appends the name of the field and a colon.
func (f *Field) appendKey(dst []byte) []byte {
	dst = append(dst, '"')
	dst = f.AppendName(dst)
	return append(dst, `": `...)
}

// AppendName appends the name of the field, or UnknownAttr(7) for an attribute without a name.
func (f *Field) AppendName(dst []byte) []byte {
	switch {
	case f.Form == FormInvalid:
		return append(dst, "Invalid"...)
	case f.Unknown:
		dst = append(dst, "UnknownAttr("...)
		dst = appendUint(dst, uint64(f.Type))
		return append(dst, ')')
	}
	return append(dst, f.Name...)
}

// repeats reports whether two fields may have the same name. It returns true for some objects with
// many fields whose names all differ.
func repeats(head, tail []Field) bool {
	var types [8]uint64
	members := 0
	for i := range head {
		f := &head[i]
		if f.Member {
			members++
			continue
		}
		word, bit := &types[f.Type>>6&7], uint64(1)<<(f.Type&63)
		if *word&bit != 0 && f.Form != FormPad {
			return true
		}
		*word |= bit
	}
	if members == len(head) && len(tail) == 0 {
		return false // names of members are unique
	}
	for i := range head {
		m := &head[i]
		for j := range tail {
			if m.Name == tail[j].Name && m.Form != FormPad {
				return true
			}
		}
		if m.Member && find(head[members:], m.Name) != nil {
			return true
		}
	}
	return false
}

// key identifies a name of an object: a name of the spec or, without one, a number.
type key struct {
	name   string
	number int
}

func (f *Field) key() key {
	if f.Unknown || f.Name == "" {
		return key{number: int(f.Type) + 1}
	}
	return key{name: f.Name}
}

// slot is a name of an object with the fields that have it.
type slot struct{ fields []*Field }

// appendSlots is appendObject for objects with repeated names.
func appendSlots(dst []byte, head, tail []Field) []byte {
	index := make(map[key]int, len(head)+len(tail))
	slots := make([]slot, 0, len(head)+len(tail))
	for _, list := range [2][]Field{head, tail} {
		for i := range list {
			f := &list[i]
			if f.Form == FormPad {
				continue
			}
			at, there := index[f.key()]
			if !there {
				index[f.key()] = len(slots)
				slots = append(slots, slot{[]*Field{f}})
				continue
			}
			s := &slots[at]
			if f.Unknown || f.Attr != nil && f.Attr.Multi {
				s.fields = append(s.fields, f)
			} else {
				s.fields[0] = f
			}
		}
	}
	dst = append(dst, '{')
	for i, s := range slots {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = s.append(dst)
	}
	return append(dst, '}')
}

// append appends the name with its value, or with the list of its values.
func (s slot) append(dst []byte) []byte {
	f := s.fields[0]
	dst = f.appendKey(dst)
	if len(s.fields) == 1 && (f.Attr == nil || !f.Attr.Multi) {
		return f.AppendJSON(dst)
	}
	dst = append(dst, '[')
	for i, f := range s.fields {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = f.AppendJSON(dst)
	}
	return append(dst, ']')
}
