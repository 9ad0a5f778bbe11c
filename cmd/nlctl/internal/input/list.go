package input

import (
	"fmt"
	"strconv"
	"strings"
)

// lists adds the readings of byte lists as programs write them: []byte{0x1c, 0}, [28, 0].
// Every innermost pair of brackets is a datagram; without brackets the text is one.
func (p *paragraph) lists(rs *readings, text string) error {
	text = stripComments(text)
	groups, rest, err := innermost(text)
	if err != nil {
		return fmt.Errorf("line %d: %w", p.first, err)
	}
	lists := longest(groups)
	if len(lists) == 0 {
		lists, rest = [][]string{split(text)}, ""
	}
	if c := strings.IndexFunc(rest, func(c rune) bool { return !isCode(c) }); c >= 0 {
		return fmt.Errorf("line %d: %q is not allowed beside a list of bytes", p.first, rest[c])
	}
	perList := make([]readings, len(lists))
	for i, tokens := range lists {
		if err := addList(&perList[i], tokens); err != nil {
			return fmt.Errorf("line %d: %w", p.first, err)
		}
	}
	combine(rs, perList)
	return checkLength(rs, rest, p.first)
}

// combine adds the readings of all lists that have the same format.
func combine(rs *readings, lists []readings) {
	for _, first := range lists[0] {
		all := [][]byte{}
		for _, list := range lists {
			for _, r := range list {
				if r.name == first.name || len(list) == 1 {
					all = append(all, r.all[0])
					break
				}
			}
		}
		if len(all) == len(lists) {
			rs.add(first.name, all...)
		}
	}
}

// stripComments removes the comments of C, Go and Python.
func stripComments(text string) string { return comments.regexp().ReplaceAllString(text, " ") }

var comments = pattern{text: `(?s)/\*.*?\*/|//[^\n]*|#[^\n]*`}

// isCode reports whether the character may be beside a list.
func isCode(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune(" \t\n_.:;=&*<>!,-+{}[]()", c)
}

// innermost returns the contents of the innermost brackets, and the text outside them.
func innermost(text string) (groups []string, rest string, err error) {
	var open []byte
	start, end := -1, 0
	var out strings.Builder
	for i := range len(text) {
		switch c := text[i]; c {
		case '{', '[', '(':
			open, start = append(open, c), i
		case '}', ']', ')':
			if len(open) == 0 || !strings.Contains("{}[]()", string([]byte{open[len(open)-1], c})) {
				return nil, "", fmt.Errorf("%q without its opening bracket", c)
			}
			if start >= 0 {
				groups = append(groups, text[start+1:i])
				out.WriteString(text[end:start])
				end = i + 1
			}
			open, start = open[:len(open)-1], -1
		}
	}
	if len(open) > 0 {
		return nil, "", fmt.Errorf("%q without its closing bracket; the list is incomplete", open[len(open)-1])
	}
	out.WriteString(text[end:])
	return groups, out.String(), nil
}

// longest returns the groups of two numbers or more: shorter ones are sizes and types.
func longest(groups []string) (lists [][]string) {
	for _, g := range groups {
		if tokens := split(g); len(tokens) > 1 && !isArrayType(g) {
			lists = append(lists, tokens)
		}
	}
	return lists
}

// isArrayType reports whether the text between brackets is a type of Rust: "u8; 28".
func isArrayType(group string) bool {
	element, _, isArray := strings.Cut(strings.TrimSpace(group), ";")
	return isArray && (element == "u8" || element == "i8")
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(c rune) bool { return strings.ContainsRune(", \t\r\n;:", c) })
}

// addList adds the readings of a list. The prefix 0x of one number makes numbers without
// it decimal.
func addList(rs *readings, tokens []string) error {
	isHex, width := false, -1
	for i, token := range tokens {
		tokens[i] = strings.TrimSuffix(token, "u8")
		if digits, ok := cutHex(tokens[i]); ok {
			isHex = true
			if width < 0 {
				width = len(digits)
			}
		}
	}
	if !isHex {
		addTokens(rs, tokens)
		if len(*rs) == 0 {
			return fmt.Errorf("%q is not a list of bytes", shorten(strings.Join(tokens, " ")))
		}
		return nil
	}
	if width > 2 {
		return addWords(rs, tokens, width)
	}
	var b []byte
	for _, token := range tokens {
		base := 10
		digits, ok := cutHex(token)
		if ok {
			base = 16
		}
		v, err := strconv.ParseUint(digits, base, 8)
		if err != nil {
			return fmt.Errorf("%q is not a byte", shorten(token))
		}
		b = append(b, byte(v))
	}
	rs.add("a list", b)
	return nil
}

func cutHex(token string) (digits string, ok bool) {
	if len(token) > 2 && token[0] == '0' && token[1]|0x20 == 'x' {
		return token[2:], true
	}
	return token, false
}

// addWords adds the readings of a list of words of several bytes, in both byte orders.
func addWords(rs *readings, tokens []string, width int) error {
	var digits []string
	for _, token := range tokens {
		d, ok := cutHex(token)
		if !ok || len(d) != width {
			return fmt.Errorf("%q is neither a byte nor a word of %d hex digits", shorten(token), width)
		}
		digits = append(digits, d)
	}
	for _, s := range styles {
		if s.base == 16 && (s.size == 0 || s.width == width) {
			if b, ok := s.bytes(digits); ok {
				rs.add(s.name, b)
			}
		}
	}
	if len(*rs) == 0 {
		return fmt.Errorf("words of %d hex digits are not bytes", width)
	}
	return nil
}

// checkLength compares the length that xxd -i writes after a list.
func checkLength(rs *readings, rest string, line int) error {
	m := listLength.regexp().FindStringSubmatch(rest)
	if m == nil {
		return nil
	}
	want, err := strconv.Atoi(m[1])
	for _, r := range *rs {
		if err == nil && len(r.all) == 1 && len(r.all[0]) != want {
			return fmt.Errorf("line %d: the list has %d bytes, but its length is given as %d", line, len(r.all[0]), want)
		}
	}
	return nil
}

var listLength = pattern{text: `\w+_len\s*=\s*(\d+)\s*;`}

// shorten cuts a text for an error message.
func shorten(text string) string {
	if len(text) > 24 {
		return text[:24] + "..."
	}
	return text
}
