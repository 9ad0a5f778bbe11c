package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/internal/test/kerneltest"
)

// envMain makes the test binary run as nlctl, for tests with two processes.
const envMain = "NLWIRE_BE_NLCTL"

func TestMain(m *testing.M) {
	if os.Getenv(envMain) != "" {
		main() // does not return
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt) // starts the runtime's receiver of signals, which does not end
	signal.Stop(signals)
	kerneltest.Main(m)
}

// These commands need no kernel and run on any system.
func TestOnTheExampleBus(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"list", `
NAME       ID  VERSION  HDRSIZE  MAXATTR  OPS  GROUPS
nlctrl     16  2        0        0        2    notify
DOC_EXMPL  19  1        0        1        1    doc_events
`},
		{"show DOC_EXMPL", `
name           DOC_EXMPL
id             19
version        1
header size    0
max attribute  1

1 operations
  1  do dump policy

1 multicast groups
  2  doc_events
`},
		{"policy DOC_EXMPL", `
DOC_EXMPL: 1 operations with a policy
  1  do: policy 0  dump: policy 0

policy 0
  1  nul-string of at most 256 bytes
`},
		{"call DOC_EXMPL 1 1=hello", "\ncommand 1, version 1\n  1  nul-string  \"hello\"\n"},
		{"call DOC_EXMPL 0x1 0x1=a=b", "\ncommand 1, version 1\n  1  nul-string  \"a=b\"\n"},
		{"call DOC_EXMPL 1 1=\x1b[2J\xff", "\ncommand 1, version 1\n  1  bytes  1b5b324aff00\n"},
		{"call DOC_EXMPL 1 1:binary=68:69:00 -json", "\n" + `{"cmd":1,"version":1,"attrs":[{"type":1,"kind":"nul-string","value":"hi"}]}` + "\n"},
		{"show --generate-shell-completion", "\nDOC_EXMPL\nnlctrl\n"},
		{"call --generate-shell-completion", "\nDOC_EXMPL\nnlctrl\n"},
	} {
		code, stdout, stderr := nlctl(t, append([]string{"-bus", "example"}, strings.Fields(tt.args)...)...)
		if diff := cmp.Diff(tt.want[1:], stdout); diff != "" || code != exitOK || stderr != "" {
			t.Errorf("nlctl -bus example %s: exit %d, stderr %q, -want +got:\n%s", tt.args, code, stderr, diff)
		}
	}
}

func TestRefusalsOfTheExampleBus(t *testing.T) {
	for _, tt := range []struct {
		args, want string
		isErrno    bool
	}{
		{"show nosuch", `"nosuch"`, false},
		{"call nosuch 1", `"nosuch"`, false},
		{"call DOC_EXMPL 1", "DOC_EXMPL_A_MSG is required", false},
		{"call DOC_EXMPL 1 1:u32=0x01010101", "attribute 1: it must be nul-string of at most 256 bytes", false},
		{"call DOC_EXMPL 1 2:u8=1", "attribute 2", false},
		{"call DOC_EXMPL 7", "operation not supported", true},
		{"call DOC_EXMPL 7 -dump", "operation not supported", true},
		{"call nlctrl 3", "invalid argument", true},
	} {
		if tt.isErrno && runtime.GOOS != "linux" {
			continue // the text of an errno depends on the system
		}
		code, stdout, stderr := nlctl(t, append([]string{"-bus", "example"}, strings.Fields(tt.args)...)...)
		if code != exitError || stdout != "" || !strings.Contains(stderr, tt.want) {
			t.Errorf("nlctl %s: exit %d, stdout %q, stderr %q; want %q", tt.args, code, stdout, stderr, tt.want)
		}
	}
}

// reply is the JSON of a reply without names.
type reply struct {
	Cmd, Version uint8
	Attrs        []attribute
}

func TestCallDumps(t *testing.T) {
	code, stdout, stderr := nlctl(t, "-bus", "example", "call", "DOC_EXMPL", "1", "-dump", "-json")
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	if code != exitOK || stderr != "" || len(lines) != 200 {
		t.Fatalf("exit %d, %d lines, stderr %q", code, len(lines), stderr)
	}
	var last reply
	if err := json.Unmarshal([]byte(lines[199]), &last); err != nil {
		t.Fatal(err)
	}
	want := reply{Cmd: 1, Version: 1, Attrs: []attribute{{Type: 1, Kind: "nul-string", Value: "dump entry number 199"}}}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if code, stdout, _ := nlctl(t, "-bus", "example", "call", "DOC_EXMPL", "1", "-dump"); code != exitOK || strings.Count(stdout, "\n") != 400 {
		t.Errorf("exit %d, %d lines", code, strings.Count(stdout, "\n"))
	}
}

// An operation and its attributes may be numbers; the reply has names.
func TestCallByNumbersPrintsNames(t *testing.T) {
	code, stdout, stderr := nlctl(t, "-bus", "example", "call", "nlctrl", "3", "1=16", "-version", "9")
	for _, want := range []string{"getfamily\n", "  family-name  \"nlctrl\"\n", "  family-id  16\n", "  maxattr  0\n"} {
		if code != exitOK || !strings.Contains(stdout, want) || stderr != "" {
			t.Errorf("exit %d, %q lacks %q, stderr %q", code, stdout, want, stderr)
		}
	}
}

func TestMonitorOfTheExampleBusEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"nlctl", "-bus", "example", "monitor"}, &out, &errs); code != exitOK || out.Len() > 0 || errs.Len() > 0 {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out.String(), errs.String())
	}
}

func TestCallReportsWriteErrors(t *testing.T) {
	for _, args := range []string{"call DOC_EXMPL 1 1=x", "call -json DOC_EXMPL 1 1=x", "call DOC_EXMPL 1 -dump"} {
		var stderr bytes.Buffer
		code := run(t.Context(), slices.Concat([]string{"nlctl", "-bus", "example"}, strings.Fields(args)), failingWriter{}, &stderr)
		if code != exitError || !strings.Contains(stderr.String(), errFull.Error()) {
			t.Errorf("nlctl %s: exit %d, stderr %q", args, code, stderr.String())
		}
	}
}
