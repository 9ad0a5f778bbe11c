package input

import (
	"strings"
	"testing"

	"github.com/nlwire/nlwire/socket"
)

// TestWrongBracket reads calls that end with a bracket of another kind than they began with.
func TestWrongBracket(t *testing.T) {
	for _, text := range []string{
		"sendto(3, ], 5, 0) = 5",
		"sendto(3, }, 5, 0) = 5",
		"sendto(3, [1, 2), 5, 0) = 5",
		"sendto(3, {a=1], 5, 0) = 5",
		"sendto(3, [{nlmsg_len=20}, ), 5, 0) = 5",
	} {
		var err error
		for _, e := range New(strings.NewReader(text+"\n"), socket.Generic).All() {
			err = e
		}
		if err == nil || !strings.Contains(err.Error(), errTrace.Error()) {
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
