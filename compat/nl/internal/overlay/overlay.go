// Package overlay adds the files of compat/nl to a copy of vishvananda/netlink.
//
//	the module in the module cache
//	  | Fetch: finds its directory
//	  | Copy
//	  | Apply: removes from package nl the declarations with the names of ours,
//	  |        then the declarations that became unused, then unused imports
//	  v
//	the copy, which builds and runs its tests with nlwire
//
// The names of declarations alone decide what is removed, so that this package need not
// contain lists of the original's declarations.
package overlay

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Module is the path of the original module, Package the directory of its package.
const (
	Module  = "github.com/vishvananda/netlink"
	Package = "nl"
)

// prefix is the prefix of our files in the copy, which avoids conflicts of file names.
const prefix = "nlwire_"

// Apply adds our files, those of the directory src, to the copy of the module in dir. It
// returns the names of the declarations that it removed there.
func Apply(dir, src string) (removed []string, err error) {
	ours, err := read(src)
	if err != nil {
		return nil, err
	}
	target := filepath.Join(dir, Package)
	theirs, err := read(target)
	if err != nil {
		return nil, err
	}
	removed, err = theirs.replace(ours)
	if err != nil {
		return nil, err
	}
	for name, f := range theirs {
		path := filepath.Join(target, name)
		if f.isEmpty() {
			err = os.Remove(path)
		} else {
			err = f.write(path)
		}
		if err != nil {
			return nil, err
		}
	}
	for name, f := range ours {
		if f.isOther() || f.isEmpty() {
			continue
		}
		if err := os.WriteFile(filepath.Join(target, prefix+name), f.text, 0o644); err != nil {
			return nil, err
		}
	}
	return removed, nil
}

// write writes the file. It replaces a "+build" line, which the Go version of nlwire
// ignores, by a "go:build" line.
func (f *file) write(path string) (err error) {
	text := f.text
	if bytes.Contains(text, []byte("// +build")) {
		if text, err = format.Source(text); err != nil {
			return err
		}
	}
	return os.WriteFile(path, text, 0o644)
}

// Copy copies a directory to dst. Files of the module cache are read-only, the copies are
// writable.
func Copy(dst, src string) error {
	return filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dst, strings.TrimPrefix(path, src))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("copy: %s is not a regular file", path)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, b, info.Mode()|0o200)
	})
}
