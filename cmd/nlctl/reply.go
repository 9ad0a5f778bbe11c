package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/nlwire/nlwire/nla/policy"

	"github.com/urfave/cli/v3"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// reply is the JSON of a reply to a call, one per line.
type reply struct {
	Cmd     uint8 `json:"cmd"`
	Version uint8 `json:"version"`
	Body
}

// Body is a header and the attributes after it.
type Body struct {
	Header string      `json:"header,omitempty"` // the family's header, in hex
	Attrs  []attribute `json:"attrs"`
	Error  string      `json:"error,omitempty"` // why the rest is malformed
	Rest   string      `json:"rest,omitempty"`  // the malformed rest, in hex
}

// attribute is the JSON of an attribute. Value depends on Kind: a number, a text, true for
// a flag, attributes for a nest, hex for anything else. Text is the text that the hex may
// encode.
type attribute struct {
	Type  uint16   `json:"type"`
	Flags []string `json:"flags,omitempty"` // flag bits of the type, except those that Kind implies
	Kind  string   `json:"kind"`
	Value any      `json:"value"`
	Text  string   `json:"text,omitempty"`
}

// kindBytes is the kind of an attribute with an unknown kind, or with the wrong size for
// its kind.
const kindBytes = "bytes"

// printer prints replies.
type printer struct {
	w      io.Writer
	isJSON bool
	header int
	policy *policy.Policy
	count  int
}

func newPrinter(c *cli.Command, f *ctrl.Family, p *policy.Policy) *printer {
	return &printer{w: c.Root().Writer, isJSON: c.Bool("json"), header: int(f.HdrSize), policy: p}
}

func (p *printer) print(m nlmsg.Msg) error {
	p.count++
	r := newReply(m, p.header, p.policy)
	if p.isJSON {
		return newEncoder(p.w).Encode(r)
	}
	var text strings.Builder
	r.write(&text, "")
	_, err := io.WriteString(p.w, text.String())
	return err
}

func (r *reply) write(w *strings.Builder, indent string) {
	fmt.Fprintf(w, "%scommand %d, version %d\n", indent, r.Cmd, r.Version)
	r.Body.write(w, indent+"  ")
}

func (b *Body) write(w *strings.Builder, indent string) {
	if b.Header != "" {
		fmt.Fprintf(w, "%sheader %s\n", indent, b.Header)
	}
	writeAttributes(w, indent, b.Attrs)
	if b.Error != "" {
		fmt.Fprintf(w, "%s%s\n", indent, strings.Map(printableRune, b.Error))
	}
	if b.Rest != "" {
		fmt.Fprintf(w, "%s%s\n", indent, b.Rest)
	}
}

// end prints a line if there was no reply.
func (p *printer) end() (err error) {
	if p.count == 0 && !p.isJSON {
		_, err = fmt.Fprintln(p.w, "success, without a reply")
	}
	return err
}

// newReply reads a message of a family whose own header has the given size.
func newReply(m nlmsg.Msg, header int, policy *policy.Policy) reply {
	h, n := genlmsg.Consume(m.Payload())
	if n < 0 {
		return reply{Body: Body{Attrs: []attribute{}, Error: "message has no Generic Netlink header"}}
	}
	return reply{h.Cmd(), h.Version(), newBody(m, genlmsg.UserHeader(m, header), genlmsg.Attrs(m, header), policy)}
}

// newBody reads the end of a message: a header and attributes.
func newBody(m nlmsg.Msg, header, attrs []byte, policy *policy.Policy) Body {
	all, err := newAttributes(attrs, rulesOf(policy), 0)
	b := Body{Header: hex.EncodeToString(header), Attrs: all}
	var syntax *nla.SyntaxError
	switch {
	case errors.As(err, &syntax):
		b.Error = fmt.Sprintf("at offset %d of the message: %v", len(m)-len(attrs)+syntax.Offset, syntax.Err)
		b.Rest = hex.EncodeToString(attrs[syntax.Offset:])
	case err != nil:
		b.Error = err.Error()
	}
	return b
}

// maxDepth limits the depth to which nests are decoded; deeper ones are printed as hex.
const maxDepth = 10

// newAttributes returns the well-formed attributes, also together with an error.
func newAttributes(b []byte, rules func(typ uint16) *policy.Rule, depth int) ([]attribute, error) {
	all := []attribute{}
	for a, err := range nla.All(b) {
		if err != nil {
			return all, err
		}
		all = append(all, newAttribute(a, rules(a.Type()), depth))
	}
	return all, nil
}

