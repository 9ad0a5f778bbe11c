package ynl_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// valueTable has an attribute of each type.
const valueTable = `family x level=genetlink
enum color red green blue=9
flags bits low high=40
struct pair
 m low u16
 m name string len=4
set inner
 a id u32
 a deep nest nest=inner
set x
 a u8 u8
 a s8 s8
 a u16 u16 big-endian
 a s32 s32 little-endian
 a u64 u64
 a uint uint
 a sint sint
 a color u8 enum=color
 a bits u64 enum=bits
 a mask u32 enum=color bits
 a text string
 a flag flag
 a bytes binary
 a mac binary hint=mac
 a ip binary hint=ipv4-or-v6
 a ip4 u32 big-endian hint=ipv4
 a uuid binary hint=uuid
 a hex u32 hint=hex
 a shex s32 hint=hex
 a nested nest nest=inner
 a list u16 multi
 a pair binary struct=pair
 a field bitfield32 enum=color bits
 a array indexed-array of=string
 a messages indexed-array of=sub-message
op get request=1 set=x
 do-request
`

// encodeArgs returns the JSON of a request that is encoded from arguments.
func encodeArgs(t *testing.T, s *ynl.Spec, args ...string) (string, error) {
	t.Helper()
	v, err := ynl.ParseArgs(args)
	if err != nil {
		return "", err
	}
	b, err := s.AppendRequest(nil, s.Op("get"), v, ynl.RequestHeader{Type: 20})
	if err != nil {
		return "", err
	}
	m := s.DecodeOp(b, s.Op("get"))
	return string(m.AppendJSON(nil)), nil
}

// TestValues encodes values in all the forms that are accepted.
func TestValues(t *testing.T) {
	s, err := ynl.ParseTable("x", valueTable)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ arg, want string }{
		{"u8=255", `{"u8": 255}`},
		{"u8=0xff", `{"u8": 255}`},
		{`u8=[1]`, ``}, // no list
		{"s8=-128", `{"s8": -128}`},
		{"u16=258", `{"u16": 258}`},
		{"s32=-2", `{"s32": -2}`},
		{"u64=18446744073709551615", `{"u64": 18446744073709551615}`},
		{"uint=4294967296", `{"uint": 4294967296}`},
		{"uint=7", `{"uint": 7}`},
		{"sint=-2147483649", `{"sint": -2147483649}`},
		{"color=green", `{"color": "green"}`},
		{"color=9", `{"color": "blue"}`},
		{"color=Unknown(7)", `{"color": "Unknown(7)"}`},
		{"bits=low,high", `{"bits": ["high", "low"]}`},
		{"bits=low|high", `{"bits": ["high", "low"]}`},
		{"bits=3", `{"bits": ["Unknown(1)", "low"]}`},
		{"mask=blue", `{"mask": ["blue"]}`},
		{`text=a"b`, `{"text": "a\"b"}`},
		{"text=5", `{"text": "5"}`},
		{"flag", `{"flag": true}`},
		{"flag=1", `{"flag": true}`},
		{"flag=0", `{}`},
		{"flag=false", `{}`},
		{"bytes=00 ff", `{"bytes": "00ff"}`},
		{"bytes=", `{"bytes": ""}`},
		{"mac=2:0:0:0:0:a", `{"mac": "02:00:00:00:00:0a"}`},
		{"ip=10.0.0.1", `{"ip": "10.0.0.1"}`},
		{"ip=fd00::1", `{"ip": "fd00::1"}`},
		{"ip=0a000001", `{"ip": "10.0.0.1"}`},
		{"ip=0a", `{"ip": "0a"}`},
		{"ip4=10.0.0.1", `{"ip4": "10.0.0.1"}`},
		{"uuid=00010203-0405-0607-0809-0a0b0c0d0e0f", `{"uuid": "00010203-0405-0607-0809-0a0b0c0d0e0f"}`},
		{"hex=0xff", `{"hex": "0xff"}`},
		{"hex=ff", `{"hex": "0xff"}`},
		{"shex=-255", `{"shex": "-0xff"}`},
		{"nested.id=1", `{"nested": {"id": 1}}`},
		{"nested.deep.deep.id=1", `{"nested": {"deep": {"deep": {"id": 1}}}}`},
		{`nested={"id": 1}`, `{"nested": {"id": 1}}`},
		{"nested.1=2", `{"nested": {"id": 2}}`},
		{"nested.99=01", `{"nested": {"UnknownAttr(99)": "01"}}`},
		{"99=01", `{"UnknownAttr(99)": "01"}`},
		{"list=1", `{"list": [1]}`},
		{"list=[1, 2]", `{"list": [1, 2]}`},
		{"pair.low=1 pair.name=ab", ``}, // one argument: "1 pair.name=ab" is no number
		{`pair={"low": 1, "name": "ab"}`, `{"pair": {"low": 1, "name": "ab\u0000"}}`},
		{`field={"value": ["red"], "selector": 513}`, `{"field": {"value": ["red"], "selector": ["blue", "red"]}}`},
		{`array=["a", "b"]`, `{"array": ["a", "b"]}`},
	}
	for _, tt := range tests {
		got, err := encodeArgs(t, s, tt.arg)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s: %s, %v, want %s", tt.arg, got, err, tt.want)
		}
	}
	if got, err := encodeArgs(t, s, "list=1", "u8=2", "list=3"); got != `{"list": [1, 3], "u8": 2}` {
		t.Errorf("a repeated name: %s, %v", got, err)
	}
}

