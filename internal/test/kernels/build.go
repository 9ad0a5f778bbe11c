package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// buildTools are what the kernel's makefiles run besides the compiler, on which the package of
// the headers depends.
var buildTools = []string{"make", "binutils", "dash", "bash", "coreutils", "sed", "grep", "mawk", "findutils", "perl-base", "diffutils", "base-files"}

// buildModules compiles the modules of internal/test/module with the headers and the compiler of
// the kernel's own suite, in a chroot, and returns their paths.
func (m *machine) buildModules(ctx context.Context, r *repository) ([]string, error) {
	root := filepath.Join(m.dir(), "build")
	debs, err := r.closure(ctx, append(buildTools, "linux-headers-"+m.version)...)
	if err != nil {
		return nil, err
	}
	if err := r.unpack(ctx, debs, root); err != nil {
		return nil, err
	}
	dir := filepath.Join(root, "module")
	if err := errors.Join(prepareChroot(root), os.RemoveAll(dir), os.CopyFS(dir, os.DirFS("internal/test/module"))); err != nil {
		return nil, err
	}
	cmd := chrootCommand(ctx, root, "make", "-C", "/usr/src/linux-headers-"+m.version, "M=/module", "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules")
	if _, err := output(cmd); err != nil {
		return nil, err
	}
	return filepath.Glob(filepath.Join(dir, "*.ko"))
}
