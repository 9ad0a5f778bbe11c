//go:build !linux

package ctrl

import (
	"runtime"
	"testing"
)

func newKernel(tb testing.TB) world {
	tb.Helper()
	tb.Skip("netlink exists on Linux only; this is ", runtime.GOOS)
	return nil
}
