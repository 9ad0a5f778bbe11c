package input

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// Message types of linux/netfilter for this package, bench/worker and bench/c.
const (
	NewRule = unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_NEWRULE
	newFlow = unix.NFNL_SUBSYS_CTNETLINK << 8 // IPCTNL_MSG_CT_NEW
)

// MultipathRoutes contains 64 routes with metrics and two next hops (fib_dump_info).
func MultipathRoutes() *Set {
	s := &Set{HeaderLen: unix.SizeofRtMsg, Depths: []uint32{unix.RTA_METRICS: 1}}
	header := []byte{unix.AF_INET, 24, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, 0, unix.RTN_UNICAST, 0, 0, 0, 0}
	return s.repeat(64, unix.RTM_NEWROUTE, header, func(b []byte, i uint32) []byte {
		b = nla.AppendUint32(b, unix.RTA_TABLE, unix.RT_TABLE_MAIN)
		b = nla.AppendBE32(b, unix.RTA_DST, 10<<24|i<<8)
		b = nla.AppendUint32(b, unix.RTA_PRIORITY, 100+i)
		metrics := len(b)
		b = nla.BeginNoFlag(b, unix.RTA_METRICS)
		b = nla.AppendUint32(b, unix.RTAX_MTU, 1400)
		b = nla.AppendUint32(b, unix.RTAX_ADVMSS, 1360)
		b = nla.AppendUint32(b, unix.RTAX_INITCWND, 10)
		b = nla.End(b, metrics)
		b = nla.AppendBE32(b, unix.RTA_PREFSRC, 192<<24|168<<16|1)
		hops := len(b)
		b = nla.BeginNoFlag(b, unix.RTA_MULTIPATH)
		for hop := range uint32(2) {
			b = append(b, 16, 0, 0, byte(hop)) // struct rtnexthop
			b = ne.AppendUint32(b, 2+hop)
			b = nla.AppendBE32(b, unix.RTA_GATEWAY, 192<<24|168<<16|2+hop)
		}
		return nla.End(b, hops)
	})
}

// NFTRules contains 64 rules (nf_tables_fill_rule_info).
func NFTRules() *Set {
	s := &Set{HeaderLen: 4, Depths: []uint32{unix.NFTA_RULE_EXPRESSIONS: 2}}
	return s.repeat(64, NewRule, []byte{unix.AF_INET, 0, 0, 7}, func(b []byte, i uint32) []byte {
		b = nla.AppendCString(b, unix.NFTA_RULE_TABLE, "filter")
		b = nla.AppendCString(b, unix.NFTA_RULE_CHAIN, "input")
		b = nla.AppendBE64(b, unix.NFTA_RULE_HANDLE, uint64(2+i))
		if i > 0 {
			b = nla.AppendBE64(b, unix.NFTA_RULE_POSITION, uint64(1+i))
		}
		b = AppendExpressions(b, i)
		return nla.AppendText(b, unix.NFTA_RULE_USERDATA, "\x00\x05rule\x00")
	})
}

