//go:build !linux

package edges

import (
	"slices"
	"testing"
)

// Fence calls f with a copy of b that has no spare capacity. On Linux reads outside of it
// fault.
func Fence(b []byte, f func(b []byte)) { f(slices.Clip(slices.Clone(b))) }

// Reserve needs Linux.
func Reserve(t *testing.T, n int) []byte {
	t.Helper()
	t.Skipf("%d bytes of addresses: needs Linux", n)
	return nil
}
