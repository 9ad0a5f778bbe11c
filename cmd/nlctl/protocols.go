package main

import (
	"encoding/binary"
	"fmt"
	"strconv"

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
	n, err := strconv.ParseUint(name, 0, 16)
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

// routeKinds is indexed by the type of RTM_NEW....
var routeKinds = map[nlmsg.Type]routeKind{
	16:           {"link", 16},         // struct ifinfomsg
	20:           {"addr", 8},          // struct ifaddrmsg
	24:           {"route", 12},        // struct rtmsg
	28:           {"neigh", 12},        // struct ndmsg
	32:           {"rule", 12},         // struct fib_rule_hdr
	36:           {"qdisc", 20},        // struct tcmsg
	40:           {"tclass", 20},       // struct tcmsg
	44:           {"tfilter", 20},      // struct tcmsg
	48:           {"action", 4},        // struct tcamsg
	52:           {"prefix", 12},       // struct prefixmsg
	56:           {"multicast", 8},     // struct ifaddrmsg
	60:           {"anycast", 8},       // struct ifaddrmsg
	64:           {"neightbl", 4},      // struct ndtmsg
	newNDUserOpt: {"nduseropt", 16},    // struct nduseroptmsg
	72:           {"addrlabel", 12},    // struct ifaddrlblmsg
	76:           {"dcb", 4},           // struct dcbmsg
	80:           {"netconf", 4},       // struct netconfmsg
	84:           {"mdb", 8},           // struct br_port_msg
	88:           {"nsid", 4},          // struct rtgenmsg
	92:           {"stats", 12},        // struct if_stats_msg
	96:           {"cachereport", 4},   // struct rtgenmsg
	100:          {"chain", 20},        // struct tcmsg
	104:          {"nexthop", 8},       // struct nhmsg
	108:          {"linkprop", 16},     // struct ifinfomsg
	112:          {"vlan", 8},          // struct br_vlan_msg
	116:          {"nexthopbucket", 8}, // struct nhmsg
	120:          {"tunnel", 8},        // struct tunnel_msg
}

// routeVerbs is indexed by the lowest two bits of the type (rtnl_msgtype_kind).
var routeVerbs = [4]string{"new", "del", "get", "set"}

// routeNames are the names of rtnetlink types. They are formed like the kernel's names, also
// for types without a name in the kernel.
type routeNames map[nlmsg.Type]string

// of returns the name of a type, "" if it is not known.
func (n routeNames) of(t nlmsg.Type) string {
	name, ok := n[t]
	if k, isKnown := routeKinds[t&^3]; !ok && isKnown {
		name = routeVerbs[t&3] + k.name
		n[t] = name
	}
	return name
}

// routeHeader returns the length of the header of an rtnetlink message.
func routeHeader(m nlmsg.Msg) (header int, ok bool) {
	k, ok := routeKinds[m.Type()&^3]
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
