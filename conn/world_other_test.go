//go:build !linux

package conn

import (
	"runtime"
	"testing"
)

func newKernel(t *testing.T) world {
	t.Helper()
	t.Skip("netlink is Linux's; this is ", runtime.GOOS)
	return nil
}

// peakRSS is not known here.
func peakRSS(testing.TB) int64 { return 0 }
