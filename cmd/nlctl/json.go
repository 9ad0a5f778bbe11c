package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"time"
	"unicode/utf8"

	"github.com/nlwire/nlwire/internal/literal"
)

// escape rewrites the JSON that was added after mark so that it contains only printable
// ASCII: all other characters are escaped.
func (o *output) escape(mark int) {
	i := mark + printable7(o.b[mark:])
	if i == len(o.b) {
		return
	}
	tail := bytes.Clone(o.b[i:])
	o.b = appendEscaped(o.b[:i], tail)
}

// printable7 returns the number of bytes at the start of b that are less than 0x7f: ASCII
// without DEL.
func printable7(b []byte) (n int) {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; len(b)-n >= 8; n += 8 {
		// Adding 1 sets the highest bit of a byte 0x7f. No lower byte has a carry unless its
		// own highest bit is set.
		if v := binary.NativeEndian.Uint64(b[n:]); (v|(v+ones))&high != 0 {
			break
		}
	}
	for n < len(b) && b[n] < 0x7f {
		n++
	}
	return n
}

// appendEscaped appends JSON in ASCII.
func appendEscaped(dst, p []byte) []byte {
	for len(p) > 0 {
		if p[0] < 0x7f {
			dst = append(dst, p[0])
			p = p[1:]
			continue
		}
		r, n := utf8.DecodeRune(p)
		if r > 0xffff {
			r -= 0x10000
			dst = appendUnit(appendUnit(dst, 0xd800+r>>10), 0xdc00+r&0x3ff)
		} else {
			dst = appendUnit(dst, r)
		}
		p = p[n:]
	}
	return dst
}

// appendUnit appends the escape of a UTF-16 code unit.
func appendUnit(dst []byte, r rune) []byte {
	dst = append(dst, `\u`...)
	for shift := 12; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[r>>shift&15])
	}
	return dst
}

// jsonString adds a text as a string of JSON in ASCII.
func (o *output) jsonString(p string) {
	plain := 0
	for plain < len(p) && p[plain] >= ' ' && p[plain] < 0x7f && p[plain] != '"' && p[plain] != '\\' {
		plain++
	}
	if plain < len(p) {
		mark := len(o.b)
		o.b = literal.AppendString(o.b, []byte(p))
		o.escape(mark)
		return
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, p...)
	o.b = append(o.b, '"')
}

// key adds the key of a member of a JSON object, after a comma unless it is the first.
func (o *output) key(name string) {
	before := o.last
	if len(o.b) > 0 {
		before = o.b[len(o.b)-1]
	}
	if before != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *output) keyInt(name string, v int64) {
	o.key(name)
	o.int(v)
}

func (o *output) keyString(name, v string) {
	o.key(name)
	o.jsonString(v)
}

func (o *output) keyTime(name string, t time.Time) {
	o.key(name)
	o.b = append(o.b, '"')
	o.time(t)
	o.b = append(o.b, '"')
}

func (o *output) keyHex(name string, p []byte) {
	o.key(name)
	o.b = append(o.b, '"')
	o.hex(p)
	o.b = append(o.b, '"')
}

// keyStrings adds a list of texts.
func (o *output) keyStrings(name string, list []string) {
	o.key(name)
	o.b = append(o.b, '[')
	for i, s := range list {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.jsonString(s)
	}
	o.b = append(o.b, ']')
}

func printJSON(w io.Writer, v any) error {
	e := newEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// newEncoder returns a JSON encoder with ASCII output: all other characters are escaped, so
// that they cannot affect a terminal. encoding/json escapes only the control characters
// below space.
func newEncoder(w io.Writer) *json.Encoder { return json.NewEncoder(asciiWriter{w}) }

// asciiWriter escapes the non-ASCII characters of JSON. Each Write must contain a complete
// value.
type asciiWriter struct{ w io.Writer }

func (w asciiWriter) Write(p []byte) (int, error) {
	_, err := w.w.Write(appendEscaped(nil, p))
	return len(p), err
}
