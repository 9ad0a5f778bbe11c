package socket

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/errno"
)

func TestHints(t *testing.T) {
	for _, row := range []struct {
		op   string
		err  error
		want string // part of the hint; empty: no hint
	}{
		{opSocket, unix.EPROTONOSUPPORT, "does not have the protocol"},
		{opSocket, unix.EMFILE, ""},
		{opSetns, unix.EPERM, "CAP_SYS_ADMIN"},
		{opSetns, unix.EINVAL, "does not refer to a network namespace"},
		{opBind, unix.EINVAL, ""},
		{opSendto, unix.EPERM, "CAP_NET_ADMIN"},
		{opSendmsg, unix.ECONNREFUSED, "no socket has that port ID"},
		{opSendto, unix.ENODATA, "empty"},
		{opSendto, unix.ENOBUFS, ""},
		{opRecvmsg, unix.ENOBUFS, "resynchronize"},
		{opRecvmmsg, unix.ENOBUFS, "resynchronize"},
		{opRecvmsg, unix.EIO, ""},
		{opRecvmsg, os.ErrClosed, ""},
		{"setsockopt NETLINK_ADD_MEMBERSHIP", unix.EPERM, "CAP_NET_ADMIN"},
		{"setsockopt NETLINK_DROP_MEMBERSHIP", unix.EINVAL, "no such group"},
		{"setsockopt NETLINK_LISTEN_ALL_NSID", unix.EPERM, "CAP_NET_BROADCAST"},
		{"setsockopt NETLINK_EXT_ACK", unix.ENOPROTOOPT, "too old"},
		{"setsockopt SO_RCVBUF", unix.EPERM, ""},
	} {
		err := newOpError(row.op, Generic, row.err)
		var e *OpError
		if !errors.As(err, &e) || !errors.Is(err, row.err) {
			t.Fatalf("%v is not %v", err, row.err)
		}
		if (row.want == "") != (e.Hint == "") || !strings.Contains(e.Hint, row.want) {
			t.Errorf("%s, %v: hint %q, want %q", row.op, row.err, e.Hint, row.want)
		}
	}
}

// errors.Is matches the errno as a syscall.Errno and as an errno.Errno.
func TestOpErrorIsItsErrno(t *testing.T) {
	s, err := Open(Generic)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Join(1 << 30)
	if !errors.Is(err, unix.EINVAL) || !errors.Is(err, errno.EINVAL) || errors.Is(err, errno.ENOENT) {
		t.Errorf("%v", err)
	}
}
