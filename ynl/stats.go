package ynl

// Stats count the attributes of decoded messages. Members of structs are not
// attributes.
type Stats struct {
	Attributes int // all of them, with elements of arrays and in nests
	Named      int // have a name in the spec, or are elements of an array that has one
	Typed      int // and a payload of the type in the spec
	Kinds      int // named, of a kind for which the spec has no format: bytes
	Rest       int // bytes after the structs that the spec has
	Invalid    int // bytes that are no attributes
}

// Add counts a message.
func (s *Stats) Add(m *Message) { s.fields(m.Fields, false) }

// fields counts fields; those of arrays have the name of the array.
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
