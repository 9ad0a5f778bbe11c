package main

import (
	"fmt"
	"strconv"

	"github.com/nlwire/nlwire/cmd/nlctl/internal/input"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
)

// body is the end of a message that no spec describes: a header and attributes, with the
// kinds of a policy if one is known.
type body struct {
	header []byte
	attrs  []byte
	rules  ruleSet
}

// kindBytes is the kind of an attribute with an unknown kind, or with the wrong size for
// its kind.
const kindBytes = "bytes"

// maxDepth limits the depth to which nests are decoded; deeper ones are printed as hex.
const maxDepth = 10

// check moves the malformed rest of the attributes to v.
func (b *body) check(v *view) {
	n := wellFormed(b.attrs)
	rest := b.attrs[n:]
	b.attrs = b.attrs[:n]
	switch {
	case len(rest) == 0:
	case input.IsZero(rest):
		v.note = fmt.Sprintf("%d zeros after the attributes", len(rest))
	default:
		v.err = fmt.Sprintf("at offset %d of the message: %v", len(v.m)-len(rest), attributeError(rest))
		v.rest = rest
	}
}

// wellFormed returns the length of the well-formed attributes at the start of b.
func wellFormed(b []byte) int {
	left := len(b)
	for c := nla.Walk(b); c.More(); c = c.Next() {
		left -= min(nla.Align(len(c.Attr())), left)
	}
	return len(b) - left
}

// value is the decoded payload of an attribute. The kind determines the member.
type value struct {
	kind   string
	nest   []byte // attributes, if isNest
	isNest bool
	rules  ruleSet // of the nest
	number string  // as it is printed
	text   []byte
	isText bool
	isFlag bool
	guess  []byte // text that the bytes may be, or nil
}

// ruleSet returns the rule of an attribute, or nil.
type ruleSet func(a nla.Attr) *policy.Rule

func rulesOf(p *policy.Policy) ruleSet {
	return func(a nla.Attr) *policy.Rule { return ruleOf(p, a.Type()) }
}

// replyRules returns the rules for a reply. Only attributes that are texts have a rule: that of
// requests. The kernel exports no policies of replies, in which many families use the same
// types for other attributes.
func replyRules(p *policy.Policy) ruleSet {
	return func(a nla.Attr) *policy.Rule {
		r := ruleOf(p, a.Type())
		if r == nil || r.Kind != policy.KindString && r.Kind != policy.KindNULString || a.IsNested() {
			return nil
		}
		text, err := a.CString()
		if err != nil || len(text)+1 != len(a.Payload()) || !isPrintable(text) {
			return nil
		}
		return r
	}
}

// ruleOf returns the rule of a type, or nil if none is exported.
func ruleOf(p *policy.Policy, typ uint16) *policy.Rule {
	if p == nil || int(typ) >= len(p.Attrs) || p.Attrs[typ].Kind == policy.KindUnspec {
		return nil
	}
	return &p.Attrs[typ]
}

// nestRules returns the rules of the attributes inside a nest. The elements of an array are
// nests.
func nestRules(rule *policy.Rule) ruleSet {
	if rule.Kind == policy.KindNestedArray {
		element := policy.Nest(rule.Nested)
		return func(nla.Attr) *policy.Rule { return &element }
	}
	return rulesOf(rule.Nested)
}

// newValue decodes an attribute with the kind of its rule if the size fits.
func newValue(a nla.Attr, rule *policy.Rule, depth int) (v value) {
	if rule == nil {
		rule = &policy.Rule{}
		if a.IsNested() {
			rule.Kind = policy.KindNested
		}
	}
	p := a.Payload()
	v.kind = rule.Kind.String()
	switch rule.Kind {
	case policy.KindNested, policy.KindNestedArray:
		if depth < maxDepth && wellFormed(p) == len(p) {
			v.isNest, v.nest, v.rules = true, p, nestRules(rule)
			return v
		}
	case policy.KindString, policy.KindNULString:
		if text, err := stringOf(a, rule.Kind); err == nil {
			v.isText, v.text = true, text
			return v
		}
	case policy.KindFlag:
		if len(p) == 0 {
			v.isFlag = true
			return v
		}
	case policy.KindBinary:
		v.guess = guess(p)
		return v
	default:
		if number, err := numberOf(a, rule.Kind); err == nil {
			v.number = number
			return v
		}
	}
	v.kind, v.guess = kindBytes, guess(p)
	return v
}

func stringOf(a nla.Attr, kind policy.Kind) ([]byte, error) {
	if kind == policy.KindString {
		return a.Text()
	}
	return a.CString()
}

