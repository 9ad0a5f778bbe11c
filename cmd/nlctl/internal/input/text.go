package input

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// maxLine and maxText limit a line of text, and the text of one datagram.
const (
	maxLine = 64 << 20
	maxText = 64 << 20
)

// textReader yields the datagrams of a text. An empty line ends a datagram.
type textReader struct {
	reader *Reader
	yield  func(Datagram) bool
	number int // of the current line
	para   paragraph
	trace  *strace // after the first line that strace wrote
}

// paragraph is the lines of a text between two empty lines.
type paragraph struct {
	first int // number of its first line
	lines []string
	size  int
}

// text yields the datagrams of a text, each when its last line has been read.
func (r *Reader) text(yield func(Datagram) bool) error {
	t := textReader{reader: r, yield: yield}
	if start, _ := r.in.Peek(3); bytes.Equal(start, []byte("\xef\xbb\xbf")) {
		_, _ = r.in.Discard(3) // a byte-order mark
	}
	for {
		line, err := t.line()
		if err != nil && err != io.EOF {
			return err
		}
		if err == io.EOF && line == "" {
			break
		}
		t.number++
		more, err := t.take(strings.TrimRight(line, "\r\n"))
		if err != nil || !more {
			return err
		}
	}
	if t.trace != nil {
		t.trace.end()
		return nil
	}
	_, err := t.finish()
	return err
}

// line reads a line with its end.
func (t *textReader) line() (string, error) {
	var long []byte
	for {
		b, err := t.reader.in.ReadSlice('\n')
		if err == nil && long == nil {
			return string(b), nil
		}
		long = append(long, b...)
		switch {
		case len(long) > maxLine:
			return "", fmt.Errorf("line %d is longer than %d MiB", t.number+1, maxLine>>20)
		case err == nil:
			return string(long), nil
		case err != bufferFull:
			return string(long), err
		}
	}
}

// take adds a line. It reports whether to continue.
func (t *textReader) take(line string) (more bool, err error) {
	switch trimmed := strings.TrimSpace(line); {
	case t.trace != nil:
		return t.trace.line(t.number, line)
	case trimmed == "":
		return t.finish()
	case len(t.para.lines) == 0 && isTrace(trimmed):
		t.trace = newStrace(t.reader, t.yield)
		return t.trace.line(t.number, line)
	case trimmed[0] == '#' || isHeading(trimmed):
		return true, nil
	}
	p := &t.para
	if len(p.lines) == 0 {
		p.first = t.number
	}
	p.lines, p.size = append(p.lines, line), p.size+len(line)
	if p.size > maxText {
		return false, fmt.Errorf("line %d: the text of a datagram is longer than %d MiB", t.number, maxText>>20)
	}
	return true, nil
}

// isHeading reports whether tshark -x or tcpdump -x wrote the line before the bytes of a packet.
func isHeading(line string) bool {
	if headingTime.regexp().MatchString(line) {
		return true
	}
	return strings.HasSuffix(line, " bytes):") && !strings.ContainsAny(line, "{[\"'")
}

// headingTime matches the time at the start of a line of tcpdump, after the date of -tttt.
var headingTime = pattern{text: `^(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.\d{6} `}

// finish yields the datagrams of the paragraph.
func (t *textReader) finish() (more bool, err error) {
	if len(t.para.lines) == 0 {
		return true, nil
	}
	all, err := t.para.read()
	t.para = paragraph{lines: t.para.lines[:0]}
	if err != nil {
		return false, err
	}
	for _, b := range all {
		if len(b) > 0 && !t.yield(t.reader.datagram(b)) {
			return false, nil
		}
	}
	return true, nil
}
