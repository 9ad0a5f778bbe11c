package input

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/internal/native"
)

// formats are the ways in which programs write bytes as text.
var formats = map[string]func(b []byte) string{
	"hex":             func(b []byte) string { return hex.EncodeToString(b) },
	"hex with spaces": func(b []byte) string { return fmt.Sprintf("% x", b) },
	"hex, words":      func(b []byte) string { return groups(b, 4) },
	"hex, long words": func(b []byte) string { return groups(b, 8) },
	"hex with colons": func(b []byte) string { return strings.ReplaceAll(fmt.Sprintf("% X", b), " ", ":") },
	"hexdump -C":      hexdumpC,
	"xxd":             xxd,
	"xxd -i":          func(b []byte) string { return xxdI(b) },
	"hexdump":         func(b []byte) string { return words(b, "%04x") },
	"od":              func(b []byte) string { return words(b, "%06o") },
	"od -t x1":        func(b []byte) string { return offsets(b, "%07o", "%07o") },
	"tcpdump -x": func(b []byte) string {
		return "12:00:01.000002 Out  ethertype Unknown\n" + offsets(b, "\t0x%04x: ", "")
	},
	"tshark -x":     func(b []byte) string { return offsets(b, "%04x ", "") },
	"Go, %#v":       func(b []byte) string { return fmt.Sprintf("%#v", b) },
	"Go, %v":        func(b []byte) string { return fmt.Sprint(b) },
	"Go, %q":        func(b []byte) string { return escaped(b) },
	"C":             func(b []byte) string { return "unsigned char b[] = {\n\t" + list(b, "0x%02x") + "\n};" },
	"Python, bytes": func(b []byte) string { return "b'" + strings.Trim(escaped(b), `"`) + "'" },
	"Python, list":  func(b []byte) string { return "[" + list(b, "%d") + "]" },
	"decimal":       func(b []byte) string { return strings.Trim(fmt.Sprint(b), "[]") },
	"Rust": func(b []byte) string {
		return "let b: [u8; " + strconv.Itoa(len(b)) + "] = [" + list(b, "0x%02x") + "];"
	},
}

// groups writes bytes in hex with a space after n of them.
func groups(b []byte, n int) string {
	var all []string
	for g := range slices.Chunk(b, n) {
		all = append(all, hex.EncodeToString(g))
	}
	return strings.Join(all, " ")
}

func list(b []byte, format string) string {
	var all []string
	for _, c := range b {
		all = append(all, fmt.Sprintf(format, c))
	}
	return strings.Join(all, ", ")
}

func escaped(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		fmt.Fprintf(&out, `\x%02x`, c)
	}
	return `"` + out.String() + `"`
}

func characters(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		if c < ' ' || c > '~' {
			c = '.'
		}
		out.WriteByte(c)
	}
	return out.String()
}

func hexdumpC(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); i += 16 {
		row := b[i:min(i+16, len(b))]
		fmt.Fprintf(&out, "%08x  %-23s  %-23s  |%s|\n", i, fmt.Sprintf("% x", row[:min(8, len(row))]), fmt.Sprintf("% x", row[min(8, len(row)):]), characters(row))
	}
	return out.String() + fmt.Sprintf("%08x\n", len(b))
}

func xxd(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); i += 16 {
		row := b[i:min(i+16, len(b))]
		var words []string
		for j := 0; j < len(row); j += 2 {
			words = append(words, hex.EncodeToString(row[j:min(j+2, len(row))]))
		}
		fmt.Fprintf(&out, "%08x: %-39s  %s\n", i, strings.Join(words, " "), characters(row))
	}
	return out.String()
}

func xxdI(b []byte) string {
	return "unsigned char m[] = {\n  " + list(b, "0x%02x") + "\n};\nunsigned int m_len = " + strconv.Itoa(len(b)) + ";\n"
}

// Repeated lines are replaced by "*".
func TestRepeats(t *testing.T) {
	b := message(append([]byte{1, 2, 3, 4}, make([]byte, 200)...))
	const text = "0000000 00e0 0000 0010 0001 0007 0000 0000 0000\n0000010 0201 0403 0000 0000 0000 0000 0000 0000\n0000020 0000 0000 0000 0000 0000 0000 0000 0000\n*\n"
	b[0] = 0xe0
	b = append(b, make([]byte, 0xe0-len(b))...)
	for d, err := range New(strings.NewReader(text+"00000e0\n"), 0).All() {
		if err != nil || native.BigEndian != (!bytes.Equal(d.Data, b)) {
			t.Errorf("%v: %x, want %x", err, d.Data, b)
		}
	}
	for _, err := range New(strings.NewReader(text), 0).All() {
		if err == nil {
			t.Error("no error without the offset of the end")
		}
	}
}

// words writes a dump of words of two bytes, in the byte order of the system. The length
// is even.
func words(b []byte, format string) string {
	var out strings.Builder
	for i := 0; i < len(b); i += 16 {
		fmt.Fprintf(&out, map[bool]string{true: "%07x", false: "%07o"}[format == "%04x"], i)
		for j := i; j < min(i+16, len(b)); j += 2 {
			fmt.Fprintf(&out, " "+format, binary.NativeEndian.Uint16(b[j:]))
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// offsets writes a dump with offsets and without characters. end is the format of the
// offset after it.
func offsets(b []byte, format, end string) string {
	var out strings.Builder
	for i := 0; i < len(b); i += 16 {
		fmt.Fprintf(&out, format+" % x\n", i, b[i:min(i+16, len(b))])
	}
	if end != "" {
		fmt.Fprintf(&out, end+"\n", len(b))
	}
	return out.String()
}

// Any message is read from each format, or the text is reported as ambiguous. It is never
// read as other bytes.
func TestFormats(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	count, ambiguous := 0, 0
	for range 300 {
		payload := make([]byte, 4*random.IntN(20))
		for i := range payload {
			payload[i] = byte(random.Uint32() >> random.IntN(32) & 0xff)
			if random.IntN(3) == 0 {
				payload[i] = "0123456789abcdef |.*\\\"'#"[random.IntN(24)] // like the text beside a dump
			}
		}
		b := message(payload)
		for name, format := range formats {
			count++
			text := format(b)
			for d, err := range New(strings.NewReader(text), 0).All() {
				if err != nil && strings.Contains(err.Error(), "ambiguous") || err != nil && strings.Contains(err.Error(), "cannot be separated") {
					ambiguous++
				} else if err != nil || !bytes.Equal(d.Data, b) {
					t.Fatalf("%s: %v\n%x, want\n%x\n%s", name, err, d.Data, b, text)
				}
			}
		}
	}
	if ambiguous > count/50 {
		t.Errorf("%d of %d texts are ambiguous", ambiguous, count)
	}
}

func TestGzip(t *testing.T) {
	var file bytes.Buffer
	w := gzip.NewWriter(&file)
	if _, err := w.Write(message(nil)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	for n := len(whole); n > len(magicGzip)+9; n-- {
		var got []byte
		var failure error
		for d, err := range New(bytes.NewReader(whole[:n]), 0).All() {
			got, failure = append(got, d.Data...), err
		}
		if n == len(whole) && (failure != nil || !bytes.Equal(got, message(nil))) || n < len(whole) && (failure == nil || failure.Error() != "gzip: the file is truncated") {
			t.Errorf("%d of %d bytes: %x, %v", n, len(whole), got, failure)
		}
	}
}
