package genlmsg

import (
	"bytes"
	"testing"

	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// FuzzHeader builds a message from its parts and reads it again. It also parses the same bytes as
// a payload from the wire, which must not panic, and results must be inside the message.
func FuzzHeader(f *testing.F) {
	f.Add(uint8(3), uint8(2), []byte(nil), []byte(nil))
	f.Add(uint8(1), uint8(1), []byte{1, 2, 3, 4, 5}, nla.AppendCString(nil, 2, "nlctrl"))
	for _, s := range seeds.Recorded() {
		f.Add(uint8(1), uint8(1), []byte{1, 2, 3, 4}[:len(s.B)/4%5], s.B)
	}
	f.Fuzz(func(t *testing.T, cmd, version uint8, user, rest []byte) {
		b := nlmsg.Begin(nil, 0x20, nlmsg.FlagRequest, 1, 0)
		b = append(AppendUserHeader(Append(b, cmd, version), user), rest...)
		size := len(b)
		m := nlmsg.Msg(nlmsg.End(b, 0))[:size]
		h, n := Consume(m.Payload())
		if n != HeaderLen || h.Cmd() != cmd || h.Version() != version || h.Reserved() != 0 {
			t.Fatalf("header % x of %d bytes", []byte(h), n)
		}
		if got := UserHeader(m, len(user)); !bytes.Equal(got, user) {
			t.Fatalf("user header % x, want % x", got, user)
		}
		if got := Attrs(m, len(user)); !bytes.Equal(got, rest) {
			t.Fatalf("attributes % x, want % x", got, rest)
		}

		checkWire(t, rest, len(user))
	})
}

// checkWire parses bytes from the wire as a message with a user header of the given size. Results
// must be at their defined offsets, or nil.
func checkWire(t *testing.T, wire nlmsg.Msg, hdrsize int) {
	t.Helper()
	const start = nlmsg.HeaderLen + HeaderLen
	part := func(from, to int) []byte {
		if from >= to || to > len(wire) {
			return nil
		}
		return wire[from:to]
	}
	h, n := Consume(wire.Payload())
	if want := part(nlmsg.HeaderLen, start); !bytes.Equal(h, want) || (n < 0) != (want == nil) {
		t.Fatalf("Consume = % x, %d of % x", []byte(h), n, []byte(wire))
	}
	if n > 0 && h.Reserved() == 0 && !bytes.Equal(Append(nil, h.Cmd(), h.Version()), h) {
		t.Fatalf("read % x, wrote % x", []byte(h), Append(nil, h.Cmd(), h.Version()))
	}
	if got := UserHeader(wire, hdrsize); !bytes.Equal(got, part(start, start+hdrsize)) || cap(got) != len(got) {
		t.Fatalf("user header % x of % x", got, []byte(wire))
	}
	if got := Attrs(wire, hdrsize); !bytes.Equal(got, part(start+nlmsg.Align(hdrsize), len(wire))) {
		t.Fatalf("attributes % x of % x", got, []byte(wire))
	}
}
