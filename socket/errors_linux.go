package socket

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// hint explains errors that are not obvious, for a given call. The comments cite the kernel
// function that returns the error.
func hint(op string, err error) string {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return ""
	}
	switch op {
	case opSendto, opSendmsg:
		return hintSend(errno)
	case opRecvmsg, opRecvmmsg:
		return hintReceive(errno)
	}
	if option, ok := strings.CutPrefix(op, "setsockopt "); ok {
		return hintOption(option, errno)
	}
	return hintOpen(op, errno)
}

func hintOpen(op string, errno unix.Errno) string {
	switch {
	case op == opSocket && errno == unix.EAFNOSUPPORT:
		return "a filter refuses netlink sockets: with systemd, add AF_NETLINK to RestrictAddressFamilies"
	case op == opSocket && (errno == unix.EPERM || errno == unix.EACCES):
		return "a security policy refuses netlink sockets"
	case op == "ioctl SIOCGSKNS" && errno == unix.EPERM:
		return "another socket in this namespace requires CAP_NET_ADMIN there: open all sockets before dropping it"
	case op == opSocket && errno == unix.EPROTONOSUPPORT: // netlink_create
		return "this kernel does not have the protocol, or its module is not loaded"
	case op == opSetns && errno == unix.EPERM: // netns_install
		return "entering a network namespace requires CAP_SYS_ADMIN"
	case op == opSetns && errno == unix.EINVAL:
		return "the descriptor does not refer to a network namespace"
	}
	return ""
}

// hintSend explains errors of netlink_sendmsg and netlink_unicast.
func hintSend(errno unix.Errno) string {
	switch errno {
	case unix.ECONNREFUSED:
		return "no socket has that port ID, or the kernel does not listen on this protocol"
	case unix.EPERM:
		return "on this protocol, sending to a port ID or group requires CAP_NET_ADMIN"
	case unix.EMSGSIZE:
		return "the datagram does not fit into the send buffer: see SetSendBuffer"
	case unix.ENODATA:
		return "an empty datagram cannot be sent to the kernel"
	}
	return ""
}

// hintReceive explains errors of netlink_overrun and netlink_dump.
func hintReceive(errno unix.Errno) string {
	if errno == unix.ENOBUFS {
		return "the receive buffer was full and messages are lost: continue to receive, and resynchronize with a dump"
	}
	return ""
}

// hintOption explains errors of netlink_setsockopt.
func hintOption(option string, errno unix.Errno) string {
	membership := option == nameAddMembership || option == nameDropMembership
	switch {
	case membership && errno == unix.EPERM:
		return "this group requires a capability, usually CAP_NET_ADMIN"
	case membership && errno == unix.EINVAL:
		return "the protocol has no such group"
	case option == ListenAllNSID.String() && errno == unix.EPERM:
		return "receiving from other network namespaces requires CAP_NET_BROADCAST"
	case errno == unix.ENOPROTOOPT:
		return "this kernel is too old for the option"
	}
	return ""
}

// isFull reports whether a send failed because the receive buffer of the peer is full.
func isFull(err error) bool { return err == unix.EAGAIN }
