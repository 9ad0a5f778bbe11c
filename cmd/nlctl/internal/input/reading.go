package input

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

var bufferFull = bufio.ErrBufferFull

// pattern is a regular expression that is compiled when it is first used: most commands of
// nlctl use none.
type pattern struct {
	text     string
	once     sync.Once
	compiled *regexp.Regexp
}

func (p *pattern) regexp() *regexp.Regexp {
	p.once.Do(func() { p.compiled = regexp.MustCompile(p.text) })
	return p.compiled
}

// reading is one way to read a text as datagrams.
type reading struct {
	name string // of the format
	all  [][]byte
}

// readings are the different ways to read a text.
type readings []reading

// add adds a reading, unless another one gives the same bytes.
func (rs *readings) add(name string, all ...[]byte) {
	for _, r := range *rs {
		if equal(r.all, all) {
			return
		}
	}
	*rs = append(*rs, reading{name, all})
}

func equal(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// isPlausible reports whether all datagrams are complete messages, with or without the
// header of a packet. isMessage reports it for a datagram without the header.
func (r reading) isPlausible(isMessage func([]byte) bool) bool {
	for _, b := range r.all {
		ok := isMessage(b)
		for _, link := range []uint32{linkNetlink, linkCooked2} {
			h, isLink := parseLink(link, b)
			ok = ok || isLink && isMessage(b[h.size:])
		}
		if !ok {
			return false
		}
	}
	return true
}

// isPlain reports whether the reading takes two digits for a byte, in the order of the text.
func (r reading) isPlain() bool { return r.name == "hex" || r.name == "a dump in hex" }

// choose returns the only reading, or the only one that gives complete messages.
func (rs readings) choose(p *paragraph) ([][]byte, error) {
	if len(rs) == 1 {
		return rs[0].all, nil
	}
	var found readings
	var names []string
	native := 0 // readings that give messages in the byte order of this system
	for _, r := range rs {
		names = append(names, r.name)
		if r.isPlausible(isPlausible) {
			found = append(found, r)
		}
		if r.isPlausible(isNative) {
			native++
		}
	}
	// Words of 4 bytes in hex are messages of the other byte order if the bytes are messages.
	if len(found) == 1 || native == 1 && found[0].isPlain() && found[0].isPlausible(isNative) {
		return found[0].all, nil
	}
	which := "none of them gives complete messages"
	if len(found) > 1 {
		which = "more than one gives complete messages"
	}
	return nil, fmt.Errorf("line %d: ambiguous text: it may be %s, and %s; write the bytes in hex, as printed by xxd -p",
		p.first, strings.Join(names, " or "), which)
}

// read returns the datagrams of the paragraph.
func (p *paragraph) read() ([][]byte, error) {
	var rs readings
	isDump, err := p.dump(&rs)
	if err != nil {
		return nil, err
	}
	if isDump {
		return rs.choose(p)
	}
	text := strings.Join(p.lines, "\n")
	switch {
	case strings.ContainsAny(text, "\"'\\"):
		err = p.literals(&rs, text)
	case strings.ContainsAny(text, "{[(,") || strings.Contains(text, "0x") || strings.Contains(text, "0X"):
		err = p.lists(&rs, text)
	default:
		p.tokens(&rs)
	}
	if err != nil {
		return nil, err
	}
	if len(rs) == 0 {
		return nil, p.explain()
	}
	return rs.choose(p)
}

// explain returns the error for a text without a reading.
func (p *paragraph) explain() error {
	digits := 0
	for i, line := range p.lines {
		line, _, _ = strings.Cut(line, "#")
		for _, c := range line {
			switch {
			case isHexDigit(c):
				digits++
			case !strings.ContainsRune(" \t:", c):
				return fmt.Errorf("line %d: %q is not a hex digit; a text must contain bytes in hex, a hex dump, a list of bytes, or the output of strace", p.first+i, c)
			}
		}
	}
	return fmt.Errorf("line %d: datagram has an odd number of hex digits (%d)", p.first+len(p.lines)-1, digits)
}

func isHexDigit(c rune) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
