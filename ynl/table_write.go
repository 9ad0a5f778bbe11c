package ynl

import (
	"strconv"
	"strings"
)

// AppendTable appends the spec as a table, which [ParseTable] reads: a compact form with names,
// numbers and types, without the sentences of the spec. Names must not contain spaces.
//
//	family rt-addr level=netlink-raw protocol=0 header=linux/rtnetlink.h
//	enum rtm-type unspec unicast local
//	struct ifaddrmsg
//	 m ifa-family u8
//	set addr-attrs prefix=ifa-
//	 a address=1 binary hint=ipv4-or-v6
//	op getaddr request=22 reply=20 set=addr-attrs header=ifaddrmsg
//	 dump-request
//	 dump-reply address label
//
// An indented line belongs to the line before it. A number is omitted if it is one more than the
// previous number; attributes start with 1, entries of enums with 0. The words of an attribute (a)
// are its type, of=SUBTYPE of arrays, the byte order, enum=, bits (an enum used as flags), hint=,
// struct=, multi, nest=SET, message=SUBMESSAGE with selector=ATTRIBUTE, values=NAMES of
// nest-type-value, and limits: min=, max=, min-len=, max-len=, exact-len=, mask=. A set has in=PARENT
// if it is a subset. A member (m) of type pad, string or binary has len=. A message has formats (f)
// with header=STRUCT and set=SET; the format of the value * applies to any value of the selector. An
// operation may have first=BYTES (Op.First).
func AppendTable(dst []byte, s *Spec) []byte {
	w := tableWriter{dst}
	w.family(s)
	for _, c := range s.Consts {
		w.constant(c)
	}
	for _, e := range s.Enums {
		w.enum(s, e)
	}
	for _, x := range s.Structs {
		w.line("struct", x.Name)
		for i := range x.Members {
			w.member(&x.Members[i])
		}
	}
	for _, x := range s.Sets {
		w.set(s, x)
	}
	for _, m := range s.SubMessages {
		w.line("message", m.Name)
		for _, f := range m.Formats {
			w.format(f)
		}
	}
	for _, o := range s.Ops {
		w.op(o)
	}
	for _, g := range s.Groups {
		w.line("group", g.Name, number("value", int64(g.Value), 0))
	}
	return w.b
}

type tableWriter struct{ b []byte }

// line writes a line of words. Empty words are omitted.
func (w *tableWriter) line(words ...string) {
	for i, word := range words {
		if word == "" {
			continue
		}
		if i > 0 {
			w.b = append(w.b, ' ')
		}
		w.b = append(w.b, word...)
	}
	w.b = append(w.b, '\n')
}

// indented writes a line that belongs to the previous line.
func (w *tableWriter) indented(words ...string) {
	w.b = append(w.b, ' ')
	w.line(words...)
}

// word returns key=value, or "" without a value.
func word(key, value string) string {
	if value == "" {
		return ""
	}
	return key + "=" + value
}

// number returns key=n, or "" for the default.
func number(key string, n, usual int64) string {
	if n == usual {
		return ""
	}
	return key + "=" + strconv.FormatInt(n, 10)
}

// flag returns word if set, or "".
func flag(word string, set bool) string {
	if set {
		return word
	}
	return ""
}

// differs returns key=value, or "" for the default. The value may be empty.
func differs(key, value, usual string) string {
	if value == usual {
		return ""
	}
	return key + "=" + value
}

func (w *tableWriter) family(s *Spec) {
	w.line("family", s.Name, "level="+s.Level.String(), number("protocol", int64(s.Protocol), GenericProtocol),
		number("version", int64(s.Version), 1), word("header", s.UAPIHeader),
		differs("prefix", s.opPrefix, s.Name+"-cmd-"), differs("async", s.asyncPrefix, s.opPrefix))
}

func (w *tableWriter) constant(c *Const) {
	value := c.Text
	if value == "" {
		value = strconv.FormatInt(c.Value, 10)
	}
	w.line("const", c.Name, "value="+value, flag("kernel", c.Kernel), word("prefix", c.prefix))
}

func (w *tableWriter) enum(s *Spec, e *Enum) {
	kind := "enum"
	if e.Flags {
		kind = "flags"
	}
	words := []string{kind, e.Name, differs("prefix", e.prefix, s.Name+"-"+e.Name+"-")}
	next := int64(0)
	for _, x := range e.Entries {
		words = append(words, x.Name+numbered(x.Value, next))
		next = x.Value + 1
	}
	w.line(words...)
}

// numbered returns =n, or "" for the default.
func numbered(n, next int64) string {
	if n == next {
		return ""
	}
	return "=" + strconv.FormatInt(n, 10)
}

