package input

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/internal/native"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// The messages that most files in testdata contain, in different formats.
const (
	getNbd    = "1c00000010000100070000000000000003010000080002006e626400"
	getNlctrl = "2000000010000500ea0300000000000003010000" + "0b0002006e6c6374726c0000"
)

// want is a datagram of a file, whose bytes are hex, or only their number if hex is "".
type want struct {
	protocol socket.Protocol
	size     int
	hex      string
	missing  int
	problem  string
}

// cases are the datagrams of the files in testdata, and a part of the error at the end.
var cases = map[string]struct {
	all []want
	err string
}{
	"a.go.txt":            {all: []want{{hex: getNlctrl}}},
	"a.hexdumpC":          {all: []want{{hex: getNlctrl}}},
	"a.od":                {all: []want{{hex: getNlctrl}}},
	"a.tsharkx":           {all: []want{{size: 184, protocol: socket.Generic}}},
	"a.xxd":               {all: []want{{hex: getNlctrl}}},
	"a.xxdi":              {all: []want{{hex: getNlctrl}}},
	"b-be.pcap":           {all: []want{{hex: getNlctrl, protocol: socket.Generic}}},
	"b-ng-zero.pcapng":    {err: "invalid block length 0"},
	"b-nonutf8.bin":       {all: []want{{size: 32}}},
	"b-sll113.pcap":       {all: []want{{hex: getNlctrl, protocol: socket.Generic}}},
	"b-snap.pcap":         {all: []want{{hex: getNlctrl[:48], protocol: socket.Generic, missing: 8}}},
	"b-uni.bin":           {all: []want{{size: 44}}},
	"b-zero.pcap":         {all: []want{{protocol: unknownProtocol, problem: "packet 1 has 0 bytes"}, {hex: getNlctrl, protocol: socket.Generic}}},
	"big.pcap":            {all: []want{{size: 64712}}},
	"bigendian.pcap":      {all: []want{{size: 32}}},
	"ct.bin":              {all: []want{{size: 60}}},
	"ip-addr.pcap":        {all: []want{{size: 152}}},
	"legacy-addr.pcap":    {all: []want{{size: 40}}},
	"legacy-link.pcap":    {all: []want{{size: 40}}},
	"legacy-route.pcap":   {all: []want{{size: 40}}},
	"paste-c.txt":         {all: []want{{hex: getNbd}}},
	"paste-decimal.txt":   {all: []want{{hex: getNbd}}},
	"paste-od-x.txt":      {all: []want{{hex: getNbd}}},
	"paste-od.txt":        {all: []want{{hex: getNbd}}},
	"paste-ok.txt":        {all: []want{{hex: getNbd}}},
	"paste-python.txt":    {all: []want{{hex: getNbd}}},
	"paste-short-hex.txt": {all: []want{{hex: getNbd}}},
	"paste-strace.txt":    {all: []want{{hex: getNbd}}},
	"paste-xxd.txt":       {all: []want{{hex: getNbd}}},
	"rtgen.pcap":          {all: []want{{size: 17}, {size: 20}}},
	"sll.pcap":            {all: []want{{size: 32}}},
	"strace-bytes.txt":    {all: []want{{size: 32, protocol: socket.Generic}, {size: 136, protocol: socket.Generic}, {size: 32, protocol: socket.Generic}, {size: 136, protocol: socket.Generic}, {size: 36, protocol: socket.Generic}}},
	"strace-ip.txt":       {all: undumped},
	"strace-pids.txt":     {all: undumped},
}

// undumped are the calls of ip link show in the output of strace, which decoded the
// messages and did not print their bytes.
var undumped = []want{
	{size: 16, missing: 16, problem: "strace -e read=all"}, {size: 16, missing: 36, problem: "strace"},
	{size: 16, missing: 32, problem: "strace"}, {size: 16, missing: 1084, problem: "strace"},
	{size: 16, missing: 32, problem: "strace"}, {size: 16, missing: 1452, problem: "strace"},
}

func TestCases(t *testing.T) {
	if native.BigEndian {
		t.Skip("the files have little-endian messages")
	}
	files, err := filepath.Glob("testdata/*")
	if err != nil || len(files) != len(cases) {
		t.Fatalf("%d files, want %d: %v", len(files), len(cases), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := cases[name]
		n := 0
		for d, err := range New(bytes.NewReader(b), 0).All() {
			if err != nil {
				if c.err == "" || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s: error %v, want %q", name, err, c.err)
				}
				c.err = ""
				break
			}
			if n < len(c.all) {
				c.all[n].check(t, name, d)
			}
			n++
		}
		if n != len(c.all) || c.err != "" {
			t.Errorf("%s: %d datagrams, want %d and the error %q", name, n, len(c.all), c.err)
		}
	}
}

func (w want) check(t *testing.T, name string, d Datagram) {
	t.Helper()
	if w.hex != "" {
		w.size = len(w.hex) / 2
	}
	got := hex.EncodeToString(d.Data)
	if d.Protocol != w.protocol || len(d.Data) != w.size || w.hex != "" && got != w.hex || d.Missing != w.missing || !strings.Contains(d.Problem, w.problem) {
		t.Errorf("%s: protocol %d, %d bytes, %d missing, problem %q, want %+v:\n%s", name, d.Protocol, len(d.Data), d.Missing, d.Problem, w, got)
	}
}

