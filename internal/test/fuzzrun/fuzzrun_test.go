package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const running = "fuzz: elapsed: 3s, execs: 49695 (16565/sec), new interesting: 15 (total: 96)\n" +
		"fuzz: elapsed: 5s, execs: 81000 (0/sec), new interesting: 16 (total: 97)\n"
	for name, tt := range map[string]struct {
		out   string
		want  result
		isEnd bool
	}{
		"the last line is used": {running, result{execs: 81000, fresh: 16, corpus: 97}, false},
		"time expired":          {running + "--- FAIL: FuzzRule (5.04s)\n    context deadline exceeded\nFAIL\n", result{execs: 81000, fresh: 16, corpus: 97}, true},
		"a finding": {
			running + "    Failing input written to testdata/fuzz/FuzzRule/4e0e\n    context deadline exceeded\n",
			result{execs: 81000, fresh: 16, corpus: 97, findings: []string{"testdata/fuzz/FuzzRule/4e0e"}}, false,
		},
		"a panic":        {running + "panic: oh\n    context deadline exceeded\n", result{execs: 81000, fresh: 16, corpus: 97}, false},
		"nothing at all": {"    context deadline exceeded\n", result{}, false},
	} {
		got := parse([]byte(tt.out))
		if got.execs != tt.want.execs || got.fresh != tt.want.fresh || got.corpus != tt.want.corpus || strings.Join(got.findings, " ") != strings.Join(tt.want.findings, " ") {
			t.Errorf("%s: %+v", name, got)
		}
		if isEnd := got.isEndOfTime([]byte(tt.out)); isEnd != tt.isEnd {
			t.Errorf("%s: isEndOfTime = %v", name, isEnd)
		}
	}
}

func TestCoverage(t *testing.T) {
	first, second := coverage{}, coverage{}
	for _, line := range []string{
		"mode: set", module + "nla/a.go:1.2,3.4 3 1", module + "nla/a.go:5.2,6.4 1 0", module + "nlmsg/b.go:1.2,3.4 10 1", "what is this",
	} {
		first.add(line)
	}
	second.add(module + "nla/a.go:5.2,6.4 1 1")
	check := func(pkg string, wantRan, wantAll int) {
		t.Helper()
		if ran, all := first.of(pkg); ran != wantRan || all != wantAll {
			t.Errorf("%s: %d of %d, want %d of %d", pkg, ran, all, wantRan, wantAll)
		}
	}
	check("nla", 3, 4)
	check("nlmsg", 10, 10)
	check("ctrl", 0, 0)
	first.merge(second)
	check("nla", 4, 4)
}

func TestListFindsTargets(t *testing.T) {
	packages, err := list("../../..", "")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, p := range packages {
		found[p.short()] = p.targets
	}
	if len(found["nla"]) == 0 || len(found["fuzz"]) == 0 || found["internal/test/fuzzrun"] != nil {
		t.Errorf("%v", found)
	}
	p := packages[0]
	p.targets = nil
	if err := p.find(regexp.MustCompile("no such target")); err != nil || p.targets != nil {
		t.Errorf("%v, %v", p.targets, err)
	}
}

func TestTable(t *testing.T) {
	var out strings.Builder
	c := coverage{}
	c.add(module + "nla/a.go:1.2,3.4 1 1")
	c.add(module + "nla/a.go:5.2,6.4 1 0")
	printTable(&out, []result{
		{pkg: "nla", target: "FuzzRule", execs: 5, fresh: 1, corpus: 7, cover: c},
		{pkg: "fuzz", target: "FuzzParse", execs: 6, failed: true, findings: []string{"testdata/x"}, cover: coverage{}},
	})
	for _, want := range []string{"nla %", "50.0", "none", "testdata/x", "total      11"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
