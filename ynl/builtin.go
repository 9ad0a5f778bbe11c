package ynl

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

// The tables are written by gentable from the specs of Linux. The overlay is written by hand from
// the headers of Linux: families and kinds without a spec, and corrections of specs.
//
//go:generate go run ./internal/gentable -out table $NLWIRE_SPECS

//go:embed table/*.txt overlay/*.txt
var tables embed.FS

// LinuxRelease is the version of Linux whose specs are built in.
const LinuxRelease = "7.3.4"

// BuiltinNames returns the names of the built-in families in alphabetical order.
func BuiltinNames() []string {
	var names []string
	for _, dir := range []string{"table", "overlay"} {
		entries, err := fs.ReadDir(tables, dir)
		if err != nil {
			continue // an embedded directory is always readable
		}
		for _, e := range entries {
			names = append(names, strings.TrimSuffix(e.Name(), ".txt"))
		}
	}
	return sorted(names)
}

// Builtin reads a built-in family: the spec of Linux with the additions and corrections of the
// overlay. Each call returns a new Spec; a [Library] keeps them.
func Builtin(name string) (*Spec, error) {
	table, err := fs.ReadFile(tables, "table/"+name+".txt")
	extra, extraErr := fs.ReadFile(tables, "overlay/"+name+".txt")
	if err != nil && extraErr != nil {
		return nil, fmt.Errorf("ynl: no built-in family %q", name)
	}
	return parseTables(name, string(table), string(extra))
}
