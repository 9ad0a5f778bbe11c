package input

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// literals adds the readings of string literals: "\x1c\0", b'\x1c\x00', or hex in quotes.
// A comma separates datagrams; other literals are joined. A text of escapes without
// quotes is one literal.
func (p *paragraph) literals(rs *readings, text string) error {
	if !strings.ContainsAny(text, "\"'") {
		text = `"` + strings.ReplaceAll(text, "\n", "") + `"`
	}
	for _, isC := range []bool{true, false} {
		all, isEscaped, err := parseLiterals(text, isC)
		if err == nil && !isEscaped {
			all, err = hexLiterals(all)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", p.first, err)
		}
		rs.add(map[bool]string{true: "a string of C", false: "a string of Rust"}[isC], all...)
	}
	return nil
}

// hexLiterals decodes literals without escapes: the arguments of bytes.fromhex and
// hex.DecodeString.
func hexLiterals(all [][]byte) ([][]byte, error) {
	for i, text := range all {
		digits := strings.Map(func(c rune) rune {
			if strings.ContainsRune(" \t\n:", c) {
				return -1
			}
			return c
		}, string(text))
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("the string %q has neither escapes nor only hex digits", shorten(string(text)))
		}
		all[i] = b
	}
	return all, nil
}

// parseLiterals returns the contents of the string literals in a text.
func parseLiterals(text string, isC bool) (all [][]byte, isEscaped bool, err error) {
	var current []byte
	found := false
	for text != "" {
		c := text[0]
		if c != '"' && c != '\'' {
			if !isCode(rune(c)) && !strings.ContainsRune("\\|$%", rune(c)) {
				return nil, false, fmt.Errorf("%q is not allowed beside a string", c)
			}
			if c == ',' && found {
				all, current, found = append(all, current), nil, false
			}
			text = text[1:]
			continue
		}
		var n int
		var escaped bool
		current, n, escaped, err = appendLiteral(current, text, isC)
		if err != nil {
			return nil, false, err
		}
		found, isEscaped = true, isEscaped || escaped
		if text = text[n:]; strings.HasPrefix(text, "...") {
			return nil, false, errors.New(`the string is incomplete ("..." follows it); use strace -s 65536`)
		}
	}
	if found {
		all = append(all, current)
	}
	return all, isEscaped, nil
}

// appendLiteral appends the content of the literal at the start of a text and returns the
// literal's length.
func appendLiteral(b []byte, text string, isC bool) (out []byte, n int, isEscaped bool, err error) {
	quote := text[0]
	for n = 1; n < len(text); {
		c := text[n]
		switch c {
		case quote:
			return b, n + 1, isEscaped, nil
		case '\\':
			isEscaped = true
			var size int
			if b, size, err = appendEscape(b, text[n:], isC); err != nil {
				return nil, 0, false, err
			}
			n += size
			continue
		}
		b = append(b, c)
		n++
	}
	return nil, 0, false, fmt.Errorf("a string without its closing %c", quote)
}

// The escapes of one character, and the bytes that they represent.
const (
	simpleEscapes = `abtnvfr\'"`
	escapedBytes  = "\a\b\t\n\v\f\r\\'\""
)

// appendEscape appends the byte of the escape at the start of a text and returns the
// escape's length. In Rust \0 has one digit, in C and Python \012 has up to three.
func appendEscape(b []byte, text string, isC bool) ([]byte, int, error) {
	if len(text) < 2 {
		return nil, 0, errors.New("the text ends within an escape")
	}
	c := text[1]
	if i := strings.IndexByte(simpleEscapes, c); i >= 0 {
		return append(b, escapedBytes[i]), 2, nil
	}
	switch {
	case c == '\n':
		return b, 2, nil // a continued line
	case c == 'x' && len(text) >= 4:
		if out, err := hex.AppendDecode(b, []byte(text[2:4])); err == nil {
			return out, 4, nil
		}
	case '0' <= c && c <= '7':
		n, v := 1, 0
		for n < len(text) && n <= 3 && '0' <= text[n] && text[n] <= '7' {
			v = v<<3 | int(text[n]-'0')
			n++
			if !isC && c == '0' {
				break
			}
		}
		if v <= 255 {
			return append(b, byte(v)), n, nil
		}
	}
	return nil, 0, fmt.Errorf("unknown escape %q", text[:min(4, len(text))])
}
