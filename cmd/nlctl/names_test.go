package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlwire/nlwire/errno"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// casesDir has files of users, in all formats; package input has tests of their bytes.
const casesDir = "internal/input/testdata/"

// The examples of the help can be copied.
func TestDecodeExample(t *testing.T) {
	needLittleEndian(t)
	text := strings.Trim(decodeExamples[strings.Index(decodeExamples, "echo '")+len("echo "):], "'")
	text, _, _ = strings.Cut(text, "'")
	got, err := decoded(t, []byte(text+"\n"), socket.Generic)
	if err != nil || len(got) != 1 || got[0].Op != "getfamily" {
		t.Errorf("%q: %v, %+v", text, err, got)
	}
}

// What decode prints for files that earlier versions refused, or printed wrongly.
func TestDecodeCases(t *testing.T) {
	needLittleEndian(t)
	for _, tt := range []struct {
		file, protocol string
		code           int
		wants          []string
	}{
		{"paste-ok.txt", "generic", exitOK, []string{`"op":"getfamily","values":{"family-name": "nbd"}`}},
		{"paste-strace.txt", "generic", exitOK, []string{`"values":{"family-name": "nbd"}`}},
		{"a.tsharkx", "generic", exitOK, []string{`"family-name": "team"`, `"family-id": 37`}},
		{"b-nonutf8.bin", "generic", exitOK, []string{`"family-name": "\udcff\udcfe\udc80bad"`}},
		{"b-uni.bin", "generic", exitOK, []string{`"family-name": "sm\u00f8rg\u202eexe.txt\u0007"`}},
		{"b-snap.pcap", "generic", exitError, []string{`"name":"nlctrl"`, `"op":"getfamily"`, `"error":"the last 8 bytes were not captured"`}},
		{"b-zero.pcap", "generic", exitError, []string{`packet 1 has 0 bytes`, `"values":{"family-name": "nlctrl"}`}},
		{"ip-addr.pcap", "generic", exitOK, []string{`"name":"getaddr"`, `"note":"128 zeros after the last message"`}},
		{"legacy-addr.pcap", "generic", exitOK, []string{`"name":"getaddr"`, `"ext-mask"`, `"note":"old dump request with the header of getlink"`}},
		{"legacy-route.pcap", "generic", exitOK, []string{`"name":"getroute"`, `"ext-mask"`, `"note":"old dump request with the header of getlink"`}},
		{"legacy-link.pcap", "generic", exitOK, []string{`"values":{"ext-mask"`}},
		{"rtgen.pcap", "generic", exitOK, []string{`"name":"getlink"`, `"name":"getaddr"`}},
		{"bigendian.pcap", "generic", exitOK, []string{`"other_byte_order":true`, `"flags":["request","dump"]`, `"seq":5`}},
		{"sll.pcap", "generic", exitOK, []string{`"protocol":"route"`, `"name":"getlink"`}},
		{"ct.bin", "netfilter", exitOK, []string{`"family":"conntrack"`, `"tuple-ip": {"ip-v4-src": "192.0.2.1", "ip-v4-dst": "198.51.100.2"}`}},
		{"big.pcap", "generic", exitOK, []string{`"alt-ifname": "n489xxx`, `"note":"alt-ifname repeats; the values have only the last one"`}},
		{"strace-ip.txt", "generic", exitError, []string{`"name":"newlink","flags":["request","ack"]`, `"reply_to":1`, "strace -e read=all"}},
	} {
		code, stdout, stderr := nlctl(t, "decode", "-json", "-protocol", tt.protocol, casesDir+tt.file)
		for _, want := range tt.wants {
			if code != tt.code || !strings.Contains(stdout, want) {
				t.Errorf("%s: exit %d, want %d and %q:\n%.2000s%s", tt.file, code, tt.code, want, stdout, stderr)
			}
		}
	}
}

