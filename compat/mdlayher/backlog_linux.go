package netlink

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/nlwire/nlwire/socket"
	"golang.org/x/sys/unix"
)

// A datagram is what one receive returned.
type datagram struct {
	b       []byte // of a multiple of 4 bytes: what the sender left out is zero
	info    socket.Info
	isOwned bool // b is not of a space
}

// own returns the bytes in memory of their own, which the caller of a Conn may keep.
func (d *datagram) own() []byte {
	if !d.isOwned {
		d.b, d.isOwned = append([]byte(nil), d.b...), true
	}
	return d.b
}

// isMulticast reports whether it was sent to a group.
func (d *datagram) isMulticast() bool { return d.info.Groups != 0 || d.info.Group != 0 }

// Limits of a backlog.
const (
	maxBacklog = 1 << 20 // bytes
	maxStale   = 64      // requests
)

// A backlog has what Execute received and Receive is to return, and knows the requests of
// Execute that were given up.
type backlog struct {
	// Guarded by Conn.receiving.
	datagrams []datagram
	size      int
	loss      error // to be returned by Receive

	hasStale atomic.Bool
	mu       sync.Mutex
	stale    []uint32 // sequence numbers; guarded by mu
}

// keep takes a datagram. If there are too many, which are as many as the kernel would not
// keep either, it is lost, and Receive returns ENOBUFS.
func (q *backlog) keep(d *datagram) {
	if q.size+len(d.b) > maxBacklog {
		q.loss = os.NewSyscallError("recvmsg", unix.ENOBUFS)
		return
	}
	d.own()
	q.size += len(d.b)
	q.datagrams = append(q.datagrams, *d)
}

// next returns the loss or the oldest datagram, if there is one.
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

// abandon makes the replies to a request stale. Of too many the oldest is forgotten.
func (q *backlog) abandon(seq uint32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.stale) == maxStale {
		q.stale = slices.Delete(q.stale, 0, 1)
	}
	q.stale = append(q.stale, seq)
	q.hasStale.Store(true)
}

// renew is called before a message is sent: callers may give the number of a request that
// was given up to another one.
func (q *backlog) renew(seq uint32) {
	if !q.hasStale.Load() {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stale = slices.DeleteFunc(q.stale, func(s uint32) bool { return s == seq })
	q.hasStale.Store(len(q.stale) > 0)
}

// forgetStale is called when nothing is queued: whatever was sent in reply to the requests
// that were given up has been received.
func (q *backlog) forgetStale() {
	if !q.hasStale.Load() {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stale = nil
	q.hasStale.Store(false)
}

// isStale reports whether a datagram is a reply to a request that was given up.
func (q *backlog) isStale(d *datagram) bool {
	if !q.hasStale.Load() || d.isMulticast() {
		return false
	}
	m, _, _ := nextMessage(d.b)
	q.mu.Lock()
	defer q.mu.Unlock()
	return m != nil && slices.Contains(q.stale, m.Seq())
}
