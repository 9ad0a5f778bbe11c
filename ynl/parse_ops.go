package ynl

import "strconv"

const (
	operationsKeys = "enum-model name-prefix enum-name async-prefix async-enum fixed-header list"

	opKeys = "name doc value attribute-set flags dont-validate fixed-header do dump notify event " +
		"mcgrp config-cond"

	modeKeys = "request reply pre post"
	dirKeys  = "attributes value"
)

func (b *builder) operations(family object) {
	o := b.object(family.keys["operations"], "operations", operationsKeys)
	if !o.require("list") {
		return
	}
	b.spec.opPrefix = b.spec.Name + "-cmd-"
	if o.has("name-prefix") {
		b.spec.opPrefix = o.text("name-prefix")
	}
	b.spec.asyncPrefix = b.spec.opPrefix
	if o.has("async-prefix") {
		b.spec.asyncPrefix = o.text("async-prefix")
	}
	count := numbering{request: 1, reply: 1}
	switch model := o.text("enum-model"); model {
	case "", "unified":
	case "directional":
		count.directional = true
	default:
		b.errorf(o.pos("enum-model"), "operations: unknown enum-model %q", model)
	}
	header := lookup(b, b.spec.names.structs, o.pos("fixed-header"), "struct", o.text("fixed-header"))
	notify := map[*Op]object{}
	for _, n := range o.list("list") {
		x := b.object(n, "operation", opKeys)
		if x.require("name") {
			b.op(x, header, &count, notify)
		}
	}
	for _, op := range b.spec.Ops {
		if x, ok := notify[op]; ok {
			b.inherit(op, x)
		}
	}
}

func (b *builder) op(o object, header *Struct, count *numbering, notify map[*Op]object) {
	op := &Op{Name: o.name(), FixedHeader: header, Group: o.text("mcgrp"), Flags: o.words("flags"), DontValidate: o.words("dont-validate")}
	o.what = "operation " + strconv.Quote(op.Name)
	op.Set = lookup(b, b.spec.names.sets, o.pos("attribute-set"), "attribute set", o.text("attribute-set"))
	if o.has("fixed-header") {
		op.FixedHeader = lookup(b, b.spec.names.structs, o.pos("fixed-header"), "struct", o.text("fixed-header"))
	}
	op.Async = o.has("notify") || o.has("event")
	var do, dump object
	op.Do, do = b.mode(o, "do", op)
	op.Dump, dump = b.mode(o, "dump", op)
	if o.has("event") {
		op.Event = b.attrNames(b.object(o.keys["event"], o.what, "attributes"), op)
	}
	if op.Do == nil {
		do = dump
	}
	count.assign(b, o, op, do)
	for _, m := range []*Mode{op.Do, op.Dump} {
		if m != nil && m.ReplyNumber == NoNumber && m.HasReply {
			m.ReplyNumber = op.Reply
		}
	}
	if o.has("notify") {
		notify[op] = o
	} else if op.Set == nil && !op.IsReserved() && !o.has("attribute-set") {
		b.errorf(o.at, "%s: key %q is missing", o.what, "attribute-set")
	}
	b.spec.Ops = append(b.spec.Ops, op)
	declare(b, b.spec.names.ops, o.pos("name"), "operation", op.Name, op)
}

// mode reads a do or a dump and returns its object, for the numbers in it.
func (b *builder) mode(parent object, key string, op *Op) (*Mode, object) {
	n := parent.keys[key]
	if n == nil {
		return nil, object{}
	}
	o := b.object(n, parent.what+": "+key, modeKeys)
	m := &Mode{ReplyNumber: NoNumber, HasReply: o.has("reply")}
	if r := o.keys["request"]; r != nil {
		m.Request = b.attrNames(b.object(r, o.what, dirKeys), op)
	}
	if r := o.keys["reply"]; r != nil {
		d := b.object(r, o.what, dirKeys)
		m.Reply = b.attrNames(d, op)
		if d.has("value") {
			m.ReplyNumber = int(d.within("value", 0, b.maxNumber(), NoNumber))
		}
	}
	return m, o
}

// attrNames reads the names of the attributes of an operation. Some specs also list members
// of the fixed header. Other names are warnings, because some specs misspell a name.
func (b *builder) attrNames(o object, op *Op) []string {
	list := o.words("attributes")
	nodes := o.list("attributes")
	for i, name := range list {
		known := op.Set == nil || op.Set.Attr(name) != nil || op.FixedHeader != nil && op.FixedHeader.has(name)
		if !known && len(nodes) == len(list) {
			b.warnf(at(nodes[i]), "%s: attribute set %q has no %q", o.what, op.Set.Name, name)
		}
	}
	if list == nil {
		list = []string{}
	}
	return list
}

// inherit copies the set and the header of an operation to a notification that names it and has
// none.
func (b *builder) inherit(op *Op, o object) {
	op.Notify = lookup(b, b.spec.names.ops, o.pos("notify"), "operation", o.text("notify"))
	if op.Notify == nil {
		return
	}
	if op.Notify.Async {
		b.errorf(o.pos("notify"), "%s: %q is a notification, not an operation", o.what, op.Notify.Name)
		return
	}
	if op.Set == nil {
		op.Set = op.Notify.Set
	}
	if op.Set == nil {
		b.errorf(o.pos("notify"), "%s: operation %q has no attribute set", o.what, op.Notify.Name)
	}
	if op.FixedHeader == nil {
		op.FixedHeader = op.Notify.FixedHeader
	}
}
