// Package arch holds the arrows between the packages: who may import whom.
package arch

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/nlwire/nlwire/"

// arrows are the imports each package may have besides the standard library.
var arrows = map[string][]string{
	"github.com/nlwire/nlwire": {}, // documentation

	"errno":      {},
	"nla":        {"internal/native"},
	"nla/policy": {"nla", "errno"},
	"nlmsg":      {"nla", "nla/policy", "errno", "internal/native", "internal/policywire"},
	"genlmsg":    {"nlmsg", "nla", "internal/native"},
	"socket":     {"golang.org/x/sys/unix", "errno"},
	"conn":       {"socket", "nlmsg", "nla", "nla/policy", "errno", "internal/native", "internal/policywire"},
	"ctrl":       {"conn", "genlmsg", "nlmsg", "nla", "nla/policy", "errno", "internal/policydump", "internal/policywire"},
	"bus":        {"socket", "genlmsg", "nlmsg", "nla", "nla/policy", "errno", "internal/policydump", "internal/policywire"},
	"fuzz":       {},

	"bus/docexmpl": {"bus", "nlmsg", "nla", "nla/policy", "errno"},
	"bus/usersock": {"bus", "socket", "nlmsg", "nla", "nla/policy", "errno"},

	"internal/native":     {},
	"internal/policywire": {"nla", "nla/policy"},
	"internal/policydump": {"genlmsg", "nla", "nla/policy", "internal/policywire"},

	"internal/test/arch":       {},
	"internal/test/edges":      {"internal/native"},
	"internal/test/fuzzrun":    {},
	"internal/test/generate":   {"genlmsg", "nlmsg", "nla", "nla/policy", "errno", "internal/policywire"},
	"internal/test/golden":     {"internal/native"},
	"internal/test/guard":      {},
	"internal/test/kerneltest": {"golang.org/x/sys/unix"},
	"internal/test/original":   {},
	"internal/test/seeds":      {},
	"internal/test/slow":       {"internal/native"},
}

func TestArrows(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command: ", err)
	}
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = "../../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		allowed, ok := arrows[name]
		if seen[name] = true; !ok {
			t.Errorf("package %s has no line in the table of arrows", name)
		}
		for _, path := range fields[1:] {
			own := strings.TrimPrefix(path, module)
			if isStd := !strings.Contains(path, "."); !isStd && !slices.Contains(allowed, own) {
				t.Errorf("%s must not import %s", name, own)
			}
		}
	}
	for _, name := range []string{"errno", "nla", "nla/policy", "nlmsg", "genlmsg", "socket", "conn", "ctrl", "bus"} {
		if !seen[name] {
			t.Errorf("package %s is not there", name)
		}
	}
}

// What a user of the library pulls in: golang.org/x/sys and nothing else.
func TestMainModuleNeedsLittle(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command: ", err)
	}
	cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./...")
	cmd.Dir = "../../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, path := range strings.Fields(string(out)) {
		if path != "golang.org/x/sys" && path != strings.TrimSuffix(module, "/") {
			t.Errorf("the main module needs %s", path)
		}
	}
}

// The example of the README is one that is compiled and run.
func TestReadmeExampleIsTested(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../../../conn/example_linux_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(readme), "```go\n")
	code, _, _ = strings.Cut(code, "```")
	if code == "" || !strings.Contains(string(example), code) {
		t.Errorf("the README's example is not in conn/example_linux_test.go:\n%s", code)
	}
}

// The packages that users build depend on no test helper.
func TestNoTestHelperInPackages(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command: ", err)
	}
	cmd := exec.Command("go", "list", "-deps", "./nla/...", "./nlmsg", "./genlmsg", "./socket", "./conn", "./ctrl", "./bus/...")
	cmd.Dir = "../../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, path := range strings.Fields(string(out)) {
		if strings.HasPrefix(path, module+"internal/test") {
			t.Errorf("a package needs %s", path)
		}
	}
}
