package main

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	vishvananda "github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/bench/input"
	"github.com/nlwire/nlwire/nla"
)

// The typed columns of other libraries. These libraries copy all strings and addresses.

// eachAttr calls f for each attribute of mdlayher's decoder.
func eachAttr(ad *netlink.AttributeDecoder, f func(typ uint16)) error {
	for ad.Next() {
		f(ad.Type())
	}
	return ad.Err()
}

func nested(ad *netlink.AttributeDecoder, f func(nad *netlink.AttributeDecoder, typ uint16)) {
	ad.Nested(func(nad *netlink.AttributeDecoder) error {
		return eachAttr(nad, func(typ uint16) { f(nad, typ) })
	})
}

// bigEndian returns a decoder that reads integers in network byte order.
func bigEndian(p []byte) (*netlink.AttributeDecoder, error) {
	ad, err := netlink.NewAttributeDecoder(p)
	if err == nil {
		ad.ByteOrder = binary.BigEndian
	}
	return ad, err
}

// cString returns a copy of the string without its NUL.
func cString(ad *netlink.AttributeDecoder) []byte { return bytes.TrimRight(ad.Bytes(), "\x00") }

func linkMdlayher(l *link, p []byte) error {
	if len(p) < unix.SizeofIfInfomsg {
		return nla.ErrTruncated
	}
	*l = link{typ: ne.Uint16(p[2:]), index: ne.Uint32(p[4:]), flags: ne.Uint32(p[8:])}
	ad, err := netlink.NewAttributeDecoder(p[unix.SizeofIfInfomsg:])
	if err != nil {
		return err
	}
	return eachAttr(ad, func(typ uint16) {
		switch typ {
		case unix.IFLA_ADDRESS:
			l.address = ad.Bytes()
		case unix.IFLA_BROADCAST:
			l.broadcast = ad.Bytes()
		case unix.IFLA_IFNAME:
			l.name = cString(ad)
		case unix.IFLA_MTU:
			l.mtu = ad.Uint32()
		case unix.IFLA_LINK:
			l.link = ad.Uint32()
		case unix.IFLA_QDISC:
			l.qdisc = cString(ad)
		case unix.IFLA_MASTER:
			l.master = ad.Uint32()
		case unix.IFLA_TXQLEN:
			l.txqlen = ad.Uint32()
		case unix.IFLA_OPERSTATE:
			l.operstate = ad.Uint8()
		case unix.IFLA_LINKMODE:
			l.mode = ad.Uint8()
		case unix.IFLA_LINKINFO:
			nested(ad, func(nad *netlink.AttributeDecoder, typ uint16) {
				if typ == unix.IFLA_INFO_KIND {
					l.kind = cString(nad)
				}
			})
		case unix.IFLA_STATS64:
			ad.Do(l.setStats)
		case unix.IFLA_AF_SPEC:
			nested(ad, func(nad *netlink.AttributeDecoder, typ uint16) {
				if typ == unix.AF_INET6 {
					nested(nad, l.inet6Mdlayher)
				}
			})
		case unix.IFLA_GROUP:
			l.group = ad.Uint32()
		case unix.IFLA_PROMISCUITY:
			l.promiscuity = ad.Uint32()
		case unix.IFLA_NUM_TX_QUEUES:
			l.numTx = ad.Uint32()
		case unix.IFLA_NUM_RX_QUEUES:
			l.numRx = ad.Uint32()
		case unix.IFLA_CARRIER:
			l.carrier = ad.Uint8()
		case unix.IFLA_CARRIER_CHANGES:
			l.changes = ad.Uint32()
		case unix.IFLA_GSO_MAX_SEGS:
			l.gsoSegs = ad.Uint32()
		case unix.IFLA_GSO_MAX_SIZE:
			l.gsoSize = ad.Uint32()
		}
	})
}

func (l *link) inet6Mdlayher(ad *netlink.AttributeDecoder, typ uint16) {
	switch typ {
	case unix.IFLA_INET6_FLAGS:
		l.inet6 = ad.Uint32()
	case unix.IFLA_INET6_ADDR_GEN_MODE:
		l.genMode = ad.Uint8()
	}
}

func multipathMdlayher(r *multipath, p []byte) error {
	if len(p) < unix.SizeofRtMsg {
		return nla.ErrTruncated
	}
	*r = multipath{family: p[0], dstLen: p[1], kind: p[7]}
	ad, err := netlink.NewAttributeDecoder(p[unix.SizeofRtMsg:])
	if err != nil {
		return err
	}
	return eachAttr(ad, func(typ uint16) {
		switch typ {
		case unix.RTA_DST:
			r.dst = ad.Bytes()
		case unix.RTA_OIF:
			r.oif = ad.Uint32()
		case unix.RTA_GATEWAY:
			r.gateway = ad.Bytes()
		case unix.RTA_PRIORITY:
			r.priority = ad.Uint32()
		case unix.RTA_PREFSRC:
			r.source = ad.Bytes()
		case unix.RTA_TABLE:
			r.table = ad.Uint32()
		case unix.RTA_METRICS:
			nested(ad, func(nad *netlink.AttributeDecoder, typ uint16) {
				switch typ {
				case unix.RTAX_MTU:
					r.mtu = nad.Uint32()
				case unix.RTAX_ADVMSS:
					r.advMSS = nad.Uint32()
				case unix.RTAX_INITCWND:
					r.initCwnd = nad.Uint32()
				}
			})
		case unix.RTA_MULTIPATH:
			ad.Do(r.hopsMdlayher)
		}
	})
}

