package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// prepareChroot creates what the scripts of packages would create.
func prepareChroot(root string) error {
	for link, to := range map[string]string{"bin/sh": "dash", "usr/bin/awk": "mawk"} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "tmp"), 0o777); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(root, "dev"), 0o755); err != nil {
		return err
	}
	// objtool reads the stack limit, and nothing else there is needed.
	limits, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(root, "proc/self"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "proc/self/limits"), limits, 0o644); err != nil {
		return err
	}
	null := filepath.Join(root, "dev/null")
	if err := unix.Mknod(null, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil && !errors.Is(err, os.ErrExist) {
		return &os.PathError{Op: "mknod (needs root)", Path: null, Err: err}
	}
	return nil
}

// chrootCommand runs a program of a tree in that tree.
func chrootCommand(ctx context.Context, root, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/usr/bin/"+program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.Dir = "/"
	return cmd
}
