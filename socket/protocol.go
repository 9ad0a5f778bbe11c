package socket

import "strconv"

// Protocols for [Open], from linux/netlink.h. A kernel has those that it was
// built with; the others give EPROTONOSUPPORT.
const (
	Route         = 0  // links, addresses, routes, traffic control
	UserSock      = 2  // between processes; the kernel takes no part
	SockDiag      = 4  // sockets
	NFLog         = 5  // ULOG of netfilter; gone since Linux 3.17
	XFRM          = 6  // IPsec
	SELinux       = 7  // events of SELinux
	ISCSI         = 8  // Open-iSCSI
	Audit         = 9  // auditing
	FIBLookup     = 10 // route lookups
	Connector     = 11 // kernel connector, process events
	Netfilter     = 12 // nftables, conntrack, queues, logs
	KObjectUevent = 15 // device events; not netlink messages
	Generic       = 16 // Generic Netlink
	SCSITransport = 18 // transports of SCSI
	RDMA          = 20 // RDMA
	Crypto        = 21 // the crypto API
	SMC           = 22 // SMC monitoring
)

// ProtocolName returns the kernel's name of a protocol in lower case, "generic" for
// NETLINK_GENERIC, or "protocol 99", which is allocated, for one that has none.
func ProtocolName(protocol int) string {
	if protocol >= 0 && protocol < len(protocolNames) && protocolNames[protocol] != "" {
		return protocolNames[protocol]
	}
	return "protocol " + strconv.Itoa(protocol)
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
