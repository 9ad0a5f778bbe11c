package ynl

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
