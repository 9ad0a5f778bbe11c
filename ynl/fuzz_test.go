package ynl_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// FuzzSpec reads specs and decodes messages with the valid ones.
func FuzzSpec(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("name: x\noperations: {list: []}\nattribute-sets: []\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<14 {
			return
		}
		s, err := ynl.Parse("fuzz.yaml", text)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a text")
			}
			return
		}
		decodeAll(t, s, bytes.Repeat([]byte{8, 0, 1, 0, 1, 0, 0, 0}, 4))
	})
}

// FuzzTable reads tables and decodes messages with the valid ones.
func FuzzTable(f *testing.F) {
	s, err := ynl.Parse("demo.yaml", []byte(good))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(ynl.AppendTable(nil, s)))
	f.Add("family x\nset a\n a b=3 u32\n a c nest nest=a\nop get request=1 reply=1 set=a\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		s, err := ynl.ParseTable("fuzz", text)
		if err != nil {
			return
		}
		decodeAll(t, s, bytes.Repeat([]byte{8, 0, 1, 0, 1, 0, 0, 0}, 4))
	})
}

// FuzzJSON encodes requests from JSON. An accepted request decodes to valid JSON.
func FuzzJSON(f *testing.F) {
	for _, name := range []string{"rt-link", "ethtool", "tc", "nlctrl", "nftables"} {
		for i := range builtin(f, name).Ops {
			f.Add(name, uint8(i), `{"linkinfo":{"kind":"vlan","data":{"id":5,"flag":{"flags":1}}},"1":"00"}`)
			f.Add(name, uint8(i), `{"header":{"dev-index":1,"flags":["stats"]},"expressions":{"elem":[{"name":"cmp","data":{}}]}}`)
		}
	}
	specs := map[string]*ynl.Spec{}
	f.Fuzz(func(t *testing.T, family string, op uint8, text string) {
		s := specs[family]
		if s == nil {
			var err error
			if s, err = ynl.Builtin(family); err != nil {
				return
			}
			specs[family] = s
		}
		v, err := ynl.ParseJSON([]byte(text))
		if err != nil || len(text) > 1<<14 {
			return
		}
		o := s.Ops[int(op)%len(s.Ops)]
		b, err := s.AppendRequest(nil, o, v, ynl.RequestHeader{Type: 20})
		if err != nil {
			return
		}
		m := s.DecodeOp(b, o)
		if out := m.AppendJSON(nil); !json.Valid(out) {
			t.Errorf("%s: not JSON: %s", o.Name, out)
		}
		s.Check(b, o)
	})
}

// FuzzArgs reads requests from arguments of a command line.
func FuzzArgs(f *testing.F) {
	f.Add("header.dev-name=eth0 rx=5 header.flags=stats queues.0.id=1")
	f.Add("a.b=1 a=2 a.b.c=3 .=4 x={ y=[1]")
	s := builtin(f, "ethtool")
	f.Fuzz(func(t *testing.T, line string) {
		v, err := ynl.ParseArgs(strings.Fields(line))
		if err != nil || len(line) > 1<<14 {
			return
		}
		_, _ = s.AppendRequest(nil, s.Op("rings-set"), v, ynl.RequestHeader{})
	})
}

// FuzzDecode decodes mutated messages with every spec.
func FuzzDecode(f *testing.F) {
	var specs []*ynl.Spec
	for _, name := range ynl.BuiltinNames() {
		specs = append(specs, builtin(f, name))
	}
	for i, v := range readVectors(f, "testdata/requests.jsonl.xz") {
		if b, err := hex.DecodeString(v.Hex); err == nil && i%4 == 0 {
			f.Add(uint8(i), b)
		}
	}
	f.Fuzz(func(t *testing.T, family uint8, b []byte) {
		if len(b) <= 1<<14 {
			decodeAll(t, specs[int(family)%len(specs)], b)
		}
	})
}

// decodeAll decodes bytes as a message of each operation with its number. It checks that fields lie
// in their parents, and that the JSON is valid.
func decodeAll(t *testing.T, s *ynl.Spec, b []byte) {
	t.Helper()
	var d ynl.Decoder
	for i, op := range s.Ops {
		if i > 0 && s.Number(b) != op.Request && s.Number(b) != op.Reply {
			continue
		}
		d.Reset()
		m := d.DecodeOp(s, nlmsg.Msg(b), op)
		inside(t, m.Fields, 0, len(b))
		out := m.AppendJSON(nil)
		if !json.Valid(out) || !utf8.Valid(out) {
			t.Errorf("not JSON: %s", out)
		}
		paths("", m.Fields, func(path string, x *ynl.Field) { m.PathAt(x.Offset) })
		var st ynl.Stats
		st.Add(&m)
		s.Check(b, op)
	}
}

// inside checks that fields lie between start and end, and their fields inside them.
func inside(t *testing.T, list []ynl.Field, start, end int) {
	t.Helper()
	for i := range list {
		f := &list[i]
		if f.Offset < start || f.Len < 0 || f.Offset+f.Len > end {
			t.Fatalf("%q is at %d..%d, outside of %d..%d", f.Name, f.Offset, f.Offset+f.Len, start, end)
		}
		inside(t, f.Fields, f.Offset, f.Offset+f.Len)
	}
}
