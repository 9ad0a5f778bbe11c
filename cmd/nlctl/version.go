package main

import "runtime/debug"

// version returns the version of the module that nlctl was installed from, or "(devel)" for a
// build in a working tree.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
