package ynl

// addAttr adds an attribute to its set. Some subsets have an attribute twice; the last entry
// counts.
func (s *Set) addAttr(a *Attr) {
	if s.byName == nil {
		s.byName, s.byValue = map[string]*Attr{}, map[uint16]*Attr{}
	}
	a.set, a.place = s, len(s.Attrs)
	s.Attrs = append(s.Attrs, a)
	s.byName[a.Name], s.byValue[a.Value] = a, a
}

// replaceAttr adds an attribute, or replaces the attribute of the same name.
func (s *Set) replaceAttr(a *Attr) {
	old := s.byName[a.Name]
	if old == nil {
		s.addAttr(a)
		return
	}
	if s.byValue[old.Value] == old {
		delete(s.byValue, old.Value)
	}
	a.set, a.place = s, old.place
	s.Attrs[a.place] = a
	s.byName[a.Name], s.byValue[a.Value] = a, a
}

// addEntry adds an entry to an enum. If a value has several names, the last one is printed.
func (e *Enum) addEntry(name string, value int64) {
	if e.byName == nil {
		e.byName, e.byValue = map[string]int{}, map[int64]int{}
	}
	i := len(e.Entries)
	e.Entries = append(e.Entries, EnumEntry{name, value})
	e.byName[name], e.byValue[value] = i, i
}

// isDense reports whether a table by number is worth its memory.
func isDense(highest, count int) bool { return highest <= 4*count+16 }

// index fills the tables by number of sets and enums.
func (b *builder) index() {
	for _, s := range b.spec.Sets {
		highest := 0
		for v := range s.byValue {
			highest = max(highest, int(v))
		}
		if isDense(highest, len(s.byValue)) {
			s.dense = make([]*Attr, highest+1)
			for v, a := range s.byValue {
				s.dense[v] = a
			}
		}
	}
	for _, e := range b.spec.Enums {
		highest := int64(0)
		for v := range e.byValue {
			highest = max(highest, v)
		}
		if highest < 1<<16 && isDense(int(highest), len(e.byValue)) {
			e.dense = make([]string, highest+1)
			for v, i := range e.byValue {
				if v >= 0 {
					e.dense[v] = e.Entries[i].Name
				}
			}
		}
	}
}

// addFormat adds a format to a sub-message.
func (m *SubMessage) addFormat(f *Format) {
	if m.byValue == nil {
		m.byValue = map[string]*Format{}
	}
	m.Formats = append(m.Formats, f)
	m.byValue[f.Value] = f
}
