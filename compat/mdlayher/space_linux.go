package netlink

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// maxDatagram is above the length of any datagram of the kernel: its buffers come from
// kmalloc, which has no more than 4 MiB (KMALLOC_MAX_SIZE with pages of 4 KiB).
const maxDatagram = 4<<20 + 4096

// maxRequest is the size of the longest buffer for requests that is kept.
const maxRequest = 64 << 10

// A space has the buffers of an exchange. What callers get is a copy: no byte of it is
// theirs.
type space struct {
	request []byte
	reply   []byte // maxDatagram bytes; only the pages that a datagram has reached take memory
}

// spaces has the spaces that are not in use.
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

// replyBuffer returns the buffer for a datagram of the kernel. It is a mapping of its own,
// because a new slice of that size would be filled with zeros, which makes all its pages
// take memory.
func (sp *space) replyBuffer() []byte {
	if sp.reply != nil {
		return sp.reply
	}
	b, err := unix.Mmap(-1, 0, maxDatagram, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		b = make([]byte, maxDatagram) // a limit of mappings was reached
	} else {
		runtime.AddCleanup(sp, func(b []byte) { _ = unix.Munmap(b) }, b)
	}
	sp.reply = b
	return b
}
