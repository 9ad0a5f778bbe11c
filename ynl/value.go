package ynl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nlwire/nlwire/internal/literal"
)

// Kind is the kind of a Value.
type Kind uint8

// The kinds, those of JSON.
const (
	KindNull Kind = iota
	KindBool
	KindNumber
	KindString
	KindList
	KindObject
)

var kindNames = []string{"null", "a truth value", "a number", "a text", "a list", "an object"}

// String returns the kind in words.
func (k Kind) String() string { return nameOf(kindNames, int(k)) }

// Value is a value of JSON. Objects keep the order of their keys, because attributes are written in
// that order.
type Value struct {
	Kind  Kind
	Bool  bool
	Text  string // of KindString, and of KindNumber in its original form
	Items []Value
	Pairs []Pair
}

// Pair is a key of an object with its value.
type Pair struct {
	Name  string
	Value Value
}

// Get returns the value of a key of an object, and whether the key exists.
func (v Value) Get(name string) (Value, bool) {
	for i := range v.Pairs {
		if v.Pairs[i].Name == name {
			return v.Pairs[i].Value, true
		}
	}
	return Value{}, false
}

// maxValueDepth limits the depth of values.
const maxValueDepth = 64

// ParseJSON reads a value from JSON. Duplicate keys of an object are errors. The error for incomplete
// text wraps io.ErrUnexpectedEOF. A single surrogate from U+DC80 to U+DCFF is a byte that is not UTF-8,
// as in the JSON of decoded messages.
func ParseJSON(text []byte) (Value, error) {
	d := &jsonReader{text: text, Decoder: json.NewDecoder(bytes.NewReader(text))}
	d.UseNumber()
	v, err := d.value(0)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("trailing text after the value")
		}
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return Value{}, fmt.Errorf("ynl: JSON at byte %d: %w", d.InputOffset(), err)
	}
	return v, nil
}

// jsonReader reads values from JSON.
type jsonReader struct {
	*json.Decoder
	text []byte
}

// token is Token, which replaces single surrogates in strings. token returns them as bytes.
func (d *jsonReader) token() (json.Token, error) {
	start := d.InputOffset()
	t, err := d.Token()
	if _, isString := t.(string); !isString || err != nil {
		return t, err
	}
	quoted := d.text[start:d.InputOffset()]
	quoted = quoted[bytes.IndexByte(quoted, '"'):]
	text, ok, err := literal.Unquote(quoted, func(part []byte) (s string, err error) {
		err = json.Unmarshal(part, &s)
		return s, err
	})
	if ok {
		return text, err
	}
	return t, nil
}

func (d *jsonReader) value(depth int) (Value, error) {
	t, err := d.token()
	if err != nil {
		return Value{}, err
	}
	switch t := t.(type) {
	case bool:
		return Value{Kind: KindBool, Bool: t}, nil
	case json.Number:
		return Value{Kind: KindNumber, Text: t.String()}, nil
	case string:
		return Value{Kind: KindString, Text: t}, nil
	case json.Delim:
		if depth >= maxValueDepth {
			return Value{}, fmt.Errorf("nested deeper than %d levels", maxValueDepth)
		}
		if t == '[' {
			return d.list(depth)
		}
		return d.object(depth)
	}
	return Value{}, nil
}

func (d *jsonReader) list(depth int) (Value, error) {
	v := Value{Kind: KindList}
	for d.More() {
		item, err := d.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.Items = append(v.Items, item)
	}
	_, err := d.Token()
	return v, err
}

func (d *jsonReader) object(depth int) (Value, error) {
	v := Value{Kind: KindObject}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.token()
		if err != nil {
			return v, err
		}
		name, _ := t.(string)
		if seen[name] {
			return v, fmt.Errorf("duplicate key %q", name)
		}
		seen[name] = true
		item, err := d.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.Pairs = append(v.Pairs, Pair{name, item})
	}
	_, err := d.Token()
	return v, err
}

// ParseArgs reads an object from arguments of a command line: name=value. Dots separate the names of
// nested attributes; an index selects an element of a list of nests. A name without a value is a
// flag. A repeated name is a list. A value that starts with a bracket or a brace is JSON.
//
//	header.dev-name=eth0 rx=512
//	queues.0.id=1 queues.0.type=rx queues.1.id=2
//	header='{"dev-name": "eth0"}'
func ParseArgs(args []string) (Value, error) {
	root := &node{}
	for _, arg := range args {
		name, text, hasValue := strings.Cut(arg, "=")
		v := Value{Kind: KindBool, Bool: true}
		if hasValue {
			var err error
			if v, err = argValue(text); err != nil {
				return Value{}, fmt.Errorf("%s: %w", name, err)
			}
		}
		if err := root.set(name, v); err != nil {
			return Value{}, err
		}
	}
	return root.value(), nil
}

func argValue(text string) (Value, error) {
	if text != "" && (text[0] == '{' || text[0] == '[') {
		return ParseJSON([]byte(text))
	}
	return Value{Kind: KindString, Text: text}, nil
}

// node is an object under construction, or the values of a name.
type node struct {
	names  []string
	index  map[string]*node
	values []Value
}

// set adds a value at a path of names.
func (n *node) set(path string, v Value) error {
	parts := strings.Split(path, ".")
	if len(parts) > maxValueDepth {
		return fmt.Errorf("ynl: %.40s...: nested deeper than %d levels", path, maxValueDepth)
	}
	for i, part := range parts {
		if part == "" {
			return fmt.Errorf("ynl: %q: empty name; write name=value", path)
		}
		if n.values != nil {
			return fmt.Errorf("ynl: %s has both a value and attributes", strings.Join(parts[:i], "."))
		}
		next := n.index[part]
		if next == nil {
			if n.index == nil {
				n.index = map[string]*node{}
			}
			next = &node{}
			n.index[part] = next
			n.names = append(n.names, part)
		}
		n = next
	}
	if n.names != nil {
		return fmt.Errorf("ynl: %s has both a value and attributes", path)
	}
	n.values = append(n.values, v)
	return nil
}

func (n *node) value() Value {
	switch len(n.values) {
	case 0:
		v := Value{Kind: KindObject}
		for _, name := range n.names {
			v.Pairs = append(v.Pairs, Pair{name, n.index[name].value()})
		}
		return v
	case 1:
		return n.values[0]
	}
	return Value{Kind: KindList, Items: n.values}
}

// elements returns the items of a list, or the values and the keys of an object whose keys are
// indexes. ok is false for other values.
func (v Value) elements() (items []Value, indexes []int, ok bool) {
	if v.Kind == KindList {
		return v.Items, nil, true
	}
	if v.Kind != KindObject || len(v.Pairs) == 0 {
		return nil, nil, false
	}
	for _, p := range v.Pairs {
		i, err := literal.Uint(p.Name, 14)
		if err != nil {
			return nil, nil, false
		}
		items, indexes = append(items, p.Value), append(indexes, int(i))
	}
	return items, indexes, true
}
