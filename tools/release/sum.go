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

// writeSums writes the checksums of the packaged root module into the go.sum of the other
// modules. Nested modules are not part of the root module, so the tagged commit can contain
// its own checksums.
func writeSums(root, proxy string, modules []releasedModule) error {
	lines, err := sums(proxy, modules[0])
	if err != nil {
		return err
	}
	for _, m := range modules[1:] {
		file := filepath.Join(root, m.dir, "go.sum")
		old, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(withSums(string(old), modules[0].path, lines)), 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", file)
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
