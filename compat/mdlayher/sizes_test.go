package netlink

import (
	"testing"
	"unsafe"
)

// The original's tests use these names. Header has the layout of struct nlmsghdr.
func TestSizes(t *testing.T) {
	for n, want := range []int{0, 4, 4, 4, 4, 8, 8, 8, 8, 12} {
		if nlmsgAlign(n) != want || nlaAlign(n) != want {
			t.Errorf("nlmsgAlign and nlaAlign of %d: %d and %d, want %d", n, nlmsgAlign(n), nlaAlign(n), want)
		}
	}
	if n := unsafe.Sizeof(Header{}); n != nlmsgHeaderLen || nlmsgLength(3) != 19 {
		t.Errorf("size of Header: %d bytes", n)
	}
}
