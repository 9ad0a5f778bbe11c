package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/bus"
	"github.com/nlwire/nlwire/conn"
	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// inner and kinds contain an attribute of each kind.
var (
	inner = &policy.Policy{Attrs: []policy.Rule{1: {Kind: policy.KindU8}}}
	kinds = &policy.Policy{Attrs: []policy.Rule{
		policy.KindU8: {Kind: policy.KindU8}, policy.KindU16: {Kind: policy.KindU16}, policy.KindU32: {Kind: policy.KindU32}, policy.KindU64: {Kind: policy.KindU64},
		policy.KindString: {Kind: policy.KindString}, policy.KindFlag: {Kind: policy.KindFlag}, policy.KindMsecs: {Kind: policy.KindMsecs},
		policy.KindNested: policy.Nest(inner), policy.KindNestedArray: policy.NestArray(inner), policy.KindNULString: {Kind: policy.KindNULString},
		policy.KindBinary: {Kind: policy.KindBinary}, policy.KindS8: {Kind: policy.KindS8}, policy.KindS16: {Kind: policy.KindS16}, policy.KindS32: {Kind: policy.KindS32},
		policy.KindS64: {Kind: policy.KindS64}, policy.KindBitfield32: policy.Mask(policy.KindBitfield32, 3), policy.KindReject: {Kind: policy.KindReject},
		policy.KindBE16: {Kind: policy.KindBE16}, policy.KindBE32: {Kind: policy.KindBE32}, policy.KindSint: {Kind: policy.KindSint}, policy.KindUint: {Kind: policy.KindUint},
	}}
)

// A value on the command line is printed the same after encoding and decoding.
func TestValuesOfEachKind(t *testing.T) {
	for _, tt := range []struct{ arg, want string }{
		{"1=255", "1  u8  255"},
		{"2=0xffff", "2  u16  65535"},
		{"3=4294967295", "3  u32  4294967295"},
		{"4=18446744073709551615", "4  u64  18446744073709551615"},
		{"5=text", `5  string  "text"`},
		{"5=", `5  string  ""`},
		{"6", "6  flag"},
		{"6=", "6  flag"},
		{"7=1500", "7  msecs  1500"},
		{"10=a\nb", `10  nul-string  "a\nb"`},
		{"11=00:ff", "11  binary  00ff"},
		{"11=6869", `11  binary  6869  "hi"`},
		{"11=", "11  binary"},
		{"1=020", "1  u8  20"},
		{"0x2=0X10", "2  u16  16"},
		{"11=0:ff:1", "11  binary  00ff01"},
		{"12=-128", "12  s8  -128"},
		{"13=-1", "13  s16  -1"},
		{"14=-2147483648", "14  s32  -2147483648"},
		{"15=-9223372036854775808", "15  s64  -9223372036854775808"},
		{"16=0x1/0x3", "16  bitfield32  0x1/0x3"},
		{"18=258", "18  be16  258"},
		{"19=1", "19  be32  1"},
		{"20=-5", "20  sint  -5"},
		{"20=-5000000000", "20  sint  -5000000000"},
		{"21=5000000000", "21  uint  5000000000"},
		{"3:string=a", `3  bytes  6100  "a"`},
		{"1:u64=1", "1  bytes  " + hex.EncodeToString(nla.AppendUint64(nil, 1, 1)[4:])},
		{"99:string=a\x1b", `99  bytes  611b00`},
	} {
		a, err := parseArgument(tt.arg)
		if err != nil {
			t.Error(err)
			continue
		}
		b, err := a.append(nil, ruleOf(kinds, a.typ))
		var out output
		writeAttributes(&out, 0, b, rulesOf(kinds), 0)
		if err != nil || string(out.b) != tt.want+"\n" {
			t.Errorf("%q: %q, want %q, %v", tt.arg, out.b, tt.want, err)
		}
	}
}

func TestValuesThatAreRefused(t *testing.T) {
	for arg, want := range map[string]string{
		"1=256":                           `"256" is not a valid u8; write a number from 0 to 255`,
		"1=-1":                            `"-1" is not a valid u8`,
		"1=":                              `"" is not a valid u8`,
		"2=x":                             "from 0 to 65535",
		"4=1e3":                           "from 0 to 18446744073709551615",
		"6=1":                             "a flag has no value; write 6",
		"8=1":                             "kind is nested; write the attributes in it: 8.TYPE=VALUE",
		"9=1":                             "kind is nested-array",
		"11=0":                            "write binary in hex",
		"11=zz":                           "write binary in hex",
		"12=128":                          "from -128 to 127",
		"15=99999999999999999999":         "from -9223372036854775808 to 9223372036854775807",
		"16=1":                            "write a bitfield32 as VALUE/SELECTOR",
		"16=1/x":                          "write a bitfield32 as VALUE/SELECTOR",
		"17=1":                            "the operation rejects this attribute",
		"22=1":                            "kind unknown",
		"1:flag=x":                        "a flag has no value",
		"5=" + strings.Repeat("x", 65531): "does not fit into an attribute",
	} {
		a, err := parseArgument(arg)
		if err == nil {
			_, err = a.append(nil, ruleOf(kinds, a.typ))
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error %v, want %q", arg, err, want)
		}
	}
}

