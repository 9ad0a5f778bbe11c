package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// reply of rt-link and rt-addr.
type linkReply struct {
	Ifname   string
	Mtu      int
	Linkinfo struct{ Kind string }
	Flags    []string `json:"ifi-flags"`
	Index    int      `json:"ifi-index"`
	Local    string
}

// called runs nlctl call with -json and returns its replies.
func called(t *testing.T, args string) (all []linkReply) {
	t.Helper()
	code, stdout, stderr := nlctl(t, append([]string{"call", "-json"}, strings.Fields(args)...)...)
	if code != exitOK || stderr != "" {
		t.Fatalf("call %s: exit %d, stderr %q", args, code, stderr)
	}
	for line := range strings.Lines(stdout) {
		var r linkReply
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		all = append(all, r)
	}
	return all
}

// Links and addresses are made, changed and listed by names.
func TestCallRouteByName(t *testing.T) {
	kerneltest.EnterNetNS(t)
	called(t, `rt-link newlink -flags create,excl ifname=v0 linkinfo.kind=veth linkinfo.data.peer.ifname=v1`)
	called(t, `rt-link newlink {"ifname":"v0","mtu":1400,"ifi-flags":["up"],"ifi-change":1}`)
	link := called(t, "rt-link getlink ifname=v0")
	if len(link) != 1 || link[0].Ifname != "v0" || link[0].Mtu != 1400 || link[0].Linkinfo.Kind != "veth" || !slices.Contains(link[0].Flags, "up") {
		t.Fatalf("%+v", link)
	}
	var names []string
	for _, r := range called(t, "rt-link getlink -dump") {
		names = append(names, r.Ifname)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"lo", "v0", "v1"}) {
		t.Errorf("%q", names)
	}
	code, _, stderr := nlctl(t, "call", "rt-addr", "newaddr", "-flags", "create,excl", "ifa-family=2", "ifa-prefixlen=24", "local=192.0.2.1", "ifa-index="+jsonNumber(link[0].Index))
	if addrs := called(t, "rt-addr getaddr -dump ifa-family=2"); code != exitOK || len(addrs) != 1 || addrs[0].Local != "192.0.2.1" {
		t.Errorf("exit %d, stderr %q, %+v", code, stderr, addrs)
	}
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"rt-link setlink ifname=v0 mtu=1", exitError, "call rt-link setlink: invalid argument: mtu less than device minimum"},
		{"rt-link newlink -flags create,excl ifname=v0 linkinfo.kind=veth", exitError, "call rt-link newlink: file exists"},
		{"rt-link newlink -flags create ifname=x0 linkinfo.kind=vxlan linkinfo.data.id=16777216", exitError, "attribute 18/2/1 (linkinfo.data.id)"},
		{"rt-link newlink ifname=v0 mtux=1", exitUsage, `mtux: no attribute "mtux" in the set "link-attrs"`},
		{"rt-link newlink ifname=v0 mtu=x", exitUsage, `mtu: "x" is not a number`},
		{"rt-link newlink ifname=v0 linkinfo.kindx=x", exitUsage, "linkinfo.kindx"},
		{"rt-link bogus", exitUsage, `rt-link has no operation "bogus"; nlctl ops rt-link lists them`},
		{"rt-link newlink -flags bogus", exitUsage, `unknown flag "bogus"`},
		{`rt-link newlink {"ifname":`, exitUsage, "the JSON is incomplete"},
		{`rt-link newlink {"ifname":x}`, exitUsage, "malformed JSON near byte 9"},
		{"16 getfamily family-name=nlctrl", exitOK, "family-id  16"},
		{"16 bogus", exitUsage, `nlctrl has no operation "bogus"`},
		{"9999 getfamily", exitError, "not registered"},
		{"rt-link 9999", exitUsage, "rt-link has no request of type 9999"},
		{"rt-link getlink ifname=" + strings.Repeat("a", 70_000), exitUsage, "getlink: ifname: longer than an attribute can be (65531 bytes)"},
		{"rt-neigh newneigh-ntf", exitUsage, "is a notification; nlctl monitor prints it"},
		{"tcp_metrics get -dump", exitOK, "success, the list is empty"},
		{"rt-link dellink ifname=v0", exitOK, "success, without a reply"},
		{"rt-link getlink ifname=v0", exitError, "no such device"},
	} {
		code, stdout, stderr := nlctl(t, append([]string{"call"}, strings.Fields(tt.args)...)...)
		if code != tt.code || !strings.Contains(stdout+stderr, tt.want) || strings.Contains(stderr, "strconv") {
			t.Errorf("call %s: exit %d, want %d and %q:\n%s%s", tt.args, code, tt.code, tt.want, stdout, stderr)
		}
	}
}

