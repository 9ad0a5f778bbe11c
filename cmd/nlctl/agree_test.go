package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// libnl's program lists the same families, operations and groups. It does not print the
// flag uns-admin.
func TestListAgreesWithLibnl(t *testing.T) {
	needLinux(t)
	program, err := exec.LookPath("genl-ctrl-list")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must install libnl's genl-ctrl-list: ", err)
		}
		t.Skip("needs genl-ctrl-list (Debian: libnl-utils): ", err)
	}
	out, err := exec.Command(program, "-d").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := parseLibnl(t, string(out))

	code, stdout, stderr := nlctl(t, "list", "-json")
	var got []family
	if err := json.Unmarshal([]byte(stdout), &got); code != exitOK || err != nil {
		t.Fatalf("exit %d, %v, stderr %q", code, err, stderr)
	}
	for i := range got {
		for j, o := range got[i].Ops {
			got[i].Ops[j].Flags = without(o.Flags, "uns-admin")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-libnl +nlctl:\n%s", diff)
	}
	var ops int
	for _, f := range got {
		ops += len(f.Ops)
	}
	t.Logf("%d families, %d operations agree", len(got), ops)
}

func without(list []string, name string) []string {
	out := []string{}
	for _, s := range list {
		if s != name {
			out = append(out, s)
		}
	}
	return out
}

// parseLibnl reads lines like these:
//
//	0x0014 netdev version 1
//	    hdrsize 0 maxattr 0
//	      op unknown (0x0d) <admin_perm,has_doit,has_policy>
//	      grp mgmt (0x04)
func parseLibnl(t *testing.T, text string) []family {
	t.Helper()
	var out []family
	for line := range strings.Lines(text) {
		f := &family{}
		if len(out) > 0 {
			f = &out[len(out)-1]
		}
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "0x"):
			version := len(fields) - 2
			out = append(out, family{Name: strings.Join(fields[1:version], " "), Ops: []op{}, Groups: []group{}})
			f = &out[len(out)-1]
			f.ID = uint16(number(t, fields[0]))
			f.Version = number(t, fields[version+1])
		case fields[0] == "hdrsize":
			f.HdrSize, f.MaxAttr = number(t, fields[1]), number(t, fields[3])
		case fields[0] == "op":
			f.Ops = append(f.Ops, op{ID: number(t, fields[2]), Flags: libnlFlags(t, fields[3])})
		case fields[0] == "grp":
			f.Groups = append(f.Groups, group{fields[1], number(t, fields[2])})
		}
	}
	if len(out) == 0 {
		t.Fatalf("no family in %q", text)
	}
	return out
}

func number(t *testing.T, s string) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(strings.Trim(s, "()"), 0, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

// libnlFlags translates the flags and sorts them in nlctl's order.
func libnlFlags(t *testing.T, s string) []string {
	t.Helper()
	has := map[string]bool{}
	for name := range strings.SplitSeq(strings.Trim(s, "<>"), ",") {
		has[name] = true
	}
	delete(has, "")
	out := []string{}
	for _, f := range [][2]string{{"has_doit", "do"}, {"has_dump", "dump"}, {"has_policy", "policy"}, {"admin_perm", "admin"}} {
		if has[f[0]] {
			out = append(out, f[1])
			delete(has, f[0])
		}
	}
	if len(has) > 0 {
		t.Fatalf("unknown flags of libnl: %v", has)
	}
	return out
}
