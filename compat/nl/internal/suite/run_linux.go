package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Binary is the test binary of a package.
type Binary struct {
	Path string
	Dir  string // of the package's source, where its tests run
}

// limit is the time limit of a test.
const limit = time.Minute

// Tests lists the names of the tests.
func (b Binary) Tests() ([]string, error) {
	cmd := exec.Command(b.Path, "-test.list", "^Test")
	cmd.Dir = b.Dir
	out, err := cmd.Output()
	return strings.Fields(string(out)), err
}

// test2json returns the path of the tool that converts the output of a test to events. go
// test -json uses it too, but runs all tests in one process.
var test2json = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "tool", "-n", "test2json").Output()
	return strings.TrimSpace(string(out)), err
})

// Run runs one test in new network and mount namespaces, adds the outcomes of the test and
// its subtests to r, and returns its output.
func (b Binary) Run(test string, r Results) (output string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tool, err := test2json()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, tool, b.Path,
		"-test.v=test2json", "-test.timeout", (limit - 10*time.Second).String(), "-test.run", "^"+test+"$")
	cmd.Dir = b.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", fmt.Errorf("%s: %w", test, err)
	}
	var text strings.Builder
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var event struct {
			Action       Outcome
			Test, Output string
		}
		if err := d.Decode(&event); err != nil {
			return "", fmt.Errorf("%s: output of test2json: %w", test, err)
		}
		text.WriteString(event.Output)
		switch event.Action {
		case Pass, Skip, Fail:
			if event.Test != "" {
				r[event.Test] = event.Action
			}
		}
	}
	if _, ok := r[test]; !ok {
		return text.String(), fmt.Errorf("%s: no outcome:\n%s", test, text.String())
	}
	return text.String(), nil
}
