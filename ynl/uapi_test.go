package ynl_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/ynl"
)

// uapiHeaders are included in addition to the header of each family.
var uapiHeaders = []string{
	"linux/genetlink.h", "linux/rtnetlink.h", "linux/if_link.h", "linux/if_addr.h", "linux/neighbour.h",
	"linux/fib_rules.h", "linux/pkt_sched.h", "linux/pkt_cls.h", "linux/tc_act/tc_bpf.h",
	"linux/tc_act/tc_connmark.h", "linux/tc_act/tc_csum.h", "linux/tc_act/tc_ct.h",
	"linux/tc_act/tc_ctinfo.h", "linux/tc_act/tc_defact.h", "linux/tc_act/tc_gact.h",
	"linux/tc_act/tc_gate.h", "linux/tc_act/tc_ife.h", "linux/tc_act/tc_mirred.h",
	"linux/tc_act/tc_mpls.h", "linux/tc_act/tc_nat.h", "linux/tc_act/tc_pedit.h",
	"linux/tc_act/tc_sample.h", "linux/tc_act/tc_skbedit.h", "linux/tc_act/tc_skbmod.h",
	"linux/tc_act/tc_tunnel_key.h", "linux/tc_act/tc_vlan.h", "linux/if_tunnel.h",
	"linux/gen_stats.h", "linux/dpll.h", "linux/if_bridge.h", "linux/veth.h",
	"linux/netfilter/nfnetlink.h", "linux/netfilter/nf_tables.h", "linux/netfilter/nf_tables_compat.h",
	"linux/netfilter/nfnetlink_conntrack.h", "linux/netfilter/nf_conntrack_common.h", "linux/cgroupstats.h",
	"linux/inet_diag.h", "linux/unix_diag.h", "linux/netlink_diag.h", "linux/packet_diag.h",
	"linux/vm_sockets_diag.h", "linux/xdp_diag.h", "linux/bpf.h",
}

// check is a number of a spec with its name and expression in C.
type check struct {
	kind, name, expr string
	want             int64
}

// TestUAPINumbers compares the numbers of attributes and operations, and the offsets and sizes
// of struct members, with the uapi headers in a C program. Names that the headers do not have,
// because they are older or use other names, are counted. $NLWIRE_UAPI is the directory of
// other headers than those of the system.
func TestUAPINumbers(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("needs gcc and the headers of Linux")
	}
	var specs []*ynl.Spec
	var checks []check
	for _, name := range ynl.BuiltinNames() {
		s := builtin(t, name)
		specs = append(specs, s)
		checks = slices.Concat(checks, attrChecks(s), opChecks(s), structChecks(s), entryChecks(s))
	}
	absent := undeclared(t, gcc, specs, checks)
	t.Logf("not in the headers: %s", strings.Join(keys(absent), ", "))
	checks = slices.DeleteFunc(checks, func(c check) bool { return absent[c.name] })
	program := filepath.Join(t.TempDir(), "numbers")
	if out, err := compile(gcc, program, source(specs, checks)); err != nil {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	if out, err := exec.Command(program).CombinedOutput(); err != nil {
		t.Errorf("the headers differ:\n%s", out)
	}
	count := map[string]int{}
	for _, c := range checks {
		count[c.kind]++
	}
	fmt.Printf("uapi: attributes=%d operations=%d members=%d entries=%d absent=%d\n", count["attribute"], count["operation"], count["member"], count["entry"], len(absent))
	for _, kind := range []string{"attribute", "operation", "member", "entry"} {
		if count[kind] == 0 {
			t.Errorf("no %s was compared: are the headers of Linux installed?", kind)
		}
	}
}

// attrChecks returns the attributes of a family.
func attrChecks(s *ynl.Spec) []check {
	var list []check
	for _, set := range s.Sets {
		for _, a := range set.Attrs {
			name := setName(s.Name, set.Name, a.CName())
			list = append(list, check{"attribute", name, name, int64(a.Value)})
		}
	}
	return list
}

