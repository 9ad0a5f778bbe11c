package bus

import (
	"math/bits"

	"github.com/nlwire/nlwire/socket"
)

// datagram is an element of a queue. It has a private copy of the bytes and is pooled.
type datagram struct {
	b    []byte
	info socket.Info
	size int // share of the receive buffer
}

// queue is a ring buffer of datagrams.
type queue struct {
	ring  []*datagram // the length is a power of two
	first int
	count int
}

func (q *queue) push(d *datagram) {
	if q.count == len(q.ring) {
		ring := make([]*datagram, max(8, 2*len(q.ring)))
		for i := range q.count {
			ring[i] = q.at(i)
		}
		q.ring, q.first = ring, 0
	}
	q.ring[(q.first+q.count)&(len(q.ring)-1)] = d
	q.count++
}

func (q *queue) at(i int) *datagram { return q.ring[(q.first+i)&(len(q.ring)-1)] }

func (q *queue) pop() *datagram {
	d := q.at(0)
	q.ring[q.first] = nil
	q.first = (q.first + 1) & (len(q.ring) - 1)
	q.count--
	return d
}

// The kernel's overhead per datagram on 64-bit systems: struct skb_shared_info, which is
// allocated with the bytes, and struct sk_buff.
const (
	sharedInfo = 320
	skBuff     = 256
	// smallHead and wideHead are the sizes of the allocation for small datagrams
	// (SKB_SMALL_HEAD_CACHE_SIZE): 64 bytes of padding, GRO_MAX_HEAD and sharedInfo.
	// smallHead applies to kernels without wireless networks and tunnels, wideHead to the
	// others. See FeatureWideHeads.
	smallHead, wideHead = 576, 704
)

// trueSize returns the share of a receive buffer that a datagram of n bytes uses: larger
// datagrams are allocated in powers of two (SKB_TRUESIZE, kmalloc). The twin test compares
// the number of datagrams that fill a queue with the kernel's.
func (s Features) trueSize(n int) int {
	n = (n+63)&^63 + sharedInfo
	if small := s.smallHead(); n <= small {
		return small + skBuff
	}
	return 1<<bits.Len(uint(n-1)) + skBuff
}

// smallHead returns the size of the allocation for small datagrams, or 0 if there is none.
func (s Features) smallHead() int {
	switch {
	case !s.Has(FeatureSmallHeads):
		return 0
	case s.Has(FeatureWideHeads):
		return wideHead
	}
	return smallHead
}

// trimmed is trueSize for a datagram of n bytes if allocated is larger than n: the kernel
// moves the datagram to a smaller allocation if that frees half of the memory
// (netlink_trim).
func (s Features) trimmed(n, allocated int) int {
	size := s.trueSize(max(n, allocated))
	if unused := size - skBuff - sharedInfo - n; 2*unused < size {
		return size
	}
	return s.trueSize(n)
}

const (
	// defaultBuffer is net.core.rmem_default and wmem_default.
	defaultBuffer = 212992
	// leastBuffer is the smallest receive buffer (SOCK_MIN_RCVBUF).
	leastBuffer = 2304
	// leastSendBuffer is the smallest send buffer (SOCK_MIN_SNDBUF).
	leastSendBuffer = 4608
	// mostBuffer is the largest requested size; larger ones are reduced to it (INT_MAX /
	// 2).
	mostBuffer = 1<<30 - 1
	// sendOverhead is the number of bytes by which a send buffer must exceed the datagram.
	sendOverhead = 32
)
