package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// buildTools are what the kernel's makefiles run besides the compiler, on which the package of
// the headers depends.
var buildTools = []string{
	"base-files", "bash", "binutils", "coreutils", "dash", "diffutils", "findutils", "grep", "make", "mawk", "perl-base", "sed",
}

// buildModules compiles the modules of internal/test/module with the headers and the compiler of
// the kernel's own suite, and returns their paths.
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
	if err := errors.Join(completeTree(root), os.RemoveAll(dir), os.CopyFS(dir, os.DirFS("internal/test/module"))); err != nil {
		return nil, err
	}
	cmd := chroot(ctx, root, "make", "-C", "/usr/src/linux-headers-"+m.version, "M=/module", "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules")
	if _, err := output(cmd); err != nil {
		return nil, err
	}
	return filepath.Glob(filepath.Join(dir, "*.ko"))
}

// completeTree creates in a tree what the scripts of packages would create.
func completeTree(root string) error {
	for link, to := range map[string]string{"bin/sh": "dash", "usr/bin/awk": "mawk"} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	for _, dir := range []string{"dev", "proc", "tmp"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// chroot runs a program of a tree in that tree, as root, with /dev/null and a /proc that ends
// with it.
func chroot(ctx context.Context, root string, args ...string) *exec.Cmd {
	const script = `set -e
test -e "$0/dev/null" || mknod -m 666 "$0/dev/null" c 1 3
mount -t proc proc "$0/proc"
exec chroot "$0" "$@"`
	cmd := exec.CommandContext(ctx, "unshare", append([]string{"--mount", "sh", "-c", script, root}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	return cmd
}
