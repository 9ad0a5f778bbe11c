package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// decoded runs the decoder on a file and returns the lines of its JSON.
func decoded(tb testing.TB, file []byte, protocol int) ([]message, error) {
	tb.Helper()
	var out bytes.Buffer
	failure := newDecoder(&out, true).file(bytes.NewReader(file), protocol)
	var all []message
	for d := json.NewDecoder(&out); ; {
		var m message
		if err := d.Decode(&m); err == io.EOF {
			return all, failure
		} else if err != nil {
			tb.Fatal(err)
		}
		all = append(all, m)
	}
}

func decodedText(file []byte, protocol int) (string, error) {
	var out strings.Builder
	err := newDecoder(&out, false).file(bytes.NewReader(file), protocol)
	return out.String(), err
}

// needLittleEndian skips what has captures, which pcapgo writes in little-endian
// order, or expects hex of numbers.
func needLittleEndian(t testing.TB) {
	t.Helper()
	if native.BigEndian {
		t.Skip("has little-endian captures")
	}
}

// The forms in which a datagram can be in a file.

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

// captured is what is told of a packet.
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

// cooked puts the header of nlmon in front of a datagram.
func cooked(protocol int, b []byte) []byte {
	p := []byte{0, 4, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(protocol >> 8), byte(protocol)}
	return append(p, b...)
}

// request is a message with a header and attributes.
func request(typ nlmsg.Type, flags nlmsg.Flags, header, attrs []byte) []byte {
	b, m := nlmsg.Begin(nil, typ, flags, 7, 9)
	return nlmsg.End(append(append(b, header...), attrs...), m)
}

// ack answers a request with everything that extended ACK has.
func ack(errno uint32) []byte {
	e := &nlmsg.ExtAck{Msg: []byte("no \"x\"\n"), Cookie: []byte{1, 2}, Offset: 20, MissType: 3, MissNest: 24}
	for typ := uint16(nlmsg.AttrMsg); typ <= nlmsg.AttrMissNest; typ++ {
		e.Set(typ)
	}
	e.Policy = nla.AppendUint32(nil, 1, 1) // NL_POLICY_TYPE_ATTR_TYPE: NL_ATTR_TYPE_FLAG
	req := request(0x20, nlmsg.Request, []byte{1, 2, 3, 4}, nla.AppendUint32(nil, 1, 5))
	return nlmsg.AppendAck(nil, req, 9, errno, e, nlmsg.AckOptions{Ext: true})
}

