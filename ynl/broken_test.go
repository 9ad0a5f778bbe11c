package ynl_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/ynl"
)

// good is a valid spec. The tests change parts of it.
const good = `name: demo
protocol: netlink-raw
protonum: 0
doc: a family for tests
definitions:
  - name: limit
    type: const
    value: 7
  - name: color
    type: enum
    entries: [red, {name: green, value: 5}, blue]
  - name: bits
    type: flags
    entries: [low, high]
  - name: head
    type: struct
    members:
      - {name: index, type: u32}
      - {name: pad, type: pad, len: 4}
attribute-sets:
  - name: attrs
    attributes:
      - {name: kind, type: string}
      - name: data
        type: sub-message
        sub-message: formats
        selector: kind
      - {name: inner, type: nest, nested-attributes: attrs}
      - {name: hue, type: u8, enum: color, checks: {max: limit}}
  - name: few
    subset-of: attrs
    attributes:
      - name: kind
sub-messages:
  - name: formats
    formats:
      - {value: one, attribute-set: attrs, fixed-header: head}
operations:
  enum-model: directional
  fixed-header: head
  list:
    - name: get
      doc: x
      attribute-set: attrs
      do:
        request: {value: 18, attributes: [kind]}
        reply: {value: 16, attributes: [kind, hue]}
    - name: ntf
      doc: x
      notify: get
mcast-groups:
  list:
    - {name: all, value: 3}
`

// TestBroken changes one part of the valid spec and compares the position and the text of the error.
func TestBroken(t *testing.T) {
	if s, err := ynl.Parse("demo.yaml", []byte(good)); err != nil || len(s.Warnings) > 0 {
		t.Fatal(err)
	}
	tests := []struct{ old, new, want string }{
		{"name: demo\n", "", `1:1: family: key "name" is missing`},
		{"name: demo", "name: [demo]", `1:7: family: name: want a word, have a list`},
		{"netlink-raw", "netlink-new", `2:11: family: unknown protocol "netlink-new"`},
		{"protonum: 0\n", "", `1:1: family: key "protonum" is missing`},
		{"protonum: 0", "protonum: 256", `3:11: family: protonum: 256 is not in 0..255`},
		{"protonum: 0", "protonum: zero", `3:11: family: protonum: "zero" is neither a number nor a constant of this spec`},
		{"type: const", "type: constant", `7:11: definition "limit": unknown type "constant"`},
		{"[red, {name: green, value: 5}, blue]", "red", `11:14: definition "color": entries: want a list, have "red"`},
		{"value: 5}, blue", "value: 5}, red", `11:45: definition "color": duplicate entry "red"`},
		{"entries: [low, high]", "entries: [low, {name: high, value: 64}]", `14:20: definition "bits": entry "high": bit 64 is not in 0..63`},
		{"name: bits", "name: color", `12:11: enum "color" is defined twice`},
		{"{name: index, type: u32}", "{name: index, type: nest}", `18:29: member "index": type nest cannot be in a struct`},
		{"type: pad, len: 4", "type: pad", `19:9: member "pad": a member of type pad needs a len`},
		{"{name: kind, type: string}", "{name: kind, type: text}", `23:28: attribute "kind": unknown type "text"`},
		{"{name: kind, type: string}", "{name: kind}", `23:9: attribute of "attrs": key "type" is missing`},
		{"sub-message: formats", "sub-message: form", `26:22: no sub-message "form" in this spec`},
		{"        selector: kind\n", "", `24:9: attribute "data": its type requires the key "selector"`},
		{"nested-attributes: attrs", "nested-attributes: atrs", `28:54: no attribute set "atrs" in this spec`},
		{"enum: color", "enum: colour", `29:37: no enum "colour" in this spec`},
		{"max: limit", "max: limits", `29:58: attribute "hue": max: "limits" is neither a number nor a constant of this spec`},
		{"name: hue", "name: kind", `29:16: attribute set "attrs": duplicate attribute "kind"`},
		{"subset-of: attrs", "subset-of: few", `31:16: attribute set "few" is a subset of itself`},
		{"      - name: kind\n", "      - name: size\n", `33:15: attribute set "few": its parent set "attrs" has no attribute "size"`},
		{"value: one, attribute-set: attrs", "value: one, attribute-set: none", `37:37: no attribute set "none" in this spec`},
		{"directional", "both", `39:15: operations: unknown enum-model "both"`},
		{"value: 16", "value: 65536", `47:24: operation "get": value: 65536 is not in 1..65535`},
		{"notify: get", "notify: got", `50:15: no operation "got" in this spec`},
		{"name: ntf", "name: get", `48:13: operation "get" is defined twice`},
		{"type: pad, len: 4", "type: pad, len: 65535", `15:11: struct "head" is larger than an attribute`},
		{"{name: pad, type: pad, len: 4}", "{name: pad, type: binary, struct: head}", `15:11: struct "head" contains itself`},
		{"value: 3}", "value: 3, value: 4}", `53:29: multicast group: duplicate key "value"`},
		{"doc: a family", "doc: *a family", `4:6: malformed YAML: alias`},
		{"doc: a family for tests", "doc: *family", `4:6: malformed YAML: alias without an earlier anchor`},
		{"doc: a family for tests", "doc: &x [*x]", `4:6: alias inside its own anchor`},
		{"doc: a family for tests", "doc: !!binary aGk=", `4:6: tags are not part of the format`},
		{"doc: a family for tests", "<<: {name: x}", `4:1: merge keys are not part of the format`},
		{"    type: const", "\ttype: const", `6:1: malformed YAML`},
		{"protonum: 0", "protonum: 0\n---\nname: x", `4:1: second document`},
	}
	for _, tt := range tests {
		text := strings.Replace(good, tt.old, tt.new, 1)
		if text == good {
			t.Fatalf("%q is not in the spec", tt.old)
		}
		_, err := ynl.Parse("demo.yaml", []byte(text))
		var list ynl.Errors
		if !errors.As(err, &list) {
			t.Errorf("%q: error %v", tt.new, err)
			continue
		}
		found := false
		for _, e := range list {
			found = found || strings.Contains(e.Error(), tt.want) && strings.HasPrefix(e.Error(), "demo.yaml:") && e.Line > 0 && e.Column > 0
		}
		if !found {
			t.Errorf("%q:\n%v\nwant\ndemo.yaml:%s", tt.new, err, tt.want)
		}
	}
	if len(tests) < 25 {
		t.Errorf("%d broken specs, want 25", len(tests))
	}
}

