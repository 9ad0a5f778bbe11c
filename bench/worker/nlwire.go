package main

import (
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/nla/policy"

	"github.com/nlwire/nlwire/bench/input"
	"github.com/nlwire/nlwire/genlmsg"
	"github.com/nlwire/nlwire/nla"
	"github.com/nlwire/nlwire/nlmsg"
)

// touchAttr is touch, reading the view itself.
func touchAttr(a nla.Attr) uint64 {
	n := len(a) - nla.HeaderLen
	if n >= 4 {
		return uint64(a.Type()) + uint64(n) + uint64(ne.Uint32(a[nla.HeaderLen:]))
	}
	return uint64(a.Type()) + uint64(n)
}

// walkNlwire is the loop that the documentation recommends.
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

// walkAll is the plain way.
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
			sum += touch(a.Type(), a.Payload())
		}
	}
	return sum, nil
}

// walkConsume is the way without iterators.
func walkConsume(d []byte, in *input.Set) (sum uint64, err error) {
	for len(d) > 0 {
		m, n := nlmsg.Consume(d)
		if n < 0 {
			return 0, nlmsg.ParseError(n)
		}
		d = d[n:]
		if m.Type() < nlmsg.MinType {
			continue
		}
		for b := m.Attrs(in.HeaderLen); len(b) > 0; {
			a, n := nla.Consume(b)
			if n < 0 {
				return 0, nla.ParseError(n)
			}
			b = b[n:]
			sum += touchAttr(a)
		}
	}
	return sum, nil
}

// deepNlwire does without range loops where there is much to do in them: the
// compiler makes functions of such bodies.
func deepNlwire(d []byte, in *input.Set) (sum uint64, err error) {
	c := nlmsg.Walk(d)
	for ; c.More(); c = c.Next() {
		if c.Type() < nlmsg.MinType {
			continue
		}
		for b := c.Attrs(in.HeaderLen); len(b) > 0; {
			a, n := nla.Consume(b)
			if n < 0 {
				return 0, nla.ParseError(n)
			}
			b = b[n:]
			sum += touchAttr(a)
			if depth := in.Depth(a.Type()); depth > 0 {
				s, err := nestNlwire(a.Payload(), depth)
				if err != nil {
					return 0, err
				}
				sum += s
			}
		}
	}
	return sum, c.Err()
}