// What is printed of each kind of message.
func TestDecodeMessages(t *testing.T) {
	needLittleEndian(t)
	family := func(name string, id uint16, header uint32) []byte {
		b := nla.AppendUint16(nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, name), genlmsg.CtrlAttrFamilyID, id)
		b = nla.AppendUint32(b, genlmsg.CtrlAttrHdrSize, header)
		return request(genlmsg.IDCtrl, 0, genlmsg.Append(nil, genlmsg.CtrlCmdNewFamily, 2), b)
	}
	one := nla.AppendCString(nil, 1, "hi")
	for _, test := range []struct {
		name     string
		protocol int
		b        []byte
		want     string
	}{
		{"a family, and a message with its header", socket.Generic,
			append(family("ovs \x1b", 33, 4), request(33, nlmsg.Request|nlmsg.Dump, append(genlmsg.Append(nil, 2, 1), 0xff, 0, 0, 0), one)...),
			`1  generic, 80 bytes
  nlctrl  0  seq 7  port 9  48 bytes
    command 1, version 2
      2  nul-string  "ovs \x1b"
      1  u16  33
      4  u32  4
  "ovs \x1b"  request|dump  seq 7  port 9  32 bytes
    command 2, version 1
      header ff000000
      1  bytes  686900  "hi"
`},
		{"a family with a header nobody means", socket.Generic,
			append(family("bad", 34, 1<<31), request(34, nlmsg.Request|nlmsg.Root, genlmsg.Append(nil, 2, 1), one)...),
			`1  generic, 72 bytes
  nlctrl  0  seq 7  port 9  44 bytes
    command 1, version 2
      2  nul-string  "bad"
      1  u16  34
      4  u32  2147483648
  0x22  request|0x100  seq 7  port 9  28 bytes
    command 2, version 1
      1  bytes  686900  "hi"
`},
		{"no header of Generic Netlink", socket.Generic, request(35, 0, []byte{1}, nil), `1  generic, 20 bytes
  0x23  0  seq 7  port 9  17 bytes
    command 0, version 0
      the message has no header of Generic Netlink
`},
		{"error", socket.Generic, ack(2), `1  generic, 104 bytes
  error  ack-tlvs  seq 7  port 9  104 bytes
    errno 2: no such file or directory
    "no \"x\"\n"
    the attribute at 20 of the request
    it must be flag
    attribute 3 is missing
    in the nest at 24 of the request
    cookie 0102
    of the request 1c000000200001000700000009000000010203040800010005000000
`},
		{"done", socket.Route, request(nlmsg.Done, nlmsg.Multi, []byte{0, 0, 0, 0}, nil), `1  route, 20 bytes
  done  multi  seq 7  port 9  20 bytes
    success
`},
		{"error cut short", socket.Route, request(nlmsg.Error, 0, []byte{0xff, 0xff}, nil), `1  route, 20 bytes
  error  0  seq 7  port 9  18 bytes
    nlmsg: message cut short at offset 18
`},
		{"noop", socket.Route, request(nlmsg.Noop, 0, []byte{1, 2, 3, 4}, nil), `1  route, 20 bytes
  noop  0  seq 7  port 9  20 bytes
    01020304
`},
		{"rtnetlink", socket.Route, append(request(26, nlmsg.Request|nlmsg.Dump, []byte{2}, nil), request(24, nlmsg.Excl|nlmsg.Create, make([]byte, 12), one)...), `1  route, 56 bytes
  getroute  request|dump  seq 7  port 9  17 bytes
    header 02
  newroute  excl|create  seq 7  port 9  36 bytes
    header 000000000000000000000000
    1  bytes  686900  "hi"
`},
		{"rtnetlink, no such type", socket.Route, request(1000, nlmsg.Request, []byte{1, 2}, nil), `1  route, 20 bytes
  0x3e8  request  seq 7  port 9  18 bytes
    0102
`},
		{"netfilter", socket.Netfilter, request(0xa00, nlmsg.Request, []byte{1, 2, 3, 4}, one), `1  netfilter, 28 bytes
  0xa00  request  seq 7  port 9  28 bytes
    header 01020304
    1  bytes  686900  "hi"
`},
		{"of a protocol nobody knows", 77, request(0x20, 0xf000, []byte{1, 2}, nil), `1  protocol 77, 20 bytes
  0x20  0xf000  seq 7  port 9  18 bytes
    0102
`},
		{"uevent", socket.KObjectUevent, []byte("add@/x\x00"), `1  kobject_uevent, 7 bytes
    616464402f7800
`},
		{"an attribute that is too long", socket.Route, request(24, 0, make([]byte, 12), []byte{9, 0, 1, 0, 1, 2, 3, 4}), `1  route, 36 bytes
  newroute  0  seq 7  port 9  36 bytes
    header 000000000000000000000000
    nla: attribute length past the end of the input at offset 0
`},
		{"a message that is too long", socket.Route, append(request(nlmsg.Noop, 0, nil, nil), 0xff, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), `1  route, 32 bytes
  noop  0  seq 7  port 9  16 bytes
  at 16: nlmsg: message length past the end of the input
    ffff0000010000000000000000000000
`},
		{"rest", socket.Route, append(request(nlmsg.Noop, 0, nil, nil), 1, 2), `1  route, 18 bytes
  noop  0  seq 7  port 9  16 bytes
  at 16: nlmsg: message cut short
    0102
`},
	} {
		got, err := decodedText(test.b, test.protocol)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.name, diff)
		}
		if isBad := strings.Contains(test.want, "nla:") || strings.Contains(test.want, "nlmsg:") || strings.Contains(test.want, "has no header"); isBad != (err != nil) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// The same datagrams are the same in every kind of file.
