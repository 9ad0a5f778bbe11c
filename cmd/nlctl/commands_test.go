package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

// Each command has examples in its help, and the manual has every command and option.
func TestHelpAndManual(t *testing.T) {
	code, manual, stderr := nlctl(t, "man")
	if code != exitOK || stderr != "" || !strings.HasPrefix(manual, ".TH NLCTL 8\n") {
		t.Fatalf("exit %d, stderr %q", code, stderr)
	}
	for _, s := range commands {
		code, help, _ := nlctl(t, "help", s.name)
		if code != exitOK || !strings.Contains(help, "Examples:\n\n      nlctl ") && s.name != "decode" {
			t.Errorf("help %s: exit %d:\n%s", s.name, code, help)
		}
		if _, short, _ := nlctl(t, s.name, "-h"); short != help {
			t.Errorf("%s -h differs from help %s", s.name, s.name)
		}
		c := s.command()
		if !strings.Contains(manual, ".SS "+s.name) {
			t.Errorf("the manual lacks %s", s.name)
		}
		for _, f := range c.Flags {
			if name := f.Names()[0]; !strings.Contains(manual, "\n.B "+escapeRoff("-"+name)) {
				t.Errorf("the manual lacks -%s of %s", name, s.name)
			}
			if usage := f.(cli.DocGenerationFlag).GetUsage(); usage == "" {
				t.Errorf("-%s of %s has no description", f.Names()[0], s.name)
			}
		}
	}
	if _, help, _ := nlctl(t, "help"); !strings.Contains(help, "   completion  print a script") || !strings.Contains(manual, ".SS completion bash|zsh") {
		t.Errorf("help or the manual lacks completion:\n%s", help)
	}
	if code, help, _ := nlctl(t, "help", "completion"); code != exitOK || !strings.Contains(help, "source <(nlctl completion bash)") || strings.Contains(help, "Output") {
		t.Errorf("help completion: exit %d:\n%s", code, help)
	}
	macros := []string{".TH", ".SH", ".SS", ".TP", ".B", ".PP", ".nf", ".fi"}
	for line := range strings.Lines(manual) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(name, ".") && !slices.Contains(macros, name) {
			t.Errorf("unknown macro %q", line)
		}
	}
}

