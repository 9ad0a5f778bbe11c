package main

import (
	"archive/zip"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// release is the version of the modules in the test's proxy.
const release = "v0.999.0"

// TestReplaceDirective builds a program with the replace directive of docs/migrating.md. The modules
// come from a proxy as zip files, as after a release, without access to this repository.
func TestReplaceDirective(t *testing.T) {
	if testing.Short() {
		t.Skip("the test downloads modules")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	proxy, program := t.TempDir(), t.TempDir()
	publish(t, proxy, "github.com/nlwire/nlwire", root, nil)
	publish(t, proxy, "github.com/nlwire/nlwire/compat/mdlayher", filepath.Join(root, "compat", "mdlayher"), asReleased(t))
	write(t, filepath.Join(program, "go.mod"), `module example.com/program

go 1.25.0

require github.com/mdlayher/netlink `+originalVersion+`

replace github.com/mdlayher/netlink => github.com/nlwire/nlwire/compat/mdlayher `+release+`
`)
	write(t, filepath.Join(program, "main.go"), `package main

import (
	"fmt"
	"os"

	"github.com/mdlayher/netlink"
	"github.com/mdlayher/netlink/nlenc"
	"github.com/mdlayher/netlink/nltest"
)

func main() {
	c := nltest.Dial(func(req []netlink.Message) ([]netlink.Message, error) { return req, nil })
	msgs, err := c.Execute(netlink.Message{Data: nlenc.Uint32Bytes(7)})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(nlenc.Uint32(msgs[0].Data))
}
`)
	// A separate module cache, so that the test leaves nothing in the user's cache.
	env := []string{"GOMODCACHE=" + t.TempDir(), "GOFLAGS=-mod=mod -modcacherw", "GONOSUMDB=github.com/nlwire/*",
		"GOPROXY=file://" + filepath.ToSlash(proxy) + "," + goEnv(t, "GOPROXY")}
	if out, err := command(program, env, "go", "mod", "tidy"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := command(program, env, "go", "run", ".")
	if err != nil || strings.TrimSpace(string(out)) != "7" {
		t.Fatalf("the program printed %q, %v", out, err)
	}
	out, err = command(program, env, "go", "list", "-m", "-f", "{{with .Replace}}{{.Path}} {{.Version}}{{end}}", originalModule)
	if want := "github.com/nlwire/nlwire/compat/mdlayher " + release; err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("the program is built with %q, %v, want %q", out, err, want)
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := command("", nil, "go", "env", name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// asReleased returns the go.mod of a released compat/mdlayher, which requires a released nlwire.
func asReleased(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "go.mod")
	b, err := os.ReadFile("../mdlayher/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(b))
	edit := exec.Command("go", "mod", "edit", "-dropreplace=github.com/nlwire/nlwire",
		"-require=github.com/nlwire/nlwire@"+release, path)
	if out, err := edit.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if b, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// publish adds a module to a file proxy (GOPROXY protocol). If goMod is not nil, it replaces the
// module's go.mod.
func publish(t *testing.T, proxy, module, dir string, goMod []byte) {
	t.Helper()
	at := filepath.Join(proxy, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if goMod == nil {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		goMod = b
	}
	write(t, filepath.Join(at, "list"), release+"\n")
	write(t, filepath.Join(at, release+".mod"), string(goMod))
	write(t, filepath.Join(at, release+".info"), `{"Version":"`+release+`"}`)
	f, err := os.Create(filepath.Join(at, release+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(dir, path)
		}
		name, _ := filepath.Rel(dir, path)
		if !strings.HasSuffix(name, ".go") && name != "go.mod" && name != "go.work" && name != "LICENSE" {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if name == "go.mod" {
			b = goMod
		}
		w, err := z.Create(module + "@" + release + "/" + filepath.ToSlash(name))
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	})
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// skipDir skips nested modules, like the go command, and hidden directories.
func skipDir(root, path string) error {
	if path == root {
		return nil
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil || strings.HasPrefix(filepath.Base(path), ".") {
		return filepath.SkipDir
	}
	return nil
}
