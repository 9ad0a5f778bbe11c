package genlmsg

import (
	"bytes"
	"testing"

	"github.com/nlwire/nlwire/internal/test/golden"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// A request with a netlink header, a Generic Netlink header and a nest.
func TestRequest(t *testing.T) {
	const (
		little = "20000000 1500 0500 07000000 00000000  02 01 0000  0c00 0180  0800 0100 07000000"
		big    = "00000020 0015 0005 00000007 00000000  02 01 0000  000c 8001  0008 0001 00000007"
	)
	b := nlmsg.Begin(nil, 0x15, nlmsg.FlagRequest|nlmsg.FlagAck, 7, 0)
	b = Append(b, 2, 1)
	n := len(b)
	b = nla.Begin(b, 1)
	b = nla.AppendUint32(b, 1, 7)
	b = nla.End(b, n)
	b = nlmsg.End(b, 0)
	if want := golden.Native(t, little, big); !bytes.Equal(b, want) {
		t.Errorf("% x, want % x", b, want)
	}
}

func TestConsume(t *testing.T) {
	tests := []struct {
		little, big  string
		cmd, version uint8
		reserved     uint16
		n            int
	}{
		{"", "", 0, 0, 0, -1},
		{"01", "01", 0, 0, 0, -1},
		{"010200", "010200", 0, 0, 0, -1},
		{"01020000", "01020000", 1, 2, 0, HeaderLen},
		{"ff fe 0102", "ff fe 0201", 0xff, 0xfe, 0x0201, HeaderLen},
		{"01020000 0800", "01020000 0800", 1, 2, 0, HeaderLen},
	}
	for _, tt := range tests {
		h, n := Consume(golden.Native(t, tt.little, tt.big))
		if n != tt.n {
			t.Errorf("%q: %d bytes, want %d", tt.little, n, tt.n)
		}
		if h.Cmd() != tt.cmd || h.Version() != tt.version || h.Reserved() != tt.reserved || cap(h) != len(h) {
			t.Errorf("%q: cmd %d, version %d, reserved %#x, capacity %d", tt.little, h.Cmd(), h.Version(), h.Reserved(), cap(h))
		}
		if (n < 0) != (h == nil) {
			t.Errorf("%q: header % x of %d bytes", tt.little, []byte(h), n)
		}
	}
}

func TestAccessorsAreSafeOnAnySlice(t *testing.T) {
	for n := range HeaderLen {
		h := Header(bytes.Repeat([]byte{0xff}, n))
		if h.Cmd() != 0 || h.Version() != 0 || h.Reserved() != 0 {
			t.Errorf("%d bytes: cmd %d, version %d, reserved %d", n, h.Cmd(), h.Version(), h.Reserved())
		}
	}
}

// User headers of every size; Open vSwitch has 4 bytes, TIPC 8.
func TestUserHeader(t *testing.T) {
	for size := range 13 {
		hdr := bytes.Repeat([]byte{0xaa}, size)
		b := nlmsg.Begin(bytes.Repeat([]byte{0xff}, 64)[:0], 0x20, nlmsg.FlagRequest, 1, 0)
		b = AppendUserHeader(Append(b, 1, 1), hdr)
		b = nlmsg.End(nla.AppendUint16(b, 5, 99), 0)
		m, n := nlmsg.Consume(b)
		if n != len(b) {
			t.Fatalf("user header of %d bytes: message of %d in %d", size, n, len(b))
		}
		if got := UserHeader(m, size); !bytes.Equal(got, hdr) || cap(got) != len(got) {
			t.Errorf("user header % x, want % x", got, hdr)
		}
		if v, err := nla.Find(Attrs(m, size), 5).Uint16(); v != 99 || err != nil {
			t.Errorf("user header of %d bytes: attribute %d, %v", size, v, err)
		}
		if rest := bytes.Trim(b[20+size:20+nlmsg.Align(size)], "\x00"); len(rest) != 0 {
			t.Errorf("padding not zero: % x", rest)
		}
	}
}

func TestShortMessagesHaveNoUserHeader(t *testing.T) {
	b := nlmsg.Begin(nil, 0x20, 0, 1, 0)
	m := nlmsg.Msg(nlmsg.End(Append(b, 1, 1), 0))
	for n := range len(m) + 1 {
		if got := UserHeader(m[:n], 4); got != nil {
			t.Errorf("%d bytes: user header % x", n, got)
		}
		if got := Attrs(m[:n], 4); got != nil {
			t.Errorf("%d bytes: attributes % x", n, got)
		}
	}
	if got := UserHeader(m, 0); got != nil {
		t.Errorf("hdrsize 0: % x", got)
	}
	if got := UserHeader(m, -1); got != nil {
		t.Errorf("hdrsize -1: % x", got)
	}
}

// The recorded dump of families: every message is a NEWFAMILY of the controller.
func TestRecordedFamilies(t *testing.T) {
	var names []string
	for _, d := range golden.Datagrams(t, "families") {
		for m, err := range nlmsg.All(d) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Type() != IDCtrl {
				continue
			}
			h, n := Consume(m.Payload())
			if n < 0 || h.Cmd() != CtrlCmdNewFamily || h.Version() != CtrlVersion || h.Reserved() != 0 {
				t.Fatalf("%v: header % x", m, []byte(h))
			}
			name, err := nla.Find(Attrs(m, 0), CtrlAttrFamilyName).CString()
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, string(name))
		}
	}
	if len(names) != 15 || names[0] != CtrlName {
		t.Errorf("families %q", names)
	}
}
