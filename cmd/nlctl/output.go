package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// output is the standard output, which it buffers. On a terminal it has colors, and breaks
// lines that are longer than the terminal is wide.
type output struct {
	w     io.Writer
	b     []byte
	err   error // of the first write that failed
	color bool
	width int // 0 if lines are not broken
}

// flushSize is the number of buffered bytes that are written at once.
const flushSize = 64 << 10

// Write adds to the buffer. The error is that of an earlier write.
func (o *output) Write(p []byte) (int, error) {
	o.b = append(o.b, p...)
	return len(p), o.full()
}

// full writes the buffer if it is full.
func (o *output) full() error {
	if len(o.b) < flushSize {
		return o.err
	}
	return o.Flush()
}

// Flush writes the buffer.
func (o *output) Flush() error {
	b := o.b
	if o.width > 0 {
		b = wrap(nil, b, o.width)
	}
	if len(b) > 0 && o.err == nil {
		_, o.err = o.w.Write(b)
	}
	o.b = o.b[:0]
	return o.err
}

// The colors, as parameters of the escape sequence SGR.
const (
	colorName  = "36" // of attributes
	colorHead  = "1"  // of messages
	colorError = "31"
	colorFaint = "2"
)

// paint adds a text in a color.
func (o *output) paint(color, text string) {
	if !o.color {
		o.b = append(o.b, text...)
		return
	}
	o.b = append(o.b, "\x1b["...)
	o.b = append(o.b, color...)
	o.b = append(o.b, 'm')
	o.b = append(o.b, text...)
	o.b = append(o.b, "\x1b[0m"...)
}

func (o *output) text(parts ...string) {
	for _, s := range parts {
		o.b = append(o.b, s...)
	}
}

func (o *output) int(v int64)   { o.b = strconv.AppendInt(o.b, v, 10) }
func (o *output) uint(v uint64) { o.b = strconv.AppendUint(o.b, v, 10) }

// time adds a time in the format of RFC 3339.
func (o *output) time(t time.Time) { o.b = t.UTC().AppendFormat(o.b, time.RFC3339Nano) }

const hexDigits = "0123456789abcdef"

func (o *output) hex(p []byte) {
	for _, c := range p {
		o.b = append(o.b, hexDigits[c>>4], hexDigits[c&15])
	}
}

// spaces are the indentation of a line.
func (o *output) indent(n int) {
	for range n {
		o.b = append(o.b, ' ')
	}
}

// quote adds a text in quotes, with escapes for bytes that could affect a terminal.
func (o *output) quote(p []byte) { o.b = strconv.AppendQuote(o.b, string(p)) }

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

// jsonString adds a text as a string of JSON. A byte that is not UTF-8 becomes a surrogate
// from U+DC80 to U+DCFF, so that no byte is lost.
func (o *output) jsonString(p string) {
	o.b = append(o.b, '"')
	plain := 0
	for plain < len(p) && p[plain] >= ' ' && p[plain] < 0x7f && p[plain] != '"' && p[plain] != '\\' {
		plain++
	}
	o.b = append(o.b, p[:plain]...)
	for i := plain; i < len(p); {
		c := p[i]
		switch {
		case c == '"' || c == '\\':
			o.b = append(o.b, '\\', c)
		case c >= ' ' && c < 0x7f:
			o.b = append(o.b, c)
		case c < utf8.RuneSelf:
			o.b = appendUnit(o.b, rune(c))
		default:
			r, n := utf8.DecodeRuneInString(p[i:])
			if r == utf8.RuneError && n == 1 {
				o.b = appendUnit(o.b, 0xdc00+rune(c))
			} else {
				o.b = appendEscaped(o.b, []byte(p[i:i+n]))
			}
			i += n
			continue
		}
		i++
	}
	o.b = append(o.b, '"')
}

// key adds the key of a member of a JSON object, after a comma unless it is the first.
func (o *output) key(name string) {
	if c := o.b[len(o.b)-1]; c != '{' {
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

// wrap appends text whose lines have at most width columns. The rest of a longer line is
// indented by two columns more.
func wrap(dst, text []byte, width int) []byte {
	for len(text) > 0 {
		line, rest, isWhole := bytes.Cut(text, []byte("\n"))
		indent := len(line) - len(bytes.TrimLeft(line, " "))
		dst = wrapLine(dst, line, width, min(indent+2, width/2))
		if isWhole {
			dst = append(dst, '\n')
		}
		text = rest
	}
	return dst
}

func wrapLine(dst, line []byte, width, indent int) []byte {
	column := 0
	for len(line) > 0 {
		n, columns := next(line)
		if column+columns > width {
			dst = append(dst, '\n')
			dst = append(dst, bytes.Repeat([]byte(" "), indent)...)
			column = indent
		}
		dst = append(dst, line[:n]...)
		column += columns
		line = line[n:]
	}
	return dst
}

// next returns the length of the first character of a line and its columns. An escape
// sequence has none.
func next(line []byte) (n, columns int) {
	if line[0] == 0x1b {
		if end := bytes.IndexByte(line, 'm'); end > 0 {
			return end + 1, 0
		}
	}
	r, n := utf8.DecodeRune(line)
	if unicode.Is(unicode.Mn, r) {
		return n, 0
	}
	return n, 1
}
