package socket

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestOpErrorText(t *testing.T) {
	reason := errors.New("reason")
	for _, row := range []struct {
		err  OpError
		want string
	}{
		{OpError{Op: "bind", Protocol: Generic, Err: reason}, "netlink generic: bind: reason"},
		{OpError{Op: "bind", Protocol: Route, Err: reason, Hint: "do this"}, "netlink route: bind: reason: do this"},
		{OpError{Op: "socket", Protocol: 99, Err: reason}, "netlink protocol 99: socket: reason"},
		{OpError{Op: "socket", Protocol: -1, Err: reason}, "netlink: socket: reason"},
		{OpError{Op: "socket", Protocol: -2, Err: reason}, "netlink protocol -2: socket: reason"},
		{OpError{Op: "socket", Protocol: 17, Err: reason}, "netlink protocol 17: socket: reason"},
	} {
		if got := row.err.Error(); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

func TestOpErrorUnwraps(t *testing.T) {
	err := fmt.Errorf("outside: %w", &OpError{Op: "receive", Err: os.ErrDeadlineExceeded})
	if !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	var e *OpError
	if !errors.As(err, &e) || !e.Timeout() || !os.IsTimeout(e) {
		t.Error("not a timeout:", err)
	}
	if (&OpError{Err: os.ErrClosed}).Timeout() {
		t.Error("being closed is no timeout")
	}
}

func TestWrapKeepsNilAndStaticErrors(t *testing.T) {
	s := &Socket{protocol: Route}
	if err := s.wrap("bind", nil); err != nil {
		t.Error(err)
	}
	for _, err := range []error{nil, ErrTruncated, ErrSender} {
		if got := s.wrapReceive("receive", err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	var e *OpError
	if err := s.wrapReceive("receive", os.ErrClosed); !errors.As(err, &e) || e.Op != "receive" || e.Err != os.ErrClosed {
		t.Error(err)
	}
}

func TestProtocolNames(t *testing.T) {
	for protocol, want := range map[Protocol]string{
		Route: "route", UserSock: "usersock", Generic: "generic", SMC: "smc",
		1: "protocol 1", 23: "protocol 23", 1 << 30: "protocol 1073741824", -7: "protocol -7",
	} {
		if got := protocol.String(); got != want {
			t.Errorf("%d is %q, want %q", int(protocol), got, want)
		}
		if got := fmt.Sprint(protocol); got != want {
			t.Errorf("printed: %q, want %q", got, want)
		}
	}
}

func TestFlagNames(t *testing.T) {
	for f, want := range map[Flag]string{
		PacketInfo:     "NETLINK_PKTINFO",
		BroadcastError: "NETLINK_BROADCAST_ERROR",
		NoENOBUFS:      "NETLINK_NO_ENOBUFS",
		ListenAllNSID:  "NETLINK_LISTEN_ALL_NSID",
		CapAck:         "NETLINK_CAP_ACK",
		ExtAck:         "NETLINK_EXT_ACK",
		StrictCheck:    "NETLINK_GET_STRICT_CHK",
		1:              "Flag(1)",
		-1:             "Flag(-1)",
	} {
		if got := f.String(); got != want {
			t.Errorf("%d is %q, want %q", int(f), got, want)
		}
		if f.known() != strings.HasPrefix(want, "NETLINK_") {
			t.Errorf("%s: known %v", want, f.known())
		}
	}
}
