package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/nlwire/nlwire/cmd/nlctl/internal/input"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The file formats that contain datagrams. gopacket writes the captures.

// linkNetlink is the link type of netlink.
const linkNetlink layers.LinkType = 253

// The limits of captures.
const (
	maxPacket     = 256 << 10
	maxInterfaces = 1024
	minBlock      = 12
)

func pcap(tb testing.TB, link layers.LinkType, packets ...[]byte) []byte {
	tb.Helper()
	var file bytes.Buffer
	w := pcapgo.NewWriterNanos(&file)
	if err := w.WriteFileHeader(math.MaxUint16, link); err != nil {
		tb.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(captured(p), p); err != nil {
			tb.Fatal(err)
		}
	}
	return file.Bytes()
}

// captured returns the capture information of a packet.
func captured(p []byte) gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: time.Unix(1_800_000_000, 1).UTC(), CaptureLength: len(p), Length: len(p)}
}

func pcapng(tb testing.TB, links []layers.LinkType, packets ...[]byte) []byte {
	tb.Helper()
	var file bytes.Buffer
	intf := func(link layers.LinkType) pcapgo.NgInterface {
		return pcapgo.NgInterface{Name: "x", LinkType: link, TimestampResolution: 9}
	}
	w, err := pcapgo.NewNgWriterInterface(&file, intf(links[0]), pcapgo.DefaultNgWriterOptions)
	if err != nil {
		tb.Fatal(err)
	}
	for _, link := range links[1:] {
		if _, err := w.AddInterface(intf(link)); err != nil {
			tb.Fatal(err)
		}
	}
	for i, p := range packets {
		ci := captured(p)
		ci.InterfaceIndex = i % len(links)
		if err := w.WritePacket(ci, p); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

// cooked adds the header of nlmon before a datagram.
func cooked(protocol socket.Protocol, b []byte) []byte {
	p := []byte{0, 4, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(protocol >> 8), byte(protocol)}
	return append(p, b...)
}

// A datagram is decoded the same in every file format.
func TestDecodeFiles(t *testing.T) {
	needLittleEndian(t)
	route := request(18, nlmsg.FlagRequest|nlmsg.FlagDump, make([]byte, 16), nla.AppendUint32(nil, 29, 1))
	raw, err := decoded(t, route, socket.Route)
	if err != nil || len(raw) != 1 || raw[0].Name != "getlink" {
		t.Fatalf("%v, %+v", err, raw)
	}
	file := hex.EncodeToString(route)
	text := "# two\n\n" + file[:20] + "  # half\n" + file[20:31] + "\n" + strings.ToUpper(file[31:33]) + ":" + file[33:] + "\n\n\n" + file + "\n# end"
	ethernet := make([]byte, 60)
	secrets := append([]byte{10, 0, 0, 0, 0, 0, 0x10, 0}, make([]byte, 1<<20-8)...) // a block to skip
	ng := pcapng(t, []layers.LinkType{linkNetlink}, cooked(socket.Route, route))
	interfaces := bytes.Repeat([]byte{1, 0, 0, 0, 20, 0, 0, 0, 253, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0}, maxInterfaces-1)
	more := bytes.Clone(ng) // the original length will be smaller than the captured length
	more[len(more)-4-len(route)-16-4] -= 5
	for _, test := range []struct {
		name  string
		file  []byte
		count int
	}{
		{"hex", []byte(text), 2},
		{"hex, a comment on a line of its own", []byte(file[:20] + "\n# the other half\n" + file[20:] + "\n"), 1},
		{"hex with \\r", []byte(strings.ReplaceAll(text, "\n", "\r\n")), 2},
		{"pcap", pcap(t, linkNetlink, cooked(socket.Route, route), cooked(socket.Route, nil), cooked(socket.Route, route)), 2},
		{"pcapng", pcapng(t, []layers.LinkType{linkNetlink}, cooked(socket.Route, route), cooked(socket.Route, route)), 2},
		{"pcapng of two sections", slices.Concat(ng, secrets, ng), 2},
		{"pcapng of many interfaces", slices.Concat(ng, interfaces, ng, interfaces), 2},
		{"pcapng with a length that is too short", more, 1},
		{"pcapng of two links", pcapng(t, []layers.LinkType{layers.LinkTypeEthernet, linkNetlink}, ethernet, cooked(socket.Route, route), ethernet), 1},
	} {
		got, err := decoded(t, test.file, socket.Route)
		if err != nil || len(got) != test.count {
			t.Fatalf("%s: %v, %d messages, want %d", test.name, err, len(got), test.count)
		}
		heading := fmt.Sprintf("  route, %d bytes", len(route))
		if text, err := decodedText(test.file, socket.Route); err != nil || strings.Count(text, heading) != test.count {
			t.Errorf("%s: %v, want %q %d times:\n%s", test.name, err, heading, test.count, text)
		}
		for _, m := range got {
			if strings.HasPrefix(test.name, "pcap") && m.Time != "2027-01-15T08:00:00.000000001Z" {
				t.Errorf("%s: time %q", test.name, m.Time)
			}
			m.Time, m.Datagram = "", 1
			if diff := cmp.Diff(raw[0], m); diff != "" {
				t.Errorf("%s: -raw +got:\n%s", test.name, diff)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	needLittleEndian(t)
	dir := t.TempDir()
	noop := request(nlmsg.TypeNoop, 0, nil, nil)
	other := []byte{0xa1, 0xb2, 0xc3, 0xd4}
	ng := []byte{0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d}
	long := pcap(t, linkNetlink, make([]byte, maxPacket+1))
	long[19] = 0x7f // the highest byte of the snapshot length in the file
	ngFile := pcapng(t, []layers.LinkType{linkNetlink}, cooked(socket.Route, noop))
	cut := pcap(t, linkNetlink, cooked(socket.Route, noop))
	cut[24+12] += 8 // the original length, which is now larger than the captured length
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"empty":                 {nil, "the file is empty"},
		"gzip":                  {append([]byte{0x1f, 0x8b, 8}, make([]byte, 20)...), "gzip: the compressed data is corrupt"},
		"other order":           {append(other, make([]byte, 20)...), "pcap: link type is 0"},
		"other order, pcapng":   {append(ng, make([]byte, 20)...), "the file is truncated"},
		"ethernet":              {pcap(t, layers.LinkTypeEthernet, make([]byte, 60)), "link type is 1, not netlink (253)"},
		"no packet":             {pcap(t, linkNetlink), "no datagram"},
		"packet of 15 bytes":    {pcap(t, linkNetlink, make([]byte, 15)), "1 of 1 datagrams are malformed or incomplete"},
		"rubbish":               {[]byte("this is \x00 netlink at all"), "1 of 1 datagrams are malformed or incomplete"},
		"text":                  {[]byte("this is no netlink at all"), "line 1: 't' is not a hex digit"},
		"hex of odd length":     {[]byte("000"), "line 1: datagram has an odd number of hex digits (3)"},
		"only a comment":        {[]byte("# nothing\n"), "the file has no datagram"},
		"a packet that was cut": {cut, "1 of 1 datagrams are malformed or incomplete"},
		"over 8 MiB":            {append(noop, make([]byte, input.MaxPlain-len(noop)+1)...), "longer than 8 MiB"},
		"8 MiB":                 {append(noop, bytes.Repeat([]byte{0xff}, input.MaxPlain-len(noop))...), "1 of 1 datagrams are malformed or incomplete"},
		"pcapng, ethernet":      {pcapng(t, []layers.LinkType{layers.LinkTypeEthernet}, make([]byte, 60)), "link type is 1, not netlink (253)"},
		"pcapng, orders":        {slices.Concat(ngFile, ng, make([]byte, 20)), "the file is truncated"},
		"pcapng, no order":      {slices.Concat(ng[:8], make([]byte, 20)), "section has no byte-order magic"},
		"pcapng, small block":   {slices.Concat(ngFile, []byte{6, 0, 0, 0, 8, 0, 0, 0}, make([]byte, 20)), "invalid block length 8"},
		"pcapng, odd block":     {slices.Concat(ngFile, []byte{6, 0, 0, 0, 33, 0, 0, 0}, make([]byte, 60)), "invalid block length 33"},
		"pcapng, long block":    {slices.Concat(ngFile, []byte{6, 0, 0, 0, 0, 0, 0, 0x7f}, make([]byte, 60)), "exceeds the limit of 266240"},
		"pcapng, cut skip":      {slices.Concat(ngFile, []byte{10, 0, 0, 0, 0, 0, 0, 0x7f}, make([]byte, 60)), "the file is truncated"},
		"pcapng, interfaces":    {slices.Concat(ngFile, bytes.Repeat([]byte{1, 0, 0, 0, 20, 0, 0, 0, 253, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0}, maxInterfaces)), "more than 1024 interfaces"},
		"pcap, long packet":     {long, "above the limit of 262144"},
		"pcap, modified":        {append([]byte{0x34, 0xcd, 0xb2, 0xa1}, make([]byte, 40)...), "pcap: modified format"},
		"hex, no digit":         {[]byte("10\n20\n 3O\n"), `line 3: 'O' is not a hex digit`},
		"hex, half a byte":      {[]byte("10\n20\n3\n\n10"), "line 1: ambiguous text"},
	} {
		path := filepath.Join(dir, "file")
		if err := os.WriteFile(path, test.file, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, format := range []string{"-json", "-json=false"} {
			code, stdout, stderr := nlctl(t, "decode", format, path)
			if code != exitError || !strings.Contains(stderr, test.want) {
				t.Errorf("%s: exit %d, stderr %q, want %q", name, code, stderr, test.want)
			}
			if name == "a packet that was cut" && !strings.Contains(stdout, "the last 8 bytes were not captured") {
				t.Errorf("%s:\n%s", name, stdout)
			}
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "nosuch")} {
		if code, _, stderr := nlctl(t, "decode", path); code != exitError || !strings.Contains(stderr, path) {
			t.Errorf("%s: exit %d, stderr %q", path, code, stderr)
		}
	}
}

// A pcapng file that ends within a block is an error.
func TestDecodeCutNg(t *testing.T) {
	needLittleEndian(t)
	noop := cooked(socket.Route, request(nlmsg.TypeNoop, 0, nil, nil))
	file := slices.Concat(pcapng(t, []layers.LinkType{linkNetlink}, noop, noop), []byte{10, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0})
	whole, err := decodedText(file, 0)
	if err != nil {
		t.Fatal(err)
	}
	end := int(file[4]) // length of the first block; the blocks are short
	for n := minBlock; n < len(file); n++ {
		isEnd := n == end
		if isEnd {
			end += int(file[n+4])
		}
		got, err := decodedText(file[:n], 0)
		isCut := err != nil && strings.Contains(err.Error(), "the file is truncated")
		if isEnd == isCut || !strings.HasPrefix(whole, got) {
			t.Errorf("%d of %d bytes: %v\n%s", n, len(file), err, got)
		}
	}
}

// The capture contains only the header of the packet's message.
func TestDecodeCutPacket(t *testing.T) {
	needLittleEndian(t)
	whole := cooked(socket.Route, request(26, nlmsg.FlagRequest, make([]byte, 12), nil))
	file := pcap(t, linkNetlink, whole[:len(whole)-4])
	file[24+12] += 4
	got, err := decoded(t, file, 0)
	if err == nil || len(got) != 1 || got[0].Type == nil || got[0].Seq != 7 || got[0].Error != "the last 4 bytes were not captured" {
		t.Errorf("%v, %+v", err, got)
	}
	file[24+12] -= 5 // the original length is smaller than the captured length
	if got, err := decoded(t, file, 0); err == nil || len(got) != 1 || !strings.Contains(got[0].Error, "past the end") {
		t.Errorf("%v, %+v", err, got)
	}
}

// A time outside the range of RFC 3339 is omitted.
func TestDecodeTimes(t *testing.T) {
	for _, test := range []struct {
		time time.Time
		want string
	}{
		{time.Time{}, ""},
		{time.Unix(0, 0), "1970-01-01T00:00:00Z"},
		{time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), "9999-12-31T23:59:59Z"},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), ""},
		{time.Unix(-1<<40, 0), ""},
	} {
		var o output
		if hasTime(test.time) {
			o.time(test.time)
		}
		if got := string(o.b); got != test.want {
			t.Errorf("%v: %q, want %q", test.time, got, test.want)
		}
	}
}

// packets calls f with each packet of a capture and its original length.
func packets(t *testing.T, file []byte, f func(b []byte, length int)) {
	t.Helper()
	r, err := pcapgo.NewReader(bytes.NewReader(file))
	if err != nil || r.LinkType() != linkNetlink {
		t.Fatalf("%v, %+v", err, r)
	}
	for {
		b, info, err := r.ReadPacketData()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		f(b, info.Length)
	}
}
