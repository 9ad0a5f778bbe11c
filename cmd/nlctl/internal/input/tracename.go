package input

import (
	"strings"

	"github.com/nlwire/nlwire/nlmsg"
	"github.com/nlwire/nlwire/socket"
)

// nameList contains names and their numbers. Unlike a map it needs no initialization.
type nameList []struct {
	name   string
	number int64
}

// find returns the number of a name.
func (l nameList) find(name string) (number int64, ok bool) {
	for _, n := range l {
		if n.name == name {
			return n.number, true
		}
	}
	return 0, false
}

// flagBits are the flags of struct nlmsghdr by their names in linux/netlink.h.
var flagBits = nameList{
	{"NLM_F_REQUEST", int64(nlmsg.FlagRequest)}, {"NLM_F_MULTI", int64(nlmsg.FlagMulti)}, {"NLM_F_ACK", int64(nlmsg.FlagAck)}, {"NLM_F_ECHO", int64(nlmsg.FlagEcho)},
	{"NLM_F_DUMP_INTR", int64(nlmsg.FlagDumpIntr)}, {"NLM_F_DUMP_FILTERED", int64(nlmsg.FlagDumpFiltered)},
	{"NLM_F_ROOT", int64(nlmsg.FlagRoot)}, {"NLM_F_MATCH", int64(nlmsg.FlagMatch)}, {"NLM_F_ATOMIC", int64(nlmsg.FlagAtomic)}, {"NLM_F_DUMP", int64(nlmsg.FlagDump)},
	{"NLM_F_REPLACE", int64(nlmsg.FlagReplace)}, {"NLM_F_EXCL", int64(nlmsg.FlagExcl)}, {"NLM_F_CREATE", int64(nlmsg.FlagCreate)}, {"NLM_F_APPEND", int64(nlmsg.FlagAppend)},
	{"NLM_F_NONREC", int64(nlmsg.FlagNonRec)}, {"NLM_F_BULK", int64(nlmsg.FlagBulk)},
	{"NLM_F_CAPPED", int64(nlmsg.FlagCapped)}, {"NLM_F_ACK_TLVS", int64(nlmsg.FlagAckTLVs)},
}

// controlTypes are the message types that all protocols share.
var controlTypes = nameList{
	{"NLMSG_NOOP", int64(nlmsg.TypeNoop)}, {"NLMSG_ERROR", int64(nlmsg.TypeError)}, {"NLMSG_DONE", int64(nlmsg.TypeDone)}, {"NLMSG_OVERRUN", int64(nlmsg.TypeOverrun)},
}

// subsystems are the subsystems of netfilter (linux/netfilter/nfnetlink.h).
var subsystems = nameList{
	{"NFNL_SUBSYS_NONE", 0}, {"NFNL_SUBSYS_CTNETLINK", 1}, {"NFNL_SUBSYS_CTNETLINK_EXP", 2}, {"NFNL_SUBSYS_QUEUE", 3}, {"NFNL_SUBSYS_ULOG", 4},
	{"NFNL_SUBSYS_OSF", 5}, {"NFNL_SUBSYS_IPSET", 6}, {"NFNL_SUBSYS_ACCT", 7}, {"NFNL_SUBSYS_CTNETLINK_TIMEOUT", 8}, {"NFNL_SUBSYS_CTHELPER", 9},
	{"NFNL_SUBSYS_NFTABLES", 10}, {"NFNL_SUBSYS_NFT_COMPAT", 11}, {"NFNL_SUBSYS_HOOK", 12},
	{"NFNL_MSG_BATCH_BEGIN", 0x10}, {"NFNL_MSG_BATCH_END", 0x11},
	{"IPCTNL_MSG_CT_NEW", 0}, {"IPCTNL_MSG_CT_GET", 1}, {"IPCTNL_MSG_CT_DELETE", 2}, {"IPCTNL_MSG_CT_GET_CTRZERO", 3},
	{"IPCTNL_MSG_CT_GET_STATS_CPU", 4}, {"IPCTNL_MSG_CT_GET_STATS", 5}, {"IPCTNL_MSG_CT_GET_DYING", 6}, {"IPCTNL_MSG_CT_GET_UNCONFIRMED", 7},
}

// nftMessages are the message types of nftables in the order of their numbers
// (linux/netfilter/nf_tables.h).
const nftMessages = `NEWTABLE GETTABLE DELTABLE NEWCHAIN GETCHAIN DELCHAIN NEWRULE GETRULE DELRULE NEWSET GETSET DELSET
NEWSETELEM GETSETELEM DELSETELEM NEWGEN GETGEN TRACE NEWOBJ GETOBJ DELOBJ GETOBJ_RESET NEWFLOWTABLE GETFLOWTABLE DELFLOWTABLE`

// routeTypes are the objects of rtnetlink in the order of their message types, four for
// each from RTM_BASE on (linux/rtnetlink.h).
const routeTypes = `LINK ADDR ROUTE NEIGH RULE QDISC TCLASS TFILTER ACTION PREFIX MULTICAST ANYCAST NEIGHTBL NDUSEROPT
ADDRLABEL DCB NETCONF MDB NSID STATS CACHEREPORT CHAIN NEXTHOP LINKPROP VLAN NEXTHOPBUCKET TUNNEL`

var routeVerbs = []string{"NEW", "DEL", "GET", "SET"}

// typeNames returns the names of the message types of a protocol.
func typeNames(protocol socket.Protocol) func(string) (int64, bool) {
	return func(name string) (int64, bool) {
		if t, ok := controlTypes.find(name); ok {
			return t, true
		}
		switch {
		case protocol == socket.Generic && name == "nlctrl":
			return 16, true
		case protocol == socket.Netfilter:
			return netfilterType(name)
		case strings.HasPrefix(name, "RTM_"):
			return routeType(strings.TrimPrefix(name, "RTM_"))
		}
		return 0, false
	}
}

func netfilterType(name string) (int64, bool) {
	if n, ok := subsystems.find(name); ok {
		return n, true
	}
	for i, m := range strings.Fields(nftMessages) {
		if name == "NFT_MSG_"+m {
			return int64(i), true
		}
	}
	return 0, false
}

func routeType(name string) (int64, bool) {
	for verb, prefix := range routeVerbs {
		object, ok := strings.CutPrefix(name, prefix)
		for i, t := range strings.Fields(routeTypes) {
			if ok && t == object {
				return int64(16 + 4*i + verb), true
			}
		}
	}
	return 0, false
}
