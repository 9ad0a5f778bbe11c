package ynl

// Stats count the attributes of decoded messages. Members of structs are not
// attributes.
type Stats struct {
	Attributes int // all attributes, also in nests, and elements of arrays
	Named      int // with a name in the spec, or elements of an array with a name
	Typed      int // named, with a payload of the type in the spec
	Kinds      int // named, of a kind without a format in the spec
	Rest       int // bytes after the members of structs
	Invalid    int // bytes that are not attributes
}

// Add counts a message.
func (s *Stats) Add(m *Message) { s.fields(m.Fields, false) }

// fields counts fields. Elements of an array have the name of the array.
func (s *Stats) fields(list []Field, array bool) {
	for i := range list {
		f := &list[i]
		s.Rest += f.Rest
		if f.Form == FormInvalid {
			s.Invalid += f.Len
			continue
		}
		if f.Member {
			continue
		}
		s.Attributes++
		if f.Name != "" || array {
			s.Named++
			switch {
			case !f.Untyped:
				s.Typed++
			case f.Attr != nil && f.Attr.Type == TypeSubMessage:
				s.Kinds++
			}
		}
		s.fields(f.Fields, f.Form == FormArray)
	}
}
