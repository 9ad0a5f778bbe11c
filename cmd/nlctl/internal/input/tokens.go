package input

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/nlwire/nlwire/internal/native"
)

// tokens adds the readings of numbers that are separated by spaces, and of hex digits in
// groups of any size.
func (p *paragraph) tokens(rs *readings) {
	var all []string
	for _, line := range p.lines {
		line, _, _ = strings.Cut(line, "#")
		all = append(all, strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t:", c) })...)
	}
	addTokens(rs, all)
}

// addTokens adds the readings of numbers.
func addTokens(rs *readings, tokens []string) {
	if len(tokens) == 0 {
		return
	}
	for _, s := range styles {
		if b, ok := s.bytes(tokens); ok {
			rs.add(s.name, b)
		}
	}
}

// style is a way to write bytes as numbers.
type style struct {
	name  string
	width int // digits of a number; 0 if it varies
	base  int
	size  int // bytes of a number; 0 if it has two digits for each byte
}

// styles are the ways to write bytes as numbers. Words of several bytes are in the byte
// order of this system, as od and hexdump print them.
var styles = []style{
	{name: "hex", base: 16},
	{name: "hex without leading zeros", base: 16, size: 1},
	{name: "decimal", base: 10, size: 1},
	{name: "octal", width: 3, base: 8, size: 1},
	{name: "hex words of 2 bytes", width: 4, base: 16, size: 2},
	{name: "hex words of 4 bytes", width: 8, base: 16, size: 4},
	{name: "hex words of 8 bytes", width: 16, base: 16, size: 8},
	{name: "octal words of 2 bytes", width: 6, base: 8, size: 2},
}

// bytes returns the bytes that the numbers represent.
func (s style) bytes(tokens []string) (b []byte, ok bool) {
	if s.size == 0 {
		b, err := hex.DecodeString(strings.Join(tokens, ""))
		return b, err == nil
	}
	if len(tokens) < 2 {
		return nil, false // a single number is a text of hex digits
	}
	for _, token := range tokens {
		if b, ok = s.append(b, token); !ok {
			return nil, false
		}
	}
	return b, true
}

// append appends the bytes of a number.
func (s style) append(b []byte, token string) ([]byte, bool) {
	switch {
	case s.size == 0:
		out, err := hex.AppendDecode(b, []byte(token))
		return out, err == nil
	case s.width > 0 && len(token) != s.width:
		return b, false
	case s.width == 0 && s.base == 16 && (len(token) > 2 || len(token) == 2 && token[0] == '0'):
		return b, false
	case s.base == 10:
		return appendDecimal(b, token)
	}
	v, err := strconv.ParseUint(token, s.base, 8*s.size)
	if err != nil {
		return b, false
	}
	word := binary.NativeEndian.AppendUint64(nil, v)
	if native.BigEndian {
		return append(b, word[8-s.size:]...), true
	}
	return append(b, word[:s.size]...), true
}

// appendDecimal appends a decimal byte, which may be signed. A leading zero means another
// base.
func appendDecimal(b []byte, token string) ([]byte, bool) {
	v, err := strconv.ParseInt(token, 10, 16)
	if err != nil || v < -128 || v > 255 || len(token) > 1 && token[0] == '0' || token[0] == '+' {
		return b, false
	}
	return append(b, byte(v)), true
}
