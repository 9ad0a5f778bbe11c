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

// codecSets are the inputs that need no kernel.
func codecSets(t *testing.T, kase string) map[string]*input.Set {
	t.Helper()
	if kase == "encode" {
		return map[string]*input.Set{"request": {}, "mixed": {HeaderLen: 16}}
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

// The Go columns must do the same work. With those in C the runner compares them.
func TestColumnsAgree(t *testing.T) {
	for _, kase := range []string{"decode", "decode-deep", "decode-policy", "encode"} {
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

// sums returns a column's checksum, and that of three operations.
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
	for _, kase := range []string{"decode", "decode-deep", "decode-policy", "encode"} {
		for name, set := range codecSets(t, kase) {
			task, err := cases[kase]["nlwire"](set)
			if err != nil {
				t.Fatal(err)
			}
			allocs := testing.AllocsPerRun(10, func() {
				if _, err := task.run(1); err != nil {
					panic(err)
				}
			})
			if allocs != 0 {
				t.Errorf("%s of %s: %v allocations", kase, name, allocs)
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
	var ns, calls, probed, allocs, bytes, peak int64
	var check, sum uint64
	_, err := fmt.Sscanf(out.String(), "ready\nsum %x\nran %d %x 0 0 %d %d\nran %d %x %d %d %d %d\npeak %d\n",
		&check, &ns, &sum, &calls, &probed, &ns, &sum, &allocs, &bytes, &calls, &probed, &peak)
	if err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	if ns <= 0 || probed <= 0 || sum != 2*check || calls != -1 || peak < 1<<20 || allocs <= 0 || bytes <= allocs {
		t.Errorf("%s", out.String())
	}
}

func TestWorkRefuses(t *testing.T) {
	for _, args := range [][]string{
		nil, {"decode", "nlwire"}, {"nothing", "nlwire", "-"}, {"decode", "nobody", "-"}, {"decode", "nlwire", os.DevNull},
	} {
		if err := work(args, strings.NewReader(""), &strings.Builder{}); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
	for _, line := range []string{"walk\n", "run\n", "run x\n", "run count 1\n", "1\n"} {
		if err := work([]string{"encode", "nlwire", "-"}, strings.NewReader(line), &strings.Builder{}); err == nil {
			t.Errorf("%q was taken", line)
		}
	}
}

func TestAbsentColumnsSayWhy(t *testing.T) {
	var out strings.Builder
	if err := work([]string{"encode", "syscall", "-"}, strings.NewReader(""), &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != "absent it has no encoder\n" {
		t.Errorf("%q", out.String())
	}
}

func TestRivalsAreTheOriginals(t *testing.T) {
	if err := checkRivals(); err != nil {
		t.Error(err)
	}
}
