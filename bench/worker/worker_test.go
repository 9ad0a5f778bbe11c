package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/bench/input"
)

// codecSets returns the inputs that do not require the kernel.
func codecSets(t *testing.T, kase string) map[string]*input.Set {
	t.Helper()
	if kase == "encode" {
		return map[string]*input.Set{"request": {}, "mixed": {HeaderLen: 16}, "nft": {HeaderLen: 4}, "tc": {HeaderLen: 20}}
	}
	switch kase {
	case "typed-link", "typed-link-copied":
		s, err := input.Links()
		if err != nil {
			t.Fatal(err)
		}
		return map[string]*input.Set{"links": s}
	case "typed-route":
		return map[string]*input.Set{"multipath": input.MultipathRoutes()}
	case "typed-nft":
		return map[string]*input.Set{"rules": input.NFTRules()}
	case "typed-flow":
		return map[string]*input.Set{"flows": input.Flows()}
	case "append":
		return map[string]*input.Set{"0": input.Payload(0), "17": input.Payload(17), "256": input.Payload(256)}
	}
	all := map[string]*input.Set{"u32": input.U32(), "mixed": input.Mixed()}
	for name, f := range map[string]func() (*input.Set, error){
		"families": input.Families, "policy": input.EthtoolPolicy, "links": input.Links,
	} {
		s, err := f()
		if err != nil {
			t.Fatal(err)
		}
		all[name] = s
	}
	return all
}

// The Go columns must do the same work. The runner compares them with the C columns.
func TestColumnsAgree(t *testing.T) {
	for _, kase := range []string{"decode", "decode-deep", "decode-policy", "encode", "append", "typed-link",
		"typed-link-copied", "typed-route", "typed-nft", "typed-flow"} {
		for name, set := range codecSets(t, kase) {
			want := map[string]uint64{}
			for column := range cases[kase] {
				check, run, err := sums(kase, column, set)
				if errors.As(err, new(absent)) {
					continue
				}
				if err != nil {
					t.Fatalf("%s of %s by %s: %v", kase, name, column, err)
				}
				if len(want) == 0 {
					want["check"], want["run"] = check, run
				}
				if check != want["check"] || run != want["run"] || check == 0 {
					t.Errorf("%s of %s by %s: %x, %x; others %x", kase, name, column, check, run, want)
				}
			}
		}
	}
}

// sums returns the checksum of the complete result and the checksum of three operations.
func sums(kase, column string, set *input.Set) (check, run uint64, err error) {
	task, err := cases[kase][column](set)
	if err != nil {
		return 0, 0, err
	}
	if check, err = task.checksum(); err != nil {
		return 0, 0, err
	}
	run, err = task.run(3)
	return check, run, err
}

func TestNlwireDoesNotAllocate(t *testing.T) {
	for _, kase := range []string{"decode", "decode-deep", "decode-policy", "encode", "append", "typed-link", "typed-route",
		"typed-nft", "typed-flow"} {
		for name, set := range codecSets(t, kase) {
			for column := range cases[kase] {
				if !strings.HasPrefix(column, "nlwire") {
					continue
				}
				task, err := cases[kase][column](set)
				if err != nil {
					t.Fatal(err)
				}
				allocs := testing.AllocsPerRun(10, func() {
					if _, err := task.run(1); err != nil {
						panic(err)
					}
				})
				if allocs != 0 {
					t.Errorf("%s of %s by %s: %v allocations", kase, name, column, allocs)
				}
			}
		}
	}
}

func TestWork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "set")
	if err := input.U32().Write(path); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := work([]string{"decode", "mdlayher", path}, strings.NewReader("check\nrun 2\ncount 2\n"), &out); err != nil {
		t.Fatal(err)
	}
	var check, sum uint64
	var ns, allocs, bytes, peak int64
	_, err := fmt.Sscanf(out.String(), "ready\nsum %x\nran %d %x\nallocated %d %d\npeak %d\n", &check, &ns, &sum, &allocs, &bytes, &peak)
	if err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	if ns <= 0 || sum != 2*check || peak < 1<<20 || allocs <= 0 || bytes <= allocs {
		t.Errorf("%s", out.String())
	}
}

func TestWorkRefuses(t *testing.T) {
	for _, args := range [][]string{
		nil, {"decode", "nlwire"}, {"nothing", "nlwire", "-"}, {"decode", "nobody", "-"}, {"decode", "nlwire", os.DevNull},
	} {
		if err := work(args, strings.NewReader(""), &strings.Builder{}); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
	for _, line := range []string{"walk\n", "run\n", "run x\n", "count x\n", "1\n"} {
		if err := work([]string{"encode", "nlwire", "-"}, strings.NewReader(line), &strings.Builder{}); err == nil {
			t.Errorf("%q was accepted", line)
		}
	}
}

func TestAbsentColumnsHaveAReason(t *testing.T) {
	var out strings.Builder
	path := filepath.Join(t.TempDir(), "set")
	if err := input.Flows().Write(path); err != nil {
		t.Fatal(err)
	}
	if err := work([]string{"typed-flow", "jsimonetti", path}, strings.NewReader(""), &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != "absent it implements rtnetlink only\n" {
		t.Errorf("%q", out.String())
	}
}

// Every column of "latency" sends its requests.
func TestLatency(t *testing.T) {
	calls := make(chan struct{}, 2*latencyRequests)
	task := latency(8, func() (uint64, error) { calls <- struct{}{}; return 3, nil })
	sum, err := task.run(1)
	if err != nil || len(calls) != latencyRequests || sum != 3*latencyRequests || task.took() <= 0 {
		t.Errorf("sum %d of %d calls, %v, %v", sum, len(calls), task.took(), err)
	}
}

func TestRivalsAreTheOriginals(t *testing.T) {
	if err := checkRivals(); err != nil {
		t.Error(err)
	}
}
