package main

import (
	"encoding/binary"
	"fmt"

	"github.com/nlwire/nlwire/internal/literal"
	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// parseProtocol returns the protocol with that name or number.
func parseProtocol(name string) (socket.Protocol, error) {
	for protocol := range maxProtocol {
		if protocol.String() == name {
			return protocol, nil
		}
	}
	n, err := literal.Uint(name, 16)
	if err != nil {
		return 0, fmt.Errorf("unknown protocol %q; write a name such as route or generic, or a number", name)
	}
	return socket.Protocol(n), nil
}

// maxProtocol is one more than the highest protocol (MAX_LINKS).
const maxProtocol socket.Protocol = 32

// routeKind is the common part of four rtnetlink message types, RTM_NEW..., RTM_DEL...,
// RTM_GET... and RTM_SET... (rtnetlink.h), and the size of the header before the
// attributes.
type routeKind struct {
	name   string
	header int
}

// routeKinds are the kinds in the order of their types, four for each from RTM_NEWLINK on.
var routeKinds = [...]routeKind{
	{"link", 16},         // struct ifinfomsg
	{"addr", 8},          // struct ifaddrmsg
	{"route", 12},        // struct rtmsg
	{"neigh", 12},        // struct ndmsg
	{"rule", 12},         // struct fib_rule_hdr
	{"qdisc", 20},        // struct tcmsg
	{"tclass", 20},       // struct tcmsg
	{"tfilter", 20},      // struct tcmsg
	{"action", 4},        // struct tcamsg
	{"prefix", 12},       // struct prefixmsg
	{"multicast", 8},     // struct ifaddrmsg
	{"anycast", 8},       // struct ifaddrmsg
	{"neightbl", 4},      // struct ndtmsg
	{"nduseropt", 16},    // struct nduseroptmsg
	{"addrlabel", 12},    // struct ifaddrlblmsg
	{"dcb", 4},           // struct dcbmsg
	{"netconf", 4},       // struct netconfmsg
	{"mdb", 8},           // struct br_port_msg
	{"nsid", 4},          // struct rtgenmsg
	{"stats", 12},        // struct if_stats_msg
	{"cachereport", 4},   // struct rtgenmsg
	{"chain", 20},        // struct tcmsg
	{"nexthop", 8},       // struct nhmsg
	{"linkprop", 16},     // struct ifinfomsg
	{"vlan", 8},          // struct br_vlan_msg
	{"nexthopbucket", 8}, // struct nhmsg
	{"tunnel", 8},        // struct tunnel_msg
}

// routeKindOf returns the kind of a message type.
func routeKindOf(t nlmsg.Type) (k routeKind, ok bool) {
	i := int(t-nlmsg.MinType) / len(routeVerbs)
	if t < nlmsg.MinType || i >= len(routeKinds) {
		return k, false
	}
	return routeKinds[i], true
}

// routeVerbs is indexed by the lowest two bits of the type (rtnl_msgtype_kind).
var routeVerbs = [4]string{"new", "del", "get", "set"}

// routeNames are the names of rtnetlink types. They are formed like the kernel's names, also
// for types without a name in the kernel.
type routeNames map[nlmsg.Type]string

// of returns the name of a type, "" if it is not known.
func (n routeNames) of(t nlmsg.Type) string {
	name, ok := n[t]
	if k, isKnown := routeKindOf(t); !ok && isKnown {
		name = routeVerbs[t&3] + k.name
		n[t] = name
	}
	return name
}

// routeHeader returns the length of the header of an rtnetlink message.
func routeHeader(m nlmsg.Msg) (header int, ok bool) {
	k, ok := routeKindOf(m.Type())
	header = k.header
	if p := m.Payload(); m.Type() == newNDUserOpt && len(p) >= 4 {
		header += int(binary.NativeEndian.Uint16(p[2:])) // nduseropt_opts_len: options of neighbor discovery
	}
	return header, ok
}

// newNDUserOpt is RTM_NEWNDUSEROPT.
const newNDUserOpt = 68

// netfilterHeader is the length of struct nfgenmsg.
const netfilterHeader = 4
