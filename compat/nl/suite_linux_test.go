package nl

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/compat/nl/internal/overlay"
	"github.com/nlwire/nlwire/compat/nl/internal/suite"
)

// attempts is the number of times that a test is repeated on both sides if it ends worse
// with the overlay, because some tests depend on time. If it always ends worse, TestSuite
// fails.
const attempts = 3

// TestSuite runs the tests of vishvananda/netlink without and with the overlay. Each must
// end equal or better with it. Many require kernel modules, and fail on both sides if these
// are missing.
func TestSuite(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	if os.Getuid() != 0 {
		unavailable(t, "needs root: the tests make network namespaces")
	}
	module, err := overlay.Fetch(".")
	if err != nil {
		unavailable(t, "%s is neither in the module cache nor can it be fetched: %v", overlay.Module, err)
	}
	t.Logf("%s %s %s", overlay.Module, module.Version, module.Sum)
	before, after := copies(t, module)
	for _, pkg := range []string{".", overlay.Package} {
		t.Run(filepath.Join("netlink", pkg), func(t *testing.T) { compareSuites(t, build(t, before, pkg), build(t, after, pkg)) })
	}
}

// unavailable skips the test because a requirement is missing. In CI it fails the test.
func unavailable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// copies makes two copies of the module, the second with the overlay.
func copies(t *testing.T, module overlay.Fetched) (before, after string) {
	before, after = filepath.Join(t.TempDir(), "before"), filepath.Join(t.TempDir(), "after")
	check(t, overlay.Copy(before, module.Dir))
	check(t, overlay.Copy(after, module.Dir))
	removed, err := overlay.Apply(after, ".")
	check(t, err)
	check(t, overlay.Require(after, "."))
	t.Logf("%d declarations replaced or removed: %s", len(removed), strings.Join(removed, " "))
	return before, after
}

func build(t *testing.T, dir, pkg string) suite.Binary {
	t.Helper()
	b := suite.Binary{Path: filepath.Join(t.TempDir(), "suite.test"), Dir: filepath.Join(dir, pkg)}
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-o", b.Path, ".")
	cmd.Dir, cmd.Env = b.Dir, overlay.Environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return b
}

func compareSuites(t *testing.T, before, after suite.Binary) {
	tests, err := before.Tests()
	check(t, err)
	if len(tests) == 0 {
		t.Fatal("no tests")
	}
	was, is := suite.Results{}, suite.Results{}
	better, worse := 0, 0
	for _, test := range tests {
		a, b := suite.Results{}, suite.Results{}
		output := runBoth(t, test, before, after, a, b)
		changes := suite.Compare(a, b)
		for range attempts - 1 {
			if !anyWorse(changes) {
				break
			}
			t.Logf("%s: %v: run again", test, changes)
			a, b = suite.Results{}, suite.Results{}
			output = runBoth(t, test, before, after, a, b)
			changes = suite.Compare(a, b)
		}
		for _, c := range changes {
			if c.IsWorse() {
				worse++
				t.Errorf("%s: %s before, %s with the overlay:\n%s", c.Test, c.Before, c.After, output)
			} else {
				better++
				t.Logf("%s: %s before, %s with the overlay", c.Test, c.Before, c.After)
			}
		}
		for name, o := range a {
			was[name] = o
		}
		for name, o := range b {
			is[name] = o
		}
	}
	t.Logf("%d tests: passed original=%d overlay=%d, skipped original=%d overlay=%d, failed original=%d overlay=%d, better=%d worse=%d",
		len(tests), was.Count(suite.Pass), is.Count(suite.Pass), was.Count(suite.Skip), is.Count(suite.Skip),
		was.Count(suite.Fail), is.Count(suite.Fail), better, worse)
	if was.Count(suite.Pass) == 0 {
		t.Error("nothing passes on the original: the comparison says nothing")
	}
}

// runBoth runs a test on both sides, and returns the output with the overlay.
func runBoth(t *testing.T, test string, before, after suite.Binary, a, b suite.Results) (output string) {
	if _, err := before.Run(test, a); err != nil {
		t.Logf("original: %v", err)
	}
	output, err := after.Run(test, b)
	if err != nil {
		t.Logf("overlay: %v", err)
	}
	return output
}

func anyWorse(changes []suite.Change) bool {
	for _, c := range changes {
		if c.IsWorse() {
			return true
		}
	}
	return false
}
