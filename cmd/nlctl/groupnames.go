package main

import "github.com/nlwire/nlwire/socket"

// protocolGroup is a multicast group of a protocol.
type protocolGroup struct {
	name   string
	number uint32
}

// groupsOf returns the groups of a protocol by the names of the headers, in lower case and
// without prefix (RTNLGRP_, NFNLGRP_, XFRMNLGRP_, SKNLGRP_, AUDIT_NLGRP_, SELNLGRP_).
func groupsOf(p socket.Protocol) []protocolGroup {
	return map[socket.Protocol][]protocolGroup{
		socket.Route: numbered("link", "notify", "neigh", "tc", "ipv4-ifaddr", "ipv4-mroute", "ipv4-route", "ipv4-rule",
			"ipv6-ifaddr", "ipv6-mroute", "ipv6-route", "ipv6-ifinfo", "decnet-ifaddr", "nop2", "decnet-route", "decnet-rule",
			"nop4", "ipv6-prefix", "ipv6-rule", "nd-useropt", "phonet-ifaddr", "phonet-route", "dcb", "ipv4-netconf",
			"ipv6-netconf", "mdb", "mpls-route", "nsid", "mpls-netconf", "ipv4-mroute-r", "ipv6-mroute-r", "nexthop", "brvlan",
			"mctp-ifaddr", "tunnel", "stats", "ipv4-mcaddr", "ipv6-mcaddr", "ipv6-acaddr"),
		socket.Netfilter: numbered("conntrack-new", "conntrack-update", "conntrack-destroy", "conntrack-exp-new",
			"conntrack-exp-update", "conntrack-exp-destroy", "nftables", "acct-quota", "nftrace"),
		socket.XFRM:          numbered("acquire", "expire", "sa", "policy", "aevents", "report", "migrate", "mapping"),
		socket.SockDiag:      numbered("inet-tcp-destroy", "inet-udp-destroy", "inet6-tcp-destroy", "inet6-udp-destroy"),
		socket.Audit:         numbered("readlog"),
		socket.SELinux:       numbered("avc"),
		socket.Connector:     numbered("proc"),
		socket.KObjectUevent: numbered("kernel", "udev"),
	}[p]
}

func numbered(names ...string) []protocolGroup {
	var all []protocolGroup
	for i, name := range names {
		all = append(all, protocolGroup{name, uint32(i + 1)})
	}
	return all
}
