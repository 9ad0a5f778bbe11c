package main

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
)

// The column vishvananda uses the library's package nl if that is faster, and otherwise a Handle, which
// keeps its socket.

func walkVishvananda(d []byte, in *input.Set) (sum uint64, err error) {
	messages, err := syscall.ParseNetlinkMessage(d) // as in the library's NetlinkSocket.Receive
	if err != nil {
		return 0, err
	}
	for _, m := range messages {
		if m.Header.Type < unix.NLMSG_MIN_TYPE || len(m.Data) < in.HeaderLen {
			continue
		}
		attrs, err := nl.ParseRouteAttr(m.Data[in.HeaderLen:])
		if err != nil {
			return 0, err
		}
		for i := range attrs {
			sum += touch(attrs[i].Attr.Type&nl.NLA_TYPE_MASK, attrs[i].Value)
		}
	}
	return sum, nil
}

func deepVishvananda(d []byte, in *input.Set) (sum uint64, err error) {
	messages, err := syscall.ParseNetlinkMessage(d)
	if err != nil {
		return 0, err
	}
	for _, m := range messages {
		if m.Header.Type < unix.NLMSG_MIN_TYPE || len(m.Data) < in.HeaderLen {
			continue
		}
		attrs, err := nl.ParseRouteAttr(m.Data[in.HeaderLen:])
		if err != nil {
			return 0, err
		}
		for i := range attrs {
			typ := attrs[i].Attr.Type & nl.NLA_TYPE_MASK
			sum += touch(typ, attrs[i].Value)
			if depth := in.Depth(typ); depth > 0 {
				v, err := nestVishvananda(attrs[i].Value, depth)
				if err != nil {
					return 0, err
				}
				sum += v
			}
		}
	}
	return sum, nil
}

func nestVishvananda(b []byte, depth uint32) (sum uint64, err error) {
	attrs, err := nl.ParseRouteAttr(b)
	if err != nil {
		return 0, err
	}
	for i := range attrs {
		sum += touch(attrs[i].Attr.Type&nl.NLA_TYPE_MASK, attrs[i].Value)
		if depth > 1 {
			v, err := nestVishvananda(attrs[i].Value, depth-1)
			if err != nil {
				return 0, err
			}
			sum += v
		}
	}
	return sum, nil
}

func requestVishvananda(_ []byte, i uint32) ([]byte, error) {
	r := nl.NewNetlinkRequest(nl.GENL_ID_CTRL, 0)
	r.Seq = i
	// Genlmsg.Serialize reads four bytes from a struct of two. The reserved field must follow it in
	// memory. Otherwise the request contains arbitrary bytes.
	var header struct {
		nl.Genlmsg
		_ uint16
	}
	header.Command, header.Version = nl.GENL_CTRL_CMD_GETFAMILY, nl.GENL_CTRL_VERSION
	r.AddData(&header.Genlmsg)
	r.AddData(nl.NewRtAttr(nl.GENL_CTRL_ATTR_FAMILY_NAME, nl.ZeroTerminated(names[i%4])))
	return r.Serialize(), nil
}

func mixedVishvananda(_ []byte, i uint32) ([]byte, error) {
	r := nl.NewNetlinkRequest(unix.RTM_NEWLINK, linkFlags)
	r.Seq = i
	r.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	r.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(names[i%4])))
	r.AddData(nl.NewRtAttr(unix.IFLA_MTU, nl.Uint32Attr(1500+i)))
	r.AddData(nl.NewRtAttr(unix.IFLA_ADDRESS, address))
	r.AddData(nl.NewRtAttr(unix.IFLA_LINK, nl.Uint32Attr(i)))
	info := nl.NewRtAttr(unix.IFLA_LINKINFO|unix.NLA_F_NESTED, nil)
	info.AddRtAttr(unix.IFLA_INFO_KIND, nl.ZeroTerminated("vlan"))
	data := info.AddRtAttr(unix.IFLA_INFO_DATA|unix.NLA_F_NESTED, nil)
	data.AddRtAttr(vlanID, nl.Uint16Attr(uint16(i)))
	data.AddRtAttr(vlanProtocol, nl.BEUint16Attr(vlanAD))
	data.AddRtAttr(vlanFlags, nl.Uint64Attr(vlanGVRP|uint64(^uint32(0))<<32))
	r.AddData(info)
	r.AddData(nl.NewRtAttr(unix.IFLA_TXQLEN, nl.Uint32Attr(1000)))
	return r.Serialize(), nil
}

