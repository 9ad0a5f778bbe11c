// Command gentable writes the built-in tables from a directory of netlink specs:
// names, numbers and types of each family, without the sentences of the specs.
//
//	go run ./internal/gentable -out table SPECS
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nlwire/nlwire/ynl"
)

const license = "# SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)\n" +
	"# Made by gentable from the netlink specs of Linux. Do not edit.\n"

func main() {
	out := flag.String("out", "table", "directory to write to")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: gentable [-out DIR] SPECS")
		os.Exit(2)
	}
	if err := generate(flag.Arg(0), *out); err != nil {
		fmt.Fprintln(os.Stderr, "gentable:", err)
		os.Exit(1)
	}
}

func generate(specs, out string) error {
	list, err := ynl.LoadDir(specs)
	if err != nil {
		return err
	}
	for _, s := range list {
		text := ynl.AppendTable([]byte(license), s)
		if err := os.WriteFile(filepath.Join(out, s.Name+".txt"), text, 0o666); err != nil {
			return err
		}
	}
	return nil
}
