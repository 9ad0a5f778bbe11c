// Overlay makes a copy of vishvananda/netlink that uses nlwire. Run it in compat/nl:
//
//	go run ./overlay -o DIR
//
// DIR/a is a copy of the module. DIR/b is a copy with the overlay, and builds without
// changes. DIR/nl.diff is the difference between their packages nl, for upstream.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/nlwire/nlwire/compat/nl/internal/overlay"
)

func main() {
	log.SetFlags(0)
	out := flag.String("o", "", "`directory` for the copy and the diff; it must not exist")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := build(*out, "."); err != nil {
		log.Fatal("overlay: ", err)
	}
}

func build(out, src string) error {
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	module, err := overlay.Fetch(src)
	if err != nil {
		return err
	}
	before, after := filepath.Join(out, "a"), filepath.Join(out, "b")
	if err := errors.Join(overlay.Copy(before, module.Dir), overlay.Copy(after, module.Dir)); err != nil {
		return err
	}
	removed, err := overlay.Apply(after, src)
	if err != nil {
		return err
	}
	if err := errors.Join(overlay.Require(after, src), writeDiff(out)); err != nil {
		return err
	}
	fmt.Printf("overlay: %s %s (%s): %d declarations replaced or removed: %s\n",
		overlay.Module, module.Version, module.Sum, len(removed), out)
	return nil
}

// writeDiff writes the difference between the packages. diff(1) exits with 1 if they differ.
func writeDiff(out string) error {
	cmd := exec.Command("diff", "-Nru", "a/"+overlay.Package, "b/"+overlay.Package)
	cmd.Dir = out
	text, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
		return fmt.Errorf("diff: %w", err)
	}
	return os.WriteFile(filepath.Join(out, "nl.diff"), text, 0o644)
}
