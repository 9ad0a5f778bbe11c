//go:build !linux

package main

import (
	"context"
	"errors"
	"os/exec"
)

func prepareChroot(string) error { return errors.ErrUnsupported }

func chrootCommand(ctx context.Context, _, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, program, args...)
}
