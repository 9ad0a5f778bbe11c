package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/dirhash"
)

// writeSums writes the checksums of the packaged modules into the go.sum of the modules that
// require them. It starts with the required modules, and packages a module again after its
// go.sum has changed, because go.sum is part of the module. Nested modules are not part of
// the root module, so the tagged commit can contain all these lines.
func writeSums(root, proxy string, modules []releasedModule) error {
	for _, m := range modules {
		required := m.requires(modules)
		if len(required) == 0 {
			continue
		}
		file := filepath.Join(root, m.dir, "go.sum")
		old, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		goSum := string(old)
		for _, r := range required {
			lines, err := sums(proxy, r)
			if err != nil {
				return err
			}
			goSum = withSums(goSum, r.path, lines)
		}
		if err := os.WriteFile(file, []byte(goSum), 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", file)
		if err := m.pack(root, proxy); err != nil {
			return fmt.Errorf("packaging %s: %w", m.dir, err)
		}
	}
	return nil
}

// sums returns the lines of go.sum for a packaged module.
func sums(proxy string, m releasedModule) ([]string, error) {
	at := filepath.Join(proxy, filepath.FromSlash(m.path), "@v", m.version)
	content, err := dirhash.HashZip(at+".zip", dirhash.Hash1)
	if err != nil {
		return nil, err
	}
	goMod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(at + ".mod") })
	return []string{
		fmt.Sprintf("%s %s %s\n", m.path, m.version, content),
		fmt.Sprintf("%s %s/go.mod %s\n", m.path, m.version, goMod),
	}, err
}

// withSums returns a go.sum in which lines replace the lines of a module, in the order of go
// mod tidy.
func withSums(goSum, module string, lines []string) string {
	others := slices.DeleteFunc(slices.Collect(strings.Lines(goSum)), func(line string) bool {
		return strings.HasPrefix(line, module+" ")
	})
	at, _ := slices.BinarySearchFunc(others, module, strings.Compare)
	return strings.Join(slices.Insert(others, at, lines...), "")
}
