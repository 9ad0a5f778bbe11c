package nlmsg

import (
	"errors"
	"testing"

	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
)

// slowSplit is the kernel's receive loop (netlink_rcv_skb), written independently of the package.
// It returns the offsets and lengths of the messages that the kernel handles, and the offset
// where the loop stops.
func slowSplit(b []byte) (starts, lengths []int, stop int) {
	for len(b)-stop >= 16 {
		n := uint64(ne.Uint32(b[stop : stop+4]))
		if n < 16 || n > uint64(len(b)-stop) {
			break
		}
		starts, lengths = append(starts, stop), append(lengths, int(n))
		stop = min(stop+(int(n)+3)/4*4, len(b))
	}
	return starts, lengths, stop
}

// slowReason returns the error at the point where the loop stopped.
func slowReason(rest []byte) error {
	switch {
	case len(rest) == 0:
		return nil
	case len(rest) < 16:
		return ErrTruncated
	case ne.Uint32(rest) < 16:
		return ErrLength
	}
	return ErrOverrun
}

// FuzzMessages compares Consume, All and Walk with the kernel's loop: the same messages at the
// same offsets, steps of at least 16 bytes, at most one error value. Views from a message are
// inside it.
func FuzzMessages(f *testing.F) {
	seeds.Fuzz(f, seeds.Datagrams(), func(t *testing.T, b []byte) {
		starts, lengths, stop := slowSplit(b)
		guard.Memory(t, b, 64, func() {
			for range All(b) {
			}
		})
		checkWalk(t, b, starts, lengths, stop)
		var i, size int
		for m, err := range All(b) {
			if err != nil {
				var syntax *SyntaxError
				if !errors.As(err, &syntax) || syntax.Offset != stop || syntax.Err != slowReason(b[stop:]) || i != len(starts) || m != nil {
					t.Fatalf("%v after %d messages, the kernel reads %d and stops at %d", err, i, len(starts), stop)
				}
				return
			}
			if i >= len(starts) || &m[0] != &b[starts[i]] || len(m) != lengths[i] || cap(m) != len(m) {
				t.Fatalf("message %d: %d bytes of capacity %d, the kernel's are %v at %v", i, len(m), cap(m), lengths, starts)
			}
			checkParts(t, m)
			one, n := Consume(b[size:])
			if &one[0] != &m[0] || len(one) != len(m) || n < HeaderLen {
				t.Fatalf("Consume = % x, All = % x", []byte(one), []byte(m))
			}
			size += n
			i++
		}
		if i != len(starts) || size != len(b) || stop != len(b) {
			t.Fatalf("%d messages of %d bytes, the kernel reads %d", i, size, len(starts))
		}
	})
}

// checkWalk compares a cursor with the slow loop: the same messages, the same end.
func checkWalk(t *testing.T, b []byte, starts, lengths []int, stop int) {
	t.Helper()
	c := Walk(b)
	for i, start := range starts {
		m := c.Msg()
		if !c.More() || c.Err() != nil || len(m) != lengths[i] || cap(m) != len(m) || &m[0] != &b[start] {
			t.Fatalf("message %d: More = %v, %d bytes of capacity %d, %v; the kernel's are %v at %v",
				i, c.More(), len(m), cap(m), c.Err(), lengths, starts)
		}
		for hdrlen := range 12 {
			if attrs, want := c.Attrs(hdrlen), m.Attrs(hdrlen); (attrs == nil) != (want == nil) || len(attrs) != len(want) || cap(attrs) != cap(want) || len(attrs) > 0 && &attrs[0] != &want[0] {
				t.Fatalf("message %d: %d attribute bytes after a header of %d, Msg.Attrs has %d", i, len(attrs), hdrlen, len(want))
			}
		}
		if c.Type() != m.Type() {
			t.Fatalf("message %d: type %v, want %v", i, c.Type(), m.Type())
		}
		c = c.Next()
	}
	if c.More() || c.Msg() != nil || c.Type() != 0 || c.Attrs(0) != nil || c.Err() != slowReason(b[stop:]) {
		t.Fatalf("after the last message: More = %v, % x, %v, want %v", c.More(), []byte(c.Msg()), c.Err(), slowReason(b[stop:]))
	}
	// A caller that ignores More stays inside the datagram.
	for range len(b) + 1 {
		c = c.Next()
	}
	if len(c.Msg()) > len(b) {
		t.Fatalf("a message of %d bytes in %d", len(c.Msg()), len(b))
	}
}

// checkParts parses m as every kind of answer, and reads its attributes after headers of every
// size. All results must be inside m.
func checkParts(t *testing.T, m Msg) {
	t.Helper()
	for _, parse := range []func(Msg) (ExtAck, error){ParseAck, ParseDone} {
		a, err := parse(m)
		var syntax *SyntaxError
		if errors.As(err, &syntax) && (syntax.Offset < 0 || syntax.Offset > len(m)) {
			t.Fatalf("offset %d in a message of %d bytes", syntax.Offset, len(m))
		}
		if len(a.Request)+len(a.Msg)+len(a.Cookie)+len(a.Policy) > len(m) {
			t.Fatalf("%+v of %d bytes", a, len(m))
		}
	}
	for hdrlen := range 12 {
		attrs := m.Attrs(hdrlen)
		if want := max(0, len(m)-HeaderLen-(hdrlen+3)/4*4); len(attrs) != want || len(attrs) > 0 && &attrs[want-1] != &m[len(m)-1] {
			t.Fatalf("%d bytes of attributes after a header of %d in %d", len(attrs), hdrlen, len(m))
		}
	}
	guard.Memory(t, m, 64, func() { _, _ = ParseAck(m) })
	guard.Memory(t, m, 64, func() { _, _ = ParseDone(m) })
}
