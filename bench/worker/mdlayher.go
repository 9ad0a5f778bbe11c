package main

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
)

// The column mdlayher uses mdlayher/netlink and mdlayher/genetlink. It reads payloads with
// AttributeDecoder.Do, which does not copy them. Its connections set MessageBufferSize, which the
// library's documentation recommends for throughput.

var mdlayherConfig = &netlink.Config{MessageBufferSize: largeBuffer}

// eachMdlayher splits a datagram into messages, like Conn.Receive.
func eachMdlayher(d []byte, hdrlen int, f func(attrs []byte) error) error {
	for len(d) > 0 {
		if len(d) < 4 {
			return errAnswer
		}
		n := (int(ne.Uint32(d)) + 3) &^ 3
		if n > len(d) {
			return errAnswer
		}
		var m netlink.Message
		if err := m.UnmarshalBinary(d[:n]); err != nil {
			return err
		}
		d = d[n:]
		if m.Header.Type < unix.NLMSG_MIN_TYPE || len(m.Data) < hdrlen {
			continue
		}
		if err := f(m.Data[hdrlen:]); err != nil {
			return err
		}
	}
	return nil
}

func walkMdlayher(d []byte, in *input.Set) (sum uint64, err error) {
	var typ uint16
	add := func(b []byte) error {
		sum += touch(typ, b)
		return nil
	}
	err = eachMdlayher(d, in.HeaderLen, func(attrs []byte) error {
		ad, err := netlink.NewAttributeDecoder(attrs)
		if err != nil {
			return err
		}
		for ad.Next() {
			typ = ad.Type()
			ad.Do(add)
		}
		return ad.Err()
	})
	return sum, err
}

func deepMdlayher(d []byte, in *input.Set) (sum uint64, err error) {
	err = eachMdlayher(d, in.HeaderLen, func(attrs []byte) error {
		ad, err := netlink.NewAttributeDecoder(attrs)
		if err != nil {
			return err
		}
		for ad.Next() {
			typ := ad.Type()
			ad.Do(func(b []byte) error {
				sum += touch(typ, b)
				return nil
			})
			if depth := in.Depth(typ); depth > 0 {
				ad.Nested(func(nad *netlink.AttributeDecoder) error {
					sum += nestMdlayher(nad, depth)
					return nil
				})
			}
		}
		return ad.Err()
	})
	return sum, err
}

func nestMdlayher(ad *netlink.AttributeDecoder, depth uint32) (sum uint64) {
	for ad.Next() {
		ad.Do(func(b []byte) error {
			sum += touch(ad.Type(), b)
			return nil
		})
		if depth > 1 {
			ad.Nested(func(nad *netlink.AttributeDecoder) error {
				sum += nestMdlayher(nad, depth-1)
				return nil
			})
		}
	}
	return sum
}

func requestMdlayher(_ []byte, i uint32) ([]byte, error) {
	m, err := getFamilyMdlayher(names[i%4])
	if err != nil {
		return nil, err
	}
	m.Header.Length, m.Header.Sequence = uint32(unix.NLMSG_HDRLEN+len(m.Data)), i
	return m.MarshalBinary()
}

func getFamilyMdlayher(name string) (netlink.Message, error) {
	ae := netlink.NewAttributeEncoder()
	ae.String(unix.CTRL_ATTR_FAMILY_NAME, name)
	attrs, err := ae.Encode()
	if err != nil {
		return netlink.Message{}, err
	}
	m := genetlink.Message{Header: genetlink.Header{Command: unix.CTRL_CMD_GETFAMILY, Version: 2}, Data: attrs}
	data, err := m.MarshalBinary()
	return netlink.Message{Header: netlink.Header{Type: unix.GENL_ID_CTRL, Flags: netlink.Request}, Data: data}, err
}

