//go:build !race && !purego && !js && !386

package nlwire

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestRelease packages the released modules, installs nlctl from the packages and builds a
// module outside of the repository: see tools/release, which it runs. The build constraint
// excludes the other configurations of make, because the release does not depend on them.
func TestRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("builds nlctl and an external module; -short is set")
	}
	if _, err := os.Stat("tools/release"); errors.Is(err, fs.ErrNotExist) {
		t.Skip("needs the whole repository, with tools/release")
	}
	dependOnFiles(t)
	cmd := exec.Command("go", "run", "./release")
	cmd.Dir, cmd.Env = "tools", append(os.Environ(), "GOWORK=off")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	fmt.Print(string(out)) // without the prefix of t.Log, because a program reads the last line
	if err != nil {
		t.Errorf("go run ./release in tools: %v", err)
	}
}

// dependOnFiles reads every directory, so that go test does not reuse the cached result after
// a file was changed.
func dependOnFiles(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path == ".git" {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
