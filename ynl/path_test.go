package ynl_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// builtin returns a built-in family.
func builtin(t testing.TB, name string) *ynl.Spec {
	t.Helper()
	s, err := ynl.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// request returns a request that is encoded from arguments of a command line.
func request(t testing.TB, s *ynl.Spec, op string, flags nlmsg.Flags, args ...string) nlmsg.Msg {
	t.Helper()
	v, err := ynl.ParseArgs(args)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.AppendRequest(nil, s.Op(op), v, ynl.RequestHeader{Type: 20, Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// paths calls f with the path and the offset of every attribute.
func paths(path string, list []ynl.Field, f func(path string, x *ynl.Field)) {
	for i := range list {
		x := &list[i]
		p := strings.TrimPrefix(path+"."+x.Name, ".")
		f(p, x)
		paths(p, x.Fields, f)
	}
}

func TestPathAt(t *testing.T) {
	s := builtin(t, "ethtool")
	m := request(t, s, "rings-set", 0, "header.dev-index=7", "header.flags=stats", "rx=512")
	d := s.Decode(m, ynl.Request)
	paths("", d.Fields, func(path string, f *ynl.Field) {
		if got, ok := d.PathAt(f.Offset); !ok || got != path {
			t.Errorf("offset %d is %q, want %q", f.Offset, got, path)
		}
	})
	for _, offset := range []int{0, 1, 16, 21, len(m), -1} {
		if path, ok := d.PathAt(offset); ok {
			t.Errorf("offset %d is %q, want none", offset, path)
		}
	}
}

func TestPathOfLists(t *testing.T) {
	s := builtin(t, "netdev")
	m := request(t, s, "bind-rx", 0, "ifindex=1", "queues.0.id=1", "queues.0.type=rx", "queues.1.id=2")
	d := s.Decode(m, ynl.Request)
	var ids []string
	paths("", d.Fields, func(path string, f *ynl.Field) {
		if strings.HasSuffix(path, ".id") {
			p, _ := d.PathAt(f.Offset)
			ids = append(ids, p)
		}
	})
	if got := fmt.Sprint(ids); got != "[queues.0.id queues.1.id]" {
		t.Errorf("paths %s", got)
	}
}

func TestMissingPath(t *testing.T) {
	s := builtin(t, "ethtool")
	m := request(t, s, "rings-get", 0, "header.flags=stats")
	d := s.Decode(m, ynl.Request)
	header := d.Find("header")
	index := s.Set("header").Attr("dev-index").Value
	tests := []struct {
		nest int
		typ  uint16
		want string
	}{
		{0, header.Type, "header"},
		{header.Offset, index, "header.dev-index"},
		{header.Offset, 999, ""},
		{header.Offset + 1, index, ""},
	}
	for _, tt := range tests {
		if got, ok := d.MissingPath(tt.nest, tt.typ); got != tt.want || ok != (tt.want != "") {
			t.Errorf("nest %d, type %d: %q, want %q", tt.nest, tt.typ, got, tt.want)
		}
	}
	got := s.Explain(m, &nlmsg.ExtAck{Offset: uint32(header.Offset), MissType: uint32(index), MissNest: uint32(header.Offset)})
	if want := (ynl.Explanation{Op: s.Op("rings-get"), Invalid: "header", Missing: "header.dev-index", Nest: "header"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := s.Explain(m, &nlmsg.ExtAck{}), (ynl.Explanation{Op: s.Op("rings-get")}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestErrorPaths(t *testing.T) {
	tests := []struct{ family, op, args, path, text string }{
		{"ethtool", "rings-get", "header.dev-index=eth0", "header.dev-index", `"eth0" is not a number`},
		{"ethtool", "rings-get", "header.dev_name=eth0", "header.dev_name", `is it "dev-name"?`},
		{"ethtool", "rings-set", "rx=-1", "rx", "-1 does not fit into u32"},
		{"ethtool", "rings-set", "rx=4294967296", "rx", "4294967296 does not fit into u32"},
		{"ethtool", "rings-get", "header=5", "header", "want an object, have a text"},
		{"ethtool", "rings-get", "header.flags=fast", "header.flags", `"fast" is not in "header-flags"`},
		{"rt-link", "newlink", "ifi-index=x", "ifi-index", "is not a number"},
		{"rt-link", "newlink", "address=zz", "address", `"zz" is not a hardware address`},
		{"rt-link", "newlink", "linkinfo.data.id=5", "linkinfo.data", `depends on "kind"`},
		{"rt-link", "newlink", "linkinfo.kind=nothing linkinfo.data.id=5", "linkinfo.data", `no format for kind "nothing"`},
		{"rt-link", "newlink", "linkinfo.kind=vlan linkinfo.data.id=x", "linkinfo.data.id", "is not a number"},
		{"rt-link", "newlink", "map.mem=1", "map.mem", `no member "mem"`},
		{"nlctrl", "getpolicy", "policy.attr-id=1", "policy.policy-id", "missing"},
		{"netdev", "bind-rx", "queues.0.id=1 queues.1.id=x", "queues.1.id", "is not a number"},
		{"rt-route", "newroute", "dst=300.1.1.1", "dst", "is not an IP address"},
		{"ethtool", "rings-ntf", "", "", "no request"},
	}
	for _, tt := range tests {
		s := builtin(t, tt.family)
		v, err := ynl.ParseArgs(strings.Fields(tt.args))
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.AppendRequest([]byte("kept"), s.Op(tt.op), v, ynl.RequestHeader{})
		var e *ynl.ValueError
		if !errors.As(err, &e) || e.Path != tt.path || !strings.Contains(e.Error(), tt.text) {
			t.Errorf("%s %s: error %v, want one of %q with %q", tt.op, tt.args, err, tt.path, tt.text)
		}
		if string(b) != "kept" {
			t.Errorf("%s %s: the buffer is %q afterwards", tt.op, tt.args, b)
		}
	}
}

func TestCheck(t *testing.T) {
	tests := []struct{ family, op, args, want string }{
		{"netdev", "dev-get", "ifindex=1", "[]"},
		{"netdev", "dev-get", "ifindex=0", "[ifindex: policy: integer out of range"},
		{"netdev", "dev-get", "ifindex=1 xdp-features=basic", "[xdp-features: dev-get does not list this attribute]"},
		{"wireguard", "set-device", "ifindex=1 peers.0.public-key=00", "[peers.0.public-key: policy: "},
		{"rt-link", "getlink", "ifname=lo", "[]"},
	}
	for _, tt := range tests {
		s := builtin(t, tt.family)
		m := request(t, s, tt.op, 0, strings.Fields(tt.args)...)
		if got := fmt.Sprint(s.Check(m, s.Op(tt.op))); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s %s: %s, want %s", tt.op, tt.args, got, tt.want)
		}
	}
}

// TestCheckNumbers checks limits and flags that a policy cannot express: they accept all values.
func TestCheckNumbers(t *testing.T) {
	s, err := ynl.ParseTable("x", `family x level=genetlink
flags low a=3 b=31
flags high a=0 b=33
set x
 a low u32 enum=low mask=low
 a high u64 enum=high mask=high
 a wide u64 big-endian min=2 max=9
 a short u16 big-endian min=2 max=9
 a little u32 little-endian max=9
 a native u64 min=2 max=9
op get request=1 set=x
 do-request low high wide short little native
`)
	if err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"low=a,b":                    "[]",
		"low=1":                      "[low: ",
		"high=a,b":                   "[]",
		"high=0x200000000":           "[]",
		"wide=5":                     "[]",
		"wide=1":                     "[]",
		"short=5":                    "[]",
		"short=1":                    "[short: ",
		"short=10":                   "[short: ",
		"little=5":                   "[]",
		"native=5":                   "[]",
		"native=1":                   "[native: ",
		"native=0x10000000000000000": "does not fit",
	} {
		v, err := ynl.ParseArgs([]string{args})
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.AppendRequest(nil, s.Op("get"), v, ynl.RequestHeader{Type: 20})
		got := fmt.Sprint(s.Check(b, s.Op("get")))
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
}

// TestPolicies derives the policy of every set.
func TestPolicies(t *testing.T) {
	for _, name := range ynl.BuiltinNames() {
		for _, set := range builtin(t, name).Sets {
			if err := set.Policy().Check(); err != nil {
				t.Errorf("%s %s: %v", name, set.Name, err)
			}
		}
	}
}
