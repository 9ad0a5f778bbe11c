package main

import (
	"cmp"
	"io"
	"strconv"
	"time"
)

// output is the standard output, which it buffers. On a terminal it has colors, and breaks
// lines that are longer than the terminal is wide.
type output struct {
	w     io.Writer
	b     []byte
	last  byte  // the last byte that was written, for JSON
	err   error // of the first write that failed
	color bool
	width int // 0 if lines are not broken
	limit int // of the buffer, flushSize if it is 0
}

// flushSize is the number of buffered bytes that are written at once.
const flushSize = 64 << 10

// Write adds to the buffer. The error is that of an earlier write.
func (o *output) Write(p []byte) (int, error) {
	o.b = append(o.b, p...)
	return len(p), o.full()
}

// isFull reports whether n buffered bytes are written.
func (o *output) isFull(n int) bool { return n >= cmp.Or(o.limit, flushSize) }

// full writes the buffer if it is full.
func (o *output) full() error {
	if !o.isFull(len(o.b)) {
		return o.err
	}
	return o.Flush()
}

// drain writes a full buffer except for its last byte, which key needs. Flush returns the
// error at the end.
func (o *output) drain() {
	n := len(o.b) - 1
	if !o.isFull(n) {
		return
	}
	last := o.b[n]
	o.b = o.b[:n]
	_ = o.Flush()
	o.b = append(o.b, last)
}

// Flush writes the buffer.
func (o *output) Flush() error {
	b := o.b
	if len(b) > 0 {
		o.last = b[len(b)-1]
	}
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

func (o *output) int(v int64) { o.b = strconv.AppendInt(o.b, v, 10) }

func (o *output) uint(v uint64) { o.b = strconv.AppendUint(o.b, v, 10) }

// time adds a time in the format of RFC 3339.
func (o *output) time(t time.Time) { o.b = t.UTC().AppendFormat(o.b, time.RFC3339Nano) }

const hexDigits = "0123456789abcdef"

func (o *output) hex(p []byte) {
	for _, c := range p {
		o.b = append(o.b, hexDigits[c>>4], hexDigits[c&15])
	}
}

// indent adds n spaces.
func (o *output) indent(n int) {
	for range n {
		o.b = append(o.b, ' ')
	}
}

// quote adds a text in quotes, with escapes for bytes that could affect a terminal.
func (o *output) quote(p []byte) { o.b = strconv.AppendQuote(o.b, string(p)) }
