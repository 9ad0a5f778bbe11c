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
	"slices"
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
	e := &nlmsg.ExtAck{Msg: []byte("no \"é\"\n"), Cookie: []byte{1, 2}, Offset: 20, MissType: 3, MissNest: 24}
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
		{"error", socket.Generic, ack(2), `1  generic, 108 bytes
  error  ack-tlvs  seq 7  port 9  108 bytes
    errno 2: no such file or directory
    "no \"\u00e9\"\n"
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
    ffff
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
    at 28 of the message: nla: attribute length past the end of the input
    0900010001020304
`},
		{"a message that is too long", socket.Route, append(request(nlmsg.Noop, 0, nil, nil), 0xff, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), `1  route, 32 bytes
  noop  0  seq 7  port 9  16 bytes
  noop  0  seq 0  port 0  16 bytes
  at 16 of the datagram: nlmsg: message length past the end of the input
    ffff0000010000000000000000000000
`},
		{"data of the connector", socket.Connector, request(nlmsg.Done, 0, []byte{0, 0, 0, 0, 1, 0, 0, 0}, nil), `1  connector, 24 bytes
  done  0  seq 7  port 9  24 bytes
    0000000001000000
`},
		{"error without a request", socket.Route, request(nlmsg.Error, 0, []byte{0xfe, 0xff, 0xff, 0xff, 1, 2}, nil), `1  route, 24 bytes
  error  0  seq 7  port 9  22 bytes
    errno 2: no such file or directory
    nlmsg: message cut short at offset 22
    0102
`},
		{"more behind a padded request", socket.Route, request(nlmsg.Error, 0, append([]byte{0xfe, 0xff, 0xff, 0xff}, request(24, 0, []byte{0xaa}, nil)...), []byte{1}), `1  route, 44 bytes
  error  0  seq 7  port 9  41 bytes
    errno 2: no such file or directory
    of the request 11000000180000000700000009000000aa
    01
`},
		{"done with a number", socket.Route, request(nlmsg.Done, 0, []byte{5, 0, 0, 0, 1}, nil), `1  route, 24 bytes
  done  0  seq 7  port 9  21 bytes
    0500000001
`},
		{"done with more", socket.Route, request(nlmsg.Done, 0, []byte{0xfe, 0xff, 0xff, 0xff, 1}, nil), `1  route, 24 bytes
  done  0  seq 7  port 9  21 bytes
    errno 2: no such file or directory
    01
`},
		{"error with more", socket.Route, request(nlmsg.Error, nlmsg.Capped, append(make([]byte, 4), request(24, 0, nil, nil)...), []byte{1, 2}), `1  route, 40 bytes
  error  capped  seq 7  port 9  38 bytes
    success
    of the request 10000000180000000700000009000000
    0102
`},
		{"an errno that is none", socket.Route, request(nlmsg.Error, nlmsg.Capped, append([]byte{0, 0, 0, 0x80}, request(24, 0, nil, nil)...), nil), `1  route, 36 bytes
  error  capped  seq 7  port 9  36 bytes
    errno 2147483648
    of the request 10000000180000000700000009000000
`},
		{"a policy that makes no sense", socket.Route, request(nlmsg.Error, nlmsg.Capped|nlmsg.AckTLVs,
			append([]byte{0xea, 0xff, 0xff, 0xff}, request(24, 0, nil, nil)...), nla.AppendBytes(nil, nlmsg.AttrPolicy, []byte{3, 0, 1, 0})), `1  route, 44 bytes
  error  capped|ack-tlvs  seq 7  port 9  44 bytes
    errno 22: invalid argument
    it must be a policy that makes no sense, 03000100
    of the request 10000000180000000700000009000000
`},
		{"options in front of the attributes", socket.Route, request(68, 0, append([]byte{10, 0, 8, 0}, make([]byte, 20)...), one), `1  route, 48 bytes
  newnduseropt  0  seq 7  port 9  48 bytes
    header 0a0008000000000000000000000000000000000000000000
    1  bytes  686900  "hi"
`},
		{"delete", socket.Route, request(25, nlmsg.Request|nlmsg.Bulk, make([]byte, 12), nil), `1  route, 28 bytes
  delroute  request|bulk  seq 7  port 9  28 bytes
    header 000000000000000000000000
`},
		{"both bits of a dump, in a reply", socket.Generic, request(17, nlmsg.Dump, genlmsg.Append(nil, 1, 2), nil), `1  generic, 20 bytes
  VFS_DQUOT  0x300  seq 7  port 9  20 bytes
    command 1, version 2
`},
		{"a family with a fixed id", socket.Generic, request(genlmsg.IDPMCRAID, 0, genlmsg.Append(nil, 1, 2), nil), `1  generic, 20 bytes
  pmcraid  0  seq 7  port 9  20 bytes
    command 1, version 2
`},
		{"the longest header that is believed", socket.Generic, append(family("long", 38, maxHeader), request(38, 0, genlmsg.Append(nil, 1, 2), make([]byte, maxHeader))...), `1  generic, 324 bytes
  nlctrl  0  seq 7  port 9  48 bytes
    command 1, version 2
      2  nul-string  "long"
      1  u16  38
      4  u32  256
  long  0  seq 7  port 9  276 bytes
    command 1, version 2
      header ` + strings.Repeat("00", maxHeader) + `
`},
		{"a name no kernel has", socket.Generic, append(family("0123456789012345", 36, 0), request(36, 0, genlmsg.Append(nil, 1, 2), nil)...), `1  generic, 80 bytes
  nlctrl  0  seq 7  port 9  60 bytes
    command 1, version 2
      2  nul-string  "0123456789012345"
      1  u16  36
      4  u32  0
  0x24  0  seq 7  port 9  20 bytes
    command 1, version 2
`},
		{"what a request of the controller tells is no family", socket.Generic,
			append(request(16, 0, genlmsg.Append(nil, genlmsg.CtrlCmdDelFamily, 2), nla.AppendUint16(nla.AppendCString(nil, 2, "gone"), 1, 37)), request(37, 0, genlmsg.Append(nil, 1, 2), nil)...), `1  generic, 60 bytes
  nlctrl  0  seq 7  port 9  40 bytes
    command 2, version 2
      2  nul-string  "gone"
      1  u16  37
  0x25  0  seq 7  port 9  20 bytes
    command 1, version 2
`},
		{"the policies of operations", socket.Generic, request(16, 0, genlmsg.Append(nil, genlmsg.CtrlCmdGetPolicy, 2),
			nla.AppendUint32(append([]byte{16, 0, 9, 0, 12, 0, 3, 0}, nla.AppendUint32(nil, genlmsg.CtrlAttrPolicyDump, 5)...), genlmsg.CtrlAttrOp, 3)), `1  generic, 44 bytes
  nlctrl  0  seq 7  port 9  44 bytes
    command 10, version 2
      9  nested-array
        3  nested
          2  u32  5
      10  u32  3
`},
		{"rest", socket.Route, append(request(nlmsg.Noop, 0, nil, nil), 1, 2), `1  route, 18 bytes
  noop  0  seq 7  port 9  16 bytes
  at 16 of the datagram: nlmsg: message cut short
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
	secrets := append([]byte{10, 0, 0, 0, 0, 0, 0x10, 0}, make([]byte, 1<<20-8)...) // a block that is passed over
	ng := pcapng(t, []layers.LinkType{linkNetlink}, cooked(socket.Route, route))
	interfaces := bytes.Repeat([]byte{1, 0, 0, 0, 20, 0, 0, 0, 253, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0}, maxInterfaces-1)
	more := bytes.Clone(ng) // of the packet than there was of it, if one believes the length
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
		case n < 12 && strings.Contains(text, "no hex digit"): // no capture yet
			continue
		case n < 12 && strings.Contains(text, "make no sense"):
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
	long := pcap(t, linkNetlink, make([]byte, maxPacket+1))
	long[19] = 0x7f // the highest byte of the longest packet that the file says it has
	ngFile := pcapng(t, []layers.LinkType{linkNetlink}, cooked(socket.Route, noop))
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
		"rubbish":               {[]byte("this is \x00 netlink at all"), "1 of 1 datagrams make no sense to their end"},
		"text":                  {[]byte("this is no netlink at all"), "line 1: 't' is no hex digit"},
		"hex of odd length":     {[]byte("000"), "line 1: a datagram of 3 hex digits"},
		"only a comment":        {[]byte("# nothing\n"), "the file has no datagram"},
		"a packet that was cut": {cut, "1 of 1 datagrams make no sense to their end"},
		"over 8 MiB":            {append(noop, make([]byte, maxPlain-len(noop)+1)...), "longer than 8 MiB"},
		"8 MiB":                 {append(noop, make([]byte, maxPlain-len(noop))...), "1 of 1 datagrams make no sense"},
		"pcapng, ethernet":      {pcapng(t, []layers.LinkType{layers.LinkTypeEthernet}, make([]byte, 60)), "a link of type 1, not of netlink (253)"},
		"pcapng, orders":        {slices.Concat(ngFile, ng, make([]byte, 20)), "a machine of the other byte order"},
		"pcapng, no order":      {slices.Concat(ng[:8], make([]byte, 20)), "does not tell its byte order"},
		"pcapng, small block":   {slices.Concat(ngFile, []byte{6, 0, 0, 0, 8, 0, 0, 0}, make([]byte, 20)), "a block of 8 bytes"},
		"pcapng, odd block":     {slices.Concat(ngFile, []byte{6, 0, 0, 0, 33, 0, 0, 0}, make([]byte, 60)), "a block of 33 bytes"},
		"pcapng, long block":    {slices.Concat(ngFile, []byte{6, 0, 0, 0, 0, 0, 0, 0x7f}, make([]byte, 60)), "more than 266240"},
		"pcapng, cut skip":      {slices.Concat(ngFile, []byte{10, 0, 0, 0, 0, 0, 0, 0x7f}, make([]byte, 60)), "unexpected EOF"},
		"pcapng, interfaces":    {slices.Concat(ngFile, bytes.Repeat([]byte{1, 0, 0, 0, 20, 0, 0, 0, 253, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0}, maxInterfaces)), "more than 1024 interfaces"},
		"pcap, long packet":     {long, "exceeds snap length"},
		"pcap, modified":        {append([]byte{0x34, 0xcd, 0xb2, 0xa1}, make([]byte, 40)...), "pcap: Unknown magic"},
		"hex, no digit":         {[]byte("10\n20\n 3O\n"), `line 3: 'O' is no hex digit`},
		"hex, half a byte":      {[]byte("10\n20\n3\n\n10"), "line 4: a datagram of 5 hex digits"},
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

// A pcapng file that ends within a block is an error.
func TestDecodeCutNg(t *testing.T) {
	needLittleEndian(t)
	noop := cooked(socket.Route, request(nlmsg.Noop, 0, nil, nil))
	file := slices.Concat(pcapng(t, []layers.LinkType{linkNetlink}, noop, noop), []byte{10, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0})
	whole, err := decodedText(file, 0)
	if err != nil {
		t.Fatal(err)
	}
	end := int(file[4]) // of the first block; blocks are short here
	for n := minBlock; n < len(file); n++ {
		isEnd := n == end
		if isEnd {
			end += int(file[n+4])
		}
		got, err := decodedText(file[:n], 0)
		isCut := err != nil && strings.Contains(err.Error(), "unexpected EOF")
		if isEnd == isCut || !strings.HasPrefix(whole, got) {
			t.Errorf("%d of %d bytes: %v\n%s", n, len(file), err, got)
		}
	}
}

// A packet of which only the header of the message was captured.
func TestDecodeCutPacket(t *testing.T) {
	needLittleEndian(t)
	whole := cooked(socket.Route, request(26, nlmsg.Request, make([]byte, 12), nil))
	file := pcap(t, linkNetlink, whole[:len(whole)-4])
	file[24+12] += 4
	got, err := decoded(t, file, 0)
	if err == nil || len(got) != 1 || got[0].Envelope == nil || got[0].Seq != 7 || got[0].Error != "the last 4 bytes were not captured" {
		t.Errorf("%v, %+v", err, got)
	}
	file[24+12] -= 5 // fewer than were captured
	if _, err := decoded(t, file, 0); err == nil || !strings.Contains(err.Error(), "packet 1") {
		t.Error(err)
	}
}

// A time that RFC 3339 cannot write is left out.
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
		if got := (&datagram{time: test.time}).when(); got != test.want {
			t.Errorf("%v: %q, want %q", test.time, got, test.want)
		}
	}
}

// JSON does not disturb a terminal, and says the same.
func TestJSONIsASCII(t *testing.T) {
	const text = "\u009b1m\x7f\u00e9\U0001f600<\x1b\n\u2028"
	var out bytes.Buffer
	if err := newEncoder(&out).Encode(text); err != nil {
		t.Fatal(err)
	}
	for _, c := range strings.TrimSuffix(out.String(), "\n") {
		if c < ' ' || c > '~' {
			t.Errorf("%q in %q", c, out.String())
		}
	}
	var got string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != text {
		t.Errorf("%v, %q, want %q", err, got, text)
	}
}