// numberOf returns the number of an attribute.
func numberOf(a nla.Attr, kind policy.Kind) (string, error) {
	switch kind {
	case policy.KindS8, policy.KindS16, policy.KindS32, policy.KindS64, policy.KindSint:
		v, err := signedOf(a, kind)
		return strconv.FormatInt(v, 10), err
	case policy.KindBitfield32:
		v, err := a.Bitfield32()
		return fmt.Sprintf("%#x/%#x", v.Value, v.Selector), err
	}
	v, err := unsignedOf(a, kind)
	return strconv.FormatUint(v, 10), err
}

func signedOf(a nla.Attr, kind policy.Kind) (int64, error) {
	switch kind {
	case policy.KindS8:
		v, err := a.Int8()
		return int64(v), err
	case policy.KindS16:
		v, err := a.Int16()
		return int64(v), err
	case policy.KindS32:
		v, err := a.Int32()
		return int64(v), err
	case policy.KindS64:
		return a.Int64()
	}
	return a.Sint()
}

func unsignedOf(a nla.Attr, kind policy.Kind) (uint64, error) {
	switch kind {
	case policy.KindU8:
		v, err := a.Uint8()
		return uint64(v), err
	case policy.KindU16:
		v, err := a.Uint16()
		return uint64(v), err
	case policy.KindU32:
		v, err := a.Uint32()
		return uint64(v), err
	case policy.KindU64, policy.KindMsecs:
		return a.Uint64()
	case policy.KindBE16:
		v, err := a.BE16()
		return uint64(v), err
	case policy.KindBE32:
		v, err := a.BE32()
		return uint64(v), err
	case policy.KindUint:
		return a.Uint()
	}
	return 0, nla.ErrSize
}

// attributeFlags returns the names of the flag bits of an attribute's type, except the
// Nested flag of an attribute that is printed as a nest.
func attributeFlags(a nla.Attr, v *value) (flags []string) {
	if a.IsNested() && !v.isNest {
		flags = append(flags, "nested")
	}
	if a.IsNetByteOrder() {
		flags = append(flags, "net-byteorder")
	}
	return flags
}

// writeAttributes prints a line for each attribute.
func writeAttributes(o *output, indent int, attrs []byte, rules ruleSet, depth int) {
	for c := nla.Walk(attrs); c.More(); c = c.Next() {
		a := c.Attr()
		v := newValue(a, rules(a), depth)
		o.indent(indent)
		o.int(int64(a.Type()))
		o.text("  ")
		for _, f := range attributeFlags(a, &v) {
			o.text(f, " ")
		}
		o.text(v.kind)
		switch {
		case v.isNest:
			o.text("\n")
			writeAttributes(o, indent+2, v.nest, v.rules, depth+1)
			continue
		case v.isText:
			o.text("  ")
			o.quote(v.text)
		case v.number != "":
			o.text("  ", v.number)
		case !v.isFlag && len(a.Payload()) > 0:
			o.text("  ")
			o.hex(a.Payload())
		}
		if v.guess != nil {
			o.text("  ")
			o.quote(v.guess)
		}
		o.text("\n")
		_ = o.full() // Flush returns the error at the end
	}
}

// attributesJSON prints the attributes as a list of objects.
func attributesJSON(o *output, attrs []byte, rules ruleSet, depth int) {
	o.text("[")
	for c, i := nla.Walk(attrs), 0; c.More(); c, i = c.Next(), i+1 {
		a := c.Attr()
		v := newValue(a, rules(a), depth)
		if i > 0 {
			o.text(",")
		}
		o.text("{")
		o.keyInt("type", int64(a.Type()))
		if flags := attributeFlags(a, &v); flags != nil {
			o.keyStrings("flags", flags)
		}
		o.keyString("kind", v.kind)
		o.key("value")
		switch {
		case v.isNest:
			attributesJSON(o, v.nest, v.rules, depth+1)
		case v.isText:
			o.jsonString(string(v.text))
		case v.isFlag:
			o.text("true")
		case v.kind == policy.KindBitfield32.String():
			o.jsonString(v.number)
		case v.number != "":
			o.text(v.number)
		default:
			o.text(`"`)
			o.hex(a.Payload())
			o.text(`"`)
		}
		if v.guess != nil {
			o.keyString("text", string(v.guess))
		}
		o.text("}")
		o.drain()
	}
	o.text("]")
}

// numberPath returns the types of the attribute whose header is at an offset of the
// message, from the outermost nest: "18.1". It returns "" if no attribute is there.
func numberPath(attrs []byte, base, offset, depth int) string {
	left := len(attrs)
	for c := nla.Walk(attrs); c.More(); c = c.Next() {
		a := c.Attr()
		at := base + len(attrs) - left
		left -= min(nla.Align(len(a)), left)
		switch {
		case at == offset:
			return strconv.Itoa(int(a.Type()))
		case offset < at || offset >= at+len(a) || depth >= maxDepth:
			continue
		}
		if inner := numberPath(a.Payload(), at+nla.HeaderLen, offset, depth+1); inner != "" {
			return strconv.Itoa(int(a.Type())) + "." + inner
		}
	}
	return ""
}