func TestRepliesPrint(t *testing.T) {
	f := &ctrl.Family{HdrSize: 4}
	m := nlmsg.Begin(nil, 30, 0, 1, 2)
	m = append(genlmsg.Append(m, 5, 6), 1, 2, 3, 4)
	nest := len(m)
	m = nla.Begin(m, 8)
	m = nla.End(nla.AppendUint8(m, 1, 7), nest)
	array := len(m)
	m = nla.BeginNoFlag(m, 9)
	nest = len(m)
	m = nla.Begin(m, 0)
	m = nla.End(nla.End(nla.AppendUint8(m, 1, 8), nest), array)
	nest = len(m)
	m = nla.Begin(m, 300) // not in the policy
	m = nla.End(nla.AppendCString(m, 1, "x"), nest)
	m = nla.AppendBytes(m, 8, []byte{1}) // malformed attributes
	m = nlmsg.End(append(m, 1, 2, 3), 0)
	var out bytes.Buffer
	p := &printer{out: &output{w: &out}, header: int(f.HdrSize), policy: kinds}
	if err := errors.Join(p.print(m), p.out.Flush()); err != nil {
		t.Fatal(err)
	}
	const want = `command 5, version 6
  header 01020304
  8  nested
    1  bytes  07
  9  bytes  0c0000800500010008000000
  300  nested
    1  bytes  7800  "x"
  8  bytes  01
  at offset 72 of the message: nla: attribute length past the end of the input
  01020300
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	out.Reset()
	if err := errors.Join(p.print(nlmsg.Msg(m[:nlmsg.HeaderLen])), p.out.Flush()); err != nil || !strings.Contains(out.String(), "no Generic Netlink header") {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// Nests are decoded down to maxDepth.
func TestDeepNestsPrint(t *testing.T) {
	var b []byte
	for range 1000 {
		b = append(nla.AppendBytes(nil, 1|nla.Nested, b), b[:0]...)
	}
	var out output
	writeAttributes(&out, 0, b, rulesOf(nil), 0)
	if got := strings.Count(string(out.b), "1  nested\n"); got != maxDepth || !strings.Contains(string(out.b), "1  nested bytes  ") {
		t.Errorf("%d nests:\n%.200s", got, out.b)
	}
}

// An implausible header size from a peer is rejected.
func TestFamilyWithAHugeHeader(t *testing.T) {
	b := bus.New()
	defer b.Close()
	port, err := b.Open()
	if err != nil {
		t.Fatal(err)
	}
	cn := conn.New(port)
	defer cn.Close()
	if _, err := newRequest(nil, cn, &ctrl.Family{Name: "x", HdrSize: 1 << 31}, 1); err == nil || !strings.Contains(err.Error(), "header size of 2147483648 bytes") {
		t.Errorf("error %v", err)
	}
}

// -flags accepts the flags that its help lists, under the names that decode prints.
func TestFlagNames(t *testing.T) {
	for name, want := range map[string]nlmsg.Flags{
		"create": nlmsg.FlagCreate, "excl": nlmsg.FlagExcl, "replace": nlmsg.FlagReplace, "append": nlmsg.FlagAppend,
		"echo": nlmsg.FlagEcho, "root": nlmsg.FlagRoot, "match": nlmsg.FlagMatch, "atomic": nlmsg.FlagAtomic,
		"bulk": nlmsg.FlagBulk, "nonrec": nlmsg.FlagNonRec, "request": 0, "dump": 0, "0": 0, "0x1000": 0, "": 0,
	} {
		if got := flagOf(name); got != want {
			t.Errorf("%q: %#x, want %#x", name, got, want)
		}
	}
	for flags, want := range map[nlmsg.Flags]string{
		0x0100: "root/replace", 0x0f04: "ack|root/replace|match/excl|atomic/create|append", 0x8000: "0x8000", 0: "",
	} {
		if got := namesOfFlags(flags, nlmsg.KindUnknown); got != want {
			t.Errorf("%#x: %q, want %q", flags, got, want)
		}
	}
}
