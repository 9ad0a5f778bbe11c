package literal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"unicode/utf8"
)

func TestNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "7": "7", "020": "20", "08": "8", "0x10": "16", "0X1f": "31", "255": "255", "0xff": "255",
		"256": "range", "0x100": "range", "-1": "syntax", "+1": "syntax", "": "syntax", "0x": "syntax", "0x0x1": "syntax",
		"1_0": "syntax", "0b1": "syntax", "0o7": "syntax", " 1": "syntax", "1e1": "syntax", "ff": "syntax",
	} {
		if got := result(Uint(text, 8)); got != want {
			t.Errorf("Uint(%q): %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"127": "127", "128": "range", "-128": "-128", "-129": "range", "-0x80": "-128", "0X7f": "127", "-0": "0", "-": "syntax",
		"--1": "syntax", "99999999999999999999": "range",
	} {
		if got := result(Int(text, 8)); got != want {
			t.Errorf("Int(%q): %s, want %s", text, got, want)
		}
	}
	if n, err := Int("-9223372036854775808", 64); err != nil || n != -1<<63 {
		t.Errorf("%d, %v", n, err)
	}
}

func result[T int64 | uint64](n T, err error) string {
	switch {
	case errors.Is(err, strconv.ErrRange):
		return "range"
	case err != nil:
		return "syntax"
	}
	return fmt.Sprint(n)
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "00ff": "00ff", "00 ff\t1a": "00ff1a", "0:ff:1": "00ff01", "aa:BB": "aabb",
		"1": "error", "0x12": "error", "fe80::1": "error", "aabb:cc": "error", "1:2:300": "error", "1: 2": "error", ":": "error", "0:+1": "error",
	} {
		p, err := Bytes(text)
		if got := fmt.Sprintf("%x", p); err != nil && want != "error" || err == nil && got != want {
			t.Errorf("Bytes(%q): %s, %v, want %s", text, got, err, want)
		}
	}
}

func decode(p []byte) (s string, err error) { return s, json.Unmarshal(p, &s) }

// All bytes are valid JSON, and are read back.
func FuzzString(f *testing.F) {
	for _, text := range []string{"", "plain", "\x00\n\"\\\u00e9\U0001f600\xff\xc3", `\udcff`, "\xed\xb2\x80", "\xf0\x9f"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		quoted := AppendString(nil, p)
		if !json.Valid(quoted) || !utf8.Valid(quoted) {
			t.Fatalf("%q is not JSON", quoted)
		}
		text, ok, err := Unquote(quoted, decode)
		if !ok && err == nil {
			text, err = decode(quoted)
		}
		if err != nil || text != string(p) || ok == utf8.Valid(p) {
			t.Errorf("%q: %q, %v, %v", p, text, ok, err)
		}
	})
}

// Any valid string of JSON that has no single surrogates is read by encoding/json.
func TestUnquote(t *testing.T) {
	for quoted, want := range map[string]string{
		`"a"`: "", `""`: "", `"\ud83d\ude00"`: "", `"\ud83d\udcff"`: "", `"\\udcff"`: "", `"\udc7f"`: "",
		`"\udcff"`: "\xff", `"\uDCFF\udc80"`: "\xff\x80", `"a\n\udcff\u00e9"`: "a\n\xff\u00e9", `"\ud800\u0041\udcfe"`: "\ufffdA\xfe",
	} {
		text, ok, err := Unquote([]byte(quoted), decode)
		if text != want || ok != (want != "") || err != nil {
			t.Errorf("%s: %q, %v, %v, want %q", quoted, text, ok, err, want)
		}
	}
	if !bytes.Equal(AppendString(nil, []byte("\n\x01\x7f")), []byte(`"\n\u0001`+"\x7f\"")) {
		t.Error("escapes")
	}
}
