package genlmsg

import (
	"bytes"
	"testing"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// FuzzHeader builds a message from its parts and reads it again; the same
// bytes as a payload from the wire must not panic, nor leave the message.
func FuzzHeader(f *testing.F) {
	f.Add(uint8(3), uint8(2), []byte(nil), []byte(nil))
	f.Add(uint8(1), uint8(1), []byte{1, 2, 3, 4, 5}, nla.AppendCString(nil, 2, "nlctrl"))
	f.Fuzz(func(t *testing.T, cmd, version uint8, user, rest []byte) {
		b, mark := nlmsg.Begin(nil, 0x20, nlmsg.Request, 1, 0)
		b = append(AppendUserHeader(Append(b, cmd, version), user), rest...)
		size := len(b)
		m := nlmsg.Msg(nlmsg.End(b, mark))[:size]
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

		wire := nlmsg.Msg(rest)
		if h, n := Consume(wire.Payload()); n == HeaderLen {
			again := Append(nil, h.Cmd(), h.Version())
			if h.Reserved() == 0 && !bytes.Equal(again, h) {
				t.Fatalf("read % x, wrote % x", []byte(h), again)
			}
		}
		if inside := len(UserHeader(wire, len(user))) + len(Attrs(wire, len(user))); inside > len(wire) {
			t.Fatalf("%d bytes in a message of %d", inside, len(wire))
		}
	})
}
