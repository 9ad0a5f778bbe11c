// Package arch checks the allowed imports between packages.
package arch

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/nlwire/nlwire/"

// arrows lists the imports that each package may have besides the standard library.
var arrows = map[string][]string{
	"github.com/nlwire/nlwire": {"socket"}, // documentation; see there

	"errno":      {},
	"nla":        {"internal/native"},
	"nla/policy": {"nla", "errno"},
	"nlmsg":      {"nla", "nla/policy", "errno", "internal/native", "internal/policywire"},
	"genlmsg":    {"nlmsg", "nla", "internal/native"},
	"socket":     {"golang.org/x/sys/unix", "errno"},
	"conn":       {"socket", "nlmsg", "nla", "nla/policy", "errno", "internal/native", "internal/policywire"},
	"ctrl":       {"conn", "genlmsg", "nlmsg", "nla", "nla/policy", "errno", "internal/policydump", "internal/policywire"},
	"bus":        {"socket", "genlmsg", "nlmsg", "nla", "nla/policy", "errno", "internal/policydump", "internal/policywire"},
	"docs":       {}, // tests of the documents
	"fuzz":       {},

	"bus/docexmpl": {"bus", "nlmsg", "nla", "nla/policy", "errno"},
	"bus/usersock": {"bus", "socket", "nlmsg", "nla", "nla/policy", "errno"},

	"internal/literal":    {}, // for the modules ynl and cmd/nlctl
	"internal/native":     {},
	"internal/policywire": {"nla", "nla/policy"},
	"internal/policydump": {"genlmsg", "nla", "nla/policy", "internal/policywire"},

	"internal/test/arch":       {},
	"internal/test/edges":      {"internal/native"},
	"internal/test/exercise":   {"bus", "genlmsg", "nlmsg", "nla", "nla/policy", "errno", "internal/test/generate"},
	"internal/test/fuzzrun":    {},
	"internal/test/generate":   {"genlmsg", "nlmsg", "nla", "nla/policy", "errno", "internal/policywire"},
	"internal/test/golden":     {"internal/native"},
	"internal/test/guard":      {},
	"internal/test/kernels":    {"golang.org/x/sys/unix"},
	"internal/test/kerneltest": {"golang.org/x/sys/unix"},
	"internal/test/moduletest": {
		"bus", "socket", "ctrl", "genlmsg", "nlmsg", "errno", "internal/test/generate", "internal/test/kerneltest",
	},
	"internal/test/original": {},
	"internal/test/seeds":    {},
	"internal/test/slow":     {"internal/native"},
	"internal/test/testrun":  {},
}

// recipes are the allowed imports of the programs of docs/cookbook: those that users have.
var recipes = []string{
	"errno", "nla", "nla/policy", "nlmsg", "genlmsg", "socket", "conn", "ctrl", "bus", "bus/usersock",
	"golang.org/x/sys/unix",
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
		if strings.HasPrefix(name, "docs/cookbook/") {
			allowed, ok = recipes, true
		}
		if seen[name] = true; !ok {
			t.Errorf("package %s has no entry in arrows", name)
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
			t.Errorf("package %s does not exist", name)
		}
	}
}

// The main module's only dependency for users of the library is golang.org/x/sys.
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
			t.Errorf("the main module depends on %s", path)
		}
	}
}

// Packages that users build depend on no test helper.
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
			t.Errorf("a package depends on %s", path)
		}
	}
}