// exchangeFile contains messages of route and generic netlink.
func exchangeFile(t *testing.T) []byte {
	kind := nla.AppendCString(nla.Begin(nil, 18), 1, "veth") // linkinfo.kind
	kind = nla.End(kind, 0)
	link := nlmsg.Begin(nil, 16, nlmsg.FlagRequest|nlmsg.FlagAck|nlmsg.FlagCreate, 5, 0)
	link = append(append(link, make([]byte, 16)...), nla.AppendCString(nil, 3, "v0")...)
	offset := uint32(len(link) + nla.HeaderLen)
	link = nlmsg.End(append(link, kind...), 0)
	refused := nlmsg.AppendAck(nil, &nlmsg.ExtAck{Errno: errno.EINVAL, Request: link, Msg: []byte("no"), Offset: offset}, nlmsg.AckOptions{PortID: 77, Ext: true, Cap: true})

	get := func(seq, port uint32) []byte {
		b := nlmsg.Begin(nil, 50, nlmsg.FlagRequest|nlmsg.FlagAck, seq, port)
		return nlmsg.End(genlmsg.Append(b, 15, 1), 0) // rings-get of ethtool
	}
	family := nla.AppendUint16(nla.AppendCString(nil, genlmsg.CtrlAttrFamilyName, "ethtool"), genlmsg.CtrlAttrFamilyID, 50)
	described := nlmsg.Begin(nil, genlmsg.IDCtrl, 0, 9, 88)
	described = nlmsg.End(append(genlmsg.Append(described, genlmsg.CtrlCmdNewFamily, 2), family...), 0)
	missing := nlmsg.AppendAck(nil, &nlmsg.ExtAck{Errno: errno.EINVAL, Request: get(6, 0), MissType: 1}, nlmsg.AckOptions{PortID: 88, Ext: true})
	other := nlmsg.AppendAck(nil, &nlmsg.ExtAck{Errno: errno.EPERM, Request: get(6, 1)}, nlmsg.AckOptions{PortID: 99, Cap: true})
	return pcap(t, linkNetlink, cooked(socket.Route, link), cooked(socket.Generic, described), cooked(socket.Generic, get(6, 88)),
		cooked(socket.Route, refused), cooked(socket.Generic, missing), cooked(socket.Generic, other))
}

// Replies are paired with their requests, and errors explained by them: with the names of
// the family whose ID the file contains.
func TestDecodePairs(t *testing.T) {
	needLittleEndian(t)
	got, err := decoded(t, exchangeFile(t), socket.Generic)
	if err != nil || len(got) != 6 {
		t.Fatalf("%v, %d messages", err, len(got))
	}
	if got[3].ReplyTo != 1 || got[3].Answer.Attribute != "linkinfo.kind" || got[3].Answer.Message != "no" {
		t.Errorf("the refused link: %+v, %+v", got[3], got[3].Answer)
	}
	if got[4].ReplyTo != 3 || got[4].Answer.Missing != "header" {
		t.Errorf("the missing header: %+v, %+v", got[4], got[4].Answer)
	}
	if got[5].ReplyTo != 0 {
		t.Errorf("a reply to another port: %+v", got[5])
	}
	text, err := decodedText(exchangeFile(t), socket.Generic)
	for _, want := range []string{
		"  error  capped|ack-tlvs  seq 5  port 77  52 bytes  reply to 1\n    errno 22: invalid argument\n    \"no\"\n    of newlink\n    invalid attribute linkinfo.kind at offset 44 of the request\n",
		"    of ethtool rings-get\n    attribute 1 header is missing\n",
	} {
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("%v, no %q in\n%s", err, want, text)
		}
	}
}

// The policies of a dump in the file give attributes without names their kinds, and a later
// dump replaces them.
func TestDecodeUsesPolicies(t *testing.T) {
	needLittleEndian(t)
	nest := func(b []byte, typ uint16, inner []byte) []byte {
		mark := len(b)
		return nla.End(append(nla.BeginNoFlag(b, typ), inner...), mark)
	}
	control := func(cmd uint8, seq uint32, attrs []byte) []byte {
		return nlmsg.End(append(genlmsg.Append(nlmsg.Begin(nil, genlmsg.IDCtrl, 0, seq, 1), cmd, 2), attrs...), 0)
	}
	id := nla.AppendUint16(nil, genlmsg.CtrlAttrFamilyID, 51)
	family := control(genlmsg.CtrlCmdNewFamily, 1, nla.AppendCString(slices.Clone(id), genlmsg.CtrlAttrFamilyName, "unknown"))
	policies := func(seq, kind uint32) []byte {
		op := nest(slices.Clone(id), genlmsg.CtrlAttrOpPolicy, nest(nil, 4, nla.AppendUint32(nil, genlmsg.CtrlAttrPolicyDo, 0)))
		rule := nest(slices.Clone(id), genlmsg.CtrlAttrPolicy, nest(nil, 0, nest(nil, 1, nla.AppendUint32(nil, 1, kind))))
		return append(control(genlmsg.CtrlCmdGetPolicy, seq, op), control(genlmsg.CtrlCmdGetPolicy, seq, rule)...)
	}
	request := nlmsg.End(nla.AppendUint32(genlmsg.Append(nlmsg.Begin(nil, 51, nlmsg.FlagRequest, 3, 0), 4, 1), 1, 5), 0)
	const typeU32, typeBinary = 4, 10 // NL_ATTR_TYPE_U32, NL_ATTR_TYPE_BINARY
	got, err := decodedText(slices.Concat(family, request, policies(1, typeU32), request, policies(2, typeBinary), request), socket.Generic)
	var kinds []string
	for line := range strings.Lines(got) {
		if rest, ok := strings.CutPrefix(line, "      1  "); ok {
			kinds = append(kinds, strings.TrimSpace(rest))
		}
	}
	if diff := cmp.Diff([]string{"bytes  05000000", "u32  5", "binary  05000000"}, kinds); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s\n%s", err, diff, got)
	}
}

