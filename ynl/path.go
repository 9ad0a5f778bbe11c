package ynl

import (
	"strconv"

	"github.com/nlwire/nlwire/nlmsg"
)

// PathAt returns the path of the attribute, or of the member, at an offset from the
// start of the message, which is how the kernel reports the attribute of a request
// that it refuses (NLMSGERR_ATTR_OFFS): "header.dev-index". Elements of lists have
// their index: "queues.1.id". ok is false if nothing begins there.
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

// step returns the name of a field in a path. before are its siblings before it.
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

// MissingPath returns the path of an attribute that a request lacks, from its type
// and the offset of the nest that lacks it, 0 for the message itself, which is how
// the kernel reports it (NLMSGERR_ATTR_MISS_TYPE, NLMSGERR_ATTR_MISS_NEST). ok is
// false if the nest is not in the message or the spec has no such attribute.
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

// Explain returns the paths of the attributes that an error of the kernel is about:
// the refused one and the missing one, "" for those that it does not report. request
// is the message that was sent, e the answer.
func (s *Spec) Explain(request nlmsg.Msg, e *nlmsg.ExtAck) (bad, missing string) {
	m := s.Decode(request, Request)
	if e.Offset != 0 {
		bad, _ = m.PathAt(int(e.Offset))
	}
	if e.MissType != 0 {
		missing, _ = m.MissingPath(int(e.MissNest), uint16(min(e.MissType, 1<<16-1)))
	}
	return bad, missing
}
