package ynl

import "strings"

// Names in C, which the tests compare with the uapi headers.

// CName returns the name of the attribute in the uapi headers, which the spec defines by
// prefixes. Some headers, older than their spec, have other names.
func (a *Attr) CName() string {
	if a.prefix != "" {
		return cName(a.prefix + a.Name)
	}
	set := a.set
	for set.Parent != nil {
		set = set.Parent
	}
	return cName(set.prefix + a.Name)
}

// CName returns the name of an entry in the uapi headers; see Attr.CName.
func (e *Enum) CName(entry EnumEntry) string { return cName(e.prefix + entry.Name) }

// CName returns the name of an operation in the uapi headers; see Attr.CName.
func (s *Spec) CName(o *Op) string {
	if o.Async {
		return cName(s.asyncPrefix + o.Name)
	}
	return cName(s.opPrefix + o.Name)
}

func cName(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}
