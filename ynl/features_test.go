package ynl_test

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// TestFeatures encodes a request for each feature of the format and decodes it again. What is
// decoded starts with want or, if that is empty, with the request: the members of the fixed
// header are last. The message contains the bytes, in hex.
func TestFeatures(t *testing.T) {
	tests := []struct{ feature, family, op, request, want, bytes string }{
		{"selector in the same set", "rt-link", "newlink", `{"linkinfo": {"kind": "vlan", "data": {"id": 5}}}`, ``, "09000100766c616e00"},
		{"selector in an outer set", "tc", "newqdisc", `{"kind": "codel", "stats2": {"app": {"maxpacket": 9, "count": 2}}}`, `{"kind": "codel", "stats2": {"app": {"maxpacket": 9, "count": 2, "lastcount": 0, "ldelay": 0, "drop-next": 0, "drop-overlimit": 0, "ecn-mark": 0, "dropping": 0, "ce-mark": 0}}`, ""},
		{"selector is a big-endian enum", "nftables", "newobj", `{"type": "quota", "data": {"bytes": 7}}`, ``, "0800030000000002"},
		{"format with a header only", "tc", "newqdisc", `{"kind": "pfifo", "options": {"limit": 10}}`, ``, "080002000a000000"},
		{"format with attributes only", "tc", "newqdisc", `{"kind": "fq_codel", "options": {"limit": 10}}`, ``, ""},
		{"format with a header and attributes", "tc", "newqdisc", `{"kind": "netem", "options": {"limit": 10, "ecn": 1}}`, `{"kind": "netem", "options": {"latency": 0, "limit": 10, "loss": 0, "gap": 0, "duplicate": 0, "jitter": 0, "ecn": 1}`, ""},
		{"format with neither", "tc", "newqdisc", `{"kind": "clsact", "options": {}}`, ``, "0b000100636c73616374000004000200"},
		{"kind without a format", "rt-link", "newlink", `{"linkinfo": {"kind": "new", "data": "0800010005000000"}}`, ``, "0c0002000800010005000000"},
		{"nest-type-value of two levels", "nlctrl", "getpolicy", `{"policy": {"policy-id": 2, "attr-id": 3, "type": "u32"}}`, ``, "14000880100002800c000380"},
		{"indexed array of nests", "nlctrl", "getfamily", `{"ops": [{"1": {"id": 3}}, {"7": {"id": 4}}]}`, ``, "0c00018008000100030000000c000780"},
		{"indexed array of scalars", "nl80211", "get-wiphy", `{"supported-commands": ["get-wiphy", "Unknown(9999)"]}`, ``, "0800000001000000080001000f270000"},
		{"indexed array of addresses", "rt-link", "newlink", `{"linkinfo": {"kind": "bond", "data": {"arp-ip-target": ["10.0.0.1"], "ns-ip6-target": ["fd00::1"]}}}`, ``, "080000000a000001"},
		{"repeated scalars", "tc", "newqdisc", `{"kind": "ets", "options": {"quanta": {"quanta-band": [1, 2]}}}`, ``, "08000400010000000800040002000000"},
		{"repeated strings", "rt-link", "newlink", `{"prop-list": {"alt-ifname": ["a", "b"]}}`, ``, ""},
		{"repeated structs", "rt-link", "newlink", `{"linkinfo": {"kind": "vlan", "data": {"egress-qos": {"mapping": [{"from": 1, "to": 2}]}}}}`, ``, ""},
		{"array in C", "ethtool", "rss-get", `{"indir": [1, 2, 3]}`, ``, "010000000200000003000000"},
		{"array in C of signed numbers", "tc", "newqdisc", `{"kind": "netem", "options": {"delay-dist": [-1, 1]}}`, `{"kind": "netem", "options": {"latency": 0, "limit": 0, "loss": 0, "gap": 0, "duplicate": 0, "jitter": 0, "delay-dist": [-1, 1]}`, "08000200ffff0100"},
		{"recursive sets", "ovs_flow", "get", `{"actions": {"sample": {"probability": 1, "actions": {"output": 2}}}}`, ``, ""},
		{"recursive sets of actions", "tc", "newtfilter", `{"kind": "matchall", "options": {"act": [{"1": {"kind": "gact"}}]}}`, ``, ""},
		{"nested structs", "tc", "newqdisc", `{"kind": "tbf", "options": {"parms": {"rate": {"overhead": 4, "rate": 1000}, "limit": 5}}}`, `{"kind": "tbf", "options": {"parms": {"rate": {"cell-log": 0, "linklayer": 0, "overhead": 4, "cell-align": 0, "mpu": 0, "rate": 1000}, "peakrate": {"cell-log": 0, "linklayer": 0, "overhead": 0, "cell-align": 0, "mpu": 0, "rate": 0}, "limit": 5, "buffer": 0, "mtu": 0}}`, "280001000000040000000000e8030000"},
		{"enum above 2^31", "nftables", "newrule", `{"expressions": {"elem": [{"name": "immediate", "data": {"data": {"verdict": {"code": "return"}}}}]}}`, ``, "08000100fffffffb"},
		{"enum with value-start", "drm-ras", "list-nodes", `{"node-type": "error-counter"}`, ``, "0800040001000000"},
		{"enum with gaps", "rt-link", "newlink", `{"linkinfo": {"kind": "macvlan", "data": {"mode": "source"}}}`, ``, "0800010010000000"},
		{"bitfield32 with flags", "devlink", "port-set", `{"port-function": {"caps": {"value": ["roce-bit"], "selector": ["migratable-bit", "roce-bit"]}}}`, ``, ""},
		{"bitfield32 without names", "tc", "newtfilter", `{"kind": "matchall", "options": {"act": [{"1": {"kind": "gact", "flags": {"value": 1, "selector": 3}}}]}}`, ``, "0c0007000100000003000000"},
		{"enum used as flags", "devlink", "resource-dump", `{"resource-scope-mask": ["dev", "port"]}`, ``, ""},
		{"flags used as an enum", "ethtool", "rings-get", `{"header": {"flags": ["compact-bitsets", "stats"]}}`, ``, ""},
		{"header that shares the object", "tc", "newqdisc", `{"kind": "pfifo", "ifindex": 3, "handle": 65536}`, `{"kind": "pfifo", "family": 0, "ifindex": 3, "handle": 65536, "parent": 0, "info": 0}`, ""},
		{"header of netfilter", "nftables", "newtable", `{"name": "t", "nfgen-family": 1}`, `{"name": "t", "nfgen-family": 1, "version": 0, "res-id": 0}`, "0100000006000100"},
		{"header of openvswitch", "ovs_datapath", "get", `{"name": "dp", "dp-ifindex": 4}`, ``, ""},
		{"hints", "ovs_flow", "get", `{"ufid": "00010203-0405-0607-0809-0a0b0c0d0e0f"}`, ``, "000102030405060708090a0b0c0d0e0f"},
		{"hint mac", "rt-link", "newlink", `{"address": "02:00:00:00:00:01"}`, ``, "020000000001"},
		{"hint hex", "rt-rule", "newrule", `{"fwmark": "0x7f", "fwmask": "0xff"}`, ``, "7f000000"},
		{"family of another name than its file", "sunrpc", "cache-flush", `{"mask": ["ip_map"]}`, ``, ""},
	}
	for _, tt := range tests {
		t.Run(tt.feature, func(t *testing.T) {
			s := builtin(t, tt.family)
			v, err := ynl.ParseJSON([]byte(tt.request))
			if err != nil {
				t.Fatal(err)
			}
			op := s.Op(tt.op)
			if op == nil {
				t.Fatalf("no operation %q", tt.op)
			}
			b, err := s.AppendRequest(nil, op, v, ynl.RequestHeader{Type: 20})
			if err != nil {
				t.Fatal(err)
			}
			m := s.DecodeOp(b, op)
			want := strings.TrimSuffix(cmp.Or(tt.want, tt.request), "}")
			if got := string(m.AppendJSON(nil)); !strings.HasPrefix(got, want) {
				t.Errorf("decoded\n%s, want\n%s", got, want)
			}
			if got := hex.EncodeToString(b); nativeLittle && !strings.Contains(got, tt.bytes) {
				t.Errorf("encoded %s, want %s in it", got, tt.bytes)
			}
		})
	}
}

