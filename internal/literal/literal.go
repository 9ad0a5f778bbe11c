// Package literal reads and writes values as text, in the forms that ynl and nlctl share: numbers, bytes
// in hex, and strings of JSON that may contain any bytes.
package literal

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Uint reads an unsigned number of at most that many bits: decimal, also with leading zeros, or
// hexadecimal with the prefix 0x or 0X. Signs and octal numbers are not part of the form. The error
// for a larger number wraps strconv.ErrRange.
func Uint(text string, bits int) (uint64, error) {
	base := 10
	if len(text) > 2 && text[0] == '0' && text[1]|0x20 == 'x' {
		text, base = text[2:], 16
	}
	return strconv.ParseUint(text, base, bits)
}

// Int is Uint for signed numbers: a minus sign can precede the digits.
func Int(text string, bits int) (int64, error) {
	digits, negative := strings.CutPrefix(text, "-")
	n, err := Uint(digits, 64)
	limit := uint64(1) << (bits - 1)
	switch {
	case err != nil:
		return 0, err
	case negative && n <= limit:
		return -int64(n), nil
	case negative || n >= limit:
		return 0, &strconv.NumError{Func: "Int", Num: text, Err: strconv.ErrRange}
	}
	return int64(n), nil
}

// errBytes is the error for text that is not bytes in hex.
var errBytes = errors.New("not bytes in hex")

// Bytes reads bytes in hex. There may be spaces between bytes, or colons between all bytes; a byte
// between colons may lack its leading zero.
func Bytes(text string) ([]byte, error) {
	if !strings.Contains(text, ":") {
		p, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return nil, errBytes
		}
		return p, nil
	}
	parts := strings.Split(text, ":")
	p := make([]byte, 0, len(parts))
	for _, part := range parts {
		n, err := strconv.ParseUint(part, 16, 8)
		if err != nil || len(part) > 2 {
			return nil, errBytes
		}
		p = append(p, byte(n))
	}
	return p, nil
}

const hexDigits = "0123456789abcdef"

// AppendString appends text as a string of JSON. A byte that is not UTF-8 becomes a surrogate from
// U+DC80 to U+DCFF, as with Python's surrogateescape, so that no byte is lost.
func AppendString(dst, p []byte) []byte {
	dst = append(dst, '"')
	for len(p) > 0 {
		c := p[0]
		if c < utf8.RuneSelf {
			dst = appendASCII(dst, c)
			p = p[1:]
			continue
		}
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, `\udc`...)
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		} else {
			dst = append(dst, p[:n]...)
		}
		p = p[n:]
	}
	return append(dst, '"')
}

// appendASCII appends a character of a string.
func appendASCII(dst []byte, c byte) []byte {
	if c >= ' ' {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		return append(dst, c)
	}
	if i := strings.IndexByte("\n\r\t\b\f", c); i >= 0 {
		return append(dst, '\\', "nrtbf"[i])
	}
	dst = append(dst, `\u00`...)
	return append(dst, hexDigits[c>>4], hexDigits[c&15])
}

// Unquote returns the text of a string of JSON, which must be valid. It is the inverse of
// AppendString: a surrogate from U+DC80 to U+DCFF without a preceding one is a byte, where
// encoding/json returns the replacement character. ok is false if the string has none.
func Unquote(quoted []byte, decode func([]byte) (string, error)) (text string, ok bool, err error) {
	var b strings.Builder
	start := 1
	inside := quoted[:max(len(quoted)-1, 1)]
	flush := func(end int) {
		part := append(append([]byte{'"'}, quoted[start:end]...), '"')
		s, failure := decode(part)
		b.WriteString(s)
		err = errors.Join(err, failure)
	}
	for i := 1; i < len(inside); i++ {
		if inside[i] != '\\' {
			continue
		}
		unit := escapedUnit(inside[i:])
		switch {
		case unit >= 0xd800 && unit < 0xdc00 && i+6 < len(inside) && escapedUnit(inside[i+6:])&^0x3ff == 0xdc00:
			i += 11 // a pair
		case unit >= 0xdc80 && unit <= 0xdcff:
			flush(i)
			b.WriteByte(byte(unit))
			i += 5
			start, ok = i+1, true
		default:
			i++
		}
	}
	if !ok {
		return "", false, nil
	}
	flush(len(inside))
	return b.String(), true, err
}

// escapedUnit returns the UTF-16 code unit of an escape at the start of p, 0 if there is none.
func escapedUnit(p []byte) uint64 {
	if len(p) < 6 || p[0] != '\\' || p[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(p[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return n
}
