package main

import (
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nla/policy"
	"github.com/nlwire/nlwire/nlmsg"
)

// touchAttr is touch for an nla.Attr, without a payload slice.
func touchAttr(a nla.Attr) uint64 {
	n := len(a) - nla.HeaderLen
	if n >= 4 {
		return uint64(a.Type()) + uint64(n) + uint64(ne.Uint32(a[nla.HeaderLen:]))
	}
	return uint64(a.Type()) + uint64(n)
}

// walkNlwire is the recommended loop of the documentation.
func walkNlwire(d []byte, in *input.Set) (sum uint64, err error) {
	c := nlmsg.Walk(d)
	for ; c.More(); c = c.Next() {
		if c.Type() < nlmsg.MinType {
			continue
		}
		a := nla.Walk(c.Attrs(in.HeaderLen))
		for ; a.More(); a = a.Next() {
			sum += touchAttr(a.Attr())
		}
		if err := a.Err(); err != nil {
			return 0, err
		}
	}
	return sum, c.Err()
}

// walkAll is the short form, which the documentation recommends for small loop bodies.
func walkAll(d []byte, in *input.Set) (sum uint64, err error) {
	for m, err := range nlmsg.All(d) {
		if err != nil {
			return 0, err
		}
		if m.Type() < nlmsg.MinType {
			continue
		}
		for a, err := range nla.All(m.Attrs(in.HeaderLen)) {
			if err != nil {
				return 0, err
			}
			sum += touchAttr(a)
		}
	}
	return sum, nil
}

func deepNlwire(d []byte, in *input.Set) (sum uint64, err error) {
	c := nlmsg.Walk(d)
	for ; c.More(); c = c.Next() {
		if c.Type() < nlmsg.MinType {
			continue
		}
		a := nla.Walk(c.Attrs(in.HeaderLen))
		for ; a.More(); a = a.Next() {
			sum += touchAttr(a.Attr())
			if depth := in.Depth(a.Type()); depth > 0 {
				s, err := nestNlwire(a.Attr().Payload(), depth)
				if err != nil {
					return 0, err
				}
				sum += s
			}
		}
		if err := a.Err(); err != nil {
			return 0, err
		}
	}
	return sum, c.Err()
}

func nestNlwire(b []byte, depth uint32) (sum uint64, err error) {
	c := nla.Walk(b)
	for ; c.More(); c = c.Next() {
		sum += touchAttr(c.Attr())
		if depth > 1 {
			s, err := nestNlwire(c.Attr().Payload(), depth-1)
			if err != nil {
				return 0, err
			}
			sum += s
		}
	}
	return sum, c.Err()
}

func policyNlwire(in *input.Set) (task, error) {
	p := in.Policy()
	tb := &nla.Table{Slots: make([]uint32, p.MaxType()+1)}
	return walking(func(d []byte, in *input.Set) (sum uint64, err error) {
		c := nlmsg.Walk(d)
		for ; c.More(); c = c.Next() {
			if c.Type() < nlmsg.MinType {
				continue
			}
			if err := policy.Parse(tb, c.Attrs(in.HeaderLen), p, policy.Liberal); err != nil {
				return 0, err
			}
			for _, typ := range in.Wanted {
				if a := tb.Get(uint16(typ)); a != nil {
					sum += touchAttr(a)
				}
			}
		}
		return sum, c.Err()
	})(in)
}

func tableNlwire(in *input.Set) (task, error) {
	levels := make([]nla.Table, 3)
	for i := range levels {
		levels[i].Slots = make([]uint32, len(in.Rules))
	}
	return walking(func(d []byte, in *input.Set) (sum uint64, err error) {
		c := nlmsg.Walk(d)
		for ; c.More(); c = c.Next() {
			if c.Type() < nlmsg.MinType {
				continue
			}
			s, err := sumTable(levels, c.Attrs(in.HeaderLen), in, 0)
			if err != nil {
				return 0, err
			}
			sum += s
		}
		return sum, c.Err()
	})(in)
}

// sumTable fills and reads the table of b and the tables of its nests. depth is the number of levels
// in b. It is 0 for the top level, where the depth depends on the type.
func sumTable(levels []nla.Table, b []byte, in *input.Set, depth uint32) (sum uint64, err error) {
	tb := &levels[0]
	if err := tb.Read(b); err != nil {
		return 0, err
	}
	for _, typ := range in.Wanted {
		a := tb.Get(uint16(typ))
		if a == nil {
			continue
		}
		sum += touchAttr(a)
		below := in.Depth(uint16(typ))
		if depth > 0 {
			below = depth - 1
		}
		if below > 0 {
			s, err := sumTable(levels[1:], a.Payload(), in, below)
			if err != nil {
				return 0, err
			}
			sum += s
		}
	}
	return sum, nil
}

// nftHeader is the struct nfgenmsg of a rule.
var nftHeader = [4]byte{unix.AF_INET}

