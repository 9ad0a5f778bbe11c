package netlink

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// maxDatagram is more than the length of any datagram of the kernel. The kernel allocates datagrams
// with kmalloc, which returns at most 4 MiB (KMALLOC_MAX_SIZE with pages of 4 KiB).
const maxDatagram = 4<<20 + 4096

// maxRequest is the maximum capacity of a request buffer that returns to the pool.
const maxRequest = 64 << 10

// A space contains the buffers of an exchange. Callers receive copies of the data.
type space struct {
	request []byte
	reply   []byte // maxDatagram bytes; only the pages in use occupy memory
}

// spaces contains unused spaces.
var spaces sync.Pool

func getSpace() *space {
	if sp, ok := spaces.Get().(*space); ok {
		return sp
	}
	return new(space)
}

func (sp *space) put() {
	if cap(sp.request) > maxRequest {
		sp.request = nil
	}
	spaces.Put(sp)
}

// replyBuffer returns the buffer for a datagram of the kernel. It is a separate memory mapping: Go
// would zero a new slice of that size, and then all its pages would occupy memory.
func (sp *space) replyBuffer() []byte {
	if sp.reply != nil {
		return sp.reply
	}
	b, err := unix.Mmap(-1, 0, maxDatagram, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		b = make([]byte, maxDatagram) // the limit of mappings is reached
	} else {
		runtime.AddCleanup(sp, func(b []byte) { _ = unix.Munmap(b) }, b)
	}
	sp.reply = b
	return b
}