// newAttribute decodes an attribute with the kind of its rule if the size fits. The rule is
// for requests, and a reply need not follow it.
func newAttribute(a nla.Attr, rule *policy.Rule, depth int) attribute {
	if rule == nil {
		rule = &policy.Rule{}
		if a.IsNested() {
			rule.Kind = policy.KindNested
		}
	}
	var v any
	err := nla.ErrSize
	switch {
	case rule.Kind != policy.KindNested && rule.Kind != policy.KindNestedArray:
		v, err = valueOf(a, rule.Kind)
	case depth < maxDepth:
		v, err = newAttributes(a.Payload(), nestRules(rule), depth+1)
	}
	out := attribute{Type: a.Type(), Flags: attributeFlags(a, rule.Kind, err), Kind: rule.Kind.String(), Value: v}
	if err != nil {
		out.Kind, out.Value = kindBytes, hex.EncodeToString(a.Payload())
	}
	if err != nil || rule.Kind == policy.KindBinary {
		out.Text = guess(a.Payload())
	}
	return out
}

// attributeFlags returns the names of the flag bits of an attribute's type, except the
// Nested flag of an attribute that is printed as a nest.
func attributeFlags(a nla.Attr, kind policy.Kind, err error) (flags []string) {
	isNest := err == nil && (kind == policy.KindNested || kind == policy.KindNestedArray)
	if a.IsNested() && !isNest {
		flags = append(flags, "nested")
	}
	if a.IsNetByteOrder() {
		flags = append(flags, "net-byteorder")
	}
	return flags
}

// nestRules returns the rules of the attributes inside a nest. The elements of an array are
// nests.
func nestRules(rule *policy.Rule) func(uint16) *policy.Rule {
	if rule.Kind == policy.KindNestedArray {
		element := policy.Nest(rule.Nested)
		return func(uint16) *policy.Rule { return &element }
	}
	return rulesOf(rule.Nested)
}

func rulesOf(p *policy.Policy) func(uint16) *policy.Rule {
	return func(typ uint16) *policy.Rule { return ruleOf(p, typ) }
}

// valueOf returns the value of an attribute that is not a nest.
func valueOf(a nla.Attr, kind policy.Kind) (any, error) {
	switch kind {
	case policy.KindU8:
		return a.Uint8()
	case policy.KindU16:
		return a.Uint16()
	case policy.KindU32:
		return a.Uint32()
	case policy.KindU64, policy.KindMsecs:
		return a.Uint64()
	case policy.KindS8:
		return a.Int8()
	case policy.KindS16:
		return a.Int16()
	case policy.KindS32:
		return a.Int32()
	case policy.KindS64:
		return a.Int64()
	case policy.KindBE16:
		return a.BE16()
	case policy.KindBE32:
		return a.BE32()
	case policy.KindUint:
		return a.Uint()
	case policy.KindSint:
		return a.Sint()
	}
	return otherValueOf(a, kind)
}

func otherValueOf(a nla.Attr, kind policy.Kind) (any, error) {
	switch kind {
	case policy.KindString:
		text, err := a.Text()
		return string(text), err
	case policy.KindNULString:
		text, err := a.CString()
		return string(text), err
	case policy.KindFlag:
		return a.Flag()
	case policy.KindBinary:
		return hex.EncodeToString(a.Payload()), nil
	case policy.KindBitfield32:
		v, err := a.Bitfield32()
		return fmt.Sprintf("%#x/%#x", v.Value, v.Selector), err
	}
	return nil, nla.ErrSize
}

// guess returns the bytes as text if they are printable ASCII, otherwise "".
func guess(p []byte) string {
	text := strings.TrimSuffix(string(p), "\x00")
	for _, r := range text {
		if r < ' ' || r > 0x7e {
			return ""
		}
	}
	return text
}

// writeAttributes writes one line per attribute. Texts are quoted, because they are
// untrusted.
func writeAttributes(w *strings.Builder, indent string, all []attribute) {
	for _, a := range all {
		fmt.Fprintf(w, "%s%d  %s", indent, a.Type, strings.Join(slices.Concat(a.Flags, []string{a.Kind}), " "))
		switch v := a.Value.(type) {
		case []attribute:
			w.WriteByte('\n')
			writeAttributes(w, indent+"  ", v)
			continue
		case string:
			writeText(w, a, v)
		case bool: // a flag: its presence is its value
		default:
			fmt.Fprintf(w, "  %d", v)
		}
		w.WriteByte('\n')
	}
}

func writeText(w *strings.Builder, a attribute, v string) {
	switch a.Kind {
	case policy.KindString.String(), policy.KindNULString.String():
		v = strconv.QuoteToASCII(v)
	}
	if v != "" {
		w.WriteString("  " + v)
	}
	if a.Text != "" {
		w.WriteString("  " + strconv.QuoteToASCII(a.Text))
	}
}