// TestValueErrors checks the path and the text of errors.
// TestSurrogates checks that a text that is not UTF-8 is the same after decoding and encoding, and that
// numbers have one form.
func TestSurrogates(t *testing.T) {
	s := builtin(t, "rt-link")
	for _, text := range []string{"\xff\xfea\x80", "\u00e9\xc3", "\U0001f600\xff\n"} {
		b := request(t, s, "newlink", 0, "ifname="+text)
		m := s.Decode(b, ynl.Request)
		v, err := ynl.ParseJSON(m.AppendJSON(nil))
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.AppendRequest(nil, s.Op("newlink"), v, ynl.RequestHeader{})
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q: %x, want %x: %v", text, again, b, err)
		}
	}
	want := request(t, s, "newlink", 0, "mtu=20")
	for _, arg := range []string{"mtu=020", "mtu=0x14", "mtu=0X14", "4=20", "0x4=20", "004=020"} {
		if got := request(t, s, "newlink", 0, arg); !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x", arg, got, want)
		}
	}
}

func TestValueErrors(t *testing.T) {
	s, err := ynl.ParseTable("x", valueTable)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ arg, path, text string }{
		{"u8=256", "u8", "256 does not fit into u8"},
		{"s8=128", "s8", "128 does not fit into s8"},
		{"s8=-129", "s8", "-129 does not fit into s8"},
		{"u64=18446744073709551616", "u64", "does not fit into 64 bits"},
		{"sint=9223372036854775808", "sint", "does not fit into sint"},
		{`u8={"a": 1}`, "u8", "want a number, have an object"},
		{"color=yellow", "color", `"yellow" is not in "color": red, green, blue`},
		{"bits=[1, {}]", "bits", "want a name of"},
		{"bits=[\"x\"]", "bits", "is not in"},
		{`text=["a"]`, "text", "want a text, have a list"},
		{"bytes=0", "bytes", "is not bytes in hex"},
		{"mac=1:2:300", "mac", "is not a hardware address"},
		{"ip=10.0.0.256", "ip", "is not an IP address"},
		{"ip4=fd00::1", "ip4", "is not an IPv4 address"},
		{"nested=1", "nested", "want an object, have a text"},
		{"nested.deep.ids=1", "nested.deep.ids", `no attribute "ids" in the set "inner"`},
		{"list=[1, x]", "", "JSON at byte"},
		{`list=[1, "x"]`, "list.1", "is not a number"},
		{`pair={"high": 1}`, "pair.high", `no member "high" in the struct "pair"`},
		{`pair={"name": "abcde"}`, "pair.name", "5 bytes, but the member has 4"},
		{`pair={"name": ["a"]}`, "pair.name", "want a text, have a list"},
		{`field={"value": 4294967296}`, "field.value", "4294967296 does not fit into 32 bits"},
		{`field={"values": 1}`, "field.values", "want value or selector"},
		{"array=1", "array", "want a list"},
		{`messages=[{"id": 1}]`, "messages.0", "want bytes in hex"},
		{"99=xy", "99", "is not bytes in hex"},
		{"20000=01", "20000", "no attribute"},
		{"text=" + strings.Repeat("a", 1<<16), "text", nla.ErrTooLong.Error()},
		{"bytes=" + strings.Repeat("00", 1<<16), "bytes", "too long"},
	} {
		_, err := encodeArgs(t, s, tt.arg)
		var e *ynl.ValueError
		if err == nil || !strings.Contains(err.Error(), tt.text) || tt.path != "" && (!errors.As(err, &e) || e.Path != tt.path) {
			t.Errorf("%.40s: %v, want %q at %q", tt.arg, err, tt.text, tt.path)
		}
		if e != nil && errors.Unwrap(e) == nil {
			t.Errorf("%.40s: the error has no reason", tt.arg)
		}
	}
}

