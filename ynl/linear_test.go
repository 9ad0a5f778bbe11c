package ynl_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// within fails if f takes longer than a limit. The inputs take milliseconds in linear time, and
// minutes in quadratic time.
func within(t *testing.T, name string, f func()) {
	t.Helper()
	const limit = 10 * time.Second
	start := time.Now()
	f()
	if d := time.Since(start); d > limit {
		t.Errorf("%s takes %v", name, d)
	}
}

// repeat returns head and copies of a line, up to the largest size of a spec. # is the number of the
// line, and #2 the next number.
func repeat(head, line string) string {
	var b strings.Builder
	b.WriteString(head)
	for i := 0; b.Len() < ynl.MaxSize-200; i++ {
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(line, "#2", fmt.Sprint(i+1)), "#", fmt.Sprint(i)))
	}
	return b.String()
}

// TestSpecTime reads large specs, one for each construct that could take quadratic time.
func TestSpecTime(t *testing.T) {
	const head = "name: x\noperations: {list: []}\n"
	for name, text := range map[string]string{
		"flow":     repeat("[", "a,"),
		"quotes":   repeat("[", `"a",`),
		"aliases":  repeat("- &a b\n", "- *a\n"),
		"comments": repeat("", "- #x\n"),
		"subsets":  repeat(head+"attribute-sets:\n", "- {name: s#, attributes: [{name: a}], subset-of: s#2}\n"),
		"sets":     repeat(head+"attribute-sets:\n", "- {name: s#, attributes: [{name: a, type: u8, value: 16000}]}\n"),
		"members":  repeat(head+"attribute-sets: []\ndefinitions:\n- name: s\n  type: struct\n  members:\n", "  - {name: m#, type: u8}\n"),
		"structs":  repeat(head+"attribute-sets: []\ndefinitions:\n", "- {name: s#, type: struct, members: [{name: m, type: binary, struct: s#2}]}\n"),
		"limits":   repeat(head+"attribute-sets:\n- name: s\n  attributes:\n", "  - {name: a#, type: u8, checks: {max: x}}\n"),
	} {
		within(t, name, func() { _, _ = ynl.Parse(name, []byte(text)) })
	}
	table := repeat("family x\nset s\n", " a b=# u8\n")
	within(t, "table", func() { _, _ = ynl.ParseTable("table", table) })
}

// TestDecodeTime decodes large messages: many attributes of one name, of many names, and deep nests.
func TestDecodeTime(t *testing.T) {
	s := builtin(t, "rt-link")
	many := make([]byte, nlmsg.HeaderLen+16)
	deep := make([]byte, nlmsg.HeaderLen+16)
	kinds := make([]byte, nlmsg.HeaderLen+16)
	for i := range 1 << 18 {
		many = nla.AppendFlag(many, uint16(1000+i%5000))
		kinds = nla.AppendFlag(kinds, s.Set("link-attrs").Attr("linkinfo").Value)
	}
	for range 1 << 12 {
		deep = nla.Begin(deep, 1000)
	}
	for at := len(deep) - nla.HeaderLen; at >= nlmsg.HeaderLen+16; at -= nla.HeaderLen {
		deep = nla.End(deep, at)
	}
	for name, b := range map[string][]byte{"many": many, "deep": deep, "kinds": kinds} {
		within(t, name, func() {
			m := s.DecodeOp(b, s.Op("getlink"))
			m.AppendJSON(nil)
			m.PathAt(len(b) - 4)
		})
	}
}

// TestValueTime encodes long lists and deep objects.
func TestValueTime(t *testing.T) {
	s := builtin(t, "ethtool")
	text := `{"header":` + strings.Repeat(`{"a":`, 50) + "1" + strings.Repeat("}", 51)
	long := `{"x":[` + strings.Repeat("1,", 1<<19) + "1]}"
	for _, text := range []string{text, long} {
		within(t, text[:10], func() {
			if v, err := ynl.ParseJSON([]byte(text)); err == nil {
				_, _ = s.AppendRequest(nil, s.Op("rings-set"), v, ynl.RequestHeader{})
			}
		})
	}
	args := strings.Fields(repeat("", "a.b#.c=1 "))
	within(t, "arguments", func() { _, _ = ynl.ParseArgs(args) })
}