// nativeLittle reports whether the machine has the byte order of the bytes in this file.
var nativeLittle = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// TestNumbers checks the numbers of operations: both models of numbering, with explicit values
// and replies that have none.
func TestNumbers(t *testing.T) {
	tests := []struct {
		family, op      string
		request, reply  int
		byReply         string // the operation that has the number of the reply
		notifies, group string
	}{
		{"ethtool", "strset-get", 1, 1, "strset-get", "", ""},
		{"ethtool", "linkinfo-set", 3, ynl.NoNumber, "", "", ""}, // a reply without a number
		{"ethtool", "linkinfo-ntf", ynl.NoNumber, 3, "linkinfo-ntf", "linkinfo-get", ""},
		{"nl80211", "get-wiphy", 1, 3, "get-wiphy", "", ""},
		{"rt-link", "getlink", 18, 16, "getlink", "", ""},
		{"rt-link", "newlink-ntf", ynl.NoNumber, 16, "getlink", "getlink", ""}, // the do request goes first
		{"nftables", "getrule", 10<<8 | 7, 10<<8 | 6, "getrule", "", ""},
		{"team", "noop", 0, 0, "noop", "", ""},
		{"psp", "dev-add-ntf", 2, 2, "dev-add-ntf", "dev-get", "mgmt"},
	}
	for _, tt := range tests {
		s := builtin(t, tt.family)
		o := s.Op(tt.op)
		if o == nil {
			t.Errorf("%s: no operation %q", tt.family, tt.op)
			continue
		}
		if o.Request != tt.request || o.Reply != tt.reply {
			t.Errorf("%s %s: numbers %d and %d, want %d and %d", tt.family, tt.op, o.Request, o.Reply, tt.request, tt.reply)
		}
		if by := s.OpByReply(tt.reply); tt.byReply != "" && by != s.Op(tt.byReply) {
			t.Errorf("%s: reply %d is of %v, want %s", tt.family, tt.reply, by, tt.byReply)
		}
		if tt.notifies == "" {
			continue
		}
		from := s.Op(tt.notifies)
		if o.Notify != from || o.Set != from.Set || o.FixedHeader != from.FixedHeader || !o.Async || tt.group != "" && o.Group != tt.group {
			t.Errorf("%s %s: it does not inherit from %s", tt.family, tt.op, tt.notifies)
		}
		if len(from.ReplyAttrs()) == 0 || len(o.ReplyAttrs()) != len(from.ReplyAttrs()) {
			t.Errorf("%s %s: %d attributes, want those of %s", tt.family, tt.op, len(o.ReplyAttrs()), tt.notifies)
		}
	}
}