// setPrefixes are the prefixes of sets whose names in the specs of netfilter differ from those in the
// headers; see setName.
var setPrefixes = map[string]string{
	"nftables numgen": "NFTA_NG_", "nftables batch": "NFNL_BATCH_", "nftables nft-hook": "NFTA_HOOK_",
	"nftables hook-dev": "NFTA_DEVICE_", "nftables nft-counter": "NFTA_COUNTER_",
	"nftables expr-list": "NFTA_LIST_", "nftables setelem": "NFTA_SET_ELEM_",
	"nftables setelem-list": "NFTA_SET_ELEM_LIST_", "nftables expr-flow-offload": "NFTA_FLOW_",
	"nftables compat-target": "NFTA_TARGET_", "nftables compat-match": "NFTA_MATCH_",
	"nftables compat": "NFTA_COMPAT_", "nftables set-list": "NFTA_LIST_",
	"conntrack counter": "CTA_COUNTERS_", "conntrack tuple-proto": "CTA_", "conntrack tuple-ip": "CTA_",
	"conntrack tuple": "CTA_", "conntrack protoinfo": "CTA_", "conntrack nat-proto": "CTA_PROTO",
	"conntrack protoinfo-tcp": "CTA_PROTOINFO_", "conntrack protoinfo-dccp": "CTA_PROTOINFO_",
	"conntrack protoinfo-sctp": "CTA_PROTOINFO_SCTP_", "conntrack nat": "CTA_",
	"conntrack conntrack": "CTA_", "conntrack conntrack-stats": "CTA_STATS_",
}

// setName returns the name of an attribute in C. The specs of netfilter have no prefixes, but the
// names of their sets are those in the headers.
func setName(family, set, name string) string {
	start := map[string]string{"nftables": "NFTA_", "conntrack": "CTA_"}[family]
	if start == "" {
		return name
	}
	name = strings.TrimPrefix(name, upper(family+"-a-"+set+"-"))
	set = strings.TrimSuffix(set, "-attrs")
	if p, ok := setPrefixes[family+" "+set]; ok {
		return p + name
	}
	return start + upper(strings.TrimPrefix(set, "expr-")) + "_" + name
}

func upper(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "_")) }

// opChecks returns the operations of a family. The message types of netfilter have
// the number of a subsystem in their upper byte.
func opChecks(s *ynl.Spec) []check {
	var list []check
	for _, o := range s.Ops {
		name := s.CName(o)
		if s.Name == "thermal" {
			name = strings.TrimSuffix(name, "_NTF") // otherwise the name is that of a request
		}
		c := check{"operation", name, name, int64(o.Request)}
		if o.Async {
			c.want = int64(o.Reply)
		}
		if s.Level == ynl.NetlinkRaw {
			c.name = rawName(s.Name, name)
			c.expr = subsystems[s.Name] + c.name
		}
		list = append(list, c)
	}
	return list
}

// structChecks returns the offsets and sizes of the members of structs.
func structChecks(s *ynl.Spec) []check {
	var list []check
	for _, x := range s.Structs {
		for _, m := range x.Members {
			if m.Name == "" {
				continue // padding
			}
			in := "struct " + strings.ReplaceAll(x.Name, "-", "_")
			member := strings.ReplaceAll(m.Name, "-", "_")
			list = append(list,
				check{"member", "offset of " + in + "." + member, fmt.Sprintf("offsetof(%s, %s)", in, member), int64(m.Offset)},
				check{"member", "size of " + in + "." + member, fmt.Sprintf("sizeof((*(%s *)0).%s) ?: %d", in, member, m.Len), int64(m.Len)}) // arrays of open size have 0
		}
	}
	return list
}

// entryChecks returns the values of enums. The headers have the bits of flags as masks, also
// those of an enum that attributes use as flags only.
func entryChecks(s *ynl.Spec) []check {
	var list []check
	for _, e := range s.Enums {
		for _, x := range e.Entries {
			c := check{"entry", e.CName(x), e.CName(x), x.Value}
			isMask := !strings.HasSuffix(c.name, "_BIT")
			if isMask && (e.Flags || onlyFlags(s, e)) {
				c.want = 1 << x.Value
			}
			list = append(list, c)
		}
	}
	return list
}

func onlyFlags(s *ynl.Spec, e *ynl.Enum) bool {
	flags := false
	for _, set := range s.Sets {
		for _, a := range set.Attrs {
			if a.Enum == e && !a.Flags {
				return false
			}
			flags = flags || a.Enum == e
		}
	}
	return flags
}

// subsystems are the upper bytes of the message types of netfilter.
var subsystems = map[string]string{
	"nftables":  "NFNL_SUBSYS_NFTABLES << 8 | ",
	"conntrack": "NFNL_SUBSYS_CTNETLINK << 8 | ",
}

