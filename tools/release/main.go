// Command release packages the released modules of this repository as a release does, and
// tests the packages:
//
//   - It writes the zip file and the go.mod of every released module into a file proxy in a
//     temporary directory.
//   - It runs go install for every released command, and then the command.
//   - It builds a module outside of the repository that requires the released libraries, with
//     all their packages and the code blocks of README.md.
//
// Its last line is "release: modules=N install=ok outside=ok". With -sum it only writes the
// checksums of the modules into the go.sum of the modules that require them;
// docs/releasing.md describes when that is needed.
//
// A module is released unless the comment on its module directive contains "Not released".
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("root", "..", "directory of the repository")
	sum := flag.Bool("sum", false, "write the checksums of the modules into go.sum of the modules that require them")
	flag.Parse()
	if err := run(*root, *sum); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(root string, sum bool) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	modules, err := released(root)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "nlwire-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	proxy := filepath.Join(tmp, "proxy")
	for _, m := range modules {
		if err := m.pack(root, proxy); err != nil {
			return fmt.Errorf("packaging %s: %w", m.dir, err)
		}
	}
	if sum {
		return writeSums(root, proxy, modules)
	}

	g, err := newGoTool(tmp, proxy, modules[0].path)
	if err != nil {
		return err
	}
	if err := install(g, modules); err != nil {
		return fmt.Errorf("installing commands: %w", err)
	}
	if err := outside(g, root, modules); err != nil {
		return fmt.Errorf("module outside of the repository: %w", err)
	}
	fmt.Printf("release: modules=%d install=ok outside=ok\n", len(modules))
	return nil
}
