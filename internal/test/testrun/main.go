// Command testrun runs go test in the modules in the directories given and reports which
// tests were skipped and why, which go test shows only among everything else. Arguments
// after -- are passed to go test.
//
//	go run ./internal/test/testrun . cmd/nlctl -- -race
//
// The exit status is 1 if a test failed.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
)

func main() {
	modules, flags := os.Args[1:], []string(nil)
	if i := slices.Index(modules, "--"); i >= 0 {
		modules, flags = modules[:i], modules[i+1:]
	}
	skipped, failed := map[string]int{}, false
	for _, module := range modules {
		fmt.Println("==", module)
		if err := test(module, flags, skipped); err != nil {
			fmt.Fprintf(os.Stderr, "testrun: go test in %s: %v\n", module, err)
			failed = true
		}
	}
	printSkipped(os.Stdout, skipped)
	if failed {
		os.Exit(1)
	}
}

// test runs the tests of a module and counts the skipped ones by their reasons.
func test(module string, flags []string, skipped map[string]int) error {
	cmd := exec.Command("go", append(append([]string{"test", "-json"}, flags...), "./...")...)
	cmd.Dir, cmd.Stderr = module, os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p := printer{w: os.Stdout, output: map[string][]string{}, skipped: skipped}
	if err := p.read(events); err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return err
	}
	return cmd.Wait()
}