func nftVishvananda(_ []byte, i uint32) ([]byte, error) {
	mark := &nl.Nfgenmsg{ResId: nl.Swap16(unix.NFNL_SUBSYS_NFTABLES)}
	message := func(typ, flags int) *nl.NetlinkRequest {
		r := nl.NewNetlinkRequest(typ, flags)
		r.Seq = i
		return r
	}
	r := message(unix.NFNL_MSG_BATCH_BEGIN, 0)
	r.AddData(mark)
	b := r.Serialize()
	for rule := range uint32(rulesInBatch) {
		r := message(input.NewRule, linkFlags)
		r.AddData(&nl.Nfgenmsg{NfgenFamily: unix.AF_INET})
		r.AddData(nl.NewRtAttr(unix.NFTA_RULE_TABLE, nl.ZeroTerminated("filter")))
		r.AddData(nl.NewRtAttr(unix.NFTA_RULE_CHAIN, nl.ZeroTerminated("input")))
		list := nl.NewRtAttr(unix.NFTA_RULE_EXPRESSIONS|unix.NLA_F_NESTED, nil)
		meta := partVishvananda(list, unix.NFTA_LIST_ELEM, unix.NFTA_EXPR_NAME, "meta")
		meta.AddRtAttr(unix.NFTA_META_KEY, nl.BEUint32Attr(unix.NFT_META_L4PROTO))
		meta.AddRtAttr(unix.NFTA_META_DREG, nl.BEUint32Attr(unix.NFT_REG_1))
		cmpVishvananda(list, []byte{unix.IPPROTO_TCP})
		payload := partVishvananda(list, unix.NFTA_LIST_ELEM, unix.NFTA_EXPR_NAME, "payload")
		payload.AddRtAttr(unix.NFTA_PAYLOAD_DREG, nl.BEUint32Attr(unix.NFT_REG_1))
		payload.AddRtAttr(unix.NFTA_PAYLOAD_BASE, nl.BEUint32Attr(unix.NFT_PAYLOAD_TRANSPORT_HEADER))
		payload.AddRtAttr(unix.NFTA_PAYLOAD_OFFSET, nl.BEUint32Attr(2))
		payload.AddRtAttr(unix.NFTA_PAYLOAD_LEN, nl.BEUint32Attr(2))
		cmpVishvananda(list, []byte{byte(rule >> 8), byte(rule)})
		counter := partVishvananda(list, unix.NFTA_LIST_ELEM, unix.NFTA_EXPR_NAME, "counter")
		counter.AddRtAttr(unix.NFTA_COUNTER_BYTES, nl.BEUint64Attr(0))
		counter.AddRtAttr(unix.NFTA_COUNTER_PACKETS, nl.BEUint64Attr(0))
		immediate := partVishvananda(list, unix.NFTA_LIST_ELEM, unix.NFTA_EXPR_NAME, "immediate")
		immediate.AddRtAttr(unix.NFTA_IMMEDIATE_DREG, nl.BEUint32Attr(unix.NFT_REG_VERDICT))
		verdict := immediate.AddRtAttr(unix.NFTA_IMMEDIATE_DATA|unix.NLA_F_NESTED, nil).
			AddRtAttr(unix.NFTA_DATA_VERDICT|unix.NLA_F_NESTED, nil)
		verdict.AddRtAttr(unix.NFTA_VERDICT_CODE, nl.BEUint32Attr(1))
		r.AddData(list)
		b = append(b, r.Serialize()...)
	}
	r = message(unix.NFNL_MSG_BATCH_END, 0)
	r.AddData(mark)
	return append(b, r.Serialize()...), nil
}

