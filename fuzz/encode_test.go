package fuzz

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/generate"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// encode writes each attribute with the function for its kind.
func encode(b []byte, nodes []generate.Node) []byte {
	for _, n := range nodes {
		var mark int
		switch n.Kind {
		case generate.NodeNest:
			mark = len(b)
			b = nla.Begin(b, n.Type)
			b = nla.End(encode(b, n.Nest), mark)
		case generate.NodeNestNoFlag:
			mark = len(b)
			b = nla.BeginNoFlag(b, n.Type)
			b = nla.End(encode(b, n.Nest), mark)
		case generate.NodeCanceled:
			mark = len(b)
			b = nla.Begin(b, n.Type)
			b = encode(b, n.Nest)[:mark]
		case generate.NodeCString:
			b = nla.AppendCString(b, n.Type, string(n.Bytes))
		case generate.NodeText:
			b = nla.AppendText(b, n.Type, string(n.Bytes))
		case generate.NodeBytes:
			b = nla.AppendBytes(b, n.Type, n.Bytes)
		case generate.NodeFlag:
			b = nla.AppendFlag(b, n.Type)
		default:
			b = encodeNumber(b, n)
		}
	}
	return b
}

func encodeNumber(b []byte, n generate.Node) []byte {
	v := n.Value
	switch n.Kind {
	case generate.NodeU8:
		return nla.AppendUint8(b, n.Type, uint8(v))
	case generate.NodeU16:
		return nla.AppendUint16(b, n.Type, uint16(v))
	case generate.NodeU32:
		return nla.AppendUint32(b, n.Type, uint32(v))
	case generate.NodeU64:
		return nla.AppendUint64(b, n.Type, v)
	case generate.NodeS8:
		return nla.AppendInt8(b, n.Type, int8(v))
	case generate.NodeS16:
		return nla.AppendInt16(b, n.Type, int16(v))
	case generate.NodeS32:
		return nla.AppendInt32(b, n.Type, int32(v))
	case generate.NodeS64:
		return nla.AppendInt64(b, n.Type, int64(v))
	case generate.NodeBE16:
		return nla.AppendBE16(b, n.Type, uint16(v))
	case generate.NodeBE32:
		return nla.AppendBE32(b, n.Type, uint32(v))
	case generate.NodeBE64:
		return nla.AppendBE64(b, n.Type, v)
	case generate.NodeUint:
		return nla.AppendUint(b, n.Type, v)
	case generate.NodeSint:
		return nla.AppendSint(b, n.Type, int64(v))
	case generate.NodeBitfield:
		return nla.AppendBitfield32(b, n.Type, nla.Bitfield32{Value: uint32(v >> 32), Selector: uint32(v)})
	}
	return nla.AppendMsecs(b, n.Type, time.Duration(v%maxMsecs)*time.Millisecond)
}

// agreeOnBytes writes the program's attributes into a message with nlwire and with the oracle,
// and compares the bytes.
func agreeOnBytes(t *testing.T, program []byte) {
	t.Helper()
	nodes := generate.Tree(program)
	prefix := []byte("before it")
	mark := len(prefix)
	b := nlmsg.Begin(prefix, 0x20, nlmsg.FlagRequest|nlmsg.FlagAck, 7, 9)
	b = nlmsg.End(encode(genlmsg.Append(b, 3, 2), nodes), mark)
	var w slowWriter
	slowEncode(&w, nodes)
	var want slowWriter
	want.number(uint64(20+len(w.b)), 4)
	for _, field := range [][2]uint64{{0x20, 2}, {5, 2}, {7, 4}, {9, 4}, {3, 1}, {2, 1}, {0, 2}} {
		want.number(field[0], int(field[1]))
	}
	want.b = append(want.b, w.b...)
	if mark != len(prefix) || string(b[:mark]) != string(prefix) || !bytes.Equal(b[mark:], want.b) {
		t.Fatalf("wrote  % x\noracle % x", b[mark:], want.b)
	}
	m, n := nlmsg.Consume(b[mark:])
	if n != len(b)-mark || !bytes.Equal(genlmsg.Attrs(m, 0), w.b) {
		t.Fatalf("read % x of % x", genlmsg.Attrs(m, 0), b[mark:])
	}
	// This test converts the texts to strings, which allocates; nlwire allocates nothing.
	guard.Memory(t, program, 64+2*len(program), func() { encode(b[:mark], nodes) })
	for _, size := range []int{16, 20} { // nla_align_64bit
		padded := nla.AppendPad64(b[:size:size], 9)
		if payload := len(padded) + nla.HeaderLen; payload%8 != 0 {
			t.Fatalf("a payload would start at %d", payload)
		}
	}
}

// edgePrograms are programs with one number, at the limits of shorter encodings.
func edgePrograms() (programs [][]byte) {
	for kind := range generate.NodeFlag {
		for _, v := range []uint64{0, 1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1<<31, 1<<64 - 1<<31 - 1, 1<<64 - 1} {
			programs = append(programs, binary.BigEndian.AppendUint64([]byte{byte(kind), 1}, v))
		}
	}
	return programs
}

// FuzzEncode compares the encoder with the oracle for arbitrary trees of attributes.
func FuzzEncode(f *testing.F) {
	for seed := range uint64(64) {
		f.Add(description(generate.New(seed)))
	}
	for _, program := range edgePrograms() {
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) < 4000 { // a nest has at most 65,531 bytes
			agreeOnBytes(t, program)
		}
	})
}

// TestEncodeAgreesWithTheOracle runs the check of FuzzEncode on many programs.
func TestEncodeAgreesWithTheOracle(t *testing.T) {
	g := generate.New(3)
	programs := 50_000
	if testing.Short() {
		programs = 5_000
	}
	for range programs {
		agreeOnBytes(t, description(g))
	}
}