// A message of the other byte order is decoded like one of this system's.
func TestDecodeForeign(t *testing.T) {
	needLittleEndian(t)
	build := func(order binary.AppendByteOrder) []byte {
		attr := func(b []byte, typ uint16, payload []byte) []byte {
			b = order.AppendUint16(order.AppendUint16(b, uint16(4+len(payload))), typ)
			b = append(b, payload...)
			return append(b, make([]byte, -len(b)&3)...)
		}
		u32 := func(v uint32) []byte { return order.AppendUint32(nil, v) }
		body := append([]byte{0, 0}, order.AppendUint16(nil, 772)...)
		body = slices.Concat(body, u32(1), u32(0x49), u32(0))
		body = attr(body, 3, []byte("lo\x00"))
		body = attr(body, 4, u32(65536))
		body = attr(body, 1, []byte{1, 2, 3, 4, 5, 6})
		body = attr(body, 18, attr(nil, 1, []byte("veth\x00"))) // linkinfo.kind
		body = attr(body, 14, slices.Concat(order.AppendUint64(nil, 1), order.AppendUint64(nil, 2), order.AppendUint64(nil, 3), order.AppendUint16(nil, 4), []byte{5, 6, 0, 0, 0, 0}))
		body = attr(body, 999, u32(7))
		m := slices.Concat(u32(uint32(16+len(body))), order.AppendUint16(nil, 16), order.AppendUint16(nil, 0), u32(7), u32(9), body)
		refused := slices.Concat(u32(0xffffffea), m)
		return append(m, slices.Concat(u32(uint32(16+len(refused))), order.AppendUint16(nil, 2), order.AppendUint16(nil, 0), u32(7), u32(9), refused)...)
	}
	want, err := decodedText(build(binary.LittleEndian), socket.Route)
	if err != nil || !strings.Contains(want, `kind  "veth"`) || !strings.Contains(want, "errno 22") {
		t.Fatalf("%v:\n%s", err, want)
	}
	got, err := decodedText(build(binary.BigEndian), socket.Route)
	got = strings.Replace(got, "  other byte order\n", "\n", 1)
	// An attribute without a spec keeps its bytes.
	got = strings.ReplaceAll(strings.ReplaceAll(got, "999  00000007", "999  07000000"), "e703 00000007", "e703 07000000")
	got, _, _ = strings.Cut(got, "    request: ")
	want, _, _ = strings.Cut(want, "    request: ")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -native +foreign:\n%s", err, diff)
	}
}

// The lines of decode -stats are read by programs.
func TestStats(t *testing.T) {
	needLittleEndian(t)
	code, stdout, stderr := nlctl(t, "decode", "-stats", "testdata/nlmon.pcap")
	if code != exitOK || stderr != "" {
		t.Fatalf("exit %d, stderr %q", code, stderr)
	}
	for line := range strings.Lines(stdout) {
		var protocol string
		var attributes, named, typed int
		if n, err := fmt.Sscanf(line, "%s attributes=%d named=%d typed=%d", &protocol, &attributes, &named, &typed); n != 4 || attributes == 0 || named != attributes || typed != attributes {
			t.Errorf("%q: %v", line, err)
		}
	}
	if !strings.HasPrefix(stdout, "route attributes=") || !strings.Contains(stdout, "\ngeneric attributes=") {
		t.Errorf("%q", stdout)
	}
	_, stdout, _ = nlctl(t, "decode", "-stats", "-json", "testdata/nlmon.pcap")
	var first struct {
		Protocol                 string
		Attributes, Named, Typed int
	}
	if err := json.NewDecoder(strings.NewReader(stdout)).Decode(&first); err != nil || first.Protocol != "route" || first.Attributes == 0 {
		t.Errorf("%v, %q", err, stdout)
	}
}