func jsonNumber(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// The kernel's error, and that of -check, point at the attribute by its name.
func TestCallErrorsName(t *testing.T) {
	needLinux(t)
	for args, want := range map[string]string{
		"nlctrl getfamily family-name=0123456789abcdef":        "attribute 2 (family-name): it must be nul-string of at most 15 bytes",
		"nlctrl getfamily -check family-name=0123456789abcdef": "not sent: invalid argument: ",
	} {
		code, _, stderr := nlctl(t, append([]string{"call"}, strings.Fields(args)...)...)
		if code != exitError || !strings.Contains(stderr, want) || !strings.Contains(stderr, "family-name") {
			t.Errorf("call %s: exit %d, stderr %q, want %q", args, code, stderr, want)
		}
	}
	if code, stdout, stderr := nlctl(t, "call", "nlctrl", "getfamily", "-check", "family-name=nlctrl"); code != exitOK || !strings.Contains(stdout, "family-id  16") || stderr != "" {
		t.Errorf("exit %d, stderr %q:\n%s", code, stderr, stdout)
	}
	// The spec's policy is only a warning.
	code, stdout, stderr := nlctl(t, "call", "rt-link", "getlink", "-check", "ifi-index=1", "mtu=5")
	if code != exitOK || !strings.Contains(stdout, `ifname  "lo"`) || !strings.Contains(stderr, "nlctl: warning: call rt-link getlink: mtu: ") {
		t.Errorf("exit %d, stderr %q:\n%s", code, stderr, stdout)
	}
}

func TestNamesOfShowAndPolicy(t *testing.T) {
	needLinux(t)
	for args, want := range map[string]string{
		"show nlctrl":         "  3   getfamily  do dump",
		"show 16":             "  3   getfamily  do dump",
		"show 0x10":           "  3   getfamily  do dump",
		"policy nlctrl":       "  10  getpolicy  dump: policy 1\n",
		"show -json nlctrl":   `"name": "getpolicy"`,
		"policy -json nlctrl": `"name": "family-name"`,
	} {
		if code, stdout, stderr := nlctl(t, strings.Fields(args)...); code != exitOK || !strings.Contains(stdout, want) {
			t.Errorf("%s: exit %d, stderr %q, no %q in\n%s", args, code, stderr, want, stdout)
		}
	}
}

// A family that does not exist has the same exit status in all commands; an operation or a group
// that a family does not have is a fault of the command line.
func TestUnknownFamily(t *testing.T) {
	for args, want := range map[string]int{
		"show nosuch": exitError, "policy nosuch": exitError, "ops nosuch": exitError, "monitor nosuch": exitError,
		"monitor nosuch:1": exitError, "call nosuch 1": exitError, "call nosuch get": exitError, "call nosuch get a=1": exitError,
		"call 65000 1": exitError, "-bus example call nosuch get": exitError,
		"ops nlctrl nosuch": exitUsage, "call nlctrl nosuch": exitUsage, "monitor nlctrl:nosuch": exitUsage,
		"-bus example call DOC_EXMPL nosuch": exitUsage,
	} {
		code, stdout, stderr := nlctl(t, strings.Fields(args)...)
		if code != want || stdout != "" || !strings.Contains(stderr, "nosuch") && !strings.Contains(stderr, "65000") {
			t.Errorf("nlctl %s: exit %d, want %d, stderr %q", args, code, want, stderr)
		}
	}
}