// TestSubsets checks attributes of subsets: inherited, overridden, and twice in one subset.
func TestSubsets(t *testing.T) {
	gre6 := builtin(t, "rt-link").Set("linkinfo-gre6-attrs")
	if a, base := gre6.Attr("ttl"), gre6.Parent.Attr("ttl"); a == nil || a.Value != base.Value || a.Type != base.Type {
		t.Errorf("inherited attribute %+v, want %+v", a, base)
	}
	if a := gre6.Attr("local"); a.Hint != ynl.HintIPv6 || a.Value != gre6.Parent.Attr("local").Value || gre6.Parent.Attr("local").Hint == ynl.HintIPv6 {
		t.Errorf("overridden attribute %+v", a)
	}
	if gre6.ByValue(gre6.Attr("local").Value) != gre6.Attr("local") {
		t.Error("the number does not find the overridden attribute")
	}
	seen := map[string]int{}
	twice := 0
	table := builtin(t, "devlink").Set("dl-dpipe-table")
	for _, a := range table.Attrs {
		if seen[a.Name]++; seen[a.Name] == 2 {
			twice++
		}
		if table.ByValue(a.Value) == nil || table.Attr(a.Name).Value != a.Value {
			t.Errorf("%s is not found", a.Name)
		}
	}
	if twice == 0 {
		t.Error("the spec of devlink has no attribute twice: use another example")
	}
}

