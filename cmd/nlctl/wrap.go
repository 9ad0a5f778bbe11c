package main

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

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
