//go:build !linux

package edges

import (
	"slices"
	"testing"
)

// Fence calls f with a copy of b that has no spare capacity. On Linux, an access outside the copy
// faults.
func Fence(b []byte, f func(b []byte)) { f(slices.Clip(slices.Clone(b))) }

// Reserve skips the test, because it needs Linux.
func Reserve(t *testing.T, n int) []byte {
	t.Helper()
	t.Skipf("%d bytes of addresses: needs Linux", n)
	return nil
}
