package rivals

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nlwire/nlwire/fuzz/rivals/clib"
	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/internal/test/generate"
)

// verdict is the result of a comparison: nothing, the name of the rule by which the rival
// disagrees, or "?" for an unnamed disagreement.
type verdict struct{ rule, detail string }

var agreed verdict

func named(rule string) verdict { return verdict{rule: rule} }

func unnamed(format string, args ...any) verdict { return verdict{"?", fmt.Sprintf(format, args...)} }

// comparator compares one rival with nlwire on inputs of one kind.
type comparator struct {
	rival   string
	compare func(in []byte) verdict
}

// kind is a kind of input: the libraries that read it, and a source of nearly valid inputs.
type kind struct {
	comparators []comparator
	generate    func(g generate.Generator) []byte
	count       int
}

var kinds = map[string]kind{
	"messages":   {messageComparators, generate.Generator.Datagram, 60_000},
	"attributes": {attributeComparators, generateAttributes, 60_000},
	"values":     {valueComparators, generateValue, 60_000},
	"policies":   {policyComparators, generatePolicy, 40_000},
	"answers":    {answerComparators, generateAnswer, 60_000},
	"families":   {familyComparators, generate.Generator.Family, 40_000},
	"encoding":   {encodeComparators, generateProgram, 30_000},
}

// libraries are the optional libraries, by the name of the rival.
var libraries = map[string]func() error{"libmnl": clib.LoadMnl, "libnl": clib.LoadNl}

// available returns the comparators with an installed library. In CI all must be installed if cgo
// is enabled; scripts/cross also runs this test without cgo.
func available(t testing.TB, all []comparator) (list []comparator) {
	t.Helper()
	for _, c := range all {
		if load := libraries[c.rival]; load != nil {
			if err := load(); err != nil {
				if os.Getenv("CI") != "" && clib.Built {
					t.Fatalf("%s must be installed in CI: %v", c.rival, err)
				}
				t.Logf("not comparing with %s: %v", c.rival, err)
				continue
			}
		}
		list = append(list, c)
	}
	return list
}

// entry is an entry of docs/disagreements.md: the input, its kind, and the machines to which it
// applies.
type entry struct {
	kind   string
	input  []byte
	only32 bool
}

// disagreements returns the text of docs/disagreements.md. The path does not depend on the
// working directory, because fuzzrun uses a different one.
var disagreements = sync.OnceValues(func() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "../../docs/disagreements.md"))
	return string(text), err
})

// explained returns the entries by the name of their rule.
var explained = sync.OnceValue(func() map[string]entry {
	text, err := disagreements()
	if err != nil {
		panic(err)
	}
	entries := map[string]entry{}
	section := ""
	for part := range strings.SplitSeq("\n"+text, "\n#") {
		title, body, _ := strings.Cut(part, "\n")
		if name, ok := strings.CutPrefix(title, "# "); ok {
			section = strings.ToLower(name)
		}
		name, ok := strings.CutPrefix(title, "## ")
		if !ok {
			continue
		}
		digits := regexp.MustCompile("(?s)Input: `([^`]*)`").FindStringSubmatch(body)
		if digits == nil {
			panic("docs/disagreements.md: " + name + " has no input")
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(digits[1]), ""))
		if err != nil {
			panic("docs/disagreements.md: " + name + ": " + err.Error())
		}
		entries[name] = entry{section, b, strings.Contains(body, "32-bit machines")}
	}
	return entries
})

// compareAll fails on an unexplained disagreement, and counts the others.
func compareAll(t *testing.T, list []comparator, in []byte, met map[string]int) {
	t.Helper()
	for _, c := range list {
		v := c.compare(in)
		if v.rule == "" {
			continue
		}
		if _, ok := explained()[v.rule]; !ok {
			t.Fatalf("%s disagrees by %q, which has no entry in docs/disagreements.md: %s\ninput %x", c.rival, v.rule, strings.ToValidUTF8(v.detail, "?"), in)
		}
		met[v.rule]++
	}
}

// TestDisagreementsAreNamed compares many nearly valid inputs, and logs how often each rule
// applied.
func TestDisagreementsAreNamed(t *testing.T) {
	for name, k := range kinds {
		t.Run(name, func(t *testing.T) {
			list := available(t, k.comparators)
			g := generate.New(1)
			count := k.count
			if testing.Short() {
				count /= 10
			}
			met := map[string]int{}
			for range count {
				compareAll(t, list, k.generate(g), met)
			}
			t.Logf("%d inputs: %v", count, met)
		})
	}
}

// TestDisagreementsAreReal checks that the input of every entry causes the disagreement.
func TestDisagreementsAreReal(t *testing.T) {
	if native.BigEndian {
		t.Skip("the inputs are in little-endian byte order")
	}
	if len(explained()) == 0 {
		t.Fatal("docs/disagreements.md has no entry")
	}
	for rule, entry := range explained() {
		t.Run(rule, func(t *testing.T) {
			all := kinds[entry.kind].comparators
			if all == nil {
				t.Fatalf("there is no section %q", entry.kind)
			}
			if entry.only32 && strconv.IntSize != 32 {
				t.Skip("applies to 32-bit machines only")
			}
			list := available(t, all)
			skipOtherVersion(t, rule)
			for _, c := range list {
				if c.compare(entry.input).rule == rule {
					return
				}
			}
			if len(list) < len(all) {
				t.Skip("no installed library disagrees")
			}
			t.Errorf("no library disagrees on %x", entry.input)
		})
	}
}

// skipOtherVersion skips an entry about a C library if pkg-config reports another version than
// the one documented.
func skipOtherVersion(t *testing.T, rule string) {
	t.Helper()
	rival, _, _ := strings.Cut(rule, "-")
	name := map[string]string{"libmnl": "libmnl", "libnl": "libnl-3.0"}[rival]
	out, err := exec.Command("pkg-config", "--modversion", name).Output()
	if name == "" || err != nil {
		return
	}
	version := strings.TrimSpace(string(out))
	text, _ := disagreements()
	if named := regexp.MustCompile(rival + `\s+(\d[\d.]*\d)`).FindStringSubmatch(text); named == nil || named[1] != version {
		t.Skipf("applies to %v, and version %s is installed", named, version)
	}
}

// fuzzKind runs the comparators of a kind in a fuzz target.
func fuzzKind(f *testing.F, name string, inputs ...[]byte) {
	k := kinds[name]
	list := available(f, k.comparators)
	g := generate.New(2)
	for range 32 {
		inputs = append(inputs, k.generate(g))
	}
	for _, entry := range explained() {
		if entry.kind == name {
			inputs = append(inputs, entry.input)
		}
	}
	for _, in := range inputs {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) < 1<<14 {
			compareAll(t, list, in, map[string]int{})
		}
	})
}

func random(g generate.Generator, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

// panics calls f and returns its panic value, or nil.
func panics(f func()) (reason any) {
	defer func() { reason = recover() }()
	f()
	return nil
}
