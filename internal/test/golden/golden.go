// Package golden loads datagrams for tests and benchmarks: bytes recorded from kernels, stored as
// text files of hexadecimal digits.
//
//	# a comment: the origin of the bytes
//
//	880000001000020001000000   one datagram; its lines are joined, "#" starts a comment
//	010200000b000200
//
//	14000000...                an empty line separates datagrams
package golden

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/internal/native"
)

//go:embed testdata/*.hex
var files embed.FS

// Datagrams returns the datagrams of testdata/name.hex in order. They were recorded on
// little-endian machines; on other machines the test is skipped.
func Datagrams(tb testing.TB, name string) [][]byte {
	tb.Helper()
	if native.BigEndian {
		tb.Skip("the recorded datagrams are in little-endian byte order")
	}
	datagrams, err := Load(name)
	if err != nil {
		tb.Fatal(err)
	}
	return datagrams
}

// Load is Datagrams for callers that are not tests.
func Load(name string) ([][]byte, error) {
	text, err := files.ReadFile("testdata/" + name + ".hex")
	if err != nil {
		return nil, err
	}
	datagrams, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("testdata/%s.hex: %w", name, err)
	}
	return datagrams, nil
}

// Hex returns the bytes of a hexadecimal literal, which may contain spaces.
func Hex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		tb.Fatalf("%q: %v", s, err)
	}
	return b
}

// Native returns the bytes of the literal for the byte order of this machine.
func Native(tb testing.TB, little, big string) []byte {
	tb.Helper()
	if native.BigEndian {
		return Hex(tb, big)
	}
	return Hex(tb, little)
}

func parse(text []byte) ([][]byte, error) {
	var datagrams [][]byte
	var current []byte
	flush := func() {
		if len(current) > 0 {
			datagrams = append(datagrams, current)
		}
		current = nil
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line, _, isComment := strings.Cut(lines.Text(), "#")
		digits := strings.Join(strings.Fields(line), "")
		if digits == "" {
			if !isComment {
				flush()
			}
			continue
		}
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, err
		}
		current = append(current, b...)
	}
	flush()
	return datagrams, lines.Err()
}

// Recorded is a datagram of a recorded exchange.
type Recorded struct {
	Dir   string // "tx" sent by the client, "rx" received by it, "ev" received by a listener
	Label string
	B     []byte
}

// Exchange parses a recorded exchange: datagrams in order, separated by empty lines. A comment
// before each gives its direction and a label ("# tx getfamily"). The recordings are
// little-endian; on big-endian machines the test is skipped.
func Exchange(tb testing.TB, text string) (list []Recorded) {
	tb.Helper()
	if native.BigEndian {
		tb.Skip("the recorded datagrams are in little-endian byte order")
	}
	for block := range strings.SplitSeq(text, "\n\n") {
		head, digits, _ := strings.Cut(block, "\n")
		r := Recorded{}
		if n, _ := fmt.Sscanf(head, "# %s %s", &r.Dir, &r.Label); n != 2 || len(r.Dir) != 2 {
			continue // a comment on the file
		}
		r.B = Hex(tb, digits)
		list = append(list, r)
	}
	return list
}
