package input

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// dumpLine is a line of a dump with offsets, as xxd, hexdump, od, tshark and tcpdump
// write it.
type dumpLine struct {
	number   int
	offset   string
	rest     string // the numbers, and the text that they encode
	isRepeat bool   // "*": the preceding line repeats up to the next offset
}

var dumpPattern = pattern{text: `^\s*(0x)?([0-9a-fA-F]{4,16})(:?)(?:\s+(.*))?$`}

// dump adds the readings of a dump with offsets. It reports whether the text can only be
// a dump.
func (p *paragraph) dump(rs *readings) (isDump bool, err error) {
	var lines []dumpLine
	isSure := false
	for i, text := range p.lines {
		if strings.TrimSpace(text) == "*" && len(lines) > 0 {
			lines = append(lines, dumpLine{number: p.first + i, isRepeat: true})
			isSure = true
			continue
		}
		m := dumpPattern.regexp().FindStringSubmatch(text)
		if m == nil {
			return false, nil
		}
		isSure = isSure || m[3] == ":" || strings.HasSuffix(m[4], "|")
		lines = append(lines, dumpLine{number: p.first + i, offset: m[2], rest: m[4]})
	}
	if strings.Trim(lines[0].offset, "0") != "" {
		if isSure {
			return true, fmt.Errorf("line %d: the dump begins at offset %s instead of 0", p.first, lines[0].offset)
		}
		return false, nil
	}
	var failure error
	for _, base := range []int{16, 8, 10} {
		offsets, err := offsetsOf(lines, base)
		if err != nil {
			continue
		}
		for _, s := range styles {
			all, err := s.dump(lines, offsets)
			switch {
			case err != nil && failure == nil:
				failure = err
			case err == nil && len(all[0]) > 0: // not only offsets
				rs.add("a dump in "+s.name, all...)
			}
		}
	}
	isSure = isSure || len(lines) > 1 && (len(*rs) > 0 || hasLongOffsets(lines))
	if isSure && len(*rs) == 0 {
		if failure == nil {
			failure = fmt.Errorf("line %d: the offsets of the dump are not numbers of one base", p.first)
		}
		return true, failure
	}
	return isSure, nil
}

// hasLongOffsets reports whether each line begins with a number that is longer than the
// others: lines of a dump in which lines are missing or changed.
func hasLongOffsets(lines []dumpLine) bool {
	for i, l := range lines {
		numbers := strings.Fields(l.rest)
		if len(numbers) == 0 && i+1 < len(lines) {
			return false
		}
		for _, n := range numbers {
			if len(n) >= len(l.offset) {
				return false
			}
		}
	}
	return true
}

// offsetsOf returns the offsets of the lines in a base, -1 for a line of "*".
func offsetsOf(lines []dumpLine, base int) ([]int, error) {
	offsets := make([]int, len(lines))
	for i, l := range lines {
		if l.isRepeat {
			offsets[i] = -1
			continue
		}
		v, err := strconv.ParseUint(l.offset, base, 31)
		if err != nil {
			return nil, err
		}
		offsets[i] = int(v)
	}
	return offsets, nil
}

// usualRow is the number of bytes in a line of most programs.
const usualRow = 16

// dump returns the datagrams of a dump. An offset of 0 begins one.
func (s style) dump(lines []dumpLine, offsets []int) (all [][]byte, err error) {
	var b, row []byte
	begin := true
	for i, l := range lines {
		switch {
		case l.isRepeat:
			if len(row) == 0 || i+1 == len(lines) || offsets[i+1] <= len(b) || offsets[i+1] > MaxPlain {
				return nil, fmt.Errorf("line %d: \"*\" is not followed by a larger offset", l.number)
			}
			for len(b) < offsets[i+1] {
				b = append(b, row...)
			}
			b = b[:offsets[i+1]]
			continue
		case offsets[i] == 0 && !begin:
			all, b = append(all, b), nil
		case offsets[i] != len(b):
			return nil, fmt.Errorf("line %d: offset %s follows %d bytes; lines are missing or changed", l.number, l.offset, len(b))
		}
		begin = false
		size := -1 // of the line, unknown
		switch {
		case i+1 == len(lines):
		case lines[i+1].isRepeat:
			size = cmp.Or(len(row), usualRow) // only the last line can have another size
		case offsets[i+1] > offsets[i]:
			size = offsets[i+1] - offsets[i]
		}
		if row, err = s.row(l, size); err != nil {
			return nil, err
		}
		b = append(b, row...)
	}
	return append(all, b), nil
}

// row returns the bytes of a line. If their number is unknown, all text after them must be
// the text that they encode.
func (s style) row(l dumpLine, size int) (row []byte, err error) {
	var b []byte
	var found [][]byte
	rest := strings.TrimSpace(l.rest)
	if rest == "" && size < 0 {
		return nil, nil // the offset of the end
	}
	for {
		token, tail := cutToken(rest)
		var ok bool
		if b, ok = s.append(b, token); !ok || token == "" {
			break
		}
		rest = strings.TrimLeft(tail, " \t")
		switch {
		case size >= 0 && len(b) >= size:
			if len(b)-size < max(s.size, 1) {
				return b[:size], nil
			}
		case size < 0 && (rest == "" || isTextOf(tail, b)):
			found = append(found, append([]byte(nil), b...))
		}
	}
	if size < 0 && len(found) == 1 {
		return found[0], nil
	}
	if size >= 0 {
		return nil, fmt.Errorf("line %d: not %d bytes as the next offset requires", l.number, size)
	}
	return nil, fmt.Errorf("line %d: the bytes cannot be separated from the text after them", l.number)
}

func cutToken(text string) (token, rest string) {
	n := strings.IndexAny(text, " \t|")
	if n < 0 {
		return text, ""
	}
	return text[:n], text[n:]
}

// isTextOf reports whether the text shows the bytes as characters. Programs differ in the
// character for bytes that are not printable.
func isTextOf(text string, b []byte) bool {
	text = strings.TrimSpace(text)
	text = strings.TrimSuffix(strings.TrimPrefix(text, "|"), "|")
	chars := []rune(text)
	// Spaces at both ends may be lost.
	for len(b) > len(chars) && b[0] == ' ' {
		b = b[1:]
	}
	for len(b) > len(chars) && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	if len(b) != len(chars) {
		return false
	}
	for i, c := range b {
		if c > ' ' && c < 0x7f && rune(c) != chars[i] {
			return false
		}
	}
	return true
}
