package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// countingWriter counts the calls of Write.
type countingWriter struct {
	bytes.Buffer
	calls int
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.calls++
	return w.Buffer.Write(p)
}

// Every command collects its output: a line or a column is not a system call.
func TestWritesAreFew(t *testing.T) {
	for args, isLinux := range map[string]bool{
		"list": true, "list -json": true, "show nlctrl": true, "policy nlctrl": true, "-bus example list": false, "ops ethtool": false, "ops": false,
		"-bus example call DOC_EXMPL 1 -dump": false, "decode testdata/nlmon.pcap": false, "man": false,
	} {
		if isLinux {
			needLinux(t)
		}
		var out countingWriter
		code := run(t.Context(), append([]string{"nlctl"}, strings.Fields(args)...), &out, io.Discard)
		if code != exitOK || out.Len() < 50 || out.calls > 1+out.Len()/(flushSize/2) {
			t.Errorf("nlctl %s: exit %d, %d writes of %d bytes", args, code, out.calls, out.Len())
		}
	}
}

// On a terminal, long lines continue with more indentation, and colors have no width.
func TestWrap(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"short\n", "short\n"},
		{"  abcdefghijklmnopqrstuvwxyz0123456789\nx\n", "  abcdefghijklmnopqr\n    stuvwxyz01234567\n    89\nx\n"},
		{"no end, longer than width", "no end, longer than \n  width"},
		{"\x1b[36mname\x1b[0m  0123456789abcd\n", "\x1b[36mname\x1b[0m  0123456789abcd\n"},
		{"ééééééééééééééééééééé\n", "éééééééééééééééééééé\n  é\n"},
	} {
		if got := string(wrap(nil, []byte(tt.text), 20)); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestColors(t *testing.T) {
	var plain, colored bytes.Buffer
	for w, color := range map[io.Writer]bool{&plain: false, &colored: true} {
		d := newDecoder(&output{w: w, color: color}, newNames(builtinNames()), false)
		if err := d.file(bytes.NewReader(ack(2)), 16); err != nil {
			t.Fatal(err)
		}
	}
	text := colored.String()
	for _, sequence := range []string{"\x1b[1m", "\x1b[31m", "\x1b[36m", "\x1b[2m", "\x1b[0m"} {
		text = strings.ReplaceAll(text, sequence, "")
	}
	if text != plain.String() || !strings.Contains(colored.String(), "\x1b[1merror\x1b[0m") || strings.Contains(plain.String(), "\x1b") {
		t.Errorf("%q\n%q", plain.String(), colored.String())
	}
}

// A file is not a terminal.
func TestFilesHaveNoColors(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if o := newOutput(file); o.color || o.width != 0 {
		t.Errorf("%+v", o)
	}
}

func TestProgress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(path, make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if r := newProgress(file, &output{}, io.Discard); r != io.Reader(file) {
		t.Errorf("progress of a small file without a terminal: %T", r)
	}
	var shown strings.Builder
	p := &progress{File: file, w: &shown, size: 1000, start: time.Unix(0, 0)}
	buf := make([]byte, 500)
	for _, want := range []string{" 50 % of 0 MB, 0 MB/s", "\r\x1b[K"} {
		if _, err := p.Read(buf); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if want == "\r\x1b[K" {
			p.File.Seek(0, io.SeekEnd)
			_, _ = p.Read(buf)
		}
		if !strings.Contains(shown.String(), want) {
			t.Errorf("%q lacks %q", shown.String(), want)
		}
	}
}

// The bytes before DEL are counted, whatever follows them.
func TestPrintable7(t *testing.T) {
	for n := range 40 {
		for _, c := range []byte{0x7f, 0x80, 0xff} {
			b := bytes.Repeat([]byte{'~'}, 40)
			b[n] = c
			for i := n + 1; i < len(b); i++ {
				b[i] = byte(i * 37)
			}
			if got := printable7(b); got != n {
				t.Errorf("%#x at %d: %d", c, n, got)
			}
		}
		if b := bytes.Repeat([]byte{0x7e}, n); printable7(b) != n {
			t.Errorf("%d bytes: %d", n, printable7(b))
		}
	}
}

// TestEqualLines decodes a message again and again: the JSON does not depend on when the
// buffer is full.
func TestEqualLines(t *testing.T) {
	m := genlmsg.Append(nlmsg.Begin(nil, 300, 0, 1, 0), 1, 1) // of an unknown family
	for range 50 {
		m = nla.AppendBytes(m, 7, []byte("0123456789"))
	}
	var file [][]byte
	for range 300 {
		file = append(file, cooked(socket.Generic, nlmsg.End(m, 0)))
	}
	var b bytes.Buffer
	if err := testDecoder(&b, true).file(bytes.NewReader(pcap(t, linkNetlink, file...)), socket.Generic); err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	for line := range strings.Lines(b.String()) {
		_, rest, _ := strings.Cut(line, `"protocol"`)
		lines[rest] = true
	}
	if len(lines) != 1 {
		t.Errorf("%d different lines", len(lines))
	}
}
