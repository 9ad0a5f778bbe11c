package main

import (
	"strings"
	"testing"
)

const events = `
{"Action":"build-output","ImportPath":"x/broken","Output":"broken.go:1: syntax error\n"}
{"Action":"output","Package":"x","Test":"TestSkip","Output":"=== RUN   TestSkip\n"}
{"Action":"output","Package":"x","Test":"TestSkip","Output":"    x_test.go:12: needs root: operation not permitted\n"}
{"Action":"output","Package":"x","Test":"TestSkip","Output":"--- SKIP: TestSkip (0.00s)\n"}
{"Action":"skip","Package":"x","Test":"TestSkip"}
{"Action":"output","Package":"x","Test":"TestPass","Output":"--- PASS: TestPass (0.00s)\n"}
{"Action":"pass","Package":"x","Test":"TestPass"}
{"Action":"output","Package":"x","Test":"TestFail","Output":"    x_test.go:20: wrong\n"}
{"Action":"output","Package":"x","Test":"TestFail","Output":"--- FAIL: TestFail (0.00s)\n"}
{"Action":"fail","Package":"x","Test":"TestFail"}
{"Action":"output","Package":"x","Output":"FAIL\n"}
{"Action":"output","Package":"x","Output":"FAIL\tx\t0.1s\n"}
{"Action":"fail","Package":"x"}
{"Action":"skip","Package":"y","Test":"TestBare"}
{"Action":"output","Package":"y","Output":"PASS\n"}
{"Action":"output","Package":"y","Output":"ok  \ty\t0.1s\n"}
{"Action":"pass","Package":"y"}
`

func TestPrinter(t *testing.T) {
	var out strings.Builder
	p := printer{w: &out, output: map[string][]string{}, skipped: map[string]int{}}
	if err := p.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	printSkipped(&out, p.skipped)
	const want = `broken.go:1: syntax error
    x_test.go:20: wrong
--- FAIL: TestFail (0.00s)
FAIL
FAIL	x	0.1s
ok  	y	0.1s
Skipped tests:
    1  needs root
    1  no reason given
`
	if out.String() != want {
		t.Errorf("printed:\n%swant:\n%s", &out, want)
	}
	if err := p.read(strings.NewReader("go: no module\n")); err == nil {
		t.Error("what is not JSON: no error")
	}
}

func TestNothingSkipped(t *testing.T) {
	var out strings.Builder
	printSkipped(&out, nil)
	if out.String() != "No test was skipped.\n" {
		t.Errorf("printed %q", &out)
	}
}