// partVishvananda adds an expression or an action and returns its data attribute.
func partVishvananda(list *nl.RtAttr, typ, kind int, name string) *nl.RtAttr {
	part := list.AddRtAttr(typ|unix.NLA_F_NESTED, nil)
	part.AddRtAttr(kind, nl.ZeroTerminated(name))
	return part.AddRtAttr(2|unix.NLA_F_NESTED, nil) // NFTA_EXPR_DATA, TCA_OPTIONS
}

func cmpVishvananda(list *nl.RtAttr, value []byte) {
	cmp := partVishvananda(list, unix.NFTA_LIST_ELEM, unix.NFTA_EXPR_NAME, "cmp")
	cmp.AddRtAttr(unix.NFTA_CMP_SREG, nl.BEUint32Attr(unix.NFT_REG_1))
	cmp.AddRtAttr(unix.NFTA_CMP_OP, nl.BEUint32Attr(unix.NFT_CMP_EQ))
	cmp.AddRtAttr(unix.NFTA_CMP_DATA|unix.NLA_F_NESTED, nil).AddRtAttr(unix.NFTA_DATA_VALUE, value)
}

func tcVishvananda(_ []byte, i uint32) ([]byte, error) {
	r := nl.NewNetlinkRequest(unix.RTM_NEWTFILTER, linkFlags)
	r.Seq = i
	r.AddData(&nl.TcMsg{Ifindex: 2, Parent: 0xfffffff1})
	b := nl.NewRtAttr(tcaOptions|unix.NLA_F_NESTED, nil)
	b.AddRtAttr(flowerEthType, nl.BEUint16Attr(unix.ETH_P_IP))
	b.AddRtAttr(flowerIPProto, nl.Uint8Attr(unix.IPPROTO_TCP))
	b.AddRtAttr(flowerSrc, nl.BEUint32Attr(10<<24|i))
	b.AddRtAttr(flowerSrcMask, nl.BEUint32Attr(^uint32(0)))
	b.AddRtAttr(flowerTCPDst, nl.BEUint16Attr(uint16(i)))
	acts := b.AddRtAttr(flowerAct|unix.NLA_F_NESTED, nil)
	vlan := partVishvananda(acts, 1, tcaKind, "vlan")
	vlan.AddRtAttr(vlanParams, vlanPush)
	vlan.AddRtAttr(vlanPushID, nl.Uint16Attr(uint16(i)))
	vlan.AddRtAttr(vlanPushProtocol, nl.BEUint16Attr(vlanAD))
	partVishvananda(acts, 2, tcaKind, "mirred").AddRtAttr(params, mirredParams)
	partVishvananda(acts, 3, tcaKind, "gact").AddRtAttr(params, gactParams)
	b.AddRtAttr(flowerFlags, nl.Uint32Attr(8))
	r.AddData(nl.NewRtAttr(tcaKind, nl.ZeroTerminated("flower")))
	r.AddData(b)
	return r.Serialize(), nil
}

func appendVishvananda(_ []byte, i uint32, p []byte, s string) ([]byte, error) {
	r := nl.NewNetlinkRequest(unix.RTM_NEWLINK, linkFlags)
	r.Seq = i
	for range appended {
		r.AddData(nl.NewRtAttr(1, p))
		r.AddData(nl.NewRtAttr(2, nl.ZeroTerminated(s)))
	}
	return r.Serialize(), nil
}

func resolveVishvananda(*input.Set) (task, error) {
	h, err := netlink.NewHandle(unix.NETLINK_GENERIC)
	return repeating(err, func() (uint64, error) {
		f, err := h.GenlFamilyGet(names[0])
		if err != nil {
			return 0, err
		}
		return uint64(f.ID), nil
	})
}

