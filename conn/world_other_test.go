//go:build !linux

package conn

import (
	"runtime"
	"testing"
)

func newKernel(t *testing.T) world {
	t.Helper()
	t.Skip("netlink exists on Linux only; this is ", runtime.GOOS)
	return nil
}

// peakRSS is unknown on this system.
func peakRSS(testing.TB) int64 { return 0 }