// A payload of the wrong size is the sender's error in a request, and the spec's in a reply.
func TestStatsOfSizes(t *testing.T) {
	needLittleEndian(t)
	mtu := nla.AppendUint8(nil, 4, 1) // u32 in the spec
	for flags, want := range map[nlmsg.Flags]string{
		nlmsg.FlagRequest: "route attributes=0 named=0 typed=0 without-format=0 wrong-size=1 ",
		0:                 "route attributes=1 named=1 typed=0 without-format=0 wrong-size=0 ",
	} {
		var out bytes.Buffer
		d := testDecoder(&out, false)
		d.stats = &stats{}
		if err := d.file(bytes.NewReader(request(16, flags, make([]byte, 16), mtu)), socket.Route); err != nil || !strings.HasPrefix(out.String(), want) {
			t.Errorf("%v, %q, want %q", err, out.String(), want)
		}
	}
}

// repeatedCapture is a capture of a given size that repeats the recorded packets.
type repeatedCapture struct {
	packets []byte
	left    int
	rest    []byte
}

func (r *repeatedCapture) Read(b []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.left <= 0 {
			return 0, os.ErrClosed
		}
		r.rest = r.packets
		r.left -= len(r.packets)
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// The memory that decode needs does not grow with the file.
func TestDecodeMemoryIsConstant(t *testing.T) {
	needLittleEndian(t)
	const size, limit = 8 << 20, 4 << 20
	w := &countingHeap{}
	d := testDecoder(w, true)
	in := &repeatedCapture{packets: recorded[24:], left: size, rest: recorded}
	if err := d.file(in, socket.Generic); err == nil || !strings.Contains(err.Error(), os.ErrClosed.Error()) {
		t.Fatal(err)
	}
	if w.last > w.first+limit {
		t.Errorf("the heap grew from %d to %d bytes", w.first, w.last)
	}
	if d.count < 10_000 || w.total < size {
		t.Errorf("%d datagrams, %d bytes of output", d.count, w.total)
	}
}

// countingHeap measures the heap after the first and the last of its writes.
type countingHeap struct {
	first, last uint64
	total       int
}

func (w *countingHeap) Write(p []byte) (int, error) {
	w.total += len(p)
	if w.first > 0 && w.total>>20 == (w.total-len(p))>>20 {
		return len(p), nil
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if w.first == 0 {
		w.first = m.HeapAlloc
	}
	w.last = m.HeapAlloc
	return len(p), nil
}

// The capture that capture and monitor write is read by decode and by gopacket.
func TestCaptureWriter(t *testing.T) {
	var file bytes.Buffer
	w, err := newCaptureWriter(&file)
	if err != nil {
		t.Fatal(err)
	}
	when := captured(nil).Timestamp
	datagrams := [][]byte{ack(2), request(18, 0, make([]byte, 16), nil), make([]byte, pcapSnap)}
	for _, b := range datagrams {
		if err := w.write(when, socket.Route, b, len(b)+4); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	n := 0
	packets(t, file.Bytes(), func(b []byte, length int) {
		want := datagrams[n][:min(len(datagrams[n]), pcapSnap-pcapHeaderLen)]
		if !bytes.Equal(b[pcapHeaderLen:], want) || length != len(datagrams[n])+4+pcapHeaderLen {
			t.Errorf("packet %d: %d bytes of %d", n, len(b), length)
		}
		n++
	})
	code, stdout, _ := nlctl(t, "decode", path)
	if n != len(datagrams) || code != exitError || strings.Count(stdout, "route, ") != n || !strings.Contains(stdout, "2027-01-15T08:00:00.000000001Z") {
		t.Errorf("%d packets, exit %d:\n%.1000s", n, code, stdout)
	}
}

// The operations of sock_diag share a number; the address family distinguishes them.
func TestDecodeSockDiag(t *testing.T) {
	needLittleEndian(t)
	for family, want := range map[byte]string{2: "inet", 10: "inet6", 16: "netlink", 17: "packet", 99: "0x14"} {
		m := request(20, nlmsg.FlagRequest|nlmsg.FlagDump, append([]byte{family}, make([]byte, 55)...), nil)
		got, err := decoded(t, m, socket.SockDiag)
		if err != nil || len(got) != 1 || got[0].Name != want {
			t.Errorf("family %d: %v, %+v", family, err, got)
		}
	}
}
