package main

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// printableRune replaces characters that could affect a terminal.
func printableRune(r rune) rune {
	if r < ' ' || r > 0x7e {
		return '?'
	}
	return r
}

// printable quotes a name that could affect a terminal or a table: any process that
// registers a family can choose its name.
func printable(name string) string {
	for _, r := range name {
		if r <= ' ' || r == 0x7f || r > 0x7e {
			return strconv.QuoteToASCII(name)
		}
	}
	return name
}

// guess returns the bytes as text, without the NUL that ends it, if they are printable
// UTF-8. Otherwise it returns nil.
func guess(p []byte) []byte {
	if n := len(p); n > 0 && p[n-1] == 0 {
		p = p[:n-1]
	}
	if len(p) == 0 || !isPrintable(p) {
		return nil
	}
	return p
}

// isPrintable reports whether all characters are printable and valid UTF-8.
func isPrintable(p []byte) bool {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		if r == utf8.RuneError && n == 1 || !unicode.IsPrint(r) {
			return false
		}
		p = p[n:]
	}
	return true
}

// printableLine is printableRune for a text of several lines.
func printableLine(r rune) rune {
	if r == '\n' {
		return r
	}
	return printableRune(r)
}
