package main

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket/layers"

	"github.com/nlwire/nlwire/cmd/nlctl/internal/input"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/test/guard"
	"github.com/nlwire/nlwire/internal/test/seeds"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

//go:embed testdata/nlmon.pcap
var recorded []byte

// maxGrowth limits the bytes of output per byte of a file. The worst case is a message
// without a payload, of 16 bytes, in JSON.
const maxGrowth = 64

// files returns seeds for every kind of file.
func files(f *testing.F) []seeds.Seed {
	needLittleEndian(f)
	family := func(name string) []byte {
		attrs := nla.AppendUint16(nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, name), genlmsg.CtrlAttrFamilyID, 33)
		file := request(genlmsg.IDCtrl, 0, genlmsg.Append(nil, genlmsg.CtrlCmdNewFamily, 2), attrs)
		return append(file, bytes.Repeat(request(33, 0xffff, genlmsg.Append(nil, 1, 1), nil), 100)...)
	}
	noop := request(nlmsg.TypeNoop, 0, nil, nil)
	cut := pcap(f, linkNetlink, cooked(socket.Route, noop))
	cut[24+12] += 8
	list := []seeds.Seed{
		{Name: "recorded", Why: "written by tcpdump", B: recorded},
		{Name: "recorded, cut", Why: "a truncated packet", B: recorded[:len(recorded)-10]},
		{Name: "pcap, cut packet", Why: "a snapshot length that was too short", B: cut},
		{Name: "pcap, uevent", Why: "no messages", B: pcap(f, linkNetlink, cooked(socket.KObjectUevent, []byte("add@/x\x00")))},
		{Name: "pcap, short packet", Why: "less than the header of a packet", B: pcap(f, linkNetlink, []byte{1})},
		{Name: "pcap, ethernet", Why: "another link", B: pcap(f, layers.LinkTypeEthernet, make([]byte, 60))},
		{Name: "pcapng", Why: "written by Wireshark", B: pcapng(f, []layers.LinkType{linkNetlink}, cooked(socket.Route, noop), cooked(socket.Generic, ack(2)))},
		{Name: "pcapng, two links", Why: "packets to skip", B: pcapng(f, []layers.LinkType{layers.LinkTypeEthernet, linkNetlink}, make([]byte, 60), cooked(socket.Route, noop))},
		{Name: "long name", Why: "a name that would be printed with each message", B: family(strings.Repeat("x", 6000))},
		{Name: "name that is not ASCII", Why: "letters are printed too", B: family("\u00e9\u009b\xff")},
		{Name: "hex", Why: "two datagrams, comments", B: []byte("# x\n10000000 0100\n0000 07:00:00:00 09000000\n\n1000\n")},
		{Name: "hex, odd", Why: "half a byte", B: []byte("100\n")},
		{Name: "gzip", Why: "compressed", B: []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0, 0}},
	}
	return slices.Concat(list, seeds.Datagrams())
}

// Any file is printed in printable ASCII. Text and JSON contain the same messages, and the
// length of the output is limited by the length of the file.
func FuzzDecodeFile(f *testing.F) {
	seeds.Fuzz(f, files(f), func(t *testing.T, b []byte) {
		for _, protocol := range []socket.Protocol{socket.Generic, socket.Route} {
			text, err := decodedText(b, protocol)
			for i, r := range text {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Fatalf("%q at %d of the text", r, i)
				}
			}
			var out bytes.Buffer
			failure := testDecoder(&out, true).file(bytes.NewReader(b), protocol)
			if (err == nil) != (failure == nil) || err != nil && err.Error() != failure.Error() {
				t.Fatalf("text %v, JSON %v", err, failure)
			}
			if limit := maxGrowth * (len(b) + 16); len(text) > limit || out.Len() > limit {
				t.Fatalf("%d bytes of text and %d of JSON from %d", len(text), out.Len(), len(b))
			}
			types, lines := 0, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			for _, line := range lines {
				var m message
				if out.Len() > 0 {
					if err := json.Unmarshal([]byte(line), &m); err != nil {
						t.Fatalf("%v in %q", err, line)
					}
				}
				if m.Offset < 0 || m.Length < 0 || m.Offset+m.Length > len(b) {
					t.Fatalf("%d bytes at %d of a file of %d", m.Length, m.Offset, len(b))
				}
				if m.Type != nil {
					types++
				}
			}
			if n := strings.Count(text, "  port "); n < types {
				t.Fatalf("%d messages in the text, %d in JSON", n, types)
			}
		}
		guard.Memory(t, b, 1<<20+1000*len(b), func() { _, _ = decodedText(b, socket.Generic) })
	})
}

// A datagram is decoded the same from a file of its bytes, from hex, and from captures.
func FuzzDecodeDatagram(f *testing.F) {
	needLittleEndian(f)
	seeds.Fuzz(f, seeds.Datagrams(), func(t *testing.T, b []byte) {
		if len(b) == 0 || len(b) > 4096 {
			return
		}
		for _, protocol := range []socket.Protocol{socket.Generic, socket.Route, socket.Netfilter, socket.XFRM} {
			packet := cooked(protocol, b)
			want := messagesOf(t, pcap(t, linkNetlink, packet), protocol)
			got := messagesOf(t, pcapng(t, []layers.LinkType{linkNetlink}, packet), protocol)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("pcapng: -pcap +got:\n%s", diff)
			}
			for i := range want {
				want[i].Time = ""
			}
			if diff := cmp.Diff(want, messagesOf(t, hexFile(b), protocol)); diff != "" {
				t.Fatalf("hex: -pcap +got:\n%s", diff)
			}
			if input.IsForeign(b) {
				continue // nlmsg reads only the byte order of this system
			}
			n := 0
			for m, err := range nlmsg.All(b) {
				if err == nil && (uint16(m.Type()) != *want[n].Type || m.Seq() != want[n].Seq || len(m) != want[n].Length) {
					t.Fatalf("message %d: %+v of % x", n, want[n], m)
				}
				n++
			}
			if n != len(want) {
				t.Fatalf("%d messages, want %d", len(want), n)
			}
		}
	})
}

func messagesOf(t *testing.T, file []byte, protocol socket.Protocol) []message {
	t.Helper()
	all, _ := decoded(t, file, protocol)
	return all
}

func hexFile(b []byte) []byte {
	out := []byte("# hex")
	for line := range slices.Chunk(b, 16) {
		out = hex.AppendEncode(append(out, '\n'), line)
	}
	return out
}
