package netlink

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/nlwire/nlwire/socket"
	"golang.org/x/sys/unix"
)

// A datagram is a received datagram.
type datagram struct {
	b       []byte // padded with zeros to a multiple of 4 bytes
	info    socket.Info
	isOwned bool // b is not memory of a space
}

// own returns the bytes. It copies them out of the space, so that the user of a Conn may keep them.
func (d *datagram) own() []byte {
	if !d.isOwned {
		d.b, d.isOwned = append([]byte(nil), d.b...), true
	}
	return d.b
}

// isMulticast reports whether the datagram was sent to a group.
func (d *datagram) isMulticast() bool { return d.info.Groups != 0 || d.info.Group != 0 }

// Limits of a backlog.
const (
	maxBacklog = 1 << 20 // bytes
	maxStale   = 64      // requests
)

// A backlog contains the datagrams that Execute received for Receive, and the sequence numbers of
// abandoned requests.
type backlog struct {
	// Guarded by Conn.receiving.
	datagrams []datagram
	size      int
	loss      error // returned by the next Receive

	hasStale atomic.Bool
	mu       sync.Mutex
	stale    []uint32 // sequence numbers; guarded by mu
}

// keep stores a datagram for Receive. If the backlog is full, the datagram is lost and Receive returns
// ENOBUFS, as for a full receive buffer in the kernel.
func (q *backlog) keep(d *datagram) {
	if q.size+len(d.b) > maxBacklog {
		q.loss = os.NewSyscallError("recvmsg", unix.ENOBUFS)
		return
	}
	d.own()
	q.size += len(d.b)
	q.datagrams = append(q.datagrams, *d)
}

// next returns the loss, if any, and otherwise the oldest datagram. ok is false without a datagram.
func (q *backlog) next() (d datagram, ok bool, err error) {
	if q.loss != nil {
		err, q.loss = q.loss, nil
		return d, false, err
	}
	if len(q.datagrams) == 0 {
		return d, false, nil
	}
	d = q.datagrams[0]
	q.datagrams[0] = datagram{}
	if q.datagrams = q.datagrams[1:]; len(q.datagrams) == 0 {
		q.datagrams = nil
	}
	q.size -= len(d.b)
	return d, true, nil
}

// abandon marks the replies to a request as stale. Above the limit it forgets the oldest request.
func (q *backlog) abandon(seq uint32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.stale) == maxStale {
		q.stale = slices.Delete(q.stale, 0, 1)
	}
	q.stale = append(q.stale, seq)
	q.hasStale.Store(true)
}

// renew is called before a message is sent. A caller may reuse the sequence number of an abandoned
// request.
func (q *backlog) renew(seq uint32) {
	if !q.hasStale.Load() {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stale = slices.DeleteFunc(q.stale, func(s uint32) bool { return s == seq })
	q.hasStale.Store(len(q.stale) > 0)
}

// forgetStale is called when the queue is empty: all replies to abandoned requests have been received.
func (q *backlog) forgetStale() {
	if !q.hasStale.Load() {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stale = nil
	q.hasStale.Store(false)
}

// isStale reports whether a datagram is a reply to an abandoned request.
func (q *backlog) isStale(d *datagram) bool {
	if !q.hasStale.Load() || d.isMulticast() {
		return false
	}
	m, _, _ := nextMessage(d.b)
	q.mu.Lock()
	defer q.mu.Unlock()
	return m != nil && slices.Contains(q.stale, m.Seq())
}