// rawName returns the name of an operation of a protocol other than Generic Netlink in C.
func rawName(family, name string) string {
	switch family {
	case "nftables":
		return strings.Replace(name, "NFTABLES_CMD_", "NFT_MSG_", 1)
	case "conntrack":
		if strings.HasSuffix(name, "GET_STATS") {
			return "IPCTNL_MSG_CT_GET_STATS_CPU" // of each processor, as its attributes show
		}
		name = strings.TrimSuffix(name, "_GLOBAL")
		return strings.Replace(name, "CONNTRACK_CMD_", "IPCTNL_MSG_CT_", 1)
	}
	return strings.TrimSuffix(name, "_NTF")
}

// firstCheck is the line of the program before the first check.
const firstCheck = "static const struct { const char *name; long long have, want; } list[] = {\n"

// source returns a C program that prints numbers that differ from the headers.
func source(specs []*ynl.Spec, list []check) []byte {
	var b bytes.Buffer
	b.WriteString("#include <stddef.h>\n#include <stdio.h>\n#include <sys/socket.h>\n#include <net/if.h>\n")
	headers := slices.Clone(uapiHeaders)
	for _, s := range specs {
		header := s.UAPIHeader
		if header == "" {
			header = "linux/" + strings.ReplaceAll(s.Name, "-", "_") + ".h"
		}
		headers = append(headers, header)
	}
	for _, h := range headers {
		fmt.Fprintf(&b, "#if __has_include(<%s>)\n#include <%s>\n#endif\n", h, h)
	}
	b.WriteString(firstCheck)
	for _, c := range list {
		fmt.Fprintf(&b, "{ \"%s\", %s, %d },\n", c.name, c.expr, c.want)
	}
	b.WriteString(`};
int main(void)
{
	int bad = 0;
	for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (list[i].have != list[i].want) {
			printf("%s is %lld, and %lld in the spec\n", list[i].name, list[i].have, list[i].want);
			bad = 1;
		}
	return bad;
}
`)
	return b.Bytes()
}

// undeclared returns the names of the checks that the headers do not allow to compile: most
// names are missing there, and the sizes of some arrays are open.
func undeclared(t *testing.T, gcc string, specs []*ynl.Spec, list []check) map[string]bool {
	t.Helper()
	words := headerWords(t, gcc, specs)
	absent := map[string]bool{}
	var rest []check
	for _, c := range list {
		for _, word := range wordPattern.FindAllString(c.name, -1) {
			absent[c.name] = absent[c.name] || !words[word]
		}
		if !absent[c.name] {
			delete(absent, c.name)
			rest = append(rest, c)
		}
	}
	program := source(specs, rest)
	out, err := compile(gcc, os.DevNull, program)
	if err == nil {
		return absent
	}
	before, _, _ := bytes.Cut(program, []byte(firstCheck))
	first := bytes.Count(before, []byte("\n")) + 2
	for _, m := range errorLine.FindAllSubmatch(out, -1) {
		line, err := strconv.Atoi(string(m[1]))
		if i := line - first; err == nil && i >= 0 && i < len(rest) {
			absent[rest[i].name] = true
		}
	}
	return absent
}

var (
	wordPattern = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
	errorLine   = regexp.MustCompile(`(?m)^<stdin>:([0-9]+):[0-9]+: error:`) // of gcc
)

// headerWords returns the words in the headers. It saves the compiler most errors for missing
// names, for which it looks for similar names.
func headerWords(t *testing.T, gcc string, specs []*ynl.Spec) map[string]bool {
	t.Helper()
	out, err := compile(gcc, "-", source(specs, nil), "-E", "-dD")
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	words := map[string]bool{"offset": true, "size": true, "of": true}
	for _, word := range wordPattern.FindAll(out, -1) {
		words[string(word)] = true
	}
	return words
}

// compile compiles a program and returns the output of the compiler.
func compile(gcc, out string, source []byte, args ...string) ([]byte, error) {
	args = append(args, "-x", "c", "-w", "-fmax-errors=0", "-o", out, "-")
	if dir := os.Getenv("NLWIRE_UAPI"); dir != "" {
		args = append([]string{"-I" + dir}, args...)
	}
	if out == os.DevNull {
		args = append([]string{"-fsyntax-only"}, args...)
	}
	cmd := exec.Command(gcc, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdin = bytes.NewReader(source)
	return cmd.CombinedOutput()
}