// AppendExpressions appends the expressions of rule i: tcp dport i counter accept.
func AppendExpressions(b []byte, i uint32) []byte {
	list := len(b)
	b = nla.Begin(b, unix.NFTA_RULE_EXPRESSIONS)
	b, e, d := beginExpr(b, "meta")
	b = nla.AppendBE32(b, unix.NFTA_META_KEY, unix.NFT_META_L4PROTO)
	b = nla.AppendBE32(b, unix.NFTA_META_DREG, unix.NFT_REG_1)
	b = nla.End(nla.End(b, d), e)
	b = appendCmp(b, []byte{unix.IPPROTO_TCP})
	b, e, d = beginExpr(b, "payload")
	b = nla.AppendBE32(b, unix.NFTA_PAYLOAD_DREG, unix.NFT_REG_1)
	b = nla.AppendBE32(b, unix.NFTA_PAYLOAD_BASE, unix.NFT_PAYLOAD_TRANSPORT_HEADER)
	b = nla.AppendBE32(b, unix.NFTA_PAYLOAD_OFFSET, 2)
	b = nla.AppendBE32(b, unix.NFTA_PAYLOAD_LEN, 2)
	b = nla.End(nla.End(b, d), e)
	b = appendCmp(b, []byte{byte(i >> 8), byte(i)})
	b, e, d = beginExpr(b, "counter")
	b = nla.AppendBE64(b, unix.NFTA_COUNTER_BYTES, 0)
	b = nla.AppendBE64(b, unix.NFTA_COUNTER_PACKETS, 0)
	b = nla.End(nla.End(b, d), e)
	b, e, d = beginExpr(b, "immediate")
	b = nla.AppendBE32(b, unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_VERDICT)
	data := len(b)
	b = nla.Begin(b, unix.NFTA_IMMEDIATE_DATA)
	verdict := len(b)
	b = nla.Begin(b, unix.NFTA_DATA_VERDICT)
	b = nla.AppendBE32(b, unix.NFTA_VERDICT_CODE, 1) // NF_ACCEPT
	b = nla.End(nla.End(b, verdict), data)
	b = nla.End(nla.End(b, d), e)
	return nla.End(b, list)
}

// beginExpr opens a list element and its data.
func beginExpr(b []byte, name string) (_ []byte, elem, data int) {
	elem = len(b)
	b = nla.Begin(b, unix.NFTA_LIST_ELEM)
	b = nla.AppendCString(b, unix.NFTA_EXPR_NAME, name)
	data = len(b)
	return nla.Begin(b, unix.NFTA_EXPR_DATA), elem, data
}

func appendCmp(b, value []byte) []byte {
	b, e, d := beginExpr(b, "cmp")
	b = nla.AppendBE32(b, unix.NFTA_CMP_SREG, unix.NFT_REG_1)
	b = nla.AppendBE32(b, unix.NFTA_CMP_OP, unix.NFT_CMP_EQ)
	data := len(b)
	b = nla.Begin(b, unix.NFTA_CMP_DATA)
	b = nla.AppendBytes(b, unix.NFTA_DATA_VALUE, value)
	return nla.End(nla.End(nla.End(b, data), d), e)
}

// Flows contains 64 TCP connections (ctnetlink_fill_info).
func Flows() *Set {
	s := &Set{HeaderLen: 4, Depths: []uint32{1: 2, 2: 2, 4: 2, 9: 1, 10: 1, 20: 1}}
	return s.repeat(64, newFlow, []byte{unix.AF_INET, 0, 0, 0}, func(b []byte, i uint32) []byte {
		b = appendTuple(b, 1, 10<<24|i, 10<<24|1, uint16(32768+i), 443) // CTA_TUPLE_ORIG
		b = appendTuple(b, 2, 10<<24|1, 10<<24|i, 443, uint16(32768+i)) // CTA_TUPLE_REPLY
		b = nla.AppendBE32(b, 3, 0x18e)                                 // CTA_STATUS
		b = nla.AppendBE32(b, 7, 431999)                                // CTA_TIMEOUT
		for typ := uint16(9); typ <= 10; typ++ {                        // CTA_COUNTERS_ORIG, _REPLY
			mark := len(b)
			b = nla.Begin(b, typ)
			b = nla.AppendBE64(b, 1, uint64(10+i))
			b = nla.AppendBE64(b, 2, uint64(1500*i))
			b = nla.End(b, mark)
		}
		mark := len(b)
		b = nla.Begin(b, 20) // CTA_TIMESTAMP
		b = nla.AppendBE64(b, 1, 1_700_000_000_000_000_000)
		b = nla.End(b, mark)
		info := len(b)
		b = nla.Begin(b, 4) // CTA_PROTOINFO
		tcp := len(b)
		b = nla.Begin(b, 1)
		b = nla.AppendUint8(b, 1, 3) // ESTABLISHED
		b = nla.AppendUint8(b, 2, 7)
		b = nla.AppendUint8(b, 3, 8)
		b = nla.AppendUint16(b, 4, 0x23)
		b = nla.AppendUint16(b, 5, 0x23)
		b = nla.End(nla.End(b, tcp), info)
		b = nla.AppendBE32(b, 8, i)         // CTA_MARK
		b = nla.AppendBE32(b, 12, 0x1234+i) // CTA_ID
		return nla.AppendBE32(b, 11, 1)     // CTA_USE
	})
}