func mixedMdlayher(_ []byte, i uint32) ([]byte, error) {
	ae := netlink.NewAttributeEncoder()
	ae.String(unix.IFLA_IFNAME, names[i%4])
	ae.Uint32(unix.IFLA_MTU, 1500+i)
	ae.Bytes(unix.IFLA_ADDRESS, address)
	ae.Uint32(unix.IFLA_LINK, i)
	ae.Nested(unix.IFLA_LINKINFO, func(info *netlink.AttributeEncoder) error {
		info.String(unix.IFLA_INFO_KIND, "vlan")
		info.Nested(unix.IFLA_INFO_DATA, func(data *netlink.AttributeEncoder) error {
			data.Uint16(vlanID, uint16(i))
			data.Uint16(vlanProtocol, vlanAD>>8|vlanAD<<8&0xff00)
			data.Uint64(vlanFlags, vlanGVRP|uint64(^uint32(0))<<32)
			return nil
		})
		return nil
	})
	ae.Uint32(unix.IFLA_TXQLEN, 1000)
	attrs, err := ae.Encode()
	if err != nil {
		return nil, err
	}
	data := append(make([]byte, unix.SizeofIfInfomsg, unix.SizeofIfInfomsg+len(attrs)), attrs...)
	return marshalMdlayher(unix.RTM_NEWLINK, linkFlags, i, data)
}

func nftMdlayher(_ []byte, i uint32) ([]byte, error) {
	mark := []byte{0, 0, 0, unix.NFNL_SUBSYS_NFTABLES}
	b, err := marshalMdlayher(unix.NFNL_MSG_BATCH_BEGIN, 0, i, mark)
	if err != nil {
		return nil, err
	}
	for rule := range uint32(rulesInBatch) {
		ae := netlink.NewAttributeEncoder()
		ae.ByteOrder = binary.BigEndian
		ae.String(unix.NFTA_RULE_TABLE, "filter")
		ae.String(unix.NFTA_RULE_CHAIN, "input")
		ae.Nested(unix.NFTA_RULE_EXPRESSIONS, func(ae *netlink.AttributeEncoder) error {
			exprMdlayher(ae, "meta", func(ae *netlink.AttributeEncoder) {
				ae.Uint32(unix.NFTA_META_KEY, unix.NFT_META_L4PROTO)
				ae.Uint32(unix.NFTA_META_DREG, unix.NFT_REG_1)
			})
			cmpMdlayher(ae, []byte{unix.IPPROTO_TCP})
			exprMdlayher(ae, "payload", func(ae *netlink.AttributeEncoder) {
				ae.Uint32(unix.NFTA_PAYLOAD_DREG, unix.NFT_REG_1)
				ae.Uint32(unix.NFTA_PAYLOAD_BASE, unix.NFT_PAYLOAD_TRANSPORT_HEADER)
				ae.Uint32(unix.NFTA_PAYLOAD_OFFSET, 2)
				ae.Uint32(unix.NFTA_PAYLOAD_LEN, 2)
			})
			cmpMdlayher(ae, []byte{byte(rule >> 8), byte(rule)})
			exprMdlayher(ae, "counter", func(ae *netlink.AttributeEncoder) {
				ae.Uint64(unix.NFTA_COUNTER_BYTES, 0)
				ae.Uint64(unix.NFTA_COUNTER_PACKETS, 0)
			})
			exprMdlayher(ae, "immediate", func(ae *netlink.AttributeEncoder) {
				ae.Uint32(unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_VERDICT)
				nestMdl(ae, unix.NFTA_IMMEDIATE_DATA, func(ae *netlink.AttributeEncoder) {
					nestMdl(ae, unix.NFTA_DATA_VERDICT, func(ae *netlink.AttributeEncoder) {
						ae.Uint32(unix.NFTA_VERDICT_CODE, 1)
					})
				})
			})
			return nil
		})
		attrs, err := ae.Encode()
		if err != nil {
			return nil, err
		}
		m, err := marshalMdlayher(input.NewRule, linkFlags, i, append(nftHeader[:len(nftHeader):len(nftHeader)], attrs...))
		if err != nil {
			return nil, err
		}
		b = append(b, m...)
	}
	m, err := marshalMdlayher(unix.NFNL_MSG_BATCH_END, 0, i, mark)
	return append(b, m...), err
}

// nestMdl calls Nested. The inner encoder has the byte order of ae, and f returns no error.
func nestMdl(ae *netlink.AttributeEncoder, typ uint16, f func(*netlink.AttributeEncoder)) {
	ae.Nested(typ, func(nest *netlink.AttributeEncoder) error {
		nest.ByteOrder = ae.ByteOrder
		f(nest)
		return nil
	})
}

