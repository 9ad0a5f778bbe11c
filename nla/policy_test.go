package nla

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// verdict is what validation says, in the terms of an extended ACK.
type verdict struct {
	Errno  Errno
	Msg    string
	Offset int    // -1 for none
	Policy string // the POLICY attributes in hex digits, "" for none
}

func judge(b []byte, p *Policy, mode Mode) verdict {
	var r Report
	errno := ParseReport(nil, b, p, mode, &r)
	v := verdict{Errno: errno, Msg: r.Msg, Offset: -1}
	if r.HasAttr {
		v.Offset = r.Offset
	}
	if r.Policy != nil {
		v.Policy = describe(r.Policy)
	}
	return v
}

// describe writes a rule's TLVs as text: "MAX_LEN 15, TYPE 12".
func describe(r *Rule) string {
	names := map[uint16]string{
		PolicyAttrType: "TYPE", PolicyAttrMinS: "MIN_S", PolicyAttrMaxS: "MAX_S", PolicyAttrMinU: "MIN_U", PolicyAttrMaxU: "MAX_U",
		PolicyAttrMinLen: "MIN_LEN", PolicyAttrMaxLen: "MAX_LEN", PolicyAttrBitmask: "BF32_MASK", PolicyAttrMask: "MASK",
	}
	var parts []string
	for a := range All(AppendRule(nil, r)) {
		v, err := a.Uint()
		if err != nil {
			return err.Error()
		}
		parts = append(parts, names[a.Type()]+" "+itoa(v))
	}
	return strings.Join(parts, ", ")
}

func itoa(v uint64) string {
	if v < 10 {
		return string(rune('0' + v))
	}
	return itoa(v/10) + itoa(v%10)
}

// The tables of the kernel's own families that the golden vectors ran against.
var (
	getFamily = &Policy{Attrs: []Rule{1: {Kind: KindU16}, 2: {Kind: KindNULString, Len: 15}}}
	getPolicy = &Policy{Attrs: []Rule{1: {Kind: KindU16}, 2: {Kind: KindNULString, Len: 15}, 10: {Kind: KindU32}}}
	devGet    = &Policy{Attrs: []Rule{1: Min(KindU32, 1)}}
	stringSet = &Policy{Attrs: []Rule{1: Nest(ethHeader), 2: {Kind: KindNested}, 3: {Kind: KindFlag}}}
	ethHeader = &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: {Kind: KindNULString, Len: 15}, 3: Mask(KindU32, 0xf)}}
	tcpMetric = &Policy{Attrs: []Rule{1: {Kind: KindU32}, 2: ExactLen(16), 11: {Kind: KindU32}, 12: ExactLen(16)}}
)

const (
	einval = EINVAL
	erange = ERANGE
)

// Seen on Linux 6.18 with EXT_ACK on. The kernel's offsets count from the start
// of the message; the attributes start at 20.
func TestGoldenVectors(t *testing.T) {
	name := func(s string) []byte { return AppendText(nil, 2, s) }
	nest := func(typ uint16, inside []byte) []byte { return AppendBytes(nil, typ, inside) }
	const nul15 = "MAX_LEN 15, TYPE 12"
	tests := []struct {
		name   string
		policy *Policy
		mode   Mode
		in     []byte
		want   verdict
	}{
		{"name without NUL", getFamily, Liberal, name("nlctrl"), verdict{einval, msgGeneric, 20, nul15}},
		{"name with NUL and 20 bytes of junk", getFamily, Liberal, name("nlctrl\x00" + strings.Repeat("j", 20)), verdict{erange, msgGeneric, 20, nul15}},
		{"name of 16 bytes and NUL", getFamily, Liberal, name(strings.Repeat("x", 16) + "\x00"), verdict{einval, msgGeneric, 20, nul15}},
		{"id of 1 byte, liberal", getFamily, Liberal, AppendUint8(nil, 1, 16), verdict{erange, msgGeneric, 20, "MIN_U 0, MAX_U 65535, TYPE 3"}},
		{"id of 1 byte, strict", getPolicy, Strict, AppendUint8(nil, 1, 16), verdict{einval, msgLength, 20, "MIN_U 0, MAX_U 65535, TYPE 3"}},
		{"id of 4 bytes, liberal", getFamily, Liberal, AppendUint32(nil, 1, 16), verdict{0, "", -1, ""}},
		{"id of 4 bytes, strict", getPolicy, Strict, AppendUint32(nil, 1, 16), verdict{einval, msgLength, 20, "MIN_U 0, MAX_U 65535, TYPE 3"}},
		{"2 bytes left over, liberal", getFamily, Liberal, append(name("nlctrl\x00"), 1, 2), verdict{0, msgLeftover, -1, ""}},
		{"a length of 0 behind, liberal", getFamily, Liberal, append(name("nlctrl\x00"), 0, 0, 0, 0), verdict{0, msgLeftover, -1, ""}},
		{"id with the nested bit", getPolicy, Strict, AppendUint16(nil, 1|Nested, 16), verdict{einval, msgNest, 20, "MIN_U 0, MAX_U 65535, TYPE 3"}},
		{"id with the byte order bit", getPolicy, Strict, AppendUint16(nil, 1|NetByteOrder, 16), verdict{0, "", -1, ""}},
		{"an attribute without a rule", getPolicy, Strict, AppendUint32(nil, 3, 1), verdict{einval, msgUnsupported, 20, ""}},
		{"ifindex 0", devGet, Strict, AppendUint32(nil, 1, 0), verdict{erange, msgRange, 20, "MIN_U 1, MAX_U 4294967295, TYPE 4"}},
		{"no attributes", devGet, Strict, nil, verdict{0, "", -1, ""}},
		{"header without the nested bit", stringSet, Strict, nest(1, AppendUint32(nil, 1, 1)), verdict{einval, msgNoNest, 20, "TYPE 13"}},
		{
			"header flags 0xff0", stringSet, Strict, nest(1|Nested, AppendUint32(AppendUint32(nil, 1, 1), 3, 0xff0)),
			verdict{einval, msgMask, 32, ""},
		},
		{"16-byte binary of 15", tcpMetric, Strict, AppendBytes(nil, 2, make([]byte, 15)), verdict{erange, msgBinaryRange, 20, "MIN_LEN 16, MAX_LEN 16, TYPE 10"}},
		{"16-byte binary of 17", tcpMetric, Strict, AppendBytes(nil, 2, make([]byte, 17)), verdict{erange, msgBinaryRange, 20, "MIN_LEN 16, MAX_LEN 16, TYPE 10"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // as it stands, then compiled
				got := judge(tt.in, tt.policy, tt.mode)
				if got.Offset >= 0 {
					got.Offset += 20
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("-kernel +nlwire:\n%s", diff)
				}
				tt.policy.Compile()
			}
		})
	}
}

func TestPolicyErrorReadsWell(t *testing.T) {
	err := Validate(AppendUint32(nil, 1, 0), devGet, Strict)
	if got, want := err.Error(), "nla: integer out of range: attribute 1 at offset 0 (u32) (errno 34)"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	var policy *PolicyError
	if !errors.As(err, &policy) || policy.Errno != ERANGE || policy.Policy != &devGet.Attrs[1] {
		t.Errorf("error %#v", err)
	}
}
