package ynl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/literal"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// RequestHeader has the fields of the netlink and Generic Netlink headers of a request.
type RequestHeader struct {
	// Type is the ID of a Generic Netlink family, which the controller assigns. For other
	// protocols it is ignored: the type is the number of the operation.
	Type nlmsg.Type
	// Version is the version in the Generic Netlink header; 0 selects that of the spec.
	Version uint8
	// Flags are set in addition to FlagRequest. A dump requires nlmsg.FlagDump.
	Flags nlmsg.Flags
	Seq   uint32
}

// ValueError is the error for a value that cannot be encoded.
type ValueError struct {
	Op   string
	Path string // of the attribute: "header.dev-index"; "" for the request
	Err  error
}

// Error returns the operation, the path and the reason.
func (e *ValueError) Error() string {
	text := "ynl: " + e.Op
	if e.Path != "" {
		text += ": " + e.Path
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *ValueError) Unwrap() error { return e.Err }

// valueError is an error with the path from a nest to the attribute.
type valueError struct {
	path string
	err  error
}

func (e *valueError) Error() string { return e.path + ": " + e.err.Error() }

// below adds a name to the start of the path of an error.
func below(name string, err error) error {
	if e, ok := err.(*valueError); ok {
		e.path = name + "." + e.path
		return e
	}
	return &valueError{name, err}
}

// AppendRequest appends the request of an operation to b. v is an object with members of the fixed
// header and attributes, by name or by number. Attributes are written in the order of v. Members that
// v lacks are 0, except for the first byte of the header if the operation has Op.First. The error is a
// *ValueError; b is then returned unchanged.
func (s *Spec) AppendRequest(b []byte, op *Op, v Value, h RequestHeader) ([]byte, error) {
	if err := op.noRequest(); err != nil {
		return b, err
	}
	mark := len(b)
	typ := nlmsg.Type(op.Request)
	if s.Protocol == GenericProtocol {
		typ = h.Type
	}
	out := nlmsg.Begin(b, typ, h.Flags|nlmsg.FlagRequest, h.Seq, 0)
	out, _, err := s.AppendPayload(out, op, v, h.Version)
	if err != nil {
		return b[:mark], err
	}
	return nlmsg.End(out, mark), nil
}

// AppendPayload is AppendRequest for a message header that the caller writes, as conn.Conn.Request
// does. It appends the headers that follow the message header, and the attributes. headers is the
// length of the headers: the Generic Netlink header, the fixed header, and the padding before the
// attributes.
//
//	payload, headers, err := s.AppendPayload(nil, op, v, 0)
//	r := c.Request(typ, nlmsg.FlagRequest, payload[:headers])
//	r.B = append(r.B, payload[headers:]...)
//
// The version is that of the Generic Netlink header; 0 selects that of the spec.
func (s *Spec) AppendPayload(b []byte, op *Op, v Value, version uint8) (payload []byte, headers int, err error) {
	if err := op.noRequest(); err != nil {
		return b, 0, err
	}
	mark := len(b)
	out := b
	if s.Protocol == GenericProtocol {
		if version == 0 {
			version = s.Version
		}
		out = genlmsg.Append(out, byte(op.Request), version)
	}
	headers = len(out) - mark + op.HeaderLen()
	out, err = appendBody(out, op, v)
	if e, ok := err.(*valueError); ok {
		return b[:mark], 0, &ValueError{op.Name, e.path, e.err}
	}
	if err != nil {
		return b[:mark], 0, &ValueError{Op: op.Name, Err: err}
	}
	return out, headers, nil
}

// noRequest returns an error if the operation has no request.
func (o *Op) noRequest() error {
	if o.Request == NoNumber || o.Set == nil {
		return &ValueError{Op: o.Name, Err: errors.New("no request: only the kernel sends this message")}
	}
	return nil
}

// appendBody appends the fixed header and the attributes.
func appendBody(b []byte, op *Op, v Value) ([]byte, error) {
	if v.Kind != KindObject && v.Kind != KindNull {
		return b, wrongKind(v, "an object")
	}
	if op.FixedHeader != nil {
		var err error
		start := len(b)
		if b, err = appendStruct(b, op.FixedHeader, v); err != nil {
			return b, err
		}
		if op.First != nil && len(b) > start {
			if _, given := v.Get(op.FixedHeader.Members[0].Name); !given {
				b[start] = op.First[0]
			}
		}
		b = append(b, make([]byte, op.HeaderLen()-op.FixedHeader.Size)...)
	}
	return appendAttrs(b, &values{set: op.Set, object: v}, op.FixedHeader)
}

// values is an object that is being written, with the objects around it, which may have selectors.
type values struct {
	set    *Set
	object Value
	outer  *values
}

// errUnknownName returns the error for a name that the set lacks.
func errUnknownName(set *Set, name string) error {
	return fmt.Errorf("no attribute %q in the set %q%s", name, set.Name, suggestion(set, name))
}

// suggestion returns text with an attribute of a similar name, or "".
func suggestion(set *Set, name string) string {
	for _, a := range set.Attrs {
		if len(name) > 2 && (strings.Contains(a.Name, name) || strings.HasSuffix(name, a.Name)) || strings.ReplaceAll(name, "_", "-") == a.Name {
			return "; is it " + strconv.Quote(a.Name) + "?"
		}
	}
	return ""
}

// appendAttrs appends the attributes of an object. It skips keys that are members of the header.
func appendAttrs(b []byte, vs *values, header *Struct) ([]byte, error) {
	for i := range vs.object.Pairs {
		p := &vs.object.Pairs[i]
		if header != nil && header.has(p.Name) {
			continue
		}
		var err error
		if b, err = appendNamed(b, vs, p); err != nil {
			return b, below(p.Name, err)
		}
	}
	return b, nil
}

// has reports whether the struct has a member of that name.
func (s *Struct) has(name string) bool {
	_, ok := s.byName[name]
	return ok && name != ""
}

// appendNamed appends an attribute by its name, its number, or the name of a decoded unknown
// attribute: UnknownAttr(7).
func appendNamed(b []byte, vs *values, p *Pair) ([]byte, error) {
	if a := vs.set.Attr(p.Name); a != nil {
		return appendAttr(b, vs, a, p.Value)
	}
	digits := p.Name
	if inner, ok := strings.CutPrefix(digits, "UnknownAttr("); ok {
		digits = strings.TrimSuffix(inner, ")")
	}
	n, err := literal.Uint(digits, 14)
	if err != nil {
		return b, errUnknownName(vs.set, p.Name)
	}
	if a := vs.set.ByValue(uint16(n)); a != nil {
		return appendAttr(b, vs, a, p.Value)
	}
	return appendUnknownAttr(b, uint16(n), p.Value)
}

// appendUnknownAttr appends an attribute that the spec lacks: bytes in hex, or an object with numbers
// as names.
func appendUnknownAttr(b []byte, typ uint16, v Value) ([]byte, error) {
	switch v.Kind {
	case KindObject:
		return appendNest(b, typ, &values{set: &Set{Name: "unknown"}, object: v})
	case KindList:
		for i, item := range v.Items {
			var err error
			if b, err = appendUnknownAttr(b, typ, item); err != nil {
				return b, below(strconv.Itoa(i), err)
			}
		}
		return b, nil
	case KindBool, KindNull:
		return nla.AppendFlag(b, typ), nil
	}
	p, err := parseHex(v)
	if err != nil {
		return b, err
	}
	return appendBytes(b, typ, p)
}

// appendAttr appends an attribute, or an attribute for each element of a list.
func appendAttr(b []byte, vs *values, a *Attr, v Value) ([]byte, error) {
	if !a.Multi {
		return appendOne(b, vs, a, v)
	}
	items, _, isList := v.elements()
	if !isList {
		return appendOne(b, vs, a, v)
	}
	for i, item := range items {
		var err error
		if b, err = appendOne(b, vs, a, item); err != nil {
			return b, below(strconv.Itoa(i), err)
		}
	}
	return b, nil
}

// appendOne appends one attribute.
func appendOne(b []byte, vs *values, a *Attr, v Value) ([]byte, error) {
	switch a.Type {
	case TypePad:
		return nla.AppendFlag(b, a.Value), nil
	case TypeFlag:
		if !v.truth() {
			return b, nil
		}
		return nla.AppendFlag(b, a.Value), nil
	case TypeString:
		return appendText(b, a, v)
	case TypeNest:
		return appendNest(b, a.Value, &values{set: a.Nested, object: v, outer: vs})
	case TypeIndexedArray:
		return appendIndexed(b, vs, a, v)
	case TypeNestTypeValue:
		return appendTypeValue(b, vs, a, v)
	case TypeSubMessage:
		return appendSubMessage(b, vs, a, v)
	case TypeBitfield32:
		return appendBitfield(b, a, v)
	case TypeUnused:
		return appendUnknownAttr(b, a.Value, v)
	}
	mark := len(b)
	b = nla.BeginNoFlag(b, a.Value)
	b, err := appendPayload(b, a, v)
	if err != nil {
		return b[:mark], err
	}
	return nla.TryEnd(b, mark)
}

// appendPayload appends a number or the bytes of a binary attribute.
func appendPayload(b []byte, a *Attr, v Value) ([]byte, error) {
	switch {
	case a.Type.IsInteger():
		return appendScalar(b, &a.Layout, a.Type, v)
	case v.Kind == KindObject && a.Struct != nil:
		if err := a.Struct.checkNames(v); err != nil {
			return b, err
		}
		return appendStruct(b, a.Struct, v)
	case v.Kind == KindList && a.SubType.IsInteger():
		for i, item := range v.Items {
			var err error
			if b, err = appendScalar(b, &a.Layout, a.SubType, item); err != nil {
				return b, below(strconv.Itoa(i), err)
			}
		}
		return b, nil
	case v.Kind == KindNull:
		return b, nil
	}
	p, err := parseBytes(v, a.Hint)
	return append(b, p...), err
}

// appendBytes appends an attribute of bytes.
func appendBytes(b []byte, typ uint16, p []byte) ([]byte, error) {
	if len(p) > nla.MaxPayload {
		return b, nla.ErrTooLong
	}
	return nla.AppendBytes(b, typ, p), nil
}

func appendText(b []byte, a *Attr, v Value) ([]byte, error) {
	switch v.Kind {
	case KindString, KindNumber:
	default:
		return b, wrongKind(v, "a text")
	}
	if len(v.Text) >= nla.MaxPayload {
		return b, nla.ErrTooLong
	}
	return nla.AppendCString(b, a.Value, v.Text), nil
}

// appendNest appends a nest with the attributes of an object.
func appendNest(b []byte, typ uint16, vs *values) ([]byte, error) {
	if vs.object.Kind != KindObject && vs.object.Kind != KindNull {
		return b, wrongKind(vs.object, "an object")
	}
	mark := len(b)
	b, err := appendAttrs(nla.Begin(b, typ), vs, nil)
	if err != nil {
		return b[:mark], err
	}
	return nla.TryEnd(b, mark)
}

// wrongKind returns the error for a value of another kind than want.
func wrongKind(v Value, want string) error {
	return fmt.Errorf("want %s, have %s", want, v.Kind)
}