func nftNlwire(b []byte, i uint32) ([]byte, error) {
	const flags = nlmsg.FlagRequest | linkFlags
	b = nlmsg.Begin(b, unix.NFNL_MSG_BATCH_BEGIN, nlmsg.FlagRequest, i, 0)
	b = nlmsg.End(append(b, 0, 0, 0, unix.NFNL_SUBSYS_NFTABLES), 0)
	for rule := range uint32(rulesInBatch) {
		mark := len(b)
		b = nlmsg.Begin(b, input.NewRule, flags, i, 0)
		b = append(b, nftHeader[:]...)
		b = nla.AppendCString(b, unix.NFTA_RULE_TABLE, "filter")
		b = nla.AppendCString(b, unix.NFTA_RULE_CHAIN, "input")
		b = nlmsg.End(input.AppendExpressions(b, rule), mark)
	}
	mark := len(b)
	b = nlmsg.Begin(b, unix.NFNL_MSG_BATCH_END, nlmsg.FlagRequest, i, 0)
	return nlmsg.End(append(b, 0, 0, 0, unix.NFNL_SUBSYS_NFTABLES), mark), nil
}

func tcNlwire(b []byte, i uint32) ([]byte, error) {
	b = nlmsg.Begin(b, unix.RTM_NEWTFILTER, nlmsg.FlagRequest|linkFlags, i, 0)
	b = append(b, tcHeader[:]...)
	b = nla.AppendCString(b, tcaKind, "flower")
	options := len(b)
	b = nla.Begin(b, tcaOptions)
	b = nla.AppendBE16(b, flowerEthType, unix.ETH_P_IP)
	b = nla.AppendUint8(b, flowerIPProto, unix.IPPROTO_TCP)
	b = nla.AppendBE32(b, flowerSrc, 10<<24|i)
	b = nla.AppendBE32(b, flowerSrcMask, ^uint32(0))
	b = nla.AppendBE16(b, flowerTCPDst, uint16(i))
	acts := len(b)
	b = nla.Begin(b, flowerAct)
	b, act, o := beginAct(b, 1, "vlan")
	b = nla.AppendBytes(b, vlanParams, vlanPush)
	b = nla.AppendUint16(b, vlanPushID, uint16(i))
	b = nla.AppendBE16(b, vlanPushProtocol, vlanAD)
	b = nla.End(nla.End(b, o), act)
	b, act, o = beginAct(b, 2, "mirred")
	b = nla.AppendBytes(b, params, mirredParams)
	b = nla.End(nla.End(b, o), act)
	b, act, o = beginAct(b, 3, "gact")
	b = nla.AppendBytes(b, params, gactParams)
	b = nla.End(nla.End(nla.End(b, o), act), acts)
	b = nla.AppendUint32(b, flowerFlags, 8)
	return nlmsg.End(nla.End(b, options), 0), nil
}

// beginAct opens an action and its options.
func beginAct(b []byte, order uint16, kind string) (_ []byte, act, options int) {
	act = len(b)
	b = nla.Begin(b, order)
	b = nla.AppendCString(b, tcaKind, kind)
	options = len(b)
	return nla.Begin(b, tcaOptions), act, options
}

func requestNlwire(b []byte, i uint32) ([]byte, error) {
	b = nlmsg.Begin(b, genlmsg.IDCtrl, nlmsg.FlagRequest, i, 0)
	b = genlmsg.Append(b, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, names[i%4])
	return nlmsg.End(b, 0), nil
}

// anyLink is the struct ifinfomsg of a new link.
var anyLink [unix.SizeofIfInfomsg]byte

func mixedNlwire(b []byte, i uint32) ([]byte, error) {
	b = nlmsg.Begin(b, unix.RTM_NEWLINK, nlmsg.FlagRequest|linkFlags, i, 0)
	b = append(b, anyLink[:]...)
	b = nla.AppendCString(b, unix.IFLA_IFNAME, names[i%4])
	b = nla.AppendUint32(b, unix.IFLA_MTU, 1500+i)
	b = nla.AppendBytes(b, unix.IFLA_ADDRESS, address)
	b = nla.AppendUint32(b, unix.IFLA_LINK, i)
	info := len(b)
	b = nla.Begin(b, unix.IFLA_LINKINFO)
	b = nla.AppendCString(b, unix.IFLA_INFO_KIND, "vlan")
	data := len(b)
	b = nla.Begin(b, unix.IFLA_INFO_DATA)
	b = nla.AppendUint16(b, vlanID, uint16(i))
	b = nla.AppendBE16(b, vlanProtocol, vlanAD)
	b = nla.AppendBitfield32(b, vlanFlags, nla.Bitfield32{Value: vlanGVRP, Selector: ^uint32(0)})
	b = nla.End(nla.End(b, data), info)
	b = nla.AppendUint32(b, unix.IFLA_TXQLEN, 1000)
	return nlmsg.End(b, 0), nil
}

func appendNlwire(b []byte, i uint32, p []byte, s string) ([]byte, error) {
	b = nlmsg.Begin(b, unix.RTM_NEWLINK, nlmsg.FlagRequest|linkFlags, i, 0)
	for range appended {
		b = nla.AppendBytes(b, 1, p)
		b = nla.AppendCString(b, 2, s)
	}
	return nlmsg.End(b, 0), nil
}