// appendTuple appends a struct nf_conntrack_tuple: CTA_TUPLE_IP and CTA_TUPLE_PROTO.
func appendTuple(b []byte, typ uint16, src, dst uint32, from, to uint16) []byte {
	tuple := len(b)
	b = nla.Begin(b, typ)
	ip := len(b)
	b = nla.Begin(b, 1)
	b = nla.AppendBE32(b, 1, src)
	b = nla.AppendBE32(b, 2, dst)
	b = nla.End(b, ip)
	proto := len(b)
	b = nla.Begin(b, 2)
	b = nla.AppendUint8(b, 1, unix.IPPROTO_TCP)
	b = nla.AppendBE16(b, 2, from)
	b = nla.AppendBE16(b, 3, to)
	return nla.End(nla.End(b, proto), tuple)
}

// SmallTables returns messages of three to eight attributes. The name selects routes ("route"),
// addresses ("address") or tables in two nests ("nested"). Each type of the family has a rule
// without a kind.
func SmallTables(name string) (*Set, error) {
	switch name {
	case "route":
		s, err := recorded("routes", Set{HeaderLen: unix.SizeofRtMsg, Rules: make([]policy.Rule, unix.RTA_TABLE+1)})
		s.Rules = make([]policy.Rule, 31) // RTA_MAX
		return s, err
	case "address":
		s := &Set{HeaderLen: unix.SizeofIfAddrmsg, Rules: make([]policy.Rule, 12), Wanted: []uint32{1, 2, 3, 4, 6, 8}}
		return s.repeat(64, unix.RTM_NEWADDR, []byte{unix.AF_INET, 24, 0x80, 0, 2, 0, 0, 0}, func(b []byte, i uint32) []byte {
			b = nla.AppendBE32(b, unix.IFA_ADDRESS, 10<<24|i)
			b = nla.AppendBE32(b, unix.IFA_LOCAL, 10<<24|i)
			b = nla.AppendBE32(b, unix.IFA_BROADCAST, 10<<24|255)
			b = nla.AppendCString(b, unix.IFA_LABEL, "eth0")
			b = nla.AppendUint32(b, unix.IFA_FLAGS, 0x80)
			return nla.AppendBytes(b, unix.IFA_CACHEINFO, make([]byte, 16))
		}), nil
	case "nested":
		s := &Set{HeaderLen: 4, Depths: []uint32{1: 2, 2: 2}, Rules: make([]policy.Rule, 4), Wanted: []uint32{1, 2, 3}}
		return s.repeat(64, newFlow, []byte{unix.AF_INET, 0, 0, 0}, func(b []byte, i uint32) []byte {
			b = appendTuple(b, 1, 10<<24|i, 10<<24|1, uint16(32768+i), 443)
			b = appendTuple(b, 2, 10<<24|1, 10<<24|i, 443, uint16(32768+i))
			return nla.AppendBE32(b, 3, 0x18e)
		}), nil
	}
	return nil, fmt.Errorf("unknown input %q", name)
}

// repeat sets Datagrams to one datagram of n messages. attrs appends the attributes of message i.
func (s *Set) repeat(n int, typ nlmsg.Type, header []byte, attrs func(b []byte, i uint32) []byte) *Set {
	var b []byte
	for i := range uint32(n) {
		mark := len(b)
		b = nlmsg.Begin(b, typ, nlmsg.FlagMulti, 1, 1)
		b = nlmsg.End(attrs(append(b, header...), i), mark)
	}
	s.Datagrams = [][]byte{b}
	return s
}
