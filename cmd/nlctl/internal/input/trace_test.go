package input

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/nlwire/nlwire/socket"
)

// TestWrongBracket reads calls that end with a bracket of another kind than they began with.
func TestWrongBracket(t *testing.T) {
	for _, text := range []string{
		"3, ], 5, 0) = 5",
		"3, }, 5, 0) = 5",
		"3, [1, 2), 5, 0) = 5",
		"3, {a=1], 5, 0) = 5",
		"3, [{nlmsg_len=20}, ), 5, 0) = 5",
	} {
		if _, _, err := parseCall(text); !errors.Is(err, errTrace) {
			t.Errorf("%s: error %v, want %v", text, err, errTrace)
		}
	}
}

// TestReusedDescriptor reads calls on a descriptor that was a netlink socket, and is a file
// later.
func TestReusedDescriptor(t *testing.T) {
	socketCall := "%ssocket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC) = 4\n"
	send := `%ssendto(4, "\20\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0", 16, 0, NULL, 0) = 16` + "\n"
	read := `%sread(4, "root:x:0:0:root:/root:/bin/bash\n", 4096) = 32` + "\n"
	for _, pid := range []string{"", "7 "} {
		for _, end := range []string{"%sclose(4) = 0\n", "%sclose(4<socket:[123]>) = 0\n", "%sopenat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 4\n"} {
			text := strings.ReplaceAll(socketCall+send+end+read, "%s", pid)
			if size, err := lastError(text); size != 16 || err != nil {
				t.Errorf("%s%d bytes, %v; want only the message of 16 bytes", text, size, err)
			}
		}
	}
	// A failed close, and that of another process, change nothing.
	for _, other := range []string{"7 close(4) = -1 EBADF (Bad file descriptor)\n", "8 close(4) = 0\n"} {
		text := strings.ReplaceAll(socketCall, "%s", "7 ") + other + strings.ReplaceAll(strings.Replace(send, "sendto", "write", 1), "%s", "7 ")
		text = strings.ReplaceAll(text, ", 0, NULL, 0)", ")")
		if size, err := lastError(text); size != 16 || err != nil {
			t.Errorf("%s%d bytes, %v", text, size, err)
		}
	}
}

// TestTraceDump reads the bytes that strace -e read=all -e write=all prints after a call: lines
// of 16 bytes in two groups.
func TestTraceDump(t *testing.T) {
	const text = `socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE) = 3
read(5, "\177ELF\2\1\1"..., 832)        = 22
 | 00000  7f 45 4c 46 02 01 01 00  00 00 00 00 00 00 00 00  .ELF............ |
 | 00010  20 20 7c 7c 20 20                                   ||            |
sendto(3, [{nlmsg_len=40, nlmsg_type=RTM_GETLINK, nlmsg_flags=NLM_F_REQUEST|NLM_F_DUMP, nlmsg_seq=1796043754, nlmsg_pid=0}, {ifi_family=AF_PACKET, ...}, [{nla_len=8, nla_type=IFLA_EXT_MASK}, 1]], 40, 0, NULL, 0) = 40
 | 00000  28 00 00 00 12 00 01 03  ea 73 0d 6b 00 00 00 00  (........s.k.... |
 | 00010  11 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  ................ |
 | 00020  08 00 1d 00 01 00 00 00                           ........         |
recvmsg(3, {msg_name={sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, msg_namelen=12, msg_iov=[{iov_base=[{nlmsg_len=20, nlmsg_type=NLMSG_DONE, nlmsg_flags=NLM_F_MULTI, nlmsg_seq=1796043754, nlmsg_pid=15966}, 0], iov_len=32768}], msg_iovlen=1, msg_controllen=0, msg_flags=0}, 0) = 20
 * 20 bytes in buffer 0
 | 00000  14 00 00 00 03 00 02 00  ea 73 0d 6b 5e 3e 00 00  .........s.k^>.. |
 | 00010  00 00 00 00                                       ....             |
`
	want := []string{"2800000012000103ea730d6b00000000" + "11000000000000000000000000000000" + "08001d0001000000", "1400000003000200ea730d6b5e3e0000" + "00000000"}
	var got []string
	for d, err := range New(strings.NewReader(text), socket.Generic).All() {
		if err != nil || d.Missing != 0 || d.Protocol != socket.Route {
			t.Errorf("%+v, %v", d, err)
		}
		got = append(got, hex.EncodeToString(d.Data))
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n%q\nwant\n%q", got, want)
	}
}

// TestTraceOutput reads a call within which the program has written to the same terminal.
func TestTraceOutput(t *testing.T) {
	const text = `socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 3
write(1, "1: lo: <LOOPBACK,UP> mt"..., 1631: lo: <LOOPBACK,UP> mtu 65536
    link/loopback 00:00:00:00:00:00
) = 163
write(3, "\20\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0", 16) = 16
`
	if size, err := lastError(text); size != 16 || err != nil {
		t.Errorf("%d bytes, %v", size, err)
	}
}

// TestTraceFamilyName reads calls in which strace printed the name of a Generic Netlink family
// instead of its number: the bytes after the call are the message, otherwise it is incomplete.
func TestTraceFamilyName(t *testing.T) {
	const call = `socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC) = 3
sendto(3, [{nlmsg_len=20, nlmsg_type=ethtool, nlmsg_flags=NLM_F_REQUEST, nlmsg_seq=1, nlmsg_pid=0}, "\x0f\x01\x00\x00"], 20, 0, NULL, 0) = 20
`
	const dump = ` | 00000  14 00 00 00 15 00 01 00  01 00 00 00 00 00 00 00  ................ |
 | 00010  0f 01 00 00                                       ....             |
`
	for text, want := range map[string]Datagram{
		call:        {Protocol: socket.Generic, Missing: 20, Problem: "strace printed no numbers (nlmsg_type: unknown name \"ethtool\"); use strace -e read=all -e write=all"},
		call + dump: {Protocol: socket.Generic, Data: []byte("\x14\x00\x00\x00\x15\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x0f\x01\x00\x00")},
	} {
		for d, err := range New(strings.NewReader(text), socket.Route).All() {
			if err != nil || d.Protocol != want.Protocol || !bytes.Equal(d.Data, want.Data) || d.Missing != want.Missing || d.Problem != want.Problem {
				t.Errorf("%s%+v, %v", text, d, err)
			}
		}
	}
}

// TestTraceEvent reads output of strace that begins with a signal or the start of a process.
func TestTraceEvent(t *testing.T) {
	const calls = `socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 3
sendto(3, "\20\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0", 16, 0, NULL, 0) = 16
`
	for _, first := range []string{
		"--- SIGURG {si_signo=SIGURG, si_code=SI_TKILL, si_pid=20481, si_uid=0} ---\n",
		"[pid  20482] --- SIGURG {si_signo=SIGURG, si_code=SI_TKILL, si_pid=20481, si_uid=0} ---\n",
		"20482 12:00:01.000001 --- SIGCHLD {si_signo=SIGCHLD} ---\n",
		"strace: Process 20483 attached\n",
		"[pid 20484] +++ exited with 0 +++\n",
	} {
		if size, err := lastError(first + calls); size != 16 || err != nil {
			t.Errorf("%s%d bytes, %v", first, size, err)
		}
	}
}
