package nlmsg

import (
	"bytes"
	"errors"
	"testing"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/nla"
)

// answer builds an Error or Done message by hand.
func answer(typ Type, flags Flags, payload ...[]byte) Msg {
	b := Begin(nil, typ, flags, 7, 1)
	for _, p := range payload {
		b = append(b, p...)
	}
	n := len(b)
	return Msg(End(b, 0))[:n]
}

func number(v int32) []byte { return ne.AppendUint32(nil, uint32(v)) }

func TestMalformedAcks(t *testing.T) {
	echo := request(4)
	huge := bytes.Clone(echo)
	ne.PutUint32(huge, 1<<31)
	tiny := bytes.Clone(echo)
	ne.PutUint32(tiny, 15)
	tests := []struct {
		name   string
		m      Msg
		errno  errno.Errno
		offset int
		err    error
	}{
		{"not an Error", answer(TypeDone, 0, number(-2), echo), 0, 4, ErrType},
		{"no payload", answer(TypeError, 0), 0, 16, ErrTruncated},
		{"3 bytes of errno", answer(TypeError, 0, number(-2)[:3]), 0, 19, ErrTruncated},
		{"errno alone", answer(TypeError, 0, number(-2)), enoent, 20, ErrTruncated},
		{"15 bytes of request", answer(TypeError, 0, number(-2), echo[:15]), enoent, 35, ErrTruncated},
		{"request longer than the message", answer(TypeError, 0, number(-2), huge), enoent, 20, ErrEcho},
		{"request cut short by one byte", answer(TypeError, 0, number(-2), echo[:19]), enoent, 20, ErrEcho},
		{"request shorter than its header", answer(TypeError, 0, number(-2), tiny), enoent, 20, ErrEcho},
		{"request too long before TLVs", answer(TypeError, FlagAckTLVs, number(0), huge), 0, 20, ErrEcho},
		{"TLV cut", answer(TypeError, FlagCapped|FlagAckTLVs, number(-2), echo[:16], []byte{1, 0}), enoent, 36, nla.ErrTruncated},
		{"TLV past the end", answer(TypeError, FlagCapped|FlagAckTLVs, number(-2), echo[:16], nla.AppendUint32(nil, AttrOffs, 4)[:7]), enoent, 36, nla.ErrOverrun},
		{"TLV of length 0", answer(TypeError, FlagCapped|FlagAckTLVs, number(-2), echo[:16], nla.AppendUint32(nil, AttrOffs, 4), make([]byte, 4)), enoent, 44, nla.ErrLength},
		{"offset of 2 bytes", answer(TypeError, FlagCapped|FlagAckTLVs, number(-2), echo[:16], nla.AppendUint16(nil, AttrOffs, 4)), enoent, 36, ErrExtAck},
		{"missing type of 8 bytes", answer(TypeError, FlagCapped|FlagAckTLVs, number(-2), echo[:16], nla.AppendUint64(nil, AttrMissType, 4)), enoent, 36, ErrExtAck},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := ParseAck(tt.m)
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset != tt.offset || !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v at offset %d", err, tt.err, tt.offset)
			}
			if a.Errno != tt.errno {
				t.Errorf("errno %d, want %d: it must not be lost", a.Errno, tt.errno)
			}
		})
	}
}

func TestUnusualAnswers(t *testing.T) {
	echo := request(4)
	ack := func(m Msg) ExtAck {
		t.Helper()
		a, err := ParseAck(m)
		if err != nil {
			t.Fatalf("%v: %v", m, err)
		}
		return a
	}
	if a := ack(answer(TypeError, 0, number(0), echo[:16])); a.Errno != 0 || a.Request.Seq() != 7 {
		t.Errorf("acknowledgement of a kernel before 4.12, capped without the flag: %+v", a)
	}
	if a := ack(answer(TypeError, 0, number(2), echo)); a.Errno != enoent {
		t.Errorf("positive errno: %d", a.Errno)
	}
	if a := ack(answer(TypeError, 0, number(-1<<31), echo)); a.Errno != 1<<31 {
		t.Errorf("errno -2^31: %d", a.Errno)
	}
	if a := ack(answer(TypeError, FlagCapped|FlagAckTLVs, number(-2), echo[:16])); a.Errno != enoent || a.Msg != nil || a.Offset != 0 {
		t.Errorf("the TLVs flag without TLVs: %+v", a)
	}
	unknown := nla.AppendUint32(nla.AppendUint32(nil, 99, 1), AttrOffs, 16)
	if a := ack(answer(TypeError, FlagCapped|FlagAckTLVs, number(-2), echo[:16], unknown)); a.Offset != 16 {
		t.Errorf("after an unknown TLV: %+v", a)
	}
	if a := ack(answer(TypeError, FlagCapped|FlagAckTLVs, number(-2), echo[:16], nla.AppendText(nil, AttrMsg, "no NUL"))); string(a.Msg) != "no NUL" {
		t.Errorf("text without NUL: %q", a.Msg)
	}
}