func nestNlwire(b []byte, depth uint32) (sum uint64, err error) {
	if depth == 1 {
		for a, bad := range nla.All(b) {
			if bad != nil {
				err = bad
				continue
			}
			sum += touchAttr(a)
		}
		return sum, err
	}
	for len(b) > 0 {
		a, n := nla.Consume(b)
		if n < 0 {
			return 0, nla.ParseError(n)
		}
		b = b[n:]
		s, err := nestNlwire(a.Payload(), depth-1)
		if err != nil {
			return 0, err
		}
		sum += touchAttr(a) + s
	}
	return sum, nil
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

// sumTable reads a table, and the tables in its nests: depth levels of them, 0 at the top level,
// where the input has them by type.
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

// encoded is where messages are encoded, static as in the C columns.
var encoded [512 << 10]byte

// encodeNlwire has the loops of short messages written out: an indirect call would count.
// Like their counterparts in C, the encoders take a number and know the buffer.
func encodeNlwire(in *input.Set) (task, error) {
	encoder := func(encode func(i uint32) []byte) encoder {
		return func(i uint32) ([]byte, error) { return encode(i), nil }
	}
	t, err := encoding(encoder(encodeRequest), encoder(encodeMixed), encoder(encodeNFT), encoder(encodeTC))(in)
	switch in.HeaderLen {
	case 0:
		t.run = func(n int) (sum uint64, err error) {
			for i := range uint64(n) * messagesPerOp {
				sum += ofMessage(encodeRequest(uint32(i % messagesPerOp)))
			}
			return sum, nil
		}
	case unix.SizeofIfInfomsg:
		t.run = func(n int) (sum uint64, err error) {
			for i := range uint64(n) * messagesPerOp {
				sum += ofMessage(encodeMixed(uint32(i % messagesPerOp)))
			}
			return sum, nil
		}
	}
	return t, err
}

// nftHeader is the struct nfgenmsg of rules.
var nftHeader = [4]byte{unix.AF_INET}

func encodeNFT(i uint32) []byte {
	const flags = nlmsg.FlagRequest | linkFlags
	b := nlmsg.Begin(encoded[:0], unix.NFNL_MSG_BATCH_BEGIN, nlmsg.FlagRequest, i, 0)
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
	return nlmsg.End(append(b, 0, 0, 0, unix.NFNL_SUBSYS_NFTABLES), mark)
}

func encodeTC(i uint32) []byte {
	b := nlmsg.Begin(encoded[:0], unix.RTM_NEWTFILTER, nlmsg.FlagRequest|linkFlags, i, 0)
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
	return nlmsg.End(nla.End(b, options), 0)
}

// beginAct opens an action and its options.
func beginAct(b []byte, order uint16, kind string) (_ []byte, act, options int) {
	act = len(b)
	b = nla.Begin(b, order)
	b = nla.AppendCString(b, tcaKind, kind)
	options = len(b)
	return nla.Begin(b, tcaOptions), act, options
}

//go:noinline
func encodeRequest(i uint32) []byte {
	b := nlmsg.Begin(encoded[:0], genlmsg.IDCtrl, nlmsg.FlagRequest, i, 0)
	b = genlmsg.Append(b, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, names[i%4])
	return nlmsg.End(b, 0)
}

// requestNlwire is encodeRequest into a buffer of the caller's, which takes 1.06 of
// the time: what nobody knows before has to be compared and kept.
func requestNlwire(b []byte, seq uint32, name string) []byte {
	m := len(b)
	b = nlmsg.Begin(b, genlmsg.IDCtrl, nlmsg.FlagRequest, seq, 0)
	b = genlmsg.Append(b, genlmsg.CtrlCmdGetFamily, genlmsg.CtrlVersion)
	b = nla.AppendCString(b, genlmsg.CtrlAttrFamilyName, name)
	return nlmsg.End(b, m)
}

// anyLink is the struct ifinfomsg of a new link.
var anyLink [unix.SizeofIfInfomsg]byte

//go:noinline
func encodeMixed(i uint32) []byte {
	b := nlmsg.Begin(encoded[:0], unix.RTM_NEWLINK, nlmsg.FlagRequest|linkFlags, i, 0)
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
	return nlmsg.End(b, 0)
}

func appendNlwire(i uint32, p []byte, s string) ([]byte, error) {
	b := nlmsg.Begin(encoded[:0], unix.RTM_NEWLINK, nlmsg.FlagRequest|linkFlags, i, 0)
	for range appended {
		b = nla.AppendBytes(b, 1, p)
		b = nla.AppendCString(b, 2, s)
	}
	return nlmsg.End(b, 0), nil
}

// familySum reads a message of the controller about a family.
func familySum(m nlmsg.Msg) (sum uint64, err error) {
	for b := genlmsg.Attrs(m, 0); len(b) > 0; {
		a, n := nla.Consume(b)
		if n < 0 {
			return 0, nla.ParseError(n)
		}
		b = b[n:]
		var id uint16
		var version uint32
		var name []byte
		var groups uint64
		switch a.Type() {
		case genlmsg.CtrlAttrFamilyID:
			id, err = a.Uint16()
		case genlmsg.CtrlAttrFamilyName:
			name, err = a.CString()
		case genlmsg.CtrlAttrVersion:
			version, err = a.Uint32()
		case genlmsg.CtrlAttrMulticastGroups:
			groups, err = groupSum(a.Payload())
		}
		if err != nil {
			return 0, err
		}
		sum += uint64(id) + uint64(version) + groups + uint64(len(name))
		if len(name) > 0 {
			sum += uint64(name[0])
		}
	}
	return sum, nil
}

func groupSum(groups []byte) (sum uint64, err error) {
	for len(groups) > 0 {
		group, n := nla.Consume(groups)
		if n < 0 {
			return 0, nla.ParseError(n)
		}
		groups = groups[n:]
		id, err := nla.Find(group.Payload(), genlmsg.CtrlAttrMulticastGroupID).Uint32()
		if err != nil {
			return 0, err
		}
		sum += uint64(id)
	}
	return sum, nil
}
