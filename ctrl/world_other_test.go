//go:build !linux

package ctrl

import (
	"runtime"
	"testing"
)

func newKernel(tb testing.TB) world {
	tb.Helper()
	tb.Skip("netlink is Linux's; this is ", runtime.GOOS)
	return nil
}