// TestWarnings loads specs of other releases: keys of a later format, and invalid names
// in the specs of Linux 6.12. These are warnings with their positions.
func TestWarnings(t *testing.T) {
	tests := []struct{ old, new, want string }{
		{"type: const", "type: const\n    colour: red", `[demo.yaml:8:5: definition: unknown key "colour"]`},
		{"[kind, hue]", "[kind, hues]", `[demo.yaml:47:47: operation "get": do: attribute set "attrs" has no "hues"]`},
		{"[kind, hue]", "[kind, index]", `[]`}, // a member of the fixed header
		{"name: all", "name: al l", `[demo.yaml:53:14: multicast group: the name "al l" has a space, read as a hyphen]`},
		{"type: string}", "type: string, multi-attr: True}", `[]`},
	}
	for _, tt := range tests {
		s, err := ynl.Parse("demo.yaml", []byte(strings.Replace(good, tt.old, tt.new, 1)))
		if err != nil {
			t.Errorf("%q: %v", tt.new, err)
			continue
		}
		if got := fmt.Sprint(s.Warnings); got != tt.want {
			t.Errorf("%q: warnings %s, want %s", tt.new, got, tt.want)
		}
	}
}

// TestAliasBomb checks that aliases that expand exponentially are rejected, in linear time.
func TestAliasBomb(t *testing.T) {
	text := "a0: &a0 [x, x]\n"
	for i := 1; i < 60; i++ {
		text += fmt.Sprintf("a%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i, i, i-1, i-1, i-1, i-1)
	}
	_, err := ynl.Parse("bomb.yaml", []byte(text))
	if err == nil || !strings.Contains(err.Error(), "nodes with its aliases expanded") {
		t.Errorf("error %v", err)
	}
}

// TestLimits checks that specs are rejected if they are too large, too deep or empty.
func TestLimits(t *testing.T) {
	for name, text := range map[string]string{
		"large": strings.Repeat("#", ynl.MaxSize+1),
		"deep":  "name: " + strings.Repeat("[", 100) + strings.Repeat("]", 100),
		"empty": "",
		"null":  "~",
	} {
		if _, err := ynl.Parse(name, []byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
