package ynl

import (
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// Message is a decoded message.
type Message struct {
	Op *Op // nil if no operation has the number
	// Number is the command of a Generic Netlink header, or the type of a message of
	// another protocol.
	Number int
	// Fields are the members of the fixed header, with Member set, and then the attributes.
	Fields []Field
}

// Find returns the first field with that name, or nil.
func (m *Message) Find(name string) *Field { return find(m.Fields, name) }

// Direction is the direction of a message.
type Direction uint8

// The directions.
const (
	Reply        Direction = iota // from the kernel: a reply, or a message that may be a notification
	Request                       // to the kernel
	Notification                  // from the kernel, and no reply: received from a multicast group
)

// Number returns the number that identifies the operation of a message: the command of the Generic
// Netlink header, or the message type. It returns NoNumber if the message is too short.
func (s *Spec) Number(m nlmsg.Msg) int {
	if s.Protocol != GenericProtocol {
		return int(m.Type())
	}
	h, n := genlmsg.Consume(m.Payload())
	if n < 0 {
		return NoNumber
	}
	return int(h.Cmd())
}

// headerLen returns the size of the headers before the fixed header.
func (s *Spec) headerLen() int {
	if s.Protocol == GenericProtocol {
		return nlmsg.HeaderLen + genlmsg.HeaderLen
	}
	return nlmsg.HeaderLen
}

// Decode decodes a message of the family by its number; see [Decoder.Decode]. It allocates.
func (s *Spec) Decode(m nlmsg.Msg, dir Direction) Message {
	var d Decoder
	return d.Decode(s, m, dir)
}

// DecodeOp decodes a message of an operation. Callers that know the request of a reply use it; see
// [Decoder.DecodeOp]. It allocates.
func (s *Spec) DecodeOp(m nlmsg.Msg, op *Op) Message {
	var d Decoder
	return d.DecodeOp(s, m, op)
}

// Decoder decodes messages and reuses its memory: the fields of a Message are valid until Reset. The
// zero value is ready. Decoding never fails: fields that the spec does not describe are bytes. A
// goroutine must not use a Decoder that another one uses.
type Decoder struct {
	stack  []Field // of nests that are being read
	arena  []Field // fields of finished nests
	scopes []scope // of nests that are being read, the outermost first
}

// Reset makes the memory of earlier messages available again.
func (d *Decoder) Reset() { d.stack, d.arena = d.stack[:0], d.arena[:0] }

// Decode decodes a message by its number. Without an operation of that number the payload is
// decoded as unknown attributes.
func (d *Decoder) Decode(s *Spec, m nlmsg.Msg, dir Direction) Message {
	return d.DecodeOp(s, m, s.OpOf(m, dir))
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
		if op.FixedHeader != nil {
			d.members(op.FixedHeader, body, offset)
			n := min(op.HeaderLen(), len(body))
			body, offset = body[n:], offset+n
		}
	}
	d.attrs(set, body, offset)
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

// scope is a nest that is being read. It is used to find selectors.
type scope struct {
	set  *Set
	body []byte

	selector *Attr // the last selector looked up in this nest, and its value
	value    string
	found    bool
}

// maxDepth limits the depth of nests. The kernel's validator accepts 10 levels.
const maxDepth = 32

// deep reports whether the limit for the depth of nests is reached.
func (d *Decoder) deep() bool { return len(d.scopes) > maxDepth }

// attrs decodes attributes onto the stack.
func (d *Decoder) attrs(set *Set, b []byte, offset int) {
	d.scopes = append(d.scopes, scope{set: set, body: b})
	c := nla.Walk(b)
	at := 0
	for ; c.More(); c = c.Next() {
		a := c.Attr()
		f := Field{Type: a.Type(), Offset: offset + at, Len: len(a), Raw: a.Payload()}
		d.attr(set, a, &f)
		d.stack = append(d.stack, f)
		at = min(at+nla.Align(len(a)), len(b))
	}
	d.invalid(b, at, offset)
	d.scopes = d.scopes[:len(d.scopes)-1]
}

// invalid adds a field with the bytes of b from at on, which are not attributes. offset is that of
// b in the message.
func (d *Decoder) invalid(b []byte, at, offset int) {
	if at < len(b) {
		d.stack = append(d.stack, Field{Form: FormInvalid, Untyped: true, Offset: offset + at, Len: len(b) - at, Raw: b[at:]})
	}
}

// attr decodes one attribute.
func (d *Decoder) attr(set *Set, a nla.Attr, f *Field) {
	var spec *Attr
	if set != nil {
		spec = set.ByValue(f.Type)
	}
	if spec == nil {
		f.Unknown = true
		d.unknown(a.IsNested(), f)
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
		d.nest(spec.Nested, f, payload)
	case TypeIndexedArray:
		d.array(f, spec, payload)
	case TypeNestTypeValue:
		d.typeValue(f, spec, payload)
	case TypeSubMessage:
		d.subMessage(f, spec, payload)
	case TypeUnused:
		d.unknown(a.IsNested(), f)
	default:
		d.scalar(f, spec.Type)
	}
}

// unknown decodes an attribute that the spec lacks. The Nested bit marks a nest.
func (d *Decoder) unknown(nested bool, f *Field) {
	f.Untyped = true
	if nested {
		d.nest(nil, f, f.Offset+nla.HeaderLen)
	}
}

// nest decodes attributes in an attribute.
func (d *Decoder) nest(set *Set, f *Field, payload int) {
	if d.deep() {
		f.Untyped = true
		return
	}
	start := len(d.stack)
	f.set = set
	d.attrs(set, f.Raw, payload)
	f.Form, f.Fields = FormObject, d.finish(start)
}

// array decodes an indexed array: a nest with an attribute for each element. The type of the
// attribute is the index.
func (d *Decoder) array(f *Field, spec *Attr, payload int) {
	start := len(d.stack)
	at := 0
	c := nla.Walk(f.Raw)
	for ; c.More(); c = c.Next() {
		a := c.Attr()
		e := Field{Type: a.Type(), Offset: payload + at, Len: len(a), Raw: a.Payload(), layout: f.layout}
		d.element(&e, spec)
		d.stack = append(d.stack, e)
		at = min(at+nla.Align(len(a)), len(f.Raw))
	}
	d.invalid(f.Raw, at, payload)
	f.Form, f.Fields = FormArray, d.finish(start)
}

// element decodes an element of an indexed array.
func (d *Decoder) element(e *Field, spec *Attr) {
	payload := e.Offset + nla.HeaderLen
	switch {
	case spec.SubType == TypeNest:
		d.nest(spec.Nested, e, payload)
	case spec.SubType.IsInteger():
		d.scalar(e, spec.SubType)
	case spec.SubType == TypeString:
		e.Form = FormString
	case spec.SubType == TypeFlag:
		e.Form = FormFlag
	case spec.Struct != nil:
		d.structure(e, spec.Struct, payload)
	default:
		d.hint(e)
	}
}

// typeValue decodes nests with values as types: {policy-id {attr-id {...}}}. The kernel sends one
// attribute in each level; bytes after it become a field of form FormInvalid.
func (d *Decoder) typeValue(f *Field, spec *Attr, payload int) {
	start := len(d.stack)
	body, at := f.Raw, payload
	levels := 0
	for _, name := range spec.TypeValue {
		a, n := nla.Consume(body)
		if n <= 0 {
			break
		}
		levels++
		d.stack = append(d.stack, Field{Name: name, Form: FormUint, Member: true, Type: a.Type(), Offset: at, Len: len(a), Raw: a[2:4], number: uint64(a.Type()), integer: true})
		d.invalid(body, n, at)
		body, at = a.Payload(), at+nla.HeaderLen
	}
	switch {
	case levels < len(spec.TypeValue):
		d.invalid(body, 0, at)
	case d.deep():
		f.Untyped = true
	default:
		f.set = spec.Nested
		d.attrs(spec.Nested, body, at)
	}
	f.Form, f.Fields = FormObject, d.finish(start)
}
