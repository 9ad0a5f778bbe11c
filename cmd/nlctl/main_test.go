package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/ctrl"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/ynl"
)

// nlctl runs a command line and returns its exit status and output.
func nlctl(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"nlctl"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func TestVersion(t *testing.T) {
	code, stdout, stderr := nlctl(t, "-version")
	if want := "nlctl version " + version() + "\nnames of Linux " + ynl.LinuxRelease + "\n"; code != 0 || stdout != want || stderr != "" {
		t.Errorf("nlctl -version: exit status %d, output %q %q, want %q", code, stdout, stderr, want)
	}
}

func needLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("needs the Linux kernel")
	}
}

func TestUsageErrors(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"", "no command given"},
		{"bogus", `unknown command "bogus"`},
		{"help bogus", "No help topic for 'bogus'"},
		{"completion bogus", "No help topic for 'bogus'"},
		{"man -json", "not defined: -json"},
		{"list extra", "usage: nlctl list"},
		{"list -bogus", "-bogus"},
		{"show", "usage: nlctl show FAMILY"},
		{"show a b", "usage: nlctl show FAMILY"},
		{"show -bogus nlctrl", "-bogus"},
		{"-bus", "-bus"},
		{"-bus x list", `-bus "x" is neither`},
		{"-bus 0 list", `-bus "0" is neither`},
		{"-bus -1 list", `-bus "-1" is neither`},
		{"-bus 4294967296 list", `-bus "4294967296" is neither`},
		{"-bus= list", `-bus "" is neither`},
		{"-bus example serve", "-bus is not allowed"},
		{"serve x", "usage: nlctl serve"},
		{"serve -port x", "-port"},
		{"serve -port -1", "-port"},
		{"decode", "usage: nlctl decode FILE"},
		{"decode a b", "usage: nlctl decode FILE"},
		{"decode -header 256 a", "-header"},
		{"decode -protocol bogus a", `unknown protocol "bogus"; write a name`},
		{"-bus example decode a", "-bus is not allowed"},
		{"call", "usage: nlctl call FAMILY OP"},
		{"call DOC_EXMPL", "usage: nlctl call FAMILY OP"},
		{"-bus example call DOC_EXMPL x", `write a command from 0 to 255 instead of "x"`},
		{"-bus example call DOC_EXMPL 256", `instead of "256"`},
		{"-bus example call DOC_EXMPL 1 x", `attribute "x": write TYPE=VALUE`},
		{"-bus example call DOC_EXMPL 1 =x", `attribute "=x": write TYPE=VALUE`},
		{"-bus example call DOC_EXMPL 1 0=x", "a type from 1 to 16383"},
		{"-bus example call DOC_EXMPL 1 16384=x", "a type from 1 to 16383"},
		{"-bus example call DOC_EXMPL 1 1:nested=x", `unknown kind "nested"; the kinds are u8, u16`},
		{"-bus example call DOC_EXMPL 1 1:=x", `unknown kind ""`},
		{"call DOC_EXMPL 1 -version 256", "-version"},
		{"-bus example call DOC_EXMPL 1 2=x", "kind unknown; write 2:KIND=VALUE"},
		{"-bus example call DOC_EXMPL 2 1=x", "kind unknown"},
		{"-bus example call DOC_EXMPL 1 1", "nul-string needs a value; write 1=VALUE"},
	} {
		code, stdout, stderr := nlctl(t, strings.Fields(tt.args)...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, tt.want) {
			t.Errorf("nlctl %s: exit %d, stdout %q, stderr %q; want exit 2 and %q", tt.args, code, stdout, stderr, tt.want)
		}
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range []string{"help", "-h", "--help", "list --help", "show -h"} {
		code, stdout, stderr := nlctl(t, strings.Fields(args)...)
		if code != exitOK || !strings.Contains(stdout, "nlctl") || stderr != "" {
			t.Errorf("nlctl %s: exit %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestFamiliesThatAreNotThere(t *testing.T) {
	needLinux(t)
	for name, want := range map[string]string{
		"nosuch":                  `"nosuch"`,
		"":                        "at least one byte",
		"a_name_far_too_long":     `"a_name_far_too_long"`,
		"nul\x00inside":           `"nul\x00inside"`,
		strings.Repeat("x", 5000): "at most 15 bytes",
	} {
		code, stdout, stderr := nlctl(t, "show", name)
		if code != exitError || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("nlctl show %q: exit %d, stdout %q, stderr %q", name, code, stdout, stderr)
		}
	}
}

func TestListAndShowAgree(t *testing.T) {
	needLinux(t)
	code, stdout, stderr := nlctl(t, "list", "-json")
	var families []family
	if err := json.Unmarshal([]byte(stdout), &families); code != exitOK || err != nil || stderr != "" {
		t.Fatalf("exit %d, %v, stderr %q", code, err, stderr)
	}
	if len(families) == 0 || families[0].Name != "nlctrl" || families[0].ID != 16 {
		t.Fatalf("first of %d families: %+v", len(families), families)
	}
	_, table, _ := nlctl(t, "list")
	for _, want := range families {
		for _, args := range [][]string{{"show", "-json", want.Name}, {"show", want.Name, "--json"}} {
			code, stdout, stderr := nlctl(t, args...)
			var got family
			if err := json.Unmarshal([]byte(stdout), &got); code != exitOK || err != nil || stderr != "" {
				t.Fatalf("%q: exit %d, %v, stderr %q", args, code, err, stderr)
			}
			for i := range got.Ops {
				got.Ops[i].Name = "" // list has no names
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: -list +show:\n%s", want.Name, diff)
			}
		}
		if code, text, _ := nlctl(t, "show", want.Name); code != exitOK || !strings.Contains(text, printable(want.Name)) {
			t.Errorf("show %s: exit %d:\n%s", want.Name, code, text)
		}
		if !strings.Contains(table, "\n"+printable(want.Name)+" ") {
			t.Errorf("the table lacks %s:\n%s", want.Name, table)
		}
	}
}

// The JSON is an interface for programs: numbers are numbers, and lists are never null.
func TestJSON(t *testing.T) {
	var b bytes.Buffer
	f := newFamily(ctrl.Family{
		Name: "x", ID: 31, Version: 2, HdrSize: 4, MaxAttr: 7,
		Ops: []ctrl.Op{
			{ID: 1, Flags: genlmsg.OpDo | genlmsg.OpDump | genlmsg.OpPolicy | genlmsg.OpAdmin | genlmsg.OpUnsAdmin},
			{ID: 2, Flags: 0x100 | genlmsg.OpDo}, {ID: 3},
		},
		Groups: []ctrl.Group{{ID: 5, Name: "g"}},
	})
	if err := printJSON(&b, []family{f, newFamily(ctrl.Family{Name: "empty"})}); err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, b.Bytes()); err != nil {
		t.Fatal(err)
	}
	const want = `[{"name":"x","id":31,"version":2,"hdrsize":4,"maxattr":7,` +
		`"ops":[{"id":1,"flags":["do","dump","policy","admin","uns-admin"]},{"id":2,"flags":["do","0x100"]},{"id":3,"flags":[]}],` +
		`"groups":[{"name":"g","id":5}]},` +
		`{"name":"empty","id":0,"version":0,"hdrsize":0,"maxattr":0,"ops":[],"groups":[]}]`
	if diff := cmp.Diff(want, compact.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	err := printList(&b, []ctrl.Family{
		{Name: "nlctrl", ID: 16, Version: 2, Ops: make([]ctrl.Op, 2), Groups: []ctrl.Group{{ID: 16, Name: "notify"}}},
		{Name: "802.15.4 MAC", ID: 300, Version: 1, HdrSize: 4, MaxAttr: 28},
		{Name: "evil\x1b[2J", ID: 301, Groups: []ctrl.Group{{ID: 1, Name: "a"}, {ID: 2, Name: "b\n"}}},
	})
	const want = `
NAME            ID   VERSION  HDRSIZE  MAXATTR  OPS  GROUPS
nlctrl          16   2        0        0        2    notify
"802.15.4 MAC"  300  1        4        28       0    -
"evil\x1b[2J"   301  0        0        0        0    a,"b\n"
`
	if diff := cmp.Diff(want[1:], b.String()); diff != "" || err != nil {
		t.Errorf("error %v, -want +got:\n%s", err, diff)
	}
}

// A full pipe or disk is an error.
func TestWriteErrorsAreReported(t *testing.T) {
	needLinux(t)
	for _, args := range []string{"list", "list -json", "show nlctrl", "show -json nlctrl",
		"decode testdata/nlmon.pcap", "decode -json testdata/nlmon.pcap"} {
		var stderr bytes.Buffer
		code := run(t.Context(), append([]string{"nlctl"}, strings.Fields(args)...), failingWriter{}, &stderr)
		if code != exitError || !strings.Contains(stderr.String(), errFull.Error()) {
			t.Errorf("nlctl %s: exit %d, stderr %q", args, code, stderr.String())
		}
	}
}

var errFull = errors.New("the disk is full")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errFull }

func TestCompletionOffersFamilies(t *testing.T) {
	needLinux(t)
	code, stdout, _ := nlctl(t, "show", "--generate-shell-completion")
	if lines := strings.Fields(stdout); code != exitOK || !slices.Contains(lines, "nlctrl") {
		t.Errorf("exit %d, %q", code, stdout)
	}
}

func TestACancelledCommandSaysSo(t *testing.T) {
	needLinux(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stderr bytes.Buffer
	code := run(ctx, []string{"nlctl", "list"}, io.Discard, &stderr)
	if code != exitError || !strings.Contains(stderr.String(), "canceled") {
		t.Errorf("exit %d, stderr %q", code, stderr.String())
	}
}

// JSON contains only printable ASCII, and decodes to the same text.
func TestJSONIsASCII(t *testing.T) {
	const text = "\u009b1m\x7f\u00e9\U0001f600<\x1b\n\u2028"
	var out bytes.Buffer
	if err := newEncoder(&out).Encode(text); err != nil {
		t.Fatal(err)
	}
	for _, c := range strings.TrimSuffix(out.String(), "\n") {
		if c < ' ' || c > '~' {
			t.Errorf("%q in %q", c, out.String())
		}
	}
	var got string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != text {
		t.Errorf("%v, %q, want %q", err, got, text)
	}
}
