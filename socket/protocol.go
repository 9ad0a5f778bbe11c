package socket

import "strconv"

// A Protocol is a netlink protocol by its number in linux/netlink.h, the third argument
// of socket(2).
type Protocol int

// Protocols for [Open], from linux/netlink.h. Open fails with EPROTONOSUPPORT for a
// protocol that the kernel was built without.
const (
	Route         Protocol = 0  // links, addresses, routes, traffic control
	UserSock      Protocol = 2  // between processes, without the kernel
	SockDiag      Protocol = 4  // sockets
	NFLog         Protocol = 5  // ULOG of netfilter; removed in Linux 3.17
	XFRM          Protocol = 6  // IPsec
	SELinux       Protocol = 7  // events of SELinux
	ISCSI         Protocol = 8  // Open-iSCSI
	Audit         Protocol = 9  // auditing
	FIBLookup     Protocol = 10 // route lookups
	Connector     Protocol = 11 // kernel connector, process events
	Netfilter     Protocol = 12 // nftables, conntrack, queues, logs
	KObjectUevent Protocol = 15 // device events; not netlink messages
	Generic       Protocol = 16 // Generic Netlink
	SCSITransport Protocol = 18 // transports of SCSI
	RDMA          Protocol = 20 // RDMA
	Crypto        Protocol = 21 // the crypto API
	SMC           Protocol = 22 // SMC monitoring
)

// unknownProtocol is OpError.Protocol if there is no socket.
const unknownProtocol Protocol = -1

// String returns the kernel's name of a protocol in lower case: "generic" for
// NETLINK_GENERIC. For a number without a name it allocates a string such as "protocol 99".
func (p Protocol) String() string {
	if p >= 0 && int(p) < len(protocolNames) && protocolNames[p] != "" {
		return protocolNames[p]
	}
	return "protocol " + strconv.Itoa(int(p))
}

// protocolNames are the kernel's names in lower case, without NETLINK_.
var protocolNames = [...]string{
	Route:         "route",
	UserSock:      "usersock",
	SockDiag:      "sock_diag",
	NFLog:         "nflog",
	XFRM:          "xfrm",
	SELinux:       "selinux",
	ISCSI:         "iscsi",
	Audit:         "audit",
	FIBLookup:     "fib_lookup",
	Connector:     "connector",
	Netfilter:     "netfilter",
	KObjectUevent: "kobject_uevent",
	Generic:       "generic",
	SCSITransport: "scsitransport",
	RDMA:          "rdma",
	Crypto:        "crypto",
	SMC:           "smc",
}