func exprMdlayher(ae *netlink.AttributeEncoder, name string, f func(*netlink.AttributeEncoder)) {
	nestMdl(ae, unix.NFTA_LIST_ELEM, func(ae *netlink.AttributeEncoder) {
		ae.String(unix.NFTA_EXPR_NAME, name)
		nestMdl(ae, unix.NFTA_EXPR_DATA, f)
	})
}

func cmpMdlayher(ae *netlink.AttributeEncoder, value []byte) {
	exprMdlayher(ae, "cmp", func(ae *netlink.AttributeEncoder) {
		ae.Uint32(unix.NFTA_CMP_SREG, unix.NFT_REG_1)
		ae.Uint32(unix.NFTA_CMP_OP, unix.NFT_CMP_EQ)
		nestMdl(ae, unix.NFTA_CMP_DATA, func(ae *netlink.AttributeEncoder) { ae.Bytes(unix.NFTA_DATA_VALUE, value) })
	})
}

func tcMdlayher(_ []byte, i uint32) ([]byte, error) {
	ae := netlink.NewAttributeEncoder()
	ae.String(tcaKind, "flower")
	nestMdl(ae, tcaOptions, func(ae *netlink.AttributeEncoder) {
		ae.Uint16(flowerEthType, bits.ReverseBytes16(unix.ETH_P_IP))
		ae.Uint8(flowerIPProto, unix.IPPROTO_TCP)
		ae.Uint32(flowerSrc, bits.ReverseBytes32(10<<24|i))
		ae.Uint32(flowerSrcMask, ^uint32(0))
		ae.Uint16(flowerTCPDst, bits.ReverseBytes16(uint16(i)))
		nestMdl(ae, flowerAct, func(ae *netlink.AttributeEncoder) {
			actMdlayher(ae, 1, "vlan", func(ae *netlink.AttributeEncoder) {
				ae.Bytes(vlanParams, vlanPush)
				ae.Uint16(vlanPushID, uint16(i))
				ae.Uint16(vlanPushProtocol, vlanAD>>8|vlanAD<<8&0xff00)
			})
			actMdlayher(ae, 2, "mirred", func(ae *netlink.AttributeEncoder) { ae.Bytes(params, mirredParams) })
			actMdlayher(ae, 3, "gact", func(ae *netlink.AttributeEncoder) { ae.Bytes(params, gactParams) })
		})
		ae.Uint32(flowerFlags, 8)
	})
	attrs, err := ae.Encode()
	if err != nil {
		return nil, err
	}
	return marshalMdlayher(unix.RTM_NEWTFILTER, linkFlags, i, append(tcHeader[:len(tcHeader):len(tcHeader)], attrs...))
}

func actMdlayher(ae *netlink.AttributeEncoder, order uint16, kind string, f func(*netlink.AttributeEncoder)) {
	nestMdl(ae, order, func(ae *netlink.AttributeEncoder) {
		ae.String(tcaKind, kind)
		nestMdl(ae, tcaOptions, f)
	})
}

func appendMdlayher(_ []byte, i uint32, p []byte, s string) ([]byte, error) {
	ae := netlink.NewAttributeEncoder()
	for range appended {
		ae.Bytes(1, p)
		ae.String(2, s)
	}
	attrs, err := ae.Encode()
	if err != nil {
		return nil, err
	}
	return marshalMdlayher(unix.RTM_NEWLINK, linkFlags, i, attrs)
}

// marshalMdlayher encodes a request.
func marshalMdlayher(typ netlink.HeaderType, flags netlink.HeaderFlags, i uint32, data []byte) ([]byte, error) {
	m := netlink.Message{
		Header: netlink.Header{
			Length: uint32(unix.NLMSG_HDRLEN + len(data)), Type: typ, Flags: netlink.Request | flags, Sequence: i,
		},
		Data: data,
	}
	return m.MarshalBinary()
}