func TestUnusualDones(t *testing.T) {
	tests := []struct {
		name  string
		m     Msg
		errno errno.Errno
		err   error
	}{
		{"empty payload", answer(TypeDone, FlagMulti), 0, nil},
		{"positive number", answer(TypeDone, FlagMulti, number(12)), 0, nil},
		{"errno", answer(TypeDone, FlagMulti, number(-2)), enoent, nil},
		{"the TLVs flag, no TLVs", answer(TypeDone, FlagMulti|FlagAckTLVs, number(-2)), enoent, nil},
		{"3 bytes", answer(TypeDone, FlagMulti, number(-2)[:3]), 0, ErrTruncated},
		{"more without the flag", answer(TypeDone, FlagMulti, number(0), []byte{1, 2, 3}), 0, nil},
		{"not a Done", answer(TypeError, FlagMulti, number(-2)), 0, ErrType},
		{"TLV cut", answer(TypeDone, FlagMulti|FlagAckTLVs, number(-2), []byte{1}), enoent, nla.ErrTruncated},
	}
	for _, tt := range tests {
		if a, err := ParseDone(tt.m); a.Errno != tt.errno || !errors.Is(err, tt.err) {
			t.Errorf("%s: errno %d, error %v; want %d, %v", tt.name, a.Errno, err, tt.errno, tt.err)
		}
	}
}

// The kernel's receive loop never passes on a request shorter than a header. An answer to one
// must still contain a whole struct nlmsgerr.
func TestAppendAckOfAShortRequest(t *testing.T) {
	for n := range HeaderLen {
		m, size := Consume(AppendAck(nil, &ExtAck{Errno: einval, Request: make(Msg, n)}, AckOptions{PortID: 1}))
		if size != 36 || m.Seq() != 0 {
			t.Errorf("request of %d bytes: %v", n, m)
		}
	}
}

// A number of the wrong size after a valid one is an error, and the valid one is kept.
func TestAWrongSizeKeepsWhatWasRead(t *testing.T) {
	for _, typ := range []uint16{AttrOffs, AttrMissType, AttrMissNest} {
		b := AppendAck(nil, &ExtAck{Errno: einval, Request: request(0)}, AckOptions{PortID: 1, Cap: true})
		b = nla.AppendUint16(nla.AppendUint32(b, typ, 20), typ, 1)
		m := Msg(End(b, 0))
		m.SetFlags(FlagCapped | FlagAckTLVs)
		a, err := ParseAck(m)
		if number := max(a.Offset, a.MissType, a.MissNest); !errors.Is(err, ErrExtAck) || number != 20 {
			t.Errorf("type %d: %+v, %v", typ, a, err)
		}
	}
}

// Appending to the text of an extended ACK must not write into the message.
func TestTextOfAnExtAckEndsWithItsCapacity(t *testing.T) {
	req := Msg(End(Begin(nil, MinType, FlagRequest, 1, 2), 0))
	m := Msg(AppendAck(nil, &ExtAck{Msg: []byte("text"), Errno: einval, Request: req}, AckOptions{PortID: 2, Cap: true, Ext: true}))
	a, err := ParseAck(m)
	if err != nil || string(a.Msg) != "text" || cap(a.Msg) != len(a.Msg) {
		t.Errorf("%q with a capacity of %d, %v", a.Msg, cap(a.Msg), err)
	}
}
