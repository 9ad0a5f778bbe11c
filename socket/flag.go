package socket

import "strconv"

// A Flag is a boolean option of level SOL_NETLINK. Its value is the option's number in
// linux/netlink.h. All flags are off in a new socket.
type Flag int

const (
	// PacketInfo (NETLINK_PKTINFO) reports the multicast group of every datagram:
	// [Info.Group].
	PacketInfo Flag = 3
	// BroadcastError (NETLINK_BROADCAST_ERROR) makes the kernel report to its own sender if
	// a multicast message could not be delivered to this socket.
	BroadcastError Flag = 4
	// NoENOBUFS (NETLINK_NO_ENOBUFS) suppresses the error ENOBUFS after a loss of messages.
	// [Socket.Drops] still counts them.
	NoENOBUFS Flag = 5
	// ListenAllNSID (NETLINK_LISTEN_ALL_NSID) receives the multicasts of every network
	// namespace that has an nsid in the socket's own: [Info.NSID]. It requires
	// CAP_NET_BROADCAST.
	ListenAllNSID Flag = 8
	// CapAck (NETLINK_CAP_ACK) limits the copy of the request in an error to its header.
	CapAck Flag = 10
	// ExtAck (NETLINK_EXT_ACK) adds attributes to errors and acknowledgements: a text, the
	// offset of the bad attribute, a policy.
	ExtAck Flag = 11
	// StrictCheck (NETLINK_GET_STRICT_CHK) makes rtnetlink validate and apply the headers
	// and attributes of dump requests. Since Linux 4.20.
	StrictCheck Flag = 12
)

// Options of level SOL_NETLINK that are not boolean.
const (
	optAddMembership   = 1
	optDropMembership  = 2
	optListMemberships = 9

	nameAddMembership   = "NETLINK_ADD_MEMBERSHIP"
	nameDropMembership  = "NETLINK_DROP_MEMBERSHIP"
	nameListMemberships = "NETLINK_LIST_MEMBERSHIPS"
)

// String returns the kernel's name, like NETLINK_EXT_ACK.
func (f Flag) String() string {
	switch f {
	case PacketInfo:
		return "NETLINK_PKTINFO"
	case BroadcastError:
		return "NETLINK_BROADCAST_ERROR"
	case NoENOBUFS:
		return "NETLINK_NO_ENOBUFS"
	case ListenAllNSID:
		return "NETLINK_LISTEN_ALL_NSID"
	case CapAck:
		return "NETLINK_CAP_ACK"
	case ExtAck:
		return "NETLINK_EXT_ACK"
	case StrictCheck:
		return "NETLINK_GET_STRICT_CHK"
	}
	return "Flag(" + strconv.Itoa(int(f)) + ")"
}

// known reports whether f is a constant of this package. Other numbers may be options that
// are not boolean: setting "Flag(1)" to 1 would join group 1.
func (f Flag) known() bool {
	switch f {
	case PacketInfo, BroadcastError, NoENOBUFS, ListenAllNSID, CapAck, ExtAck, StrictCheck:
		return true
	}
	return false
}

// SetFlag turns a boolean option on or off. ENOPROTOOPT means that the kernel does not
// support it, or that f is not a constant of this package.
func (s *Socket) SetFlag(f Flag, on bool) error {
	return s.wrap("setsockopt "+f.String(), s.sys.setFlag(f, on))
}

// Flag reports whether a boolean option is on. Linux 6.1 and older return ENOPROTOOPT for
// [ListenAllNSID], although they support setting it.
func (s *Socket) Flag(f Flag) (on bool, err error) {
	on, err = s.sys.flag(f)
	return on, s.wrap("getsockopt "+f.String(), err)
}
