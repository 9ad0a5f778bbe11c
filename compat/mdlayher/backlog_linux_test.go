package netlink

import (
	"errors"
	"syscall"
	"testing"

	"github.com/nlwire/nlwire/socket"
)

func reply(seq uint32) *datagram {
	m := Message{Header: Header{Length: 20, Sequence: seq}}
	return &datagram{b: m.append(nil)}
}

func TestHeaderLayout(t *testing.T) {
	want := Header{1, 2, 3, 4, 5}
	if got := sysToHeader(syscall.NlMsghdr{Len: 1, Type: 2, Flags: 3, Seq: 4, Pid: 5}); got != want {
		t.Errorf("%+v", got)
	}
}

// Datagrams come back in order. They are copies, because the receive buffer is reused.
func TestBacklogKeepsItsOrder(t *testing.T) {
	var q backlog
	for seq := range uint32(5) {
		d := reply(seq)
		b := d.b
		q.keep(d)
		clear(b)
	}
	for seq := range uint32(5) {
		d, ok, err := q.next()
		if m, _, _ := nextMessage(d.b); !ok || err != nil || m.Seq() != seq {
			t.Fatalf("%d: %v %v %v", seq, d.b, ok, err)
		}
	}
	if _, ok, err := q.next(); ok || err != nil || q.size != 0 || q.datagrams != nil {
		t.Errorf("%d bytes in the empty backlog", q.size)
	}
}

// If a program never receives its notifications, the backlog stays bounded and the loss is reported.
func TestBacklogIsBounded(t *testing.T) {
	var q backlog
	large := &datagram{b: make([]byte, maxBacklog/4)}
	for range 10 {
		q.keep(large)
	}
	if q.size > maxBacklog || len(q.datagrams) != 4 {
		t.Errorf("the backlog contains %d datagrams of %d bytes", len(q.datagrams), q.size)
	}
	if _, _, err := q.next(); !errors.Is(err, syscall.ENOBUFS) {
		t.Errorf("error of the loss: %v, want ENOBUFS", err)
	}
	if _, ok, err := q.next(); !ok || err != nil {
		t.Errorf("no datagram after the loss: %v", err)
	}
	for seq := range uint32(2 * maxStale) {
		q.abandon(seq)
	}
	if len(q.stale) != maxStale || q.isStale(reply(0)) || !q.isStale(reply(2*maxStale-1)) {
		t.Errorf("%d stale requests: %v", len(q.stale), q.stale)
	}
}

// Sequence numbers can be reused, and an empty queue clears all stale requests.
func TestRenewedRequestsAreNotStale(t *testing.T) {
	var q backlog
	q.abandon(1)
	q.abandon(2)
	q.renew(1)
	if q.isStale(reply(1)) || !q.isStale(reply(2)) {
		t.Errorf("stale requests: %v", q.stale)
	}
	q.forgetStale()
	if q.isStale(reply(2)) || q.hasStale.Load() {
		t.Errorf("stale requests: %v", q.stale)
	}
}

// A notification may have the sequence number of an abandoned request.
func TestNotificationsAreNotStale(t *testing.T) {
	var q backlog
	q.abandon(7)
	d := reply(7)
	d.info = socket.Info{Group: 40}
	if q.isStale(d) {
		t.Error("a notification is stale")
	}
}

// The padding is zero even if the buffer was in use before.
func TestPadding(t *testing.T) {
	b := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	if got := padded(b[:5], 5); string(got) != "\x01\x02\x03\x04\x05\x00\x00\x00" {
		t.Errorf("%x", got)
	}
}
