package ynl

import (
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// Message is a decoded message.
type Message struct {
	Op *Op // nil if no operation has its number
	// Number is the command of a Generic Netlink header, or the type of a message of
	// another protocol.
	Number int
	// Fields are the members of the fixed header, which have Member set, and then
	// the attributes.
	Fields []Field
}

// Find returns the first field with that name, or nil.
func (m *Message) Find(name string) *Field { return find(m.Fields, name) }

// Direction is who a message goes to.
type Direction uint8

// The directions.
const (
	Reply   Direction = iota // from the kernel: replies and notifications
	Request                  // to the kernel
)

// genericHeader is the size of struct genlmsghdr.
const genericHeader = 4

// Number returns the number by which a message of this family is found: the
// command of a Generic Netlink header, or the message type. It returns NoNumber if
// the message is too short.
func (s *Spec) Number(m nlmsg.Msg) int {
	if s.Protocol != GenericProtocol {
		return int(m.Type())
	}
	p := m.Payload()
	if len(p) < genericHeader {
		return NoNumber
	}
	return int(p[0])
}

// headerLen returns the size of everything before the fixed header.
func (s *Spec) headerLen() int {
	if s.Protocol == GenericProtocol {
		return nlmsg.HeaderLen + genericHeader
	}
	return nlmsg.HeaderLen
}

// Decode decodes a message of the family; see Decoder.Decode.
func (s *Spec) Decode(m nlmsg.Msg, dir Direction) Message {
	var d Decoder
	return d.Decode(s, m, dir)
}

// DecodeOp decodes a message of an operation, for callers that know the request
// which a reply answers; see Decoder.DecodeOp.
func (s *Spec) DecodeOp(m nlmsg.Msg, op *Op) Message {
	var d Decoder
	return d.DecodeOp(s, m, op)
}

// Decoder decodes messages and reuses its memory: what it returns is valid until
// Reset. The zero value is ready. It never fails: what the spec does not describe
// is kept as bytes.
type Decoder struct {
	stack []Field // of nests that are being read
	arena []Field // fields of finished nests
}

// Reset makes the memory of earlier messages available.
func (d *Decoder) Reset() { d.stack, d.arena = d.stack[:0], d.arena[:0] }

// Decode decodes a message by its number. A message without an operation has its
// payload in one field.
func (d *Decoder) Decode(s *Spec, m nlmsg.Msg, dir Direction) Message {
	n := s.Number(m)
	op := s.OpByReply(n)
	if dir == Request {
		op = s.OpByRequest(n)
	}
	return d.DecodeOp(s, m, op)
}

// DecodeOp decodes a message of an operation.
func (d *Decoder) DecodeOp(s *Spec, m nlmsg.Msg, op *Op) Message {
	out := Message{Op: op, Number: s.Number(m)}
	start := len(d.stack)
	offset := min(s.headerLen(), len(m))
	body := []byte(m[offset:])
	var set *Set
	if op != nil {
		set = op.Set
		if op.Header != nil {
			n := d.members(op.Header, body, offset)
			body, offset = body[n:], offset+n
		}
	}
	d.attrs(&scope{set: set, body: body}, body, offset, 0)
	out.Fields = d.finish(start)
	return out
}

// finish moves the fields of a nest from the stack to the arena.
func (d *Decoder) finish(start int) []Field {
	list := d.stack[start:]
	if len(list) == 0 {
		return nil
	}
	if cap(d.arena)-len(d.arena) < len(list) {
		d.arena = make([]Field, 0, max(2*cap(d.arena), len(list), 64))
	}
	n := len(d.arena)
	d.arena = append(d.arena, list...)
	d.stack = d.stack[:start]
	return d.arena[n:len(d.arena):len(d.arena)]
}

// scope is a nest that is being read, with those around it, for selectors.
type scope struct {
	set   *Set
	body  []byte
	outer *scope

	selector *Attr // the last one that was looked up here, and its value
	value    string
	found    bool
}

// maxDepth is how deep nests are read; the kernel's own validator ends at 10.
const maxDepth = 32

// attrs decodes attributes onto the stack.
func (d *Decoder) attrs(sc *scope, b []byte, offset, depth int) {
	c := nla.Walk(b)
	left := len(b)
	for ; c.More(); c = c.Next() {
		a := c.Attr()
		f := Field{Type: a.Type(), Offset: offset + len(b) - left, Len: len(a), Raw: a.Payload()}
		d.attr(sc, a, &f, depth)
		d.stack = append(d.stack, f)
		left -= min(nla.Align(len(a)), left)
	}
	if left > 0 {
		rest := b[len(b)-left:]
		d.stack = append(d.stack, Field{Form: FormInvalid, Untyped: true, Offset: offset + len(b) - left, Len: left, Raw: rest})
	}
}

// attr decodes one attribute.
func (d *Decoder) attr(sc *scope, a nla.Attr, f *Field, depth int) {
	var spec *Attr
	if sc.set != nil {
		spec = sc.set.ByValue(f.Type)
	}
	if spec == nil {
		f.Unknown = true
		d.unknown(a.IsNested(), f, depth)
		return
	}
	f.Name, f.Attr = spec.Name, spec
	f.layout = &spec.Layout
	payload := f.Offset + nla.HeaderLen
	switch spec.Type {
	case TypePad:
		f.Form = FormPad
	case TypeFlag:
		f.Form = FormFlag
	case TypeString:
		f.Form = FormString
	case TypeBinary:
		d.binary(f, &spec.Layout, payload)
	case TypeBitfield32:
		d.bitfield(f, &spec.Layout, payload)
	case TypeNest:
		d.nest(&scope{set: spec.Nested, body: f.Raw, outer: sc}, f, payload, depth)
	case TypeIndexedArray:
		d.array(sc, f, spec, payload, depth)
	case TypeNestTypeValue:
		d.typeValue(f, spec, payload, depth)
	case TypeSubMessage:
		d.subMessage(sc, f, spec, payload, depth)
	case TypeUnused:
		d.unknown(a.IsNested(), f, depth)
	default:
		d.scalar(f, spec.Type)
	}
}

// unknown decodes an attribute that the spec does not have: the Nested bit marks
// attributes inside.
func (d *Decoder) unknown(nested bool, f *Field, depth int) {
	f.Untyped = true
	if nested {
		d.nest(&scope{}, f, f.Offset+nla.HeaderLen, depth)
	}
}

// nest decodes attributes in an attribute.
func (d *Decoder) nest(sc *scope, f *Field, payload, depth int) {
	if depth >= maxDepth {
		f.Untyped = true
		return
	}
	start := len(d.stack)
	f.set = sc.set
	d.attrs(sc, f.Raw, payload, depth+1)
	f.Form, f.Fields = FormObject, d.finish(start)
}

// array decodes an array whose elements are the entries of a nest, with their
// index as type.
func (d *Decoder) array(sc *scope, f *Field, spec *Attr, payload, depth int) {
	if depth >= maxDepth {
		f.Untyped = true
		return
	}
	start := len(d.stack)
	left := len(f.Raw)
	c := nla.Walk(f.Raw)
	for ; c.More(); c = c.Next() {
		a := c.Attr()
		e := Field{Type: a.Type(), Offset: payload + len(f.Raw) - left, Len: len(a), Raw: a.Payload(), layout: f.layout}
		d.element(sc, &e, spec, depth)
		d.stack = append(d.stack, e)
		left -= min(nla.Align(len(a)), left)
	}
	if left > 0 {
		d.stack = append(d.stack, Field{Form: FormInvalid, Untyped: true, Offset: payload + len(f.Raw) - left, Len: left, Raw: f.Raw[len(f.Raw)-left:]})
	}
	f.Form, f.Fields = FormArray, d.finish(start)
}

// element decodes an entry of an indexed array.
func (d *Decoder) element(sc *scope, e *Field, spec *Attr, depth int) {
	switch {
	case spec.SubType == TypeNest:
		d.nest(&scope{set: spec.Nested, body: e.Raw, outer: sc}, e, e.Offset+nla.HeaderLen, depth+1)
	case spec.SubType.IsInteger():
		d.scalar(e, spec.SubType)
	case spec.SubType == TypeString:
		e.Form = FormString
	case spec.SubType == TypeFlag:
		e.Form = FormFlag
	case spec.Struct != nil:
		d.structure(e, spec.Struct, e.Offset+nla.HeaderLen)
	default:
		d.hint(e)
	}
}

// typeValue decodes nests whose types are values: {policy-id {attr-id {...}}}. Each
// level has one entry; entries after it, which the kernel does not send, are kept.
func (d *Decoder) typeValue(f *Field, spec *Attr, payload, depth int) {
	start := len(d.stack)
	body, at := f.Raw, payload
	for _, name := range spec.TypeValue {
		a, n := nla.Consume(body)
		if n <= 0 {
			break
		}
		d.stack = append(d.stack, Field{Name: name, Form: FormUint, Member: true, Type: a.Type(), Offset: at, Len: len(a), Raw: a[2:4], number: uint64(a.Type()), integer: true})
		if n < len(body) {
			d.stack = append(d.stack, Field{Form: FormInvalid, Untyped: true, Offset: at + n, Len: len(body) - n, Raw: body[n:]})
		}
		body, at = a.Payload(), at+nla.HeaderLen
	}
	if len(d.stack)-start >= len(spec.TypeValue) && depth < maxDepth {
		d.attrs(&scope{set: spec.Nested, body: body}, body, at, depth+1)
	}
	f.Form, f.Fields = FormObject, d.finish(start)
}