func resolveMdlayher(*input.Set) (task, error) {
	c, err := genetlink.Dial(mdlayherConfig)
	return repeating(err, func() (uint64, error) {
		f, err := c.GetFamily(names[0])
		return uint64(f.ID), err
	})
}

func doerMdlayher() (func() (uint64, error), error) {
	c, err := netlink.Dial(unix.NETLINK_GENERIC, mdlayherConfig)
	return func() (uint64, error) {
		m, err := getFamilyMdlayher(names[0])
		if err != nil {
			return 0, err
		}
		replies, err := c.Execute(m)
		if err != nil || len(replies) != 1 {
			return 0, errors.Join(err, errAnswer)
		}
		return idMdlayher(replies[0])
	}, err
}

func requestsMdlayher(*input.Set) (task, error) {
	do, err := doerMdlayher()
	return repeating(err, do)
}

func idMdlayher(m netlink.Message) (uint64, error) {
	ad, err := netlink.NewAttributeDecoder(m.Data[unix.GENL_HDRLEN:])
	if err != nil {
		return 0, err
	}
	for ad.Next() {
		if ad.Type() == unix.CTRL_ATTR_FAMILY_ID {
			return uint64(ad.Uint16()), ad.Err()
		}
	}
	return 0, errors.Join(ad.Err(), errAnswer)
}

func routeMdlayher(m netlink.Message) (r route, err error) {
	if len(m.Data) < unix.SizeofRtMsg {
		return r, errAnswer
	}
	r.dstLen = m.Data[1]
	ad, err := netlink.NewAttributeDecoder(m.Data[unix.SizeofRtMsg:])
	if err != nil {
		return r, err
	}
	for ad.Next() {
		switch ad.Type() {
		case unix.RTA_DST:
			r.dst = ad.Uint32()
		case unix.RTA_OIF:
			r.oif = ad.Uint32()
		case unix.RTA_TABLE:
			r.table = ad.Uint32()
		}
	}
	return r, ad.Err()
}

func routesMdlayher(*input.Set) (task, error) {
	c, err := netlink.Dial(unix.NETLINK_ROUTE, mdlayherConfig)
	return repeating(err, func() (uint64, error) { return dumpMdlayher(c) })
}

// dumpMdlayher iterates over the reply. Conn.Execute would store the complete reply.
func dumpMdlayher(c *netlink.Conn) (sum uint64, err error) {
	req, err := c.Send(netlink.Message{
		Header: netlink.Header{Type: unix.RTM_GETROUTE, Flags: netlink.Request | netlink.Dump},
		Data:   ipv4Routes[:],
	})
	if err != nil {
		return 0, err
	}
	for m, err := range c.ReceiveIter() {
		if err != nil {
			return 0, err
		}
		if m.Header.Sequence != req.Header.Sequence {
			return 0, errAnswer
		}
		r, err := routeMdlayher(m)
		if err != nil {
			return 0, err
		}
		sum += r.sum()
	}
	return sum, nil
}

func eventsMdlayher(*input.Set) (task, error) {
	c, err := netlink.Dial(unix.NETLINK_ROUTE, mdlayherConfig)
	if err == nil {
		err = errors.Join(c.SetReadBuffer(queueSize), c.JoinGroup(routeGroup))
	}
	return task{run: func(n int) (sum uint64, err error) {
		for left := n * eventsPerOp; left > 0; {
			for m, err := range c.ReceiveIter() {
				if err != nil {
					return 0, err
				}
				r, err := routeMdlayher(m)
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

func batchMdlayher(*input.Set) (task, error) {
	c, err := netlink.Dial(unix.NETLINK_GENERIC, mdlayherConfig)
	messages := make([]netlink.Message, batched)
	return repeating(err, func() (sum uint64, err error) {
		for i := range messages {
			if messages[i], err = getFamilyMdlayher(names[i%4]); err != nil {
				return 0, err
			}
		}
		if _, err := c.SendMessages(messages); err != nil {
			return 0, err
		}
		for range batched {
			for m, err := range c.ReceiveIter() {
				if err != nil {
					return 0, err
				}
				id, err := idMdlayher(m)
				if err != nil {
					return 0, err
				}
				sum += id
			}
		}
		return sum, nil
	})
}