// A file is never read into memory: the first datagrams of an endless one are yielded.
func TestStreams(t *testing.T) {
	line := []byte(getNbd + "\n\n")
	for name, chunk := range map[string][]byte{"hex": line, "strace": []byte(`sendto(3, "\34\0\0\0\20\0\1\0\7\0\0\0\0\0\0\0\3\1\0\0\10\0\2\0nbd\0", 28, 0, NULL, 0) = 28` + "\n")} {
		n := 0
		for d, err := range New(&endless{chunk: chunk}, 0).All() {
			if err != nil || hex.EncodeToString(d.Data) != getNbd {
				t.Fatalf("%s: %x, %v", name, d.Data, err)
			}
			if n++; n == 3 {
				break
			}
		}
	}
}

// endless is a file that repeats a chunk, with an error long before a gigabyte.
type endless struct {
	chunk []byte
	total int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.chunk)
	if e.total += n; e.total > 1<<20 {
		return 0, errors.New("more than 1 MiB was read")
	}
	if n < len(e.chunk) {
		return 0, errors.New("short buffer")
	}
	return n, nil
}

// A text that has more than one meaning is an error, never a guess.
func TestAmbiguous(t *testing.T) {
	for _, text := range []string{
		"10 20 30 40\n11 12 13 14\n",          // hex or decimal, no message either way
		"1c 00 00 00\n1c 00\n00 00 10 00 0\n", // an odd number of digits
		"{16, 0, 0, 0}, [0x10]",
		`"\x1c\0\0`,
		"0000000 1c 00\n0000005 00 00\n", // an offset that does not follow
	} {
		for d, err := range New(strings.NewReader(text), 0).All() {
			if err == nil {
				t.Errorf("%q: %x", text, d.Data)
			} else if strings.Contains(err.Error(), "strconv") || strings.Contains(err.Error(), "encoding/") {
				t.Errorf("%q: an error of Go: %v", text, err)
			}
		}
	}
}

// message makes a message with a payload.
func message(payload []byte) []byte {
	b := nlmsg.Begin(nil, 0x10, nlmsg.FlagRequest, 7, 0)
	return nlmsg.End(append(b, payload...), 0)
}

// The calls of other sockets are skipped, and the buffers of a call are joined.
func TestStraceSockets(t *testing.T) {
	if native.BigEndian {
		t.Skip("the text has little-endian messages")
	}
	const nbd = `"\34\0\0\0\20\0\1\0\7\0\0\0\0\0\0\0\3\1\0\0\10\0\2\0nbd\0"`
	const halves = `[{iov_base="\34\0\0\0\20\0\1\0\7\0\0\0", iov_len=12}, {iov_base="\0\0\0\0\3\1\0\0\10\0\2\0nbd\0", iov_len=16}]`
	text := `socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP) = 3
sendto(3, ` + nbd + `, 28, 0, NULL, 0) = 28
socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_XFRM) = 4
sendto(4, ` + nbd + `, 28, 0, NULL, 0) = -1 EPERM (Operation not permitted)
sendto(4, ` + nbd + `, 28, 0, NULL, 0) = 28
sendmsg(4, {msg_name=NULL, msg_namelen=0, msg_iov=` + halves + `, msg_iovlen=2, msg_controllen=0, msg_flags=0}, 0) = 28
write(1, "hello", 5) = 5
[pid 7] sendto(4, ` + nbd + `, 28, 0, NULL, 0 <unfinished ...>
[pid 8] read(5, "x", 1) = 1
[pid 7] <... sendto resumed>) = 28
+++ exited with 0 +++
`
	n := 0
	for d, err := range New(strings.NewReader(text), socket.Route).All() {
		if err != nil || d.Protocol != socket.XFRM || hex.EncodeToString(d.Data) != getNbd {
			t.Errorf("%v, protocol %v, %x", err, d.Protocol, d.Data)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d datagrams, want 3", n)
	}
}

// A call that cannot be read is one incomplete datagram, and the consumer can stop anywhere.
func TestStraceBroken(t *testing.T) {
	text := `socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC) = 3
sendto(3, [{nlmsg_len=32, nlmsg_type=ethtool, nlmsg_flags=NLM_F_REQUEST, nlmsg_seq=1, nlmsg_pid=0}, "x"], 32, 0, NULL, 0) = 32
recvmsg(3, {msg_iov=[{iov_base=[{nlmsg_len=32, nlm
recvmmsg(3, [{msg_hdr={msg_iov=[{iov_base="\34\0", iov_len=2}]}}, {msg_hdr={msg_iov=[{iov_base="\34\0", iov_len=2}]}}], 2, 0, NULL) = 2
sendto(3, "\34\0"..., 28, 0, NULL, 0) = 28
`
	var problems []string
	for d, err := range New(strings.NewReader(text), 0).All() {
		if err != nil {
			t.Fatal(err)
		}
		problems = append(problems, d.Problem)
	}
	if len(problems) != 5 || !strings.Contains(problems[0], `unknown name "ethtool"`) || !strings.Contains(problems[1], "line 3: recvmsg: the call is incomplete") ||
		problems[2]+problems[3] != "" || problems[4] != "strace left out the last 26 bytes; use strace -s 65536" {
		t.Errorf("%q", problems)
	}
	for stop := range problems {
		n := 0
		for range New(strings.NewReader(text), 0).All() {
			if n++; n > stop {
				break
			}
		}
	}
}
