package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/cmd/nlctl/internal/input"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/socket"
)

// message is the JSON of a message.
type message struct {
	Datagram int
	Time     string
	Protocol string
	Offset   int
	Length   int

	Type    *uint16
	Name    string
	Flags   []string
	Seq     uint32
	Port    uint32
	ReplyTo int `json:"reply_to"`

	Generic *struct{ Cmd, Version uint8 }
	Family  string
	Op      string
	Values  json.RawMessage
	Header  string
	Attrs   []attribute
	Answer  *struct {
		Errno     int
		Text      string
		Message   string
		Attribute string
		Missing   string `json:"missing_attribute"`
		Request   string
	}
	Uevent    []string
	Connector json.RawMessage
	Payload   string
	Text      string
	Note      string
	Error     string
	Rest      string
}

// attribute is the JSON of an attribute without a name.
type attribute struct {
	Type  uint16
	Flags []string
	Kind  string
	Value any
	Text  string
}

// testDecoder returns a decoder with the built-in names.
func testDecoder(w io.Writer, isJSON bool) *decoder {
	return newDecoder(&output{w: w}, newNames(builtinNames()), isJSON)
}

// decoded decodes a file and returns the lines of its JSON.
func decoded(tb testing.TB, file []byte, protocol socket.Protocol) ([]message, error) {
	tb.Helper()
	var out bytes.Buffer
	failure := testDecoder(&out, true).file(bytes.NewReader(file), protocol)
	var all []message
	for d := json.NewDecoder(&out); ; {
		var m message
		if err := d.Decode(&m); err == io.EOF {
			return all, failure
		} else if err != nil {
			tb.Fatal(err)
		}
		all = append(all, m)
	}
}

func decodedText(file []byte, protocol socket.Protocol) (string, error) {
	var out strings.Builder
	err := testDecoder(&out, false).file(bytes.NewReader(file), protocol)
	return out.String(), err
}

// needLittleEndian skips tests with captures, which pcapgo writes in little-endian order,
// or with numbers in hex.
func needLittleEndian(t testing.TB) {
	t.Helper()
	if native.BigEndian {
		t.Skip("needs little-endian captures")
	}
}

// Traffic of ip, ethtool, iw and others on Linux 6.1. tshark finds the same messages in the
// capture that this file is a part of.
func TestDecodeRecorded(t *testing.T) {
	needLittleEndian(t)
	want, err := os.ReadFile("testdata/nlmon.txt")
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := nlctl(t, "decode", "testdata/nlmon.pcap")
	if diff := cmp.Diff(string(want), stdout); diff != "" || code != exitOK || stderr != "" {
		t.Errorf("exit %d, stderr %q, -want +got:\n%s", code, stderr, diff)
	}
	// A truncated file is an error, unless it ends between two packets. The preceding
	// packets are printed.
	for n := 0; n < len(recorded); n += 1 + n/500 {
		got, err := decodedText(recorded[:n], socket.Generic)
		var text string
		if err != nil {
			text = err.Error()
		}
		switch {
		case n >= 24 && err == nil:
		case n == 0 && text == "the file is empty":
		case n == 24 && text == "the file has no datagram":
		case n >= 12 && strings.Contains(text, input.ErrTruncated.Error()):
		case n < 12 && strings.Contains(text, "not a hex digit"): // too short to be recognized as a capture
			continue
		case n < 12 && strings.Contains(text, "malformed or incomplete"):
			continue
		default:
			t.Fatalf("%d bytes: %v", n, err)
		}
		if !strings.HasPrefix(stdout, got) {
			t.Fatalf("%d bytes: the output is not a prefix of the output for the whole file:\n%s", n, got)
		}
	}
}

// A family that the file does not describe may have its own header.
func TestDecodeHeader(t *testing.T) {
	header := append(genlmsg.Append(nil, 3, 1), 1, 0, 0, 0)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, request(40, 0, header, nla.AppendCString(nil, 1, "hi")), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := nlctl(t, "decode", "-header", "4", path)
	if code != exitOK || !strings.Contains(stdout, "      header 01000000\n      1  bytes  686900  \"hi\"\n") || stderr != "" {
		t.Errorf("exit %d, stderr %q:\n%s", code, stderr, stdout)
	}
	if code, stdout, _ := nlctl(t, "decode", path); code != exitError {
		t.Errorf("without it: exit %d:\n%s", code, stdout)
	}
}

func TestDecodeStandardInput(t *testing.T) {
	file, err := os.Open("testdata/nlmon.pcap")
	if err != nil {
		t.Fatal(err)
	}
	needLittleEndian(t)
	stdin := os.Stdin
	os.Stdin = file
	t.Cleanup(func() {
		os.Stdin = stdin
		file.Close()
	})
	_, want, _ := nlctl(t, "decode", "testdata/nlmon.pcap")
	if code, got, stderr := nlctl(t, "decode", "-"); code != exitOK || got != want || stderr != "" {
		t.Errorf("exit %d, %d bytes, want %d, stderr %q", code, len(got), len(want), stderr)
	}
}
