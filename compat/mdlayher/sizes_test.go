package netlink

import (
	"testing"
	"unsafe"
)

// The tests of the original use these names, and Header has the layout of the kernel's.
func TestSizes(t *testing.T) {
	for n, want := range []int{0, 4, 4, 4, 4, 8, 8, 8, 8, 12} {
		if nlmsgAlign(n) != want || nlaAlign(n) != want {
			t.Errorf("%d is aligned to %d and %d, want %d", n, nlmsgAlign(n), nlaAlign(n), want)
		}
	}
	if n := unsafe.Sizeof(Header{}); n != nlmsgHeaderLen || nlmsgLength(3) != 19 {
		t.Errorf("a header has %d bytes", n)
	}
}