// words returns the words of a layout.
func (l *Layout) words() []string {
	list := []string{l.Type.String()}
	if l.SubType != TypeNone {
		list = append(list, "of="+l.SubType.String())
	}
	if l.Order != Native {
		list = append(list, l.Order.String())
	}
	if l.Enum != nil {
		list = append(list, "enum="+l.Enum.Name, flag("bits", l.Flags && !l.Enum.Flags))
	}
	if l.Hint != HintNone {
		list = append(list, "hint="+l.Hint.String())
	}
	if l.Struct != nil {
		list = append(list, "struct="+l.Struct.Name)
	}
	return list
}

func (w *tableWriter) member(m *Member) {
	name := m.Name
	if name == "" {
		name = "-"
	}
	words := append([]string{"m", name}, m.Layout.words()...)
	if m.Type.Width() == 0 && m.Struct == nil {
		words = append(words, "len="+strconv.Itoa(m.Len))
	}
	w.indented(words...)
}

func (w *tableWriter) set(s *Spec, x *Set) {
	usual := s.Name + "-a-" + x.Name + "-"
	if x.Name == s.Name {
		usual = s.Name + "-a-"
	}
	if x.Parent != nil {
		w.line("set", x.Name, "in="+x.Parent.Name)
	} else {
		w.line("set", x.Name, differs("prefix", x.prefix, usual))
	}
	next := int64(1)
	for _, a := range x.Attrs {
		if x.Parent != nil && a.same(x.Parent.Attr(a.Name)) {
			w.indented("a", a.Name)
			continue
		}
		if x.Parent != nil {
			next = NoNumber
		}
		w.attr(a, next)
		next = int64(a.Value) + 1
	}
}

// same reports whether an attribute of a subset equals that of its parent.
func (a *Attr) same(parent *Attr) bool {
	return strings.Join(a.words(), " ") == strings.Join(parent.words(), " ")
}

func (w *tableWriter) attr(a *Attr, next int64) {
	w.indented(append([]string{"a", a.Name + numbered(int64(a.Value), next)}, a.words()...)...)
}

// words returns the words of an attribute after its name.
func (a *Attr) words() []string {
	list := append(a.Layout.words(), flag("multi", a.Multi))
	if a.Nested != nil {
		list = append(list, "nest="+a.Nested.Name)
	}
	if a.SubMessage != nil {
		list = append(list, "message="+a.SubMessage.Name)
	}
	list = append(list, word("selector", a.Selector), word("values", strings.Join(a.TypeValue, ",")), word("prefix", a.prefix))
	if c := a.Checks; c != nil {
		list = append(list, c.words()...)
	}
	return list
}

func (c *Checks) words() []string {
	var list []string
	for _, x := range c.limits() {
		if *x.limit != nil {
			list = append(list, x.name+"="+strconv.FormatInt(**x.limit, 10))
		}
	}
	if c.Mask != nil {
		list = append(list, "mask="+c.Mask.Name)
	}
	list = append(list, flag("unterminated", c.UnterminatedOK))
	if strings.Join(list, "") == "" {
		list = append(list, "checked") // the only limit is a constant of scope kernel
	}
	return list
}

// namedLimit is a limit with its name in specs and tables.
type namedLimit struct {
	name  string
	limit **int64
}

func (c *Checks) limits() []namedLimit {
	return []namedLimit{{"min", &c.Min}, {"max", &c.Max}, {"min-len", &c.MinLen}, {"max-len", &c.MaxLen}, {"exact-len", &c.ExactLen}}
}

func (w *tableWriter) format(f *Format) {
	words := []string{"f", f.Value}
	if f.FixedHeader != nil {
		words = append(words, "header="+f.FixedHeader.Name)
	}
	if f.Attrs != nil {
		words = append(words, "set="+f.Attrs.Name)
	}
	w.indented(words...)
}

func (w *tableWriter) op(o *Op) {
	words := []string{"op", o.Name, number("request", int64(o.Request), NoNumber), number("reply", int64(o.Reply), NoNumber)}
	if o.Set != nil {
		words = append(words, "set="+o.Set.Name)
	}
	if o.FixedHeader != nil {
		words = append(words, "header="+o.FixedHeader.Name)
	}
	if o.Notify != nil {
		words = append(words, "notify="+o.Notify.Name)
	}
	w.line(append(words, word("first", joinBytes(o.First)), word("group", o.Group), word("flags", strings.Join(o.Flags, ",")), word("novalidate", strings.Join(o.DontValidate, ",")))...)
	w.mode("do", o.Do, o.Reply)
	w.mode("dump", o.Dump, o.Reply)
	if o.Event != nil {
		w.indented(append([]string{"event"}, o.Event...)...)
	}
}

// joinBytes returns numbers with commas between them.
func joinBytes(list []uint8) string {
	var b []byte
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(v), 10)
	}
	return string(b)
}

func (w *tableWriter) mode(name string, m *Mode, reply int) {
	if m == nil {
		return
	}
	w.indented(append([]string{name + "-request"}, m.Request...)...)
	if m.HasReply {
		w.indented(append([]string{name + "-reply" + numbered(int64(m.ReplyNumber), int64(reply))}, m.Reply...)...)
	}
}