func (r *multipath) hopsMdlayher(p []byte) error {
	for len(p) > 0 {
		size, err := r.nextHop(p)
		if err != nil {
			return err
		}
		ad, err := netlink.NewAttributeDecoder(p[unix.SizeofRtNexthop:size])
		if err != nil {
			return err
		}
		h := &r.hops[r.count]
		r.count++
		if err := eachAttr(ad, func(typ uint16) {
			if typ == unix.RTA_GATEWAY {
				h.gateway = ad.Bytes()
			}
		}); err != nil {
			return err
		}
		p = p[min(nla.Align(size), len(p)):]
	}
	return nil
}

func ruleMdlayher(r *rule, p []byte) error {
	if len(p) < 4 {
		return nla.ErrTruncated
	}
	*r = rule{}
	ad, err := bigEndian(p[4:])
	if err != nil {
		return err
	}
	return eachAttr(ad, func(typ uint16) {
		switch typ {
		case unix.NFTA_RULE_TABLE:
			r.table = cString(ad)
		case unix.NFTA_RULE_CHAIN:
			r.chain = cString(ad)
		case unix.NFTA_RULE_HANDLE:
			r.handle = ad.Uint64()
		case unix.NFTA_RULE_POSITION:
			r.position = ad.Uint64()
		case unix.NFTA_RULE_USERDATA:
			r.userdata = ad.Bytes()
		case unix.NFTA_RULE_EXPRESSIONS:
			nested(ad, func(list *netlink.AttributeDecoder, _ uint16) {
				e := &r.exprs[r.count]
				r.count++
				nested(list, func(nad *netlink.AttributeDecoder, typ uint16) {
					switch typ {
					case unix.NFTA_EXPR_NAME:
						e.name = cString(nad)
					case unix.NFTA_EXPR_DATA:
						e.data = nad.Bytes()
					}
				})
			})
		}
	})
}

func flowMdlayher(f *flow, p []byte) error {
	if len(p) < 4 {
		return nla.ErrTruncated
	}
	*f = flow{}
	ad, err := bigEndian(p[4:])
	if err != nil {
		return err
	}
	return eachAttr(ad, func(typ uint16) {
		switch typ {
		case ctaTupleOrig, ctaTupleReply:
			nested(ad, f.tuples[typ-ctaTupleOrig].mdlayher)
		case ctaStatus:
			f.status = ad.Uint32()
		case ctaTimeout:
			f.timeout = ad.Uint32()
		case ctaMark:
			f.mark = ad.Uint32()
		case ctaUse:
			f.use = ad.Uint32()
		case ctaID:
			f.id = ad.Uint32()
		case ctaCountersOrig, ctaCountersReply:
			nested(ad, f.counts[typ-ctaCountersOrig].mdlayher)
		case ctaTimestamp:
			nested(ad, func(nad *netlink.AttributeDecoder, typ uint16) {
				if typ == 1 {
					f.start = nad.Uint64()
				}
			})
		case ctaProtoInfo:
			nested(ad, func(nad *netlink.AttributeDecoder, typ uint16) {
				if typ == 1 {
					nested(nad, f.tcpMdlayher)
				}
			})
		}
	})
}

func (t *tuple) mdlayher(ad *netlink.AttributeDecoder, typ uint16) {
	nested(ad, func(nad *netlink.AttributeDecoder, field uint16) {
		switch typ<<8 | field {
		case 1<<8 | 1:
			t.src = nad.Uint32()
		case 1<<8 | 2:
			t.dst = nad.Uint32()
		case 2<<8 | 1:
			t.proto = nad.Uint8()
		case 2<<8 | 2:
			t.from = nad.Uint16()
		case 2<<8 | 3:
			t.to = nad.Uint16()
		}
	})
}

func (k *counters) mdlayher(ad *netlink.AttributeDecoder, typ uint16) {
	switch typ {
	case 1:
		k.packets = ad.Uint64()
	case 2:
		k.bytes = ad.Uint64()
	}
}

