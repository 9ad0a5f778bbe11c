package main

import (
	"golang.org/x/sys/unix"

	"github.com/nlwire/nlwire/nla"
)

// The decoders have the form that the documentation recommends.

func (l *link) walk(p []byte) error {
	if len(p) < unix.SizeofIfInfomsg {
		return nla.ErrTruncated
	}
	*l = link{typ: ne.Uint16(p[2:]), index: ne.Uint32(p[4:]), flags: ne.Uint32(p[8:])}
	c := nla.Walk(p[unix.SizeofIfInfomsg:])
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case unix.IFLA_ADDRESS:
			l.address = a.Payload()
		case unix.IFLA_BROADCAST:
			l.broadcast = a.Payload()
		case unix.IFLA_IFNAME:
			l.name, err = a.CString()
		case unix.IFLA_MTU:
			l.mtu, err = a.Uint32()
		case unix.IFLA_LINK:
			l.link, err = a.Uint32()
		case unix.IFLA_QDISC:
			l.qdisc, err = a.CString()
		case unix.IFLA_MASTER:
			l.master, err = a.Uint32()
		case unix.IFLA_TXQLEN:
			l.txqlen, err = a.Uint32()
		case unix.IFLA_OPERSTATE:
			l.operstate, err = a.Uint8()
		case unix.IFLA_LINKMODE:
			l.mode, err = a.Uint8()
		case unix.IFLA_LINKINFO:
			err = l.walkInfo(a.Payload())
		case unix.IFLA_STATS64:
			err = l.setStats(a.Payload())
		case unix.IFLA_AF_SPEC:
			err = l.walkFamilies(a.Payload())
		case unix.IFLA_GROUP:
			l.group, err = a.Uint32()
		case unix.IFLA_PROMISCUITY:
			l.promiscuity, err = a.Uint32()
		case unix.IFLA_NUM_TX_QUEUES:
			l.numTx, err = a.Uint32()
		case unix.IFLA_NUM_RX_QUEUES:
			l.numRx, err = a.Uint32()
		case unix.IFLA_CARRIER:
			l.carrier, err = a.Uint8()
		case unix.IFLA_CARRIER_CHANGES:
			l.changes, err = a.Uint32()
		case unix.IFLA_GSO_MAX_SEGS:
			l.gsoSegs, err = a.Uint32()
		case unix.IFLA_GSO_MAX_SIZE:
			l.gsoSize, err = a.Uint32()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (l *link) walkInfo(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case unix.IFLA_INFO_KIND:
			l.kind, err = a.CString()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (l *link) walkFamilies(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case unix.AF_INET6:
			err = l.walkInet6(a.Payload())
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (l *link) walkInet6(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case unix.IFLA_INET6_FLAGS:
			l.inet6, err = a.Uint32()
		case unix.IFLA_INET6_ADDR_GEN_MODE:
			l.genMode, err = a.Uint8()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (r *multipath) walk(p []byte) error {
	if len(p) < unix.SizeofRtMsg {
		return nla.ErrTruncated
	}
	*r = multipath{family: p[0], dstLen: p[1], kind: p[7]}
	c := nla.Walk(p[unix.SizeofRtMsg:])
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case unix.RTA_DST:
			r.dst = a.Payload()
		case unix.RTA_OIF:
			r.oif, err = a.Uint32()
		case unix.RTA_GATEWAY:
			r.gateway = a.Payload()
		case unix.RTA_PRIORITY:
			r.priority, err = a.Uint32()
		case unix.RTA_PREFSRC:
			r.source = a.Payload()
		case unix.RTA_METRICS:
			err = r.walkMetrics(a.Payload())
		case unix.RTA_MULTIPATH:
			err = r.walkHops(a.Payload())
		case unix.RTA_TABLE:
			r.table, err = a.Uint32()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (r *multipath) walkMetrics(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case unix.RTAX_MTU:
			r.mtu, err = a.Uint32()
		case unix.RTAX_ADVMSS:
			r.advMSS, err = a.Uint32()
		case unix.RTAX_INITCWND:
			r.initCwnd, err = a.Uint32()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (r *multipath) walkHops(p []byte) error {
	for len(p) > 0 {
		size, err := r.nextHop(p)
		if err != nil {
			return err
		}
		h := &r.hops[r.count]
		r.count++
		if err := h.walk(p[unix.SizeofRtNexthop:size]); err != nil {
			return err
		}
		p = p[min(nla.Align(size), len(p)):]
	}
	return nil
}

func (h *hop) walk(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		switch a := c.Attr(); c.Type() {
		case unix.RTA_GATEWAY:
			h.gateway = a.Payload()
		}
	}
	return c.Err()
}

func (r *rule) walk(p []byte) error {
	if len(p) < 4 {
		return nla.ErrTruncated
	}
	*r = rule{}
	c := nla.Walk(p[4:])
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case unix.NFTA_RULE_TABLE:
			r.table, err = a.CString()
		case unix.NFTA_RULE_CHAIN:
			r.chain, err = a.CString()
		case unix.NFTA_RULE_HANDLE:
			r.handle, err = a.BE64()
		case unix.NFTA_RULE_EXPRESSIONS:
			err = r.walkExprs(a.Payload())
		case unix.NFTA_RULE_POSITION:
			r.position, err = a.BE64()
		case unix.NFTA_RULE_USERDATA:
			r.userdata = a.Payload()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (r *rule) walkExprs(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case unix.NFTA_LIST_ELEM:
			if r.count == len(r.exprs) {
				return nla.ErrTooLong
			}
			err = r.exprs[r.count].walk(a.Payload())
			r.count++
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (e *expr) walk(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case unix.NFTA_EXPR_NAME:
			e.name, err = a.CString()
		case unix.NFTA_EXPR_DATA:
			e.data = a.Payload()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (f *flow) walk(p []byte) error {
	if len(p) < 4 {
		return nla.ErrTruncated
	}
	*f = flow{}
	c := nla.Walk(p[4:])
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case ctaTupleOrig:
			err = f.tuples[0].walk(a.Payload())
		case ctaTupleReply:
			err = f.tuples[1].walk(a.Payload())
		case ctaStatus:
			f.status, err = a.BE32()
		case ctaProtoInfo:
			err = f.walkProto(a.Payload())
		case ctaTimeout:
			f.timeout, err = a.BE32()
		case ctaMark:
			f.mark, err = a.BE32()
		case ctaCountersOrig:
			err = f.counts[0].walk(a.Payload())
		case ctaCountersReply:
			err = f.counts[1].walk(a.Payload())
		case ctaUse:
			f.use, err = a.BE32()
		case ctaID:
			f.id, err = a.BE32()
		case ctaTimestamp:
			err = f.walkTimes(a.Payload())
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (t *tuple) walk(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case 1: // CTA_TUPLE_IP
			err = t.walkIP(a.Payload())
		case 2: // CTA_TUPLE_PROTO
			err = t.walkProto(a.Payload())
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (t *tuple) walkIP(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case 1:
			t.src, err = a.BE32()
		case 2:
			t.dst, err = a.BE32()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (t *tuple) walkProto(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case 1:
			t.proto, err = a.Uint8()
		case 2:
			t.from, err = a.BE16()
		case 3:
			t.to, err = a.BE16()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (k *counters) walk(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case 1:
			k.packets, err = a.BE64()
		case 2:
			k.bytes, err = a.BE64()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (f *flow) walkTimes(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case 1:
			f.start, err = a.BE64()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (f *flow) walkProto(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case 1: // CTA_PROTOINFO_TCP
			err = f.walkTCP(a.Payload())
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}

func (f *flow) walkTCP(p []byte) error {
	c := nla.Walk(p)
	for ; c.More(); c = c.Next() {
		var err error
		switch a := c.Attr(); c.Type() {
		case 1:
			f.state, err = a.Uint8()
		case 2:
			f.scaleOrig, err = a.Uint8()
		case 3:
			f.scaleReply, err = a.Uint8()
		case 4:
			f.flagsOrig, err = a.Uint16()
		case 5:
			f.flagsReply, err = a.Uint16()
		}
		if err != nil {
			return err
		}
	}
	return c.Err()
}
