package socket

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// hint explains the errors that puzzle people, in the words of the call. The
// comments name the place in the kernel.
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
		return "a filter refuses netlink sockets: systemd needs AF_NETLINK in RestrictAddressFamilies"
	case op == opSocket && (errno == unix.EPERM || errno == unix.EACCES):
		return "a security policy refuses netlink sockets"
	case op == "ioctl SIOCGSKNS" && errno == unix.EPERM:
		return "another socket in this namespace needs CAP_NET_ADMIN there, which was given up: open the sockets before"
	case op == opSocket && errno == unix.EPROTONOSUPPORT: // netlink_create
		return "this kernel does not have the protocol, or its module is not loaded"
	case op == opSetns && errno == unix.EPERM: // netns_install
		return "entering a network namespace needs CAP_SYS_ADMIN"
	case op == opSetns && errno == unix.EINVAL:
		return "the descriptor is not that of a network namespace"
	}
	return ""
}

// hintSend follows netlink_sendmsg and netlink_unicast.
func hintSend(errno unix.Errno) string {
	switch errno {
	case unix.ECONNREFUSED:
		return "no socket has that port ID, or the kernel does not listen on this protocol"
	case unix.EPERM:
		return "this protocol lets only CAP_NET_ADMIN send to a port ID or group"
	case unix.EMSGSIZE:
		return "the datagram does not fit into the send buffer: see SetSendBuffer"
	case unix.ENODATA:
		return "netlink has no empty datagrams for the kernel"
	}
	return ""
}

// hintReceive follows netlink_overrun and netlink_dump.
func hintReceive(errno unix.Errno) string {
	if errno == unix.ENOBUFS {
		return "the receive buffer was full and messages are lost: read on, and resynchronise with a dump"
	}
	return ""
}

// hintOption follows netlink_setsockopt.
func hintOption(option string, errno unix.Errno) string {
	membership := option == nameAddMembership || option == nameDropMembership
	switch {
	case membership && errno == unix.EPERM:
		return "this group needs a capability, most often CAP_NET_ADMIN"
	case membership && errno == unix.EINVAL:
		return "the protocol has no such group"
	case option == ListenAllNSID.String() && errno == unix.EPERM:
		return "hearing other network namespaces needs CAP_NET_BROADCAST"
	case errno == unix.ENOPROTOOPT:
		return "this kernel is too old for the option"
	}
	return ""
}

// isFull reports whether a send failed because the receive buffer of the peer is full.
func isFull(err error) bool { return err == unix.EAGAIN }
