package ynl

import "strings"

// operation reads an operation. It replaces an operation of the same name.
func (r *tableReader) operation(l *tableLine) {
	names := &r.b.spec.names
	o := &Op{
		Name: l.name, Group: l.word("group"), Flags: l.list("flags"), DontValidate: l.list("novalidate"),
		Request:     int(r.number(l, l.word("request"), NoNumber)),
		Reply:       int(r.number(l, l.word("reply"), NoNumber)),
		Set:         lookup(r.b, names.sets, l.at, "set", l.word("set")),
		FixedHeader: lookup(r.b, names.structs, l.at, "struct", l.word("header")),
	}
	for _, text := range l.list("first") {
		n := r.number(l, text, 0)
		if n < 0 || n > 255 || o.FixedHeader == nil {
			r.b.errorf(l.at, "operation %q: first=%s needs a byte, and a header", l.name, text)
		}
		o.First = append(o.First, uint8(n))
	}
	if l.word("notify") != "" {
		o.Async = true
		r.notify[o] = *l
	}
	if old := names.ops[l.name]; old != nil {
		*old = *o
		r.op = old
		return
	}
	r.op = o
	names.ops[l.name] = o
	r.b.spec.Ops = append(r.b.spec.Ops, o)
}

// mode reads the attributes of a request, a reply or an event.
func (r *tableReader) mode(l *tableLine, kind, reply string) {
	if r.op == nil {
		r.b.errorf(l.at, "%s outside of an operation", kind)
		return
	}
	attrs := l.words
	if l.name != "" {
		attrs = append([]string{l.name}, attrs...)
	}
	if attrs == nil {
		attrs = []string{}
	}
	m := &r.op.Do
	if strings.HasPrefix(kind, "dump") {
		m = &r.op.Dump
	}
	if kind == "event" {
		r.op.Event, r.op.Async = attrs, true
		return
	}
	if *m == nil {
		*m = &Mode{ReplyNumber: NoNumber}
	}
	if strings.HasSuffix(kind, "request") {
		(*m).Request = attrs
		return
	}
	(*m).Reply, (*m).HasReply = attrs, true
	(*m).ReplyNumber = int(r.number(l, reply, int64(r.op.Reply)))
}