// tcpMdlayher reads the TCP attributes. The flags are two separate bytes (struct nf_ct_tcp_flags), and
// the decoder is big-endian, hence ReverseBytes16.
func (f *flow) tcpMdlayher(ad *netlink.AttributeDecoder, typ uint16) {
	switch typ {
	case 1:
		f.state = ad.Uint8()
	case 2:
		f.scaleOrig = ad.Uint8()
	case 3:
		f.scaleReply = ad.Uint8()
	case 4:
		f.flagsOrig = bits.ReverseBytes16(ad.Uint16())
	case 5:
		f.flagsReply = bits.ReverseBytes16(ad.Uint16())
	}
}

func linkJsimonetti(l *link, p []byte) error {
	var m rtnetlink.LinkMessage
	if err := m.UnmarshalBinary(p); err != nil {
		return err
	}
	a := m.Attributes
	*l = link{
		typ: m.Type, index: m.Index, flags: m.Flags, name: []byte(a.Name), qdisc: []byte(a.QueueDisc),
		address: a.Address, broadcast: a.Broadcast, mtu: a.MTU, link: a.Type, master: *or(a.Master),
		txqlen: *or(a.TxQueueLen), group: *or(a.NetDevGroup), changes: *or(a.CarrierChanges),
		operstate: uint8(a.OperationalState), mode: *or(a.LinkMode), carrier: *or(a.Carrier),
	}
	if a.Info != nil {
		l.kind = []byte(a.Info.Kind)
	}
	if s := a.Stats64; s != nil {
		l.stats = [8]uint64{s.RXPackets, s.TXPackets, s.RXBytes, s.TXBytes, s.RXErrors, s.TXErrors, s.RXDropped, s.TXDropped}
	}
	return nil
}

// or returns p, or a pointer to a zero value if p is nil.
func or[T any](p *T) *T {
	if p == nil {
		return new(T)
	}
	return p
}

// lackJsimonetti returns a link with only the fields that the library does not decode.
func lackJsimonetti(l *link) link {
	return link{promiscuity: l.promiscuity, numTx: l.numTx, numRx: l.numRx, gsoSegs: l.gsoSegs, gsoSize: l.gsoSize,
		inet6: l.inet6, genMode: l.genMode}
}

func linkVishvananda(l *link, p []byte) error {
	v, err := vishvananda.LinkDeserialize(nil, p)
	if err != nil {
		return err
	}
	a := v.Attrs()
	*l = link{
		index: uint32(a.Index), flags: a.RawFlags, name: []byte(a.Name), kind: []byte(v.Type()), address: a.HardwareAddr,
		mtu: uint32(a.MTU), link: uint32(a.ParentIndex), master: uint32(a.MasterIndex), txqlen: uint32(a.TxQLen),
		group: a.Group, promiscuity: uint32(a.Promisc), numTx: uint32(a.NumTxQueues), numRx: uint32(a.NumRxQueues),
		gsoSegs: a.GSOMaxSegs, gsoSize: a.GSOMaxSize, operstate: uint8(a.OperState),
	}
	if l.kind != nil && string(l.kind) == "device" { // the library's name for a link without a kind
		l.kind = nil
	}
	if s := a.Statistics; s != nil {
		l.stats = [8]uint64{s.RxPackets, s.TxPackets, s.RxBytes, s.TxBytes, s.RxErrors, s.TxErrors, s.RxDropped, s.TxDropped}
	}
	return nil
}

func lackVishvananda(l *link) link {
	return link{typ: l.typ, qdisc: l.qdisc, broadcast: l.broadcast, mode: l.mode, carrier: l.carrier,
		changes: l.changes, inet6: l.inet6, genMode: l.genMode}
}

// lacking adds the fields that a library does not decode to its checksum. They are computed outside the
// measured time.
func lacking(decode func(*link, []byte) error, lack func(*link) link) column {
	return func(in *input.Set) (task, error) {
		rest, err := typed((*link).walk, func(l *link) uint64 {
			v := lack(l)
			return v.sum()
		})(in)
		if err != nil {
			return task{}, err
		}
		more, err := rest.run(1)
		if err != nil {
			return task{}, err
		}
		t, err := typed(decode, (*link).sum)(in)
		return task{run: func(n int) (uint64, error) {
			sum, err := t.run(n)
			return sum + uint64(n)*more, err
		}}, err
	}
}

func multipathJsimonetti(r *multipath, p []byte) error {
	var m rtnetlink.RouteMessage
	if err := m.UnmarshalBinary(p); err != nil {
		return err
	}
	a := &m.Attributes
	metrics := or(a.Metrics)
	*r = multipath{
		family: m.Family, dstLen: m.DstLength, kind: m.Type, dst: a.Dst, source: a.Src, gateway: a.Gateway,
		oif: a.OutIface, priority: a.Priority, table: a.Table,
		mtu: metrics.MTU, advMSS: metrics.AdvMSS, initCwnd: metrics.InitCwnd, count: len(a.Multipath),
	}
	for i, h := range a.Multipath {
		r.hops[i] = hop{h.Hop.IfIndex, h.Hop.Hops, h.Gateway}
	}
	return nil
}