func TestDecodeFiles(t *testing.T) {
	needLittleEndian(t)
	route := request(18, nlmsg.Request|nlmsg.Dump, make([]byte, 16), nla.AppendUint32(nil, 29, 1))
	raw, err := decoded(t, route, socket.Route)
	if err != nil || len(raw) != 1 || raw[0].Name != "getlink" {
		t.Fatalf("%v, %+v", err, raw)
	}
	file := hex.EncodeToString(route)
	text := "# two\n\n" + file[:20] + "  # half\n" + file[20:31] + "\n" + strings.ToUpper(file[31:33]) + ":" + file[33:] + "\n\n\n" + file + "\n# end"
	ethernet := make([]byte, 60)
	for _, test := range []struct {
		name  string
		file  []byte
		count int
	}{
		{"hex", []byte(text), 2},
		{"hex with \\r", []byte(strings.ReplaceAll(text, "\n", "\r\n")), 2},
		{"pcap", pcap(t, linkNetlink, cooked(socket.Route, route), cooked(socket.Route, nil), cooked(socket.Route, route)), 2},
		{"pcapng", pcapng(t, []layers.LinkType{linkNetlink}, cooked(socket.Route, route), cooked(socket.Route, route)), 2},
		{"pcapng of two links", pcapng(t, []layers.LinkType{layers.LinkTypeEthernet, linkNetlink}, ethernet, cooked(socket.Route, route), ethernet), 1},
	} {
		got, err := decoded(t, test.file, socket.Route)
		if err != nil || len(got) != test.count {
			t.Fatalf("%s: %v, %d messages, want %d", test.name, err, len(got), test.count)
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

// Traffic of ip, ethtool, iw and others on Linux 6.1. tshark finds the same messages
// in the capture that this is a part of.
func TestDecodeRecorded(t *testing.T) {
	needLittleEndian(t)
	want, err := os.ReadFile("testdata/nlmon.txt")
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := nlctl(t, "decode", "testdata/nlmon.pcap")
	if diff := cmp.Diff(string(want), stdout); diff != "" || code != exitOK || stderr != "" {
		t.Errorf("exit %d, stderr %q, -want +got:\n%s", code, stderr, diff)
	}
	// Cut anywhere, it is an error, or an end between two packets, and what is before
	// it is printed.
	for n := range recorded {
		got, err := decodedText(recorded[:n], socket.Generic)
		var text string
		if err != nil {
			text = err.Error()
		}
		switch {
		case n >= 24 && err == nil:
		case n == 0 && text == "the file is empty":
		case n == 24 && text == "the file has no datagram":
		case n >= 12 && strings.Contains(text, io.ErrUnexpectedEOF.Error()):
		case n < 12 && strings.Contains(text, "make no sense"): // no capture yet
			continue
		default:
			t.Fatalf("%d bytes: %v", n, err)
		}
		if !strings.HasPrefix(stdout, got) {
			t.Fatalf("%d bytes: what is printed is not what the whole file begins with:\n%s", n, got)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	needLittleEndian(t)
	dir := t.TempDir()
	noop := request(nlmsg.Noop, 0, nil, nil)
	other := []byte{0xa1, 0xb2, 0xc3, 0xd4}
	ng := []byte{0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d}
	cut := pcap(t, linkNetlink, cooked(socket.Route, noop))
	cut[24+12] += 8 // the length that it had, of which the length captured is a part
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"empty":                 {nil, "the file is empty"},
		"gzip":                  {append([]byte{0x1f, 0x8b, 8}, make([]byte, 20)...), "unpack it with gunzip"},
		"other order":           {append(other, make([]byte, 20)...), "a machine of the other byte order"},
		"other order, pcapng":   {append(ng, make([]byte, 20)...), "a machine of the other byte order"},
		"ethernet":              {pcap(t, layers.LinkTypeEthernet, make([]byte, 60)), "a link of type 1, not of netlink (253)"},
		"no packet":             {pcap(t, linkNetlink), "no datagram"},
		"packet of 15 bytes":    {pcap(t, linkNetlink, make([]byte, 15)), "packet 1: it has 15 bytes"},
		"rubbish":               {[]byte("this is no netlink at all"), "1 of 1 datagrams make no sense to their end"},
		"hex of odd length":     {[]byte("000"), "1 of 1 datagrams make no sense to their end"},
		"only a comment":        {[]byte("# nothing\n"), "1 of 1 datagrams make no sense to their end"},
		"a packet that was cut": {cut, "1 of 1 datagrams make no sense to their end"},
		"8 MiB":                 {append(noop, make([]byte, maxPlain)...), "longer than 8 MiB"},
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

// A family that the file does not tell of may have a header of its own.
func TestDecodeHeader(t *testing.T) {
	header := append(genlmsg.Append(nil, 3, 1), 1, 0, 0, 0)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, request(40, 0, header, nla.AppendCString(nil, 1, "hi")), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := nlctl(t, "decode", "-header", "4", path)
	if code != exitOK || !strings.Contains(stdout, "      header 01000000\n      1  bytes  686900  \"hi\"\n") || stderr != "" {
		t.Errorf("exit %d, stderr %q:\n%s", code, stderr, stdout)
	}
	if code, stdout, _ := nlctl(t, "decode", path); code != exitError {
		t.Errorf("without it: exit %d:\n%s", code, stdout)
	}
}

func TestDecodeStandardInput(t *testing.T) {
	file, err := os.Open("testdata/nlmon.pcap")
	if err != nil {
		t.Fatal(err)
	}
	needLittleEndian(t)
	stdin := os.Stdin
	os.Stdin = file
	t.Cleanup(func() {
		os.Stdin = stdin
		file.Close()
	})
	_, want, _ := nlctl(t, "decode", "testdata/nlmon.pcap")
	if code, got, stderr := nlctl(t, "decode", "-"); code != exitOK || got != want || stderr != "" {
		t.Errorf("exit %d, %d bytes, want %d, stderr %q", code, len(got), len(want), stderr)
	}
}

// Every name of a protocol is taken, and every number.
func TestParseProtocol(t *testing.T) {
	for protocol := range maxProtocol {
		for _, name := range []string{socket.ProtocolName(protocol), fmt.Sprint(protocol), fmt.Sprintf("%#x", protocol)} {
			if got, err := parseProtocol(name); err != nil || got != protocol {
				t.Errorf("%q: %d, %v", name, got, err)
			}
		}
	}
	for _, name := range []string{"", "rout", "-1", "65536", "protocol 99"} {
		if got, err := parseProtocol(name); err == nil {
			t.Errorf("%q: %d", name, got)
		}
	}
}
