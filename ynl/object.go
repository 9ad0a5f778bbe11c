package ynl

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// object is a mapping of a spec with the positions of its keys. The getters report values of
// the wrong type as errors and return zero.
type object struct {
	b    *builder
	at   pos
	what string
	keys map[string]*yaml.Node // values
}

// object reads a mapping. The known keys are separated by spaces; other keys are warnings.
func (b *builder) object(n *yaml.Node, what, known string) object {
	o := object{b: b, at: at(n), what: what}
	if n.Kind != yaml.MappingNode {
		b.errorf(at(n), "%s: want keys and values, have %s", what, kindName(n))
		return o
	}
	o.keys = make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			b.errorf(at(key), "%s: a key is not a word", what)
			continue
		}
		if _, twice := o.keys[key.Value]; twice {
			b.errorf(at(key), "%s: duplicate key %q", what, key.Value)
			continue
		}
		o.keys[key.Value] = value
		if !hasWord(known, key.Value) {
			b.warnf(at(key), "%s: unknown key %q", what, key.Value)
		}
	}
	return o
}

// hasWord reports whether word is one of the words of a list.
func hasWord(list, word string) bool {
	for rest := list; rest != ""; {
		var w string
		w, rest, _ = strings.Cut(rest, " ")
		if w == word {
			return true
		}
	}
	return false
}

func kindName(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

// pos returns the position of the value of a key, or of the object if the key is missing.
func (o object) pos(key string) pos {
	if n := o.keys[key]; n != nil {
		return at(n)
	}
	return o.at
}

func (o object) has(key string) bool { return o.keys[key] != nil }

// require reports missing keys as errors, and whether all keys exist.
func (o object) require(keys ...string) bool {
	ok := o.keys != nil
	for _, k := range keys {
		if o.keys != nil && !o.has(k) {
			o.b.errorf(o.at, "%s: key %q is missing", o.what, k)
			ok = false
		}
	}
	return ok
}

// text returns a scalar as text, or "" if the key is missing.
func (o object) text(key string) string {
	n := o.keys[key]
	if n == nil || n.ShortTag() == "!!null" {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		o.b.errorf(at(n), "%s: %s: want a word, have %s", o.what, key, kindName(n))
		return ""
	}
	return n.Value
}

// name returns the name of the object. Some specs of Linux 6.12 have a space in a name, which
// later releases replace by a hyphen.
func (o object) name() string {
	s := o.text("name")
	switch {
	case !o.has("name"):
		o.require("name")
	case s == "":
		o.b.errorf(o.pos("name"), "%s: empty name", o.what)
	case strings.Contains(s, " ") && !strings.HasPrefix(s, " ") && !strings.HasSuffix(s, " "):
		o.b.warnf(o.pos("name"), "%s: the name %q has a space, read as a hyphen", o.what, s)
		s = strings.ReplaceAll(s, " ", "-")
	}
	if strings.ContainsAny(s, " \t\r\n\".()") {
		o.b.errorf(o.pos("name"), "%s: %q is not a name", o.what, s)
		return ""
	}
	return s
}

// integer returns a number, which is a literal or the name of a constant.
func (o object) integer(key string) (v int64, ok bool) {
	s := o.text(key)
	if s == "" {
		if o.has(key) {
			o.b.errorf(o.pos(key), "%s: %s: want a number", o.what, key)
		}
		return 0, false
	}
	v, err := strconv.ParseInt(s, 0, 64)
	if err == nil {
		return v, true
	}
	if c := o.b.spec.Const(s); c != nil && c.Text == "" {
		return c.Value, true
	}
	o.b.errorf(o.pos(key), "%s: %s: %q is neither a number nor a constant of this spec", o.what, key, s)
	return 0, false
}

// within returns a number of a range, or alt if the key is missing.
func (o object) within(key string, lo, hi, alt int64) int64 {
	v, ok := o.integer(key)
	if !ok {
		return alt
	}
	if v < lo || v > hi {
		o.b.errorf(o.pos(key), "%s: %s: %d is not in %d..%d", o.what, key, v, lo, hi)
		return alt
	}
	return v
}

// boolean returns a truth value, false if the key is missing.
func (o object) boolean(key string) bool {
	switch s := o.text(key); s {
	case "true", "True", "TRUE":
		return true
	case "", "false", "False", "FALSE":
		return false
	default:
		o.b.errorf(o.pos(key), "%s: %s: want true or false, have %q", o.what, key, s)
		return false
	}
}

// list returns the elements of a list, nil if the key is missing.
func (o object) list(key string) []*yaml.Node {
	n := o.keys[key]
	if n == nil || n.ShortTag() == "!!null" {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		o.b.errorf(at(n), "%s: %s: want a list, have %s", o.what, key, kindName(n))
		return nil
	}
	return n.Content
}

// words returns a list of words.
func (o object) words(key string) []string {
	var list []string
	for _, n := range o.list(key) {
		if n.Kind != yaml.ScalarNode {
			o.b.errorf(at(n), "%s: %s: want words, have %s", o.what, key, kindName(n))
			continue
		}
		list = append(list, n.Value)
	}
	return list
}

// oneOf returns the number of a word of a list, 0 if the key is missing.
func oneOf[T ~uint8](o object, key string, words map[string]T) T {
	s := o.text(key)
	if s == "" {
		return 0
	}
	v, ok := words[s]
	if !ok {
		o.b.errorf(o.pos(key), "%s: unknown %s %q", o.what, key, s)
	}
	return v
}