// The script for a shell runs nlctl with the words so far; each line is a word that can
// follow.
func TestCompletion(t *testing.T) {
	for _, tt := range []struct {
		args  string
		words []string
		not   string
	}{
		{"-bus example show", []string{"DOC_EXMPL", "nlctrl"}, "rt-link"},
		{"-bus example call", []string{"DOC_EXMPL", "nlctrl"}, "rt-link"},
		{"ops", []string{"ethtool", "rt-link", "tc"}, ""},
		{"ops ethtool", []string{"rings-get", "rings-set"}, "rings-ntf"},
		{"call rt-link", []string{"newlink", "getlink", "dellink"}, ""},
		{"call ethtool rings-get", []string{"header.dev-index=", "header.dev-name="}, "header.unspec="},
		{"call rt-link newlink", []string{"ifname=", "mtu=", "linkinfo.kind="}, "linkinfo="},
		{"-bus example monitor", []string{"route", "netfilter", "nlctrl", "DOC_EXMPL"}, "rt-link"},
		{"monitor", []string{"route", "rt-link"}, "ethtool:monitor"},
		{"call nosuch x", nil, "nlctl"},
	} {
		code, stdout, stderr := nlctl(t, append(strings.Fields(tt.args), completionFlag)...)
		lines := strings.Split(stdout, "\n")
		for _, word := range tt.words {
			if !slices.Contains(lines, word) {
				t.Errorf("%s: no %q in %q", tt.args, word, lines)
			}
		}
		if code != exitOK || stderr != "" || tt.not != "" && slices.Contains(lines, tt.not) {
			t.Errorf("%s: exit %d, stderr %q, %q", tt.args, code, stderr, lines)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if code, script, _ := nlctl(t, "completion", shell); code != exitOK || !strings.Contains(script, "generate-shell-completion") {
			t.Errorf("%s: exit %d:\n%s", shell, code, script)
		}
	}
}

func TestOps(t *testing.T) {
	t.Setenv("NLCTL_SPECS", "")
	code, stdout, stderr := nlctl(t, "ops")
	names := strings.Fields(stdout)
	if code != exitOK || stderr != "" || len(names) < 33 || !slices.Contains(names, "rt-link") {
		t.Errorf("exit %d, stderr %q, %q", code, stderr, names)
	}
	for _, tt := range []struct {
		args  string
		code  int
		wants []string
	}{
		{"rt-neigh", exitOK, []string{"getneigh      30       28     do,dump  -      -\n", "newneigh-ntf  -        28     notify   -      -\n"}},
		{"nlctrl getfamily", exitOK, []string{"\ndo request\n  2  family-name  string\n", "\ndump reply\n"}},
		{"rt-neigh newneigh", exitOK, []string{"\nheader ndmsg\n  ndm-family   u8\n", "  1   dst            binary ipv4-or-v6\n"}},
		{"nosuch", exitError, []string{`no spec of family "nosuch"`}},
		{"rt-link 16", exitOK, []string{"\nnewlink    16       -      do    -"}},
		{"ethtool 0x10", exitOK, []string{"\nrings-set "}},
		{"rt-neigh newneigh_ntf", exitOK, []string{"\nnewneigh-ntf ", "\nevent\n  1   dst "}},
		{"rt-neigh newneigh-ntf -json", exitOK, []string{`"event": [`, `"dst",`}},
		{"thermal 13", exitOK, []string{"event"}},
		{"nlctrl 200", exitUsage, []string{`nlctrl has no operation "200"`}},
		{"nlctrl nosuch", exitUsage, []string{`nlctrl has no operation "nosuch"`}},
		{"a b c", exitUsage, []string{"usage: nlctl ops"}},
	} {
		code, stdout, stderr := nlctl(t, append([]string{"ops"}, strings.Fields(tt.args)...)...)
		for _, want := range tt.wants {
			if code != tt.code || !strings.Contains(stdout+stderr, want) {
				t.Errorf("ops %s: exit %d, no %q in\n%s%s", tt.args, code, want, stdout, stderr)
			}
		}
	}
	// Every operation of every family can be printed, as text and as JSON.
	for _, name := range names {
		var all []operationJSON
		if _, stdout, _ := nlctl(t, "ops", "-json", name); json.Unmarshal([]byte(stdout), &all) != nil || len(all) == 0 {
			t.Errorf("%s: %s", name, stdout)
		}
		for _, op := range all {
			var one operationJSON
			_, stdout, _ := nlctl(t, "ops", "-json", name, op.Name)
			if err := json.Unmarshal([]byte(stdout), &one); err != nil || one.Name != op.Name {
				t.Errorf("%s %s: %v", name, op.Name, err)
			}
		}
	}
}

// Further specs have precedence over the built-in ones.
func TestOtherSpecs(t *testing.T) {
	file := t.TempDir() + "/nlctrl.yaml"
	spec := "name: nlctrl\nprotocol: genetlink-legacy\ndoc: x\nattribute-sets:\n  -\n    name: a\n    attributes:\n      -\n        name: other\n        value: 2\n        type: string\n" +
		"operations:\n  enum-model: directional\n  list:\n    -\n      name: fetch\n      doc: x\n      attribute-set: a\n      do:\n        request:\n          value: 3\n          attributes: [other]\n        reply:\n          value: 1\n          attributes: [other]\n"
	if err := os.WriteFile(file, []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(args ...string) {
		t.Helper()
		code, stdout, stderr := nlctl(t, append(args, "call", "nlctrl", "fetch", "other=nlctrl")...)
		if code != exitOK || !strings.HasPrefix(stdout, "fetch\n") || !strings.Contains(stdout, "  other  \"nlctrl\"\n") {
			t.Errorf("exit %d, stderr %q:\n%s", code, stderr, stdout)
		}
	}
	check("-bus", "example", "-spec", file)
	t.Setenv("NLCTL_SPECS", file)
	check("-bus", "example")
	t.Setenv("NLCTL_SPECS", "")
	// Unknown keys are warnings, once for each spec of -spec.
	if err := os.WriteFile(file, []byte("novel: 1\n"+spec), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Dir(file), filepath.Dir(file) + "/"} {
		code, _, stderr := nlctl(t, "-bus", "example", "-spec", path, "call", "nlctrl", "fetch", "other=nlctrl")
		if code != exitOK || !strings.HasPrefix(stderr, "nlctl: warning: ") || !strings.Contains(stderr, `nlctrl.yaml:1:1: `) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("-spec %s: exit %d, stderr %q", path, code, stderr)
		}
	}
	t.Setenv("NLCTL_SPECS", file)
	check("-bus", "example")
	if _, _, stderr := nlctl(t, "-bus", "example", "call", "nlctrl", "fetch", "other=nlctrl"); stderr != "" {
		t.Errorf("NLCTL_SPECS: stderr %q", stderr)
	}
	t.Setenv("NLCTL_SPECS", "")
	if code, _, stderr := nlctl(t, "-spec", file+"x", "ops"); code != exitError || !strings.Contains(stderr, "no such file") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	if err := os.WriteFile(file, []byte("name: x\nprotocol: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := nlctl(t, "-spec", file, "ops", "x"); code != exitError || !strings.Contains(stderr, "nlctrl.yaml:") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}