// familyVishvananda returns a function that requests the ID of a family. All calls use one socket.
func familyVishvananda() (func(name string) (uint64, error), error) {
	s, err := nl.GetNetlinkSocketAt(-1, -1, unix.NETLINK_GENERIC)
	sockets := map[int]*nl.SocketHandle{unix.NETLINK_GENERIC: {Socket: s}}
	return func(name string) (uint64, error) {
		r := nl.NewNetlinkRequest(nl.GENL_ID_CTRL, 0)
		r.Sockets = sockets
		r.AddData(&nl.Genlmsg{Command: nl.GENL_CTRL_CMD_GETFAMILY, Version: nl.GENL_CTRL_VERSION})
		r.AddData(nl.NewRtAttr(nl.GENL_CTRL_ATTR_FAMILY_NAME, nl.ZeroTerminated(name)))
		replies, err := r.Execute(unix.NETLINK_GENERIC, 0)
		if err != nil || len(replies) != 1 {
			return 0, fmt.Errorf("%w: %v", errAnswer, err)
		}
		attrs, err := nl.ParseRouteAttr(replies[0][nl.SizeofGenlmsg:])
		if err != nil {
			return 0, err
		}
		for i := range attrs {
			if attrs[i].Attr.Type == nl.GENL_CTRL_ATTR_FAMILY_ID {
				return uint64(ne.Uint16(attrs[i].Value)), nil
			}
		}
		return 0, errAnswer
	}, err
}

func doerVishvananda() (func() (uint64, error), error) {
	family, err := familyVishvananda()
	return func() (uint64, error) { return family(names[0]) }, err
}

func requestsVishvananda(*input.Set) (task, error) {
	do, err := doerVishvananda()
	return repeating(err, do)
}

// batchVishvananda sends the requests one by one: the library has no batches.
func batchVishvananda(*input.Set) (task, error) {
	family, err := familyVishvananda()
	return repeating(err, func() (sum uint64, err error) {
		for i := range batched {
			id, err := family(names[i%4])
			if err != nil {
				return 0, err
			}
			sum += id
		}
		return sum, nil
	})
}

// routeVishvananda decodes the payload of a message with package nl.
func routeVishvananda(b []byte) (r route, err error) {
	if len(b) < unix.SizeofRtMsg {
		return r, errAnswer
	}
	r.dstLen = b[1]
	attrs, err := nl.ParseRouteAttr(b[unix.SizeofRtMsg:])
	return routeOfAttrs(r, attrs), err
}

// routeOfAttrs sets the fields that are in attributes.
func routeOfAttrs(r route, attrs []syscall.NetlinkRouteAttr) route {
	for i := range attrs {
		a := &attrs[i]
		switch {
		case len(a.Value) != 4:
		case a.Attr.Type == unix.RTA_DST:
			r.dst = ne.Uint32(a.Value)
		case a.Attr.Type == unix.RTA_OIF:
			r.oif = ne.Uint32(a.Value)
		case a.Attr.Type == unix.RTA_TABLE:
			r.table = ne.Uint32(a.Value)
		}
	}
	return r
}

func routesVishvananda(*input.Set) (task, error) {
	s, err := nl.GetNetlinkSocketAt(-1, -1, unix.NETLINK_ROUTE)
	sockets := map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
	return repeating(err, func() (sum uint64, err error) {
		r := nl.NewNetlinkRequest(unix.RTM_GETROUTE, unix.NLM_F_DUMP)
		r.Sockets = sockets
		r.AddData(&nl.RtMsg{RtMsg: unix.RtMsg{Family: unix.AF_INET}})
		var failed error
		err = r.ExecuteIter(unix.NETLINK_ROUTE, unix.RTM_NEWROUTE, func(b []byte) bool {
			r, err := routeVishvananda(b)
			sum += r.sum()
			failed = err
			return err == nil
		})
		return sum, errors.Join(err, failed)
	})
}

func eventsVishvananda(*input.Set) (task, error) {
	s, err := nl.Subscribe(unix.NETLINK_ROUTE, routeGroup)
	if err == nil {
		err = s.SetReceiveBufferSize(queueSize, true)
	}
	return task{run: func(n int) (sum uint64, err error) {
		for left := n * eventsPerOp; left > 0; {
			messages, from, err := s.Receive()
			if err != nil {
				return 0, err
			}
			if from.Pid != 0 {
				return 0, errAnswer
			}
			for _, m := range messages {
				r, err := routeVishvananda(m.Data)
				if err != nil {
					return 0, err
				}
				sum += r.sum() + uint64(m.Header.Type)
				left--
			}
		}
		return sum, nil
	}}, err
}
