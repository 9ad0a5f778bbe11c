package input

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// traceValue is a value as strace prints it: a text, a list, a struct with names, or
// anything else, which is kept as it is written.
type traceValue struct {
	name     string // of a member
	kind     byte   // '"', '[', '{', or 0
	text     string // as written, without comments
	bytes    []byte // of a text
	isCut    bool   // strace left out the end of a text or list
	elements []traceValue
}

// member returns the member of a struct, or nil.
func (v *traceValue) member(name string) *traceValue {
	for i := range v.elements {
		if v.elements[i].name == name {
			return &v.elements[i]
		}
	}
	return nil
}

// number returns the value of an expression of numbers and names, which are combined by |
// and <<.
func (v *traceValue) number(names func(string) (int64, bool)) (int64, error) {
	var sum int64
	for _, part := range strings.Split(v.text, "|") {
		value, err := term(part, names)
		if err != nil {
			return 0, err
		}
		sum |= value
	}
	return sum, nil
}

// term returns the value of a number, a name, or a shifted one.
func term(text string, names func(string) (int64, bool)) (int64, error) {
	text = strings.TrimSpace(text)
	if left, right, ok := strings.Cut(text, "<<"); ok {
		value, err := term(left, names)
		by, other := term(right, names)
		return value << (by & 63), errors.Join(err, other)
	}
	if value, err := strconv.ParseInt(text, 0, 64); err == nil {
		return value, nil
	}
	if value, err := strconv.ParseUint(text, 0, 64); err == nil {
		return int64(value), nil
	}
	if names != nil {
		if value, ok := names(text); ok {
			return value, nil
		}
	}
	return 0, unknownName(text)
}

// unknownName is the error for a name whose number is not known: strace has the names of the
// Generic Netlink families of the running kernel.
type unknownName string

func (e unknownName) Error() string { return fmt.Sprintf("unknown name %q", shorten(string(e))) }

// traceParser parses values.
type traceParser struct {
	text  string
	at    int
	depth int
}

var errTrace = errors.New("the call is incomplete or not as strace prints it")

// parseCall parses the arguments of a call and its result.
func parseCall(text string) (args []traceValue, result int64, err error) {
	p := traceParser{text: text}
	args, err = p.list(')')
	if err != nil {
		return nil, 0, err
	}
	rest := strings.TrimSpace(p.text[p.at:])
	rest, isResult := strings.CutPrefix(rest, "=")
	fields := strings.Fields(rest)
	if !isResult || len(fields) == 0 {
		return args, 0, nil // the line was copied without it
	}
	digits, _, _ := strings.Cut(fields[0], "<") // strace -y describes a descriptor
	if result, err = strconv.ParseInt(digits, 0, 64); err != nil {
		return args, -1, nil // "?": the process ended
	}
	return args, result, nil
}

func (p *traceParser) skip() {
	for {
		p.at += len(p.text[p.at:]) - len(strings.TrimLeft(p.text[p.at:], " \t\n"))
		if !strings.HasPrefix(p.text[p.at:], "/*") {
			return
		}
		n := strings.Index(p.text[p.at:], "*/")
		if n < 0 {
			p.at = len(p.text)
			return
		}
		p.at += n + 2
	}
}

// list parses values up to a closing bracket.
func (p *traceParser) list(end byte) (all []traceValue, err error) {
	if p.depth++; p.depth > 64 {
		return nil, errTrace
	}
	defer func() { p.depth-- }()
	for {
		p.skip()
		if p.at >= len(p.text) {
			return nil, errTrace
		}
		switch c := p.text[p.at]; c {
		case end:
			p.at++
			return all, nil
		case ',':
			p.at++
			continue
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
}

// value parses a value, which may have a name.
func (p *traceParser) value() (v traceValue, err error) {
	begin, name := p.at, p.at
	for name < len(p.text) && (isNameByte(p.text[name])) {
		name++
	}
	if name > p.at && name < len(p.text) && p.text[name] == '=' && !strings.HasPrefix(p.text[name:], "==") {
		v.name, p.at = p.text[p.at:name], name+1
	}
	p.skip()
	if p.at >= len(p.text) {
		return v, errTrace
	}
	start := p.at
	switch c := p.text[p.at]; c {
	case '"':
		v.kind = c
		var n int
		if v.bytes, n, _, err = appendLiteral(nil, p.text[p.at:], true); err != nil {
			return v, errTrace
		}
		p.at += n
	case '[', '{':
		v.kind = c
		p.at++
		if v.elements, err = p.list(map[byte]byte{'[': ']', '{': '}'}[c]); err != nil {
			return v, err
		}
	default:
		if err = p.plain(); p.at == begin {
			return v, errTrace // a closing bracket of another kind
		}
	}
	v.text = strings.TrimSpace(p.text[start:p.at])
	if v.kind != 0 && strings.HasPrefix(p.text[p.at:], "...") {
		v.isCut = true
		p.at += 3
	}
	p.skip()
	return v, err
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// plain skips an expression: up to a comma or a closing bracket outside parentheses and
// descriptions in angle brackets.
func (p *traceParser) plain() error {
	depth := 0
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == '"' || c == '[':
			if depth == 0 && c == '[' && p.at > 0 && p.text[p.at-1] != ':' {
				return errTrace
			}
			if c == '"' {
				_, n, _, err := appendLiteral(nil, p.text[p.at:], true)
				if err != nil {
					return errTrace
				}
				p.at += n - 1
			} else if n := strings.IndexByte(p.text[p.at:], ']'); n > 0 {
				p.at += n
			}
		case depth == 0 && (c == ',' || c == ')' || c == '}' || c == ']'):
			return nil
		case strings.HasPrefix(p.text[p.at:], "/*"):
			return nil
		}
	}
	return errTrace
}