// TestPlaceholder checks that a constant of scope kernel is no limit: the spec of netdev has
// page-size 0, because the value depends on the kernel.
func TestPlaceholder(t *testing.T) {
	s := builtin(t, "netdev")
	c := s.Const("page-size")
	if c == nil || !c.Kernel {
		t.Fatalf("constant page-size: %+v, want one of the kernel", c)
	}
	for _, set := range s.Sets {
		if a := set.Attr("rx-page-size"); a != nil && (a.Checks == nil || a.Checks.Min != nil) {
			t.Errorf("the limits of rx-page-size are %+v, want no minimum", a.Checks)
		}
	}
}

// TestStructLength decodes structs that are shorter and longer than the spec has them: members
// that are cut stay bytes, and bytes after the members are counted.
func TestStructLength(t *testing.T) {
	const text = "family x level=genetlink\nstruct s\n m a u32\n m b u16\nset x\n a v binary struct=s\nop get request=1 set=x\n do-request v\n"
	s, err := ynl.ParseTable("x", text)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		length int
		json   string
		rest   int
	}{
		{0, `{"v": {}}`, 0},
		{4, `{"v": {"a": 0}}`, 0},
		{5, `{"v": {"a": 0, "b": "00"}}`, 0},
		{6, `{"v": {"a": 0, "b": 0}}`, 0},
		{8, `{"v": {"a": 0, "b": 0}}`, 0}, // C pads the struct to 8 bytes
		{12, `{"v": {"a": 0, "b": 0}}`, 6},
	}
	for _, tt := range tests {
		b := nlmsg.Begin(nil, 20, 0, 0, 0)
		b = append(b, 1, 1, 0, 0)
		b = nlmsg.End(nla.AppendBytes(b, 1, make([]byte, tt.length)), 0)
		m := s.DecodeOp(b, s.Op("get"))
		if got := string(m.AppendJSON(nil)); got != tt.json || m.Find("v").Rest != tt.rest {
			t.Errorf("%d bytes: %s, rest %d, want %s, rest %d", tt.length, got, m.Find("v").Rest, tt.json, tt.rest)
		}
	}
}

