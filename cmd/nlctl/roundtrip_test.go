package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// What decode prints for an attribute can be given to call, as text and as JSON: for every attribute
// of every request, with values that have names and values that have none.
func TestRoundTrip(t *testing.T) {
	specs := newNames(builtinNames())
	count := 0
	for _, name := range specs.library.Names() {
		s, err := specs.spec(name)
		if err != nil {
			t.Fatal(err)
		}
		tested := map[*ynl.Set]bool{}
		for _, op := range s.Ops {
			if op.Set != nil && op.Request != ynl.NoNumber && !tested[op.Set] {
				tested[op.Set] = true
				r := &roundTrip{t: t, spec: s, op: op, count: &count}
				r.set(op.Set, nil, nil)
			}
		}
	}
	if count < 10_000 {
		t.Errorf("only %d values", count)
	}
}

// roundTrip encodes and decodes the attributes of an operation.
type roundTrip struct {
	t     *testing.T
	spec  *ynl.Spec
	op    *ynl.Op
	count *int
}

// maxNests limits the depth of the nests around the attributes.
const maxNests = 2

// set tests the attributes of a set; path and types are those of the nests around it.
func (r *roundTrip) set(set *ynl.Set, path []string, types []uint16) {
	for _, a := range set.Attrs {
		inner := append(path[:len(path):len(path)], a.Name)
		around := append(types[:len(types):len(types)], a.Value)
		switch {
		case set.ByValue(a.Value) != a || set.Attr(a.Name) != a:
		case a.Type == ynl.TypeNest && !a.Multi && len(types) < maxNests:
			r.set(a.Nested, inner, around)
		default:
			for _, p := range payloads(a) {
				r.attr(inner, around, p)
			}
		}
	}
}

// payloads returns payloads of an attribute whose format its type alone determines.
func payloads(a *ynl.Attr) (list [][]byte) {
	sizes := []int{a.Type.Width()}
	switch {
	case a.Type == ynl.TypeUint || a.Type == ynl.TypeSint:
		sizes = []int{4}
		list = append(list, bytes.Repeat([]byte{0x45}, 8), bytes.Repeat([]byte{0xab}, 8)) // others fit into 4 bytes
	case a.Type == ynl.TypeBitfield32:
		sizes = []int{8}
	case a.Type == ynl.TypeBinary && a.Struct != nil:
		sizes = []int{a.Struct.Size}
	case a.Type == ynl.TypeBinary && a.SubType.Width() > 0:
		sizes = []int{3 * a.SubType.Width()}
	case a.Type == ynl.TypeBinary:
		sizes = []int{4, 6, 16}
	case a.Type == ynl.TypeFlag:
		return [][]byte{{}}
	case a.Type.Width() == 0:
		return nil
	}
	for _, n := range sizes {
		for _, c := range []byte{0, 1, 0x10, 0x41, 0x80, 0xff} {
			one := make([]byte, n)
			one[n/2] = c
			list = append(list, bytes.Repeat([]byte{c}, n), one)
		}
	}
	if a.Struct != nil {
		for _, p := range list {
			clearPadding(a.Struct, p)
		}
	}
	return list
}

// clearPadding clears the members without a name, which are not printed.
func clearPadding(s *ynl.Struct, p []byte) {
	for _, m := range s.Members {
		if part := p[m.Offset : m.Offset+m.Len]; m.Type == ynl.TypePad {
			clear(part)
		} else if m.Struct != nil {
			clearPadding(m.Struct, part)
		}
	}
}

// attr tests an attribute with a payload.
func (r *roundTrip) attr(path []string, types []uint16, payload []byte) {
	r.t.Helper()
	want := r.request(types, payload)
	m := r.spec.DecodeOp(want, r.op)
	f := m.Find(path[0])
	for _, name := range path[1:] {
		f = f.Find(name)
	}
	if f == nil || f.Attr == nil || f.Untyped {
		return // hidden by a member of the header, or of another size
	}
	*r.count++
	given := []string{string(f.AppendJSON(nil))}
	if f.Attr.Multi {
		given[0] = "[" + given[0] + "]"
	}
	if f.Form != ynl.FormObject && f.Form != ynl.FormArray && f.Form != ynl.FormFlag {
		out := &output{}
		writeScalar(out, f)
		text, _, _ := strings.Cut(string(out.b), "  ") // after it the bytes as text
		given = append(given, text)
	}
	for i, text := range given {
		var v ynl.Value
		var err error
		if i == 0 {
			v, err = parseJSON([]byte(text))
			for n := len(path) - 1; n >= 0; n-- {
				v = ynl.Value{Kind: ynl.KindObject, Pairs: []ynl.Pair{{Name: path[n], Value: v}}}
			}
		} else {
			v, err = ynl.ParseArgs([]string{strings.Join(path, ".") + "=" + text})
		}
		var got []byte
		if err == nil {
			got, err = r.spec.AppendRequest(nil, r.op, v, ynl.RequestHeader{Type: 20})
		}
		if err != nil || !bytes.Equal(r.zeroHeader(got), want) {
			r.t.Errorf("%s %s: %s: %x is printed as %s, which makes %x: %v", r.spec.Name, r.op.Name, strings.Join(path, "."), want, text, got, err)
		}
	}
}

// request returns a request with an attribute in nests.
func (r *roundTrip) request(types []uint16, payload []byte) []byte {
	empty, err := r.spec.AppendRequest(nil, r.op, ynl.Value{}, ynl.RequestHeader{Type: 20})
	if err != nil {
		r.t.Fatal(err)
	}
	b := r.zeroHeader(empty)
	var marks []int
	for _, typ := range types[:len(types)-1] {
		marks = append(marks, len(b))
		b = nla.Begin(b, typ)
	}
	b = nla.AppendBytes(b, types[len(types)-1], payload)
	for i := len(marks) - 1; i >= 0; i-- {
		b = nla.End(b, marks[i])
	}
	return nlmsg.End(b, 0)
}

// zeroHeader clears the fixed header: a member can have the name of an attribute.
func (r *roundTrip) zeroHeader(b []byte) []byte {
	start := nlmsg.HeaderLen
	if r.spec.Protocol == ynl.GenericProtocol {
		start += genlmsg.HeaderLen
	}
	if end := start + r.op.HeaderLen(); len(b) >= end {
		clear(b[start:end])
	}
	return b
}