// TestArgErrors checks arguments that are not an object.
func TestArgErrors(t *testing.T) {
	for args, text := range map[string]string{
		"a.b=1 a=2":                       "a has both a value and attributes",
		"a=2 a.b=1":                       "a has both a value and attributes",
		"=1":                              "empty name",
		"a..b=1":                          "empty name",
		"a={":                             "JSON at byte",
		strings.Repeat("a.", 100) + "b=1": "nested deeper",
		`a={"x":1,"x":2}`:                 `duplicate key "x"`,
		`a=[1]x`:                          "after",
		"a=" + strings.Repeat("[", 100):   "nested deeper",
		`a={"b":`:                         "EOF",
		"a=[1":                            "EOF",
	} {
		if _, err := ynl.ParseArgs(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%.40s: %v, want %q", args, err, text)
		}
	}
}

// TestIncompleteJSON checks that incomplete text differs from malformed text.
func TestIncompleteJSON(t *testing.T) {
	for _, text := range []string{"", "{", "[", `{"a"`, `{"a":`, `{"a": 1`, `{"a": 1,`, "[1", "[1,", `[{"a": [`} {
		if _, err := ynl.ParseJSON([]byte(text)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v, want io.ErrUnexpectedEOF", text, err)
		}
	}
	for _, text := range []string{"}", "{]", `{"a": 1}}`, "[1}"} {
		if _, err := ynl.ParseJSON([]byte(text)); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v, want another error than io.ErrUnexpectedEOF", text, err)
		}
	}
}

// TestFields reads the values of decoded fields.
func TestFields(t *testing.T) {
	s, err := ynl.ParseTable("x", valueTable)
	if err != nil {
		t.Fatal(err)
	}
	v, err := ynl.ParseArgs([]string{"s8=-1", "color=9", "bits=low,high", "text=a", "flag", "nested.id=4"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.AppendRequest(nil, s.Op("get"), v, ynl.RequestHeader{Type: 20})
	if err != nil {
		t.Fatal(err)
	}
	m := s.Decode(b, ynl.Request)
	if f := m.Find("s8"); f.Int() != -1 || !f.IsInteger() || f.Form != ynl.FormInt {
		t.Errorf("s8: %+v", f)
	}
	if name, ok := m.Find("color").EnumName(); name != "blue" || !ok {
		t.Errorf("color: %q", name)
	}
	var bits []string
	m.Find("bits").Bits(func(name string, bit int) bool { bits = append(bits, name); return true })
	if strings.Join(bits, " ") != "low high" {
		t.Errorf("bits: %q", bits)
	}
	if f := m.Find("text"); string(f.Bytes()) != "a" || string(f.Raw) != "a\x00" || f.IsInteger() {
		t.Errorf("text: %+v", f)
	}
	if f := m.Find("nested").Find("id"); f.Uint() != 4 || f.Offset == 0 || f.Len != 8 {
		t.Errorf("nested.id: %+v", f)
	}
	if m.Find("absent") != nil || m.Find("") != nil {
		t.Error("a name that is not in the message is found")
	}
}

// TestJSONText escapes text as JSON. Bytes that are not UTF-8 become surrogates.
func TestJSONText(t *testing.T) {
	s, err := ynl.ParseTable("x", valueTable)
	if err != nil {
		t.Fatal(err)
	}
	typ := s.Set("x").Attr("text").Value
	for text, want := range map[string]string{
		"a\x00":                  `{"text": "a"}`,
		"a\x00b":                 `{"text": "a\u0000b"}`,
		"\"\\\n\r\t\b\f\x01\x7f": `{"text": "\"\\\n\r\t\b\f\u0001` + "\x7f" + `"}`,
		"é\xff\xc3":              `{"text": "é\udcff\udcc3"}`,
	} {
		b := nlmsg.Begin(nil, 20, 0, 0, 0)
		b = append(b, 1, 1, 0, 0)
		b = nlmsg.End(nla.AppendBytes(b, typ, []byte(text)), 0)
		m := s.Decode(b, ynl.Request)
		if got := m.AppendJSON(nil); string(got) != want || !json.Valid(got) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