// TestHeaderPadding checks the padding between a fixed header and the attributes: that of the struct in
// C, and that of the kernel, which aligns attributes to 4 bytes.
func TestHeaderPadding(t *testing.T) {
	for members, offset := range map[string]int{
		" m a u16\n m b u8\n":  24,
		" m a u32\n m b u8\n":  28,
		" m a u64\n m b u32\n": 36,
	} {
		s, err := ynl.ParseTable("x", "family x level=genetlink\nstruct h\n"+members+"set x\n a v u32 min=5\nop get request=1 set=x header=h\n do-request v\n")
		if err != nil {
			t.Fatal(err)
		}
		v, err := ynl.ParseArgs([]string{"a=1", "b=2", "v=3"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.AppendRequest(nil, s.Op("get"), v, ynl.RequestHeader{})
		if err != nil {
			t.Fatal(err)
		}
		m := s.Decode(b, ynl.Request)
		if got := string(m.AppendJSON(nil)); got != `{"v": 3, "a": 1, "b": 2}` || m.Find("v").Offset != offset {
			t.Errorf("%q: %s, the attribute is at offset %d, want %d", members, got, m.Find("v").Offset, offset)
		}
		payload, headers, err := s.AppendPayload([]byte("x"), s.Op("get"), v, 0)
		if err != nil || string(payload) != "x"+string(nlmsg.Msg(b).Payload()) || headers != offset-nlmsg.HeaderLen {
			t.Errorf("%q: %v, payload %x, %d bytes of headers", members, err, payload, headers)
		}
		if problems := s.Check(b, s.Op("get")); len(problems) != 1 || problems[0].Path != "v" {
			t.Errorf("%q: Check reports %v, want v", members, problems)
		}
	}
}

// TestPayloadErrors checks that the slice is unchanged after an error.
func TestPayloadErrors(t *testing.T) {
	s := builtin(t, "rt-link")
	for op, args := range map[string]string{"newlink": "mtu=x", "newlink-ntf": "mtu=1"} {
		v, err := ynl.ParseArgs([]string{args})
		if err != nil {
			t.Fatal(err)
		}
		b, headers, err := s.AppendPayload([]byte("x"), s.Op(op), v, 0)
		var problem *ynl.ValueError
		if !errors.As(err, &problem) || problem.Op != op || string(b) != "x" || headers != 0 {
			t.Errorf("%s: %v, %q, %d", op, err, b, headers)
		}
	}
}

// TestUnknown keeps attributes, kinds and values that a spec does not have.
func TestUnknown(t *testing.T) {
	s := builtin(t, "rt-link")
	for _, text := range []string{
		`{"UnknownAttr(999)": "010203"`,
		`{"UnknownAttr(999)": ["01", "02"]`,
		`{"UnknownAttr(999)": {"UnknownAttr(1)": "01"}`,
		`{"linkinfo": {"kind": "newer", "data": "0102"}`,
		`{"linkinfo": {"kind": "macvlan", "data": {"mode": "Unknown(9)", "UnknownAttr(77)": ""}}`,
	} {
		v, err := ynl.ParseJSON([]byte(text + "}"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.AppendRequest(nil, s.Op("newlink"), v, ynl.RequestHeader{})
		if err != nil {
			t.Error(err)
			continue
		}
		m := s.Decode(b, ynl.Request)
		if got := string(m.AppendJSON(nil)); !strings.HasPrefix(got, text) {
			t.Errorf("%s, want %s", got, text)
		}
	}
}

// TestNotifications finds operations by messages that are no replies. A notification can have the
// number of a reply, and in thermal that of another operation.
func TestNotifications(t *testing.T) {
	for _, tt := range []struct {
		family              string
		number              int
		reply, notification string
	}{
		{"rt-link", 16, "getlink", "newlink-ntf"},
		{"rt-link", 17, "dellink", "dellink"}, // the spec has no notification with the number
		{"thermal", 3, "tz-get-temp", "tz-disable"},
		{"nlctrl", 1, "getfamily", "newfamily"},
	} {
		s := builtin(t, tt.family)
		typ := nlmsg.Type(tt.number)
		if s.Protocol == ynl.GenericProtocol {
			typ = 30
		}
		b := nlmsg.Begin(nil, typ, 0, 0, 0)
		if s.Protocol == ynl.GenericProtocol {
			b = append(b, byte(tt.number), 1, 0, 0)
		}
		b = nlmsg.End(b, 0)
		if got := s.OpOf(b, ynl.Reply); got != s.Op(tt.reply) || got == nil {
			t.Errorf("%s %d: reply of %v, want %s", tt.family, tt.number, got, tt.reply)
		}
		if got := s.OpOf(b, ynl.Notification); got != s.Op(tt.notification) || got != s.OpByNotification(tt.number) {
			t.Errorf("%s %d: notification %v, want %s", tt.family, tt.number, got, tt.notification)
		}
	}
}

// TestFirst checks operations that share a number and differ by the first byte of the header.
func TestFirst(t *testing.T) {
	s := builtin(t, "sock_diag")
	if s.OpByRequest(20) != nil || s.OpByReply(20) != nil {
		t.Error("the number alone finds an operation")
	}
	for name, first := range map[string]byte{"inet": 2, "inet6": 10, "unix": 1, "netlink": 16} {
		b, err := s.AppendRequest(nil, s.Op(name), ynl.Value{}, ynl.RequestHeader{Flags: nlmsg.FlagDump})
		if err != nil {
			t.Fatal(err)
		}
		if b[nlmsg.HeaderLen] != first {
			t.Errorf("%s: the first byte is %d, want %d", name, b[nlmsg.HeaderLen], first)
		}
		if got := s.OpOf(b, ynl.Request); got != s.Op(name) {
			t.Errorf("request %s is %v", name, got)
		}
		if got := s.OpOf(b, ynl.Reply); got != s.Op(name+"-msg") {
			t.Errorf("reply %s is %v", name, got)
		}
		if got := s.OpOf(b, ynl.Notification); got != s.Op(name+"-msg") {
			t.Errorf("notification %s is %v", name, got)
		}
	}
	for _, b := range [][]byte{nil, {1}, nlmsg.End(nlmsg.Begin(nil, 20, 0, 0, 0), 0)} {
		if op := s.OpOf(b, ynl.Reply); op != nil {
			t.Errorf("%x is %s", b, op.Name)
		}
	}
	text := string(ynl.AppendTable(nil, s))
	again, err := ynl.ParseTable("again", text)
	if err != nil || string(ynl.AppendTable(nil, again)) != text {
		t.Errorf("the table differs: %v", err)
	}
}
