package edges

import (
	"os"
	"sync"
	"syscall"
	"testing"
	"unsafe"
)

// room is the size of the memory that Fence copies to; arguments are not longer.
const room = 1 << 18

var fenced = sync.OnceValue(func() []byte {
	page := os.Getpagesize()
	size := (room + page - 1) / page * page
	b, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err == nil {
		b = b[page : page+size : page+size]
		err = syscall.Mprotect(b, syscall.PROT_READ|syscall.PROT_WRITE)
	}
	if err != nil {
		panic("edges: mapping memory between inaccessible pages: " + err.Error())
	}
	return b
})

// Fence calls f with two copies of b, one directly after an inaccessible page and one directly
// before one, so that an access outside the copy faults. All calls share this memory. A nil b
// stays nil.
func Fence(b []byte, f func(b []byte)) {
	if b == nil {
		f(nil)
		return
	}
	whole := fenced()
	for _, at := range []int{0, len(whole) - len(b)} {
		// unsafe.Slice instead of re-slicing: the pointer of an empty re-slice would be moved.
		c := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(whole)), at)), len(b))
		copy(c, b)
		f(c)
	}
}

// Reserve returns n bytes of address space without memory. A few pages at the start and at the
// end can be read and written. It skips the test if the address space is not available.
func Reserve(t *testing.T, n int) []byte {
	t.Helper()
	const open = 1 << 17
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE)
	if err != nil {
		t.Skipf("%d bytes of addresses: %v", n, err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(b) })
	page := os.Getpagesize()
	for _, part := range [][]byte{b[:open], b[(n-open)/page*page:]} {
		if err := syscall.Mprotect(part, syscall.PROT_READ|syscall.PROT_WRITE); err != nil {
			t.Fatal(err)
		}
	}
	return b[:n:n]
}
