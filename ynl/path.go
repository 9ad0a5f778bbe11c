package ynl

import (
	"strconv"

	"github.com/nlwire/nlwire/nlmsg"
)

// PathAt returns the path of the attribute or member at an offset from the start of the message:
// "header.dev-index". The kernel reports such an offset for the invalid attribute of a request
// (NLMSGERR_ATTR_OFFS). Elements of lists have their index: "queues.1.id". ok is false if no
// attribute or member starts at the offset.
func (m *Message) PathAt(offset int) (path string, ok bool) {
	return pathAt(m.Fields, offset)
}

func pathAt(list []Field, offset int) (string, bool) {
	for i := range list {
		f := &list[i]
		if offset < f.Offset || offset >= f.Offset+f.Len && f.Offset != offset {
			continue
		}
		name := f.step(list[:i])
		if f.Offset == offset && !(f.Member && f.Form == FormObject) {
			return name, true
		}
		if rest, ok := pathAt(f.Fields, offset); ok {
			return name + "." + rest, true
		}
	}
	return "", false
}

// step returns the name of a field in a path. before has the preceding siblings.
func (f *Field) step(before []Field) string {
	if f.Name == "" && !f.Unknown && f.Form != FormInvalid {
		return strconv.Itoa(int(f.Type)) // an element of an array
	}
	name := string(f.AppendName(nil))
	if f.Attr == nil || !f.Attr.Multi {
		return name
	}
	index := 0
	for i := range before {
		if before[i].Attr == f.Attr {
			index++
		}
	}
	return name + "." + strconv.Itoa(index)
}

// MissingPath returns the path of a missing attribute from its type and the offset of the nest that
// lacks it; 0 is the message itself. The kernel reports both for a request
// (NLMSGERR_ATTR_MISS_TYPE, NLMSGERR_ATTR_MISS_NEST). ok is false if the message has no nest at the
// offset or the spec has no such attribute.
func (m *Message) MissingPath(nest int, typ uint16) (path string, ok bool) {
	var set *Set
	if m.Op != nil {
		set = m.Op.Set
	}
	if nest != 0 {
		if path, ok = m.PathAt(nest); !ok {
			return "", false
		}
		path += "."
		f := fieldAt(m.Fields, nest)
		if f == nil || f.set == nil {
			return "", false
		}
		set = f.set
	}
	if set == nil {
		return "", false
	}
	a := set.ByValue(typ)
	if a == nil {
		return "", false
	}
	return path + a.Name, true
}

// fieldAt returns the attribute at an offset, or nil.
func fieldAt(list []Field, offset int) *Field {
	for i := range list {
		f := &list[i]
		switch {
		case f.Offset == offset && !f.Member:
			return f
		case offset > f.Offset && offset < f.Offset+f.Len:
			return fieldAt(f.Fields, offset)
		}
	}
	return nil
}

// Explanation is what an error of the kernel refers to in a request. Paths are "" if the error does not
// refer to an attribute, or if the spec does not describe it.
type Explanation struct {
	Op      *Op    // of the request, nil if the spec lacks it
	Invalid string // path of the invalid attribute
	Missing string // path of the missing attribute
	Nest    string // path of the nest that lacks it
}

// Explain finds the attributes to which an error of the kernel refers. request is the message that was
// sent, e is the error.
func (s *Spec) Explain(request nlmsg.Msg, e *nlmsg.ExtAck) Explanation {
	x := Explanation{Op: s.OpOf(request, Request)}
	if e.Offset == 0 && e.MissNest == 0 && e.MissType == 0 {
		return x
	}
	m := s.DecodeOp(request, x.Op)
	if e.Offset != 0 {
		x.Invalid, _ = m.PathAt(int(e.Offset))
	}
	if e.MissNest != 0 {
		x.Nest, _ = m.PathAt(int(e.MissNest))
	}
	if e.MissType != 0 {
		x.Missing, _ = m.MissingPath(int(e.MissNest), uint16(min(e.MissType, 1<<16-1)))
	}
	return x
}
